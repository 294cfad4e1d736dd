"""The lines of a service's log."""

import json
from pathlib import Path

import pytest

from esdash.service.logs import Happening, Level, Log

HOSTILE = Happening(
    "notice", "red \x1b[31m\nand a line", Level.WARNING, {"reasons": ["s3cret\x07", None], "one": {"count": 2}}
)


def lines(tmp_path: Path, *, as_json: bool) -> list[str]:
    """What a log of two lines looks like."""
    path = tmp_path / "log"
    with path.open("w", encoding="utf-8") as stream:
        log = Log(stream, as_json=as_json, wall_clock=lambda: 1.5, hide=lambda text: text.replace("s3cret", "…"))
        log.write(HOSTILE)
        log.warn("s3cret")
    return path.read_text("utf-8").splitlines()


def test_for_programs_each_line_is_an_object(tmp_path: Path) -> None:
    first, second = map(json.loads, lines(tmp_path, as_json=True))
    assert first == {
        "time": "1970-01-01T00:00:01.500Z",
        "level": "warning",
        "event": "notice",
        "text": "red ␛[31m␊and a line",
        "reasons": ["…␇", None],
        "one": {"count": 2},
    }
    assert (second["event"], second["text"]) == ("warning", "…")


def test_for_people_each_line_is_a_sentence(tmp_path: Path) -> None:
    first, second = lines(tmp_path, as_json=False)
    assert first.startswith("19")
    assert first.endswith(" warning: red ␛[31m␊and a line")
    assert second.endswith(" warning: …")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_what_cannot_be_written_is_counted_and_the_service_goes_on() -> None:
    stream = Path("/dev/full").open("w", encoding="utf-8")  # noqa: SIM115 - its end fails as well
    log = Log(stream, as_json=True, wall_clock=lambda: 0.0)
    log.warn("Nobody hears this.")
    log.lose()
    assert log.lost == 2
    with pytest.raises(OSError, match="No space"):
        stream.close()
