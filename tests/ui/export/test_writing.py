"""An export under way: as a whole or not at all, stopped at once, bounded for the clipboard."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from esdash.export.formats import Format
from esdash.export.sheet import Heading, Sheet
from esdash.ui.export.handed import Handed, usual_file
from esdash.ui.export.writing import CLIPBOARD, StoppedError, TooMuchError, Writing


def writing(lines: Iterator[str]) -> Writing:
    sheet = Sheet("x", [Heading("x")], lines, lambda line: {"x": line}, lambda line: [line])
    return Writing(Handed("x", "x", lambda: [sheet]), Format.CSV)


def test_a_long_one_is_stopped_and_leaves_no_file(tmp_path: Path) -> None:
    def lines() -> Iterator[str]:
        while True:
            yield "line"
            if under_way.lines == 5000:
                assert len(list(tmp_path.iterdir())) == 1, "it is written beside its place"
                under_way.stopped = True

    under_way = writing(lines())
    with pytest.raises(StoppedError):
        under_way.to_file(tmp_path / "x.csv")
    assert under_way.lines == 5000
    assert list(tmp_path.iterdir()) == []


def test_the_clipboard_takes_no_more_than_its_bound() -> None:
    assert writing(iter(["é" * 1000] * 400)).as_text().count("\n") == 401
    many = writing("é" * 1000 for _ in iter(int, 1))
    with pytest.raises(TooMuchError, match="take a file"):
        many.as_text()
    assert many.lines <= CLIPBOARD // 2000 + 1


def test_a_files_name_is_one_whatever_it_is_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for name in ("items-../../etc/passwd", "a\x1b[31m\n b", "", "é" * 400, "log"):
        path = usual_file(name, "csv", 1_700_000_000)
        assert path.parent == tmp_path
        assert path.name.startswith("esdash-")
        assert path.name.isascii()
        assert len(path.name) < 100
    assert usual_file("log", "csv", 1_700_000_000).name.startswith("esdash-log-20231114-")
