"""Sheets as text: CSV for a spreadsheet, JSON lines for programs, Markdown for people."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Any, Final, TypeVar

from esdash.exact import json_line
from esdash.export.sheet import Sheet
from esdash.visible import visible

T = TypeVar("T")


class Format(StrEnum):
    """How sheets are written; the value is how the command line and a file's ending call it."""

    CSV = "csv"
    JSON_LINES = "jsonl"
    MARKDOWN = "markdown"


ENDINGS: Final = {Format.CSV: "csv", Format.JSON_LINES: "jsonl", Format.MARKDOWN: "md"}
"""Of files."""

_PIECE: Final = 1000
"""Characters made harmless at a time, so that what is remembered of them stays small."""

_HARMLESS: Final = re.compile("[ -~¡-¬®-ˁЀ-ҁ一-龥→−–…]*")
"""What is made of such characters is harmless as it is; of others each has to be looked at, which takes long."""

_FORMULA: Final = re.compile(r"\s*[=+\-@\t\r\n＝＋－＠]")
"""How a cell begins that a spreadsheet may take for a formula (https://owasp.org/www-community/attacks/CSV_Injection)."""

_NUMBER: Final = re.compile(r"[+-]?[0-9][0-9,]*(?:\.[0-9]+)?")
"""What is one and nothing else, with a sign before it as well."""

_MARKED: Final = re.compile(r"[\\`*\[\]<>|~$&]|(?<![^\W_])_|_(?![^\W_])")
"""What Markdown does not take as it is within a cell."""


def written(sheets: Iterable[Sheet[Any]], how: Format) -> Iterator[str]:
    """The text, a line at a time; several sheets follow one another, in CSV and Markdown after an empty line.

    Text from outside is made harmless; JSON is ASCII.
    """
    for place, sheet in enumerate(sheets):
        if place and how is not Format.JSON_LINES:
            yield "\n"
        yield from head_written(sheet, how)
        for line in sheet.lines:
            yield line_written(sheet, line, how)


def head_written(sheet: Sheet[Any], how: Format) -> Iterator[str]:
    """What stands before the lines."""
    titles = [heading.title for heading in sheet.columns]
    if how is Format.CSV:
        yield _csv_line(titles)
    elif how is Format.MARKDOWN:
        yield f"**{_marked(sheet.title)}**\n\n"
        yield _markdown_line(list(map(_marked, titles)))
        yield _markdown_line(["---:" if heading.is_number else "---" for heading in sheet.columns])


def line_written(sheet: Sheet[T], line: T, how: Format) -> str:
    if how is Format.JSON_LINES:
        return json_line(sheet.document(line)) + "\n"
    cells = sheet.cells(line)
    return _csv_line(cells) if how is Format.CSV else _markdown_line(list(map(_marked, cells)))


def safe_cell(text: str) -> str:
    """The text such that a spreadsheet takes it for no formula: what might be one gets an apostrophe before it."""
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def _csv_line(cells: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow([safe_cell(_harmless(cell)) for cell in cells])
    return text.getvalue()


def _markdown_line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


def _marked(text: str) -> str:
    return _MARKED.sub(r"\\\g<0>", _harmless(text))


def _harmless(text: str) -> str:
    if _HARMLESS.fullmatch(text):
        return text
    return "".join(visible(text[start : start + _PIECE], 10 * _PIECE) for start in range(0, len(text), _PIECE))
