"""Sheets as text, whatever stands in their cells."""

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esdash.export.formats import Format, safe_cell, written
from esdash.export.sheet import Heading, Sheet
from esdash.visible import visible


def sheet(*rows: tuple[str, ...]) -> Sheet[tuple[str, ...]]:
    def document(row: tuple[str, ...]) -> dict[str, Any]:
        return dict(enumerate(row))  # type: ignore[arg-type]

    return Sheet("A_title|x", [Heading("a"), Heading("=b", is_number=True)], rows, document, lambda row: row)


def text(how: Format, *rows: tuple[str, ...]) -> str:
    return "".join(written([sheet(*rows)], how))


@pytest.mark.parametrize(
    "cell", ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "=", "-", "＝1", "-5%x"]
)
def test_what_a_spreadsheet_would_take_for_a_formula_gets_an_apostrophe(cell: str) -> None:
    assert safe_cell(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "a=b", "12.34", "-12.34", "+500.00", "-1,234,567.89", "−44.00", "#1", "–", "1-0"])
def test_numbers_and_plain_text_stay_as_they_are(cell: str) -> None:
    assert safe_cell(cell) == cell


@settings(deadline=None)
@given(st.lists(st.tuples(st.text(max_size=9), st.text(max_size=9)), max_size=4))
def test_every_line_of_csv_has_its_cells_whatever_is_in_them(rows: list[tuple[str, str]]) -> None:
    lines = list(csv.reader(io.StringIO(text(Format.CSV, *rows))))
    assert lines[0] == ["a", "'=b"]
    assert len(lines) == len(rows) + 1
    assert all(len(line) == 2 for line in lines)
    for cell in (cell for line in lines for cell in line):
        assert cell == "" or cell.isprintable()
        assert safe_cell(cell) == cell


@settings(deadline=None)
@given(st.lists(st.tuples(st.text(max_size=9), st.text(max_size=9)), max_size=4))
def test_every_line_of_json_is_a_value_as_it_was(rows: list[tuple[str, str]]) -> None:
    lines = text(Format.JSON_LINES, *rows)
    assert lines.isascii()
    assert [tuple(json.loads(line).values()) for line in lines.splitlines()] == rows


def test_of_every_character_only_what_is_visible_is_written() -> None:
    cells = ["".join(f"a{chr(code + each)}b" for each in range(16)) for code in range(0, 0x20000, 16)]
    _, *rows = csv.reader(io.StringIO(text(Format.CSV, *((cell,) for cell in cells))))
    assert rows == [[visible(cell)] for cell in cells]


def test_markdown_takes_no_cell_for_more_than_text() -> None:
    hostile = ("a|b\nc", "![x](http://y) <b>`*_~$&\\|")
    *_, line = text(Format.MARKDOWN, hostile, ("insufficient_funds", "_x_")).splitlines()[:-1]
    assert line == r"| a\|b␊c | !\[x\](http://y) \<b\>\`\*\_\~\$\&\\\| |"
    assert text(Format.MARKDOWN, ("insufficient_funds", "_x_")).splitlines()[0] == r"**A_title\|x**"
    assert text(Format.MARKDOWN, ("insufficient_funds", "_x_")).splitlines()[-1] == r"| insufficient_funds | \_x\_ |"


def test_sheets_follow_one_another_after_an_empty_line() -> None:
    for how, lines in ((Format.CSV, 5), (Format.JSON_LINES, 2), (Format.MARKDOWN, 11)):
        made = "".join(written([sheet(("1", "2")), sheet(("3", "4"))], how))
        assert len(made.splitlines()) == lines
