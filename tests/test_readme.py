"""The README says what the program does."""

from pathlib import Path

from esdash.log.address import OPTIONS
from tests.readme import README, with_sections

ROOT = Path(__file__).parents[1]


def test_the_tables_are_those_of_the_program() -> None:
    text = README.read_text("utf-8")
    assert text == with_sections(text), "run python -m tests.readme"


def test_the_command_for_the_tests_is_the_one_that_continuous_integration_runs() -> None:
    (command,) = (line for line in (ROOT / ".ci/run").read_text("utf-8").splitlines() if "pytest" in line)
    assert command in README.read_text("utf-8").splitlines()


def test_every_option_of_a_url_is_named() -> None:
    text = README.read_text("utf-8")
    assert [name for name in OPTIONS if f"`{name}`" not in text] == []


def test_every_picture_is_there() -> None:
    text = README.read_text("utf-8")
    named = [part.split(")")[0] for part in text.split("](screenshots/")[1:]]
    assert named
    for name in named:
        assert (ROOT / "screenshots" / name).is_file(), name
