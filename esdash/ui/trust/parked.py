"""Entries that could not be understood: why, what they hold, and a way to publish what they should have been."""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Final

from textual import on
from textual.binding import Binding, BindingType

from esdash.counted import counted
from esdash.domain import Codec
from esdash.engine.console import Published
from esdash.engine.shown.row import Row
from esdash.engine.shown.view import View
from esdash.fold.folding import Fold
from esdash.fold.sorting import Fields
from esdash.ui.correct.alike import alike, change_of
from esdash.ui.correct.form import ChooseType, RawEventForm, form_for
from esdash.ui.correct.salvage import named_type, objection
from esdash.ui.forms.outlook import blocked
from esdash.ui.forms.publishing import EventForm, Purpose
from esdash.ui.paint.confirm import ask
from esdash.ui.paint.dialog import open_dialog
from esdash.ui.paint.key_bar import Key
from esdash.ui.paint.pager import Paragraph
from esdash.ui.paint.payload import LABEL, payload_size, tell_stored
from esdash.ui.tables.line_table import LineTable
from esdash.ui.trust.entry_list import EntryListScreen
from esdash.ui.trust.standing import of_parked
from esdash.visible import visible
from esdash.words.entries import describe_event, payload_of, type_of
from esdash.words.outcomes import GLYPHS, MEANINGS, outcome_of, sentence

MOST_TOLD: Final = 5
"""Events that are told one by one before several are published."""


def parked_in(fold: Fold, view: View) -> int:
    """How many entries the state counts as parked, whether they are kept for the screen or not."""
    counts = view.state.counts if view.state is not None else ()
    counted = sum(count for outcome, count in zip(fold.outcomes, counts, strict=False) if outcome.name == "parked")
    return max(counted, len(view.parked))


class ParkedScreen(EntryListScreen):
    """The newest parked entries, the last one first."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c,enter", "correct", "Correct", show=False),
        Binding("e", "edit", "Edit type and JSON", show=False),
    ]
    PARKED = True
    KEYS = (Key("c", "publish a corrected event", "correct"), Key("e", "edit type and JSON", "edit"))

    def rows(self, view: View) -> Sequence[Row]:
        return view.parked

    def title_and_meaning(self, view: View) -> tuple[str, str]:
        count, total = len(view.parked), parked_in(self.fold, view)
        left = f"{sum(self.stands(row).open for row in view.parked):,} open"
        if total > count:
            return (
                f"! Parked entries: the {count} newest of {total:,}, {left}",
                "`esdash events --outcome parked` lists all of them. They stay in the stream and change nothing.",
            )
        title = f"! Parked entries: {count}, {left}" if count else "Parked entries: none"
        return title, "esdash cannot understand them; they stay in the stream and change nothing."

    def about(self, row: Row, width: int) -> Iterator[Paragraph]:
        """Why it is parked, what became of it, every byte."""
        outcome = outcome_of(self.fold, row.code)
        if outcome is not None:
            yield Paragraph(f"{GLYPHS['parked']} {outcome.reason}", "Reason", "warning", LABEL)
            yield Paragraph(sentence(self.fold, outcome), indent=LABEL)
        if exactly := objection(self.fold, row, payload_size(self.fold, row)):
            yield Paragraph(exactly, "Exactly", indent=LABEL)
        stands = self.stands(row)
        yield Paragraph(stands.told, "Stands", stands.style, LABEL)
        yield Paragraph("")
        yield from tell_stored(self.fold, row, width, bytes_too=True)

    def when_empty(self, view: View) -> Iterator[Paragraph]:
        if total := parked_in(self.fold, view):
            were = counted(total, "entry was", "entries were")
            yield Paragraph(
                f"{were} parked, and none is kept here. `esdash events --outcome parked` lists those that are still "
                "in the stream.",
                style="warning",
            )
        else:
            yield Paragraph("No entry is parked.", style="good")
        if self.fold.readonly:
            yield Paragraph(f"{visible(self.fold.name, 40)} takes every entry as it is: none ever will be.")
            return
        yield Paragraph("")
        yield Paragraph(f"Parked means: {MEANINGS['parked']}.")
        yield Paragraph("")
        yield Paragraph(
            "Its type is unknown, a field is missing, its data breaks the schema, is larger than 64 KiB, or has a "
            "version that the domain does not know. Such an entry is never deleted: each is counted and listed with "
            "its bytes and the reason, and a corrected event can be published for it."
        )
        yield Paragraph("")
        yield Paragraph("To see one, append an event of a type that does not exist:")
        yield Paragraph(f"  XADD {visible(view.stream, 60)} * {self._unknown()}", verbatim=True)

    def _unknown(self) -> str:
        """Fields of an entry that the domain cannot understand."""
        wire = self.fold.domain.wire
        if isinstance(wire, Codec):
            return "member 1"
        kind = "" if wire.only else f"{wire.type} Unheard-of "
        return visible(kind + (f"{wire.data} '{{}}'" if wire.data else "member 1"), 60)

    async def action_correct(self) -> None:
        """Open the form that fits, with all in it that can still be read."""
        if (row := self._open_one()) is not None:
            fields, purpose = _readable(self.fold, row), self._purpose(row)

            def chosen(kind: str) -> None:
                self._open(row, form_for(self.engine, fields, purpose, kind))

            if named_type(self.fold, fields) is None:  # then only a person knows
                await open_dialog(self.app, ChooseType(self.fold, fields, purpose), chosen)
            else:
                chosen("")

    def action_edit(self) -> None:
        if (row := self._open_one()) is not None:
            self._open(row, RawEventForm(self.engine, _readable(self.fold, row), self._purpose(row)))

    def _open_one(self) -> Row | None:
        """The selected one, unless it was corrected already, by whomever."""
        row, view = self.selected, self.engine.view
        why_not = self.fold.objection or (blocked(view) if view.readonly else None)
        if row is not None and why_not:
            self.tell(why_not, "warning")
            return None
        if row is None or (stands := self.stands(row)).open:
            return row
        self.tell(f"Nothing is left to correct: {stands.told}")
        return None

    def _purpose(self, row: Row) -> Purpose:
        def objection(view: View) -> str | None:
            stands = of_parked(view, self.fold, self.handled, row)
            return None if stands.open else f"Nothing is left to correct: {stands.told}"

        payload = payload_of(self.fold, row.fields)[:200].decode("utf-8", "backslashreplace")
        what = f"{type_of(self.fold, row.fields) or 'no type'} {payload}"
        return Purpose(lambda view: view.corrections.key_for_parked(row), objection, f"Parked: {visible(what, 300)}")

    @on(LineTable.Activated)
    async def _activated(self, event: LineTable.Activated) -> None:
        event.stop()
        await self.action_correct()

    def _open(self, row: Row, form: EventForm) -> None:
        def closed(published: Published) -> None:
            self.handled.publish_as(row, published.entry_id, parked=True)
            self.tell(f"{published.event_type} {published.entry_id} is in the log; the parked entry stays.")
            self.poll()
            self._offer_the_same(row, form.submitted_event)

        open_dialog(self.app, form, closed)

    def _offer_the_same(self, row: Row, event: Any) -> None:
        """Ask whether others that need the same change are to be corrected in one go."""
        if row.mark is not None or event is None:
            return
        left = [other for other in self.engine.view.parked if self.stands(other).open]
        others = list(alike(self.fold, change_of(self.fold, row.fields, event), row, left))
        if not others:
            return
        one = len(others) == 1
        what = "1 more entry was" if one else f"{len(others):,} more entries were"
        told = [visible(describe_event(self.fold, other)) for _, other in others[:MOST_TOLD]]
        more = f"\n… and {len(others) - MOST_TOLD:,} more" if len(others) > MOST_TOLD else ""

        def tell_of(done: int) -> str:
            return f"{counted(done, 'corrected event is', 'corrected events are')} in the log."

        def correct() -> None:
            still_open = ((row, self.fold.encode(event)) for row, event in others if self.stands(row).open)
            self.publish_each(still_open, len(others), "corrected", tell_of)

        ask(
            self.app,
            f"{what} parked for the same reason and type and {'needs' if one else 'need'} the same change. "
            f"Correct {'it' if one else 'them'}, too?",
            "\n".join(told) + more,
            "Correct",
            correct,
        )


def _readable(fold: Fold, row: Row) -> Fields:
    """What a correction may begin with. Of an entry that is kept in part only the type: half is no event."""
    if row.mark is None:
        return row.fields
    wire = fold.domain.wire
    if isinstance(wire, Codec):
        return fold.fields(type_of(fold, row.fields), b"{}", None)
    kind = () if wire.only else (wire.type.encode(), type_of(fold, row.fields).encode("utf-8", "backslashreplace"))
    return (*kind, wire.data.encode(), b"") if wire.data else kind
