"""Filling in forms, and reading what they say."""

import json
from collections.abc import Mapping
from typing import Any

from textual.widgets import Input

from esdash.ui.forms.inputs import Suggestions
from esdash.ui.forms.publishing import EventForm
from esdash.ui.forms.type_form import TypeForm
from tests.ui.recording_console import RecordingConsole


def form_of(name: str, console: RecordingConsole, **values: str) -> TypeForm:
    """The form of an event type, with texts filled in."""
    event_type = next(each for each in console.fold.publishable if each.wire_name == name)
    return TypeForm(console, event_type, values)


def payload(console: RecordingConsole) -> Any:
    """What was published last."""
    return json.loads(console.published[-1][1])


def note(form: EventForm, field: str) -> str:
    """What the form says under a field."""
    entry = form.query_one(f"#field-{field}").parent
    assert entry is not None
    assert entry.parent is not None
    return str(entry.parent.query_one(".note").content)  # type: ignore[attr-defined]


def offered(form: EventForm) -> list[str]:
    """The names in the list of suggestions; none while it is closed."""
    return [
        match.name for suggestions in form.query(Suggestions) if suggestions.display
        for match in suggestions.completion.matches
    ]  # fmt: skip


def value(form: EventForm, field: str) -> str:
    """What is typed in a field."""
    return form.query_one(f"#field-{field}", Input).value


def fill(form: EventForm, texts: Mapping[str, str]) -> None:
    """Put texts into fields, by their names."""
    for field, text in texts.items():
        form.query_one(f"#field-{field}", Input).value = text
