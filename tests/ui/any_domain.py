"""What tests of the screens say of the present domain (`tests.domains.ways`): its panels, its rows, an event, a form.

Rows are told by a number, which is the first that a line of their table shows.
"""

import json
import re
from typing import Any

import msgspec
from textual.app import App

from esdash.domain import Table
from esdash.ui.forms.type_form import TypeForm
from tests.domains.ways import present
from tests.ui.filling import form_of
from tests.ui.looking import cursor_line, lines_of
from tests.ui.recording_console import RecordingConsole


def table() -> str:
    """The one with the rows."""
    return present().cell(0, 0)[0]


def panels() -> list[str]:
    """The names of those that the main screen has, in their order."""
    return [*(each.name for each in _tables()), "log"]


def press(panel: str) -> str:
    """The key that goes to a panel."""
    return str(panels().index(panel) + 1)


def title(panel: str) -> str:
    """What stands in the frame of a panel first: its key and its name."""
    told = next((each.title or each.name for each in _tables() if each.name == panel), panel)
    return f"{press(panel)} {told[:1].upper()}{told[1:]}"


def sound(number: int, value: int = 100) -> tuple[str, bytes]:
    """An event that makes a row: its type and payload. Of the bank it is refused where the row is there."""
    name, members = present().sound(number, value)
    return name, msgspec.json.encode(members)


def refused() -> tuple[str, bytes]:
    """An event that the rules always refuse."""
    name, members = present().refused
    return name, msgspec.json.encode(members)


def numbers(app: App[None], panel: str | None = None) -> list[int]:
    """The rows in view, of that table unless told otherwise."""
    return [row_of(line) for line in lines_of(app, panel or table())[1:] if line.strip()]


def under_cursor(app: App[None]) -> int:
    """The row under the cursor of that table."""
    return row_of(cursor_line(app, table()))


def row_of(line: str) -> int:
    """The row that a line of a table shows."""
    found = re.search(r"\d+", line)
    assert found is not None, line
    return int(found[0])


def key(number: int) -> str:
    """A row as it is typed and shown."""
    return present().typed(number, 0)[0]


def typed(value: int) -> str:
    """A value as it is typed."""
    return present().typed(0, value)[1]


def one() -> str:
    """The word for a row of the table."""
    return next(each.one for each in _tables() if each.name == table())


def question(number: int) -> str:
    """Which entries are about a row."""
    return f"{one()}:{key(number) if key(number).isascii() else json.dumps(key(number), ensure_ascii=False)}"


def fields() -> tuple[str, str]:
    """The names of the row's field and of the value's, in the event that makes a row."""
    row, value = present().sound(0, 0)[1]
    return row, value


def a_console(*numbers: int) -> RecordingConsole:
    """A log of the events that make these rows."""
    return RecordingConsole(*((name, data.decode()) for name, data in (sound(number) for number in numbers)))


def a_form(console: RecordingConsole, number: int | None = None) -> TypeForm:
    """The form of that event, with a row filled in."""
    values = {} if number is None else {fields()[0]: key(number)}
    return form_of(present().sound(0, 0)[0], console, **values)


def members(number: int, value: int) -> Any:
    """The payload of that event."""
    return present().sound(number, value)[1]


def _tables() -> list[Table]:
    return [each for each in present().fold().domain.tables if not each.hidden]
