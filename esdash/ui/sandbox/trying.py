"""Making edits of a sandbox: from an entry of the log, from the form of an event."""

import time
from collections.abc import Callable
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from textual.screen import Screen

from esdash.domain import EventType
from esdash.engine.publishing.publisher import new_keys
from esdash.engine.shown.view import View
from esdash.fold.failing import DomainError
from esdash.fold.folding import Fold
from esdash.fold.sorting import Fields
from esdash.ui.asking import find_out
from esdash.ui.declared import Actions
from esdash.ui.forms.event_types import EventTypesScreen
from esdash.ui.forms.publishing import Purpose
from esdash.ui.forms.type_form import TypeForm
from esdash.ui.messages import tell
from esdash.ui.paint.dialog import open_dialog
from esdash.ui.sandbox import choices
from esdash.ui.sandbox.cells import EditLine, edit_lines
from esdash.ui.sandbox.desk import SandboxDesk
from esdash.ui.sandbox.drafts import Draft
from esdash.visible import visible
from esdash.whatif.editing import event_of, rewritten
from esdash.whatif.edits import Change, Edit, Insert, Skip, Swap
from esdash.words.typed import write_value

if TYPE_CHECKING:
    from esdash.whatif.sandbox import Sandbox

BATCH: Final = 30
"""Made-up events that are tried at once."""

_JUDGED: Final = (
    "In a sandbox: nothing is published. Below it is judged by the state that is shown, not as it would be there."
)


class Trying(Struct, eq=False):
    """Adds what a person chooses. What asks the server runs in a thread."""

    screen: Screen[int]
    fold: Fold
    actions: Actions
    sandbox: "Sandbox"
    view: View
    """Has the state by which forms judge an event."""
    draft: Callable[[], Draft]
    changed: Callable[[], object]
    """Called after each edit."""

    def choose(self, what: str, entry_id: bytes) -> None:
        if what == choices.SKIP:
            self._in_thread(partial(self._skip, entry_id))
        elif what in (choices.EARLIER, choices.LATER):
            self._in_thread(partial(self._swap, entry_id, back=what == choices.EARLIER))
        elif what == choices.CHANGE:
            former = next(
                (each for each in edit_lines(self.draft().edits, None) if _changes(each.edit, entry_id)), None
            )
            if former is not None:
                self.change_edit(former)  # what was changed before holds as well
            else:
                self._in_thread(partial(self._change, entry_id))
        elif what.startswith(choices.INSERT):
            self.insert(int(what.split()[1]), entry_id)

    def choose_event(self, after: bytes | None) -> None:
        """Choose the type of an event to insert."""
        types = EventTypesScreen(self.fold, self.actions, "Try an event")
        open_dialog(self.screen.app, types, lambda number: self.insert(number, after))

    def insert(self, number: int, after: bytes | None) -> None:
        """Fill in the form of an event type."""

        def take(name: str, data: bytes, key: bytes) -> None:
            fields = tuple(self.fold.fields(name, data, key))
            self._from_thread(self._add, Insert(after, (fields,)))

        self._open(self.fold.publishable[number], take)

    def insert_batch(self, after: bytes | None) -> None:
        """Insert made-up events of the domain, all at once."""
        try:
            events = list(islice(self.fold.samples(time.time_ns()), BATCH))
        except DomainError as error:
            tell(self.screen.app, visible(str(error), 300), "error")
            return
        keyed = zip(map(self.fold.encode, events), new_keys(len(events)), strict=True)
        entries = tuple(tuple(self.fold.fields(*event, key.encode())) for event, key in keyed)
        if entries:
            self._add(Insert(after, entries))
        else:
            tell(self.screen.app, "The domain has no `sample`, so there are no made-up events.", "warning")

    def change_edit(self, line: EditLine) -> None:
        """Let an entry that was changed or inserted say something else."""
        edit, fields = line.edit, line.fields

        def take(name: str, data: bytes, _: bytes) -> None:
            said = tuple(rewritten(self.fold, fields, name, data))
            if isinstance(edit, Change):
                self._from_thread(self._replace, line.place, Change(edit.entry, said))
            elif isinstance(edit, Insert):
                entries = tuple(said if each is fields else each for each in edit.entries)
                self._from_thread(self._replace, line.place, Insert(edit.after, entries))

        if isinstance(edit, Change | Insert):
            self._form(fields, take)
        else:
            tell(self.screen.app, "There is nothing in it to change. x takes it out.")

    def _skip(self, entry_id: bytes) -> None:
        self._from_thread(self._add, Skip(self.sandbox.entry(entry_id)))

    def _change(self, entry_id: bytes) -> None:
        entry = self.sandbox.entry(entry_id)
        _, fields = entry

        def take(name: str, data: bytes, _: bytes) -> None:
            self._from_thread(self._add, Change(entry, tuple(rewritten(self.fold, fields, name, data))))

        self._from_thread(self._form, fields, take)

    def _swap(self, entry_id: bytes, *, back: bool) -> None:
        other = self.sandbox.neighbour(entry_id, back=back)
        if other is None:
            self._from_thread(tell, self.screen.app, f"It is the {'first' if back else 'last'} entry there is.")
        else:
            self._from_thread(self._add, Swap(self.sandbox.entry(entry_id), other))

    def _form(self, fields: Fields, take: Callable[[str, bytes, bytes], object]) -> None:
        try:
            event = event_of(self.fold, fields)
        except ValueError as error:
            told = visible(str(error).rstrip("."), 300)
            tell(self.screen.app, f"{told[:1].upper()}{told[1:]}.", "warning")
            return
        fields_of = self.fold.model(event).fields
        values = {field.name: write_value(field, getattr(event, field.name)) for field in fields_of}
        self._open(self.fold.type_of(event), take, values)

    def _open(
        self,
        event_type: EventType,
        take: Callable[[str, bytes, bytes], object],
        values: dict[str, str] | None = None,
    ) -> None:
        purpose = Purpose(lambda _: "", lambda _: None, _JUDGED, "Try", "tried")
        self.screen.app.push_screen(TypeForm(SandboxDesk(self.fold, self.view, take), event_type, values, purpose))

    def _add(self, edit: Edit) -> None:
        self.draft().add(edit)
        self.changed()

    def _replace(self, place: int, edit: Edit) -> None:
        self.draft().replace(place, edit)
        self.changed()

    def _from_thread(self, call: Callable[..., object], *arguments: object) -> None:
        self.screen.app.call_from_thread(call, *arguments)

    def _in_thread(self, work: Callable[[], None]) -> None:
        find_out(self.screen, work, lambda _: None, lambda why: tell(self.screen.app, why, "warning"), "sandbox")


def _changes(edit: Edit, entry_id: bytes) -> bool:
    return isinstance(edit, Change) and edit.entry[0] == entry_id
