"""Entries that could not be understood: why, what they hold, and a way to publish what they should have been."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import ClassVar, Final

from textual import on
from textual.binding import Binding, BindingType

from esdash.engine.console import Console, EngineError, Published
from esdash.engine.domain import Fields, Row
from esdash.engine.view import View
from esdash.shop.decoding import decode
from esdash.shop.events import AddItem, Order, TopUp
from esdash.shop.outcomes import OUTCOMES
from esdash.shop.story import describe_event, encode, payload_of, type_of
from esdash.shop.view import ShopView
from esdash.ui.alike import alike, change_of
from esdash.ui.handled import Handled
from esdash.ui.outlook import Publishable
from esdash.ui.reasons import GLYPHS, MEANINGS, outcome_of, sentence
from esdash.ui.salvage import objection
from esdash.ui.screens.confirm import ConfirmScreen
from esdash.ui.screens.correct import ChooseType, RawEventForm, fill, form_for, needs_a_type
from esdash.ui.screens.entry_list import EntryListScreen
from esdash.ui.screens.forms import EventForm, Purpose
from esdash.ui.standing import of_parked
from esdash.ui.widgets.hint_bar import Hint
from esdash.ui.widgets.line_table import LineTable
from esdash.ui.widgets.pager import Paragraph
from esdash.ui.widgets.payload import LABEL, payload_size, tell_fields
from esdash.visible import visible

MOST_TOLD: Final = 5
"""Events that are told one by one before several are published."""


def parked_in(view: View) -> int:
    """How many entries the state counts as parked, whether they are kept for the screen or not."""
    counts = view.state.counts if isinstance(view.state, ShopView) else ()
    counted = sum(count for outcome, count in zip(OUTCOMES, counts, strict=False) if outcome.name == "parked")
    return max(counted, len(view.parked))


class ParkedScreen(EntryListScreen):
    """The newest parked entries, the last one first."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c,enter", "correct", "Correct", show=False),
        Binding("e", "edit", "Edit type and JSON", show=False),
    ]

    def __init__(self, console: Console, handled: Handled, wall_clock: Callable[[], float]) -> None:
        super().__init__(console, handled, wall_clock, parked=True)

    def rows(self, view: View) -> Sequence[Row]:
        """Those that the consumer keeps."""
        return view.parked

    def title_and_meaning(self, view: View) -> tuple[str, str]:
        """How many; where the others are."""
        count, total = len(view.parked), parked_in(view)
        left = f"{sum(self.stands(row).open for row in view.parked):,} open"
        if total > count:
            return (
                f"! Parked entries: the {count} newest of {total:,}, {left}",
                "`esdash events --outcome parked` lists all of them. They stay in the stream and change nothing.",
            )
        title = f"! Parked entries: {count}, {left}" if count else "Parked entries: none"
        return title, "esdash cannot understand them; they stay in the stream and change nothing."

    def hints(self, empty: bool) -> Sequence[Hint]:
        """Without an entry there is nothing to do."""
        back = Hint("Esc", "back", "leave")
        if empty:
            return (back,)
        return (
            back,
            Hint("c", "publish a corrected event", "correct"),
            Hint("e", "edit type and JSON", "edit"),
            Hint("y", "copy", "copy"),
            Hint("Tab", "to the text", "app.focus_next"),
        )

    def about(self, row: Row, width: int) -> Iterator[Paragraph]:
        """Why it is parked, what became of it, every byte."""
        outcome = outcome_of(row.code)
        if outcome is not None:
            yield Paragraph(f"{GLYPHS['parked']} {outcome.reason}", "Reason", "warning", LABEL)
            yield Paragraph(sentence(outcome), indent=LABEL)
        if exactly := objection(type_of(row.fields), payload_of(row.fields), payload_size(row)):
            yield Paragraph(exactly, "Exactly", indent=LABEL)
        stands = self.stands(row)
        yield Paragraph(stands.told, "Stands", stands.style, LABEL)
        yield Paragraph("")
        yield Paragraph("As it is stored", style="title")
        yield from tell_fields(row.fields, width, row.sizes, bytes_too=True)

    def when_empty(self, view: View) -> Iterator[Paragraph]:
        """What parked means."""
        if total := parked_in(view):
            were = "1 entry was" if total == 1 else f"{total:,} entries were"
            yield Paragraph(
                f"{were} parked, and none is kept here. `esdash events --outcome parked` lists those that are still "
                "in the stream.",
                style="warning",
            )
        else:
            yield Paragraph("No entry is parked.", style="good")
        yield Paragraph("")
        yield Paragraph(f"Parked means: {MEANINGS['parked']}.")
        yield Paragraph("")
        yield Paragraph(
            "Its type is unknown, a field is missing, its data breaks the schema, is larger than 64 KiB, or has a "
            "version that this esdash does not know. The reference program deleted such entries; here each is kept, "
            "counted and listed with its bytes and the reason, and a corrected event can be published for it."
        )
        yield Paragraph("")
        yield Paragraph("To see one, append an event of a type that does not exist:")
        yield Paragraph(f"  XADD {visible(view.stream, 60)} * type Refund data '{{\"user_id\":7}}'", verbatim=True)

    async def action_correct(self) -> None:
        """Open the form that fits, with all in it that can still be read."""
        if (row := self._open_one()) is not None:
            fields, purpose = _readable(row), self._purpose(row)

            async def chosen(kind: str | None) -> None:
                if kind is not None:
                    await self._open(row, *form_for(self.engine, fields, purpose, kind))

            if needs_a_type(fields):
                await self.app.push_screen(ChooseType(purpose), chosen)
            else:
                await chosen("")

    async def action_edit(self) -> None:
        """Open type and data as they will be stored."""
        if (row := self._open_one()) is not None:
            await self._open(row, RawEventForm(self.engine, _readable(row), self._purpose(row)), {})

    def _open_one(self) -> Row | None:
        """The selected one, unless it was corrected already, by whomever."""
        row = self.selected
        if row is None or (stands := self.stands(row)).open:
            return row
        self.tell(f"Nothing is left to correct: {stands.told}")
        return None

    def _purpose(self, row: Row) -> Purpose:
        def objection(view: View) -> str | None:
            stands = of_parked(view, self.handled, row)
            return None if stands.open else f"Nothing is left to correct: {stands.told}"

        what = f"{type_of(row.fields) or 'no type'} {payload_of(row.fields)[:200].decode('utf-8', 'backslashreplace')}"
        return Purpose(lambda view: view.corrections.key_for_parked(row), objection, f"Parked: {visible(what, 300)}")

    @on(LineTable.Activated)
    async def _activated(self, event: LineTable.Activated) -> None:
        event.stop()
        await self.action_correct()

    async def _open(self, row: Row, form: EventForm, texts: dict[str, str]) -> None:
        def closed(published: Published | None) -> None:
            if published is not None:
                self.handled.publish_as(row, published.entry_id, parked=True)
                self.tell(f"{published.event_type} {published.entry_id} is in the log; the parked entry stays.")
                self.poll()
                self._offer_the_same(row, form.submitted)

        await self.app.push_screen(form, closed)
        fill(form, texts)

    def _offer_the_same(self, row: Row, submitted: tuple[str, bytes] | None) -> None:
        """Ask whether others that need the same change are to be corrected in one go."""
        kind, data = submitted or ("", b"")
        event = decode([b"type", kind.encode(), b"data", data])
        if row.mark is not None or not isinstance(event, TopUp | AddItem | Order):
            return
        left = [other for other in self.engine.view.parked if self.stands(other).open]
        others = list(alike(change_of(row.fields, event), row, left))
        if not others:
            return
        one = len(others) == 1
        what = "1 more entry was" if one else f"{len(others):,} more entries were"
        told = [visible(describe_event(other)) for _, other in others[:MOST_TOLD]]
        more = f"\n… and {len(others) - MOST_TOLD:,} more" if len(others) > MOST_TOLD else ""

        def answered(sure: bool | None) -> None:
            if sure:
                work = partial(self._correct, others)
                self.app.run_worker(work, thread=True, exit_on_error=False, name="engine", group="corrections")

        self.app.push_screen(
            ConfirmScreen(
                f"{what} parked for the same reason and type and {'needs' if one else 'need'} the same change. "
                f"Correct {'it' if one else 'them'}, too?",
                "\n".join(told) + more,
                "Correct",
            ),
            answered,
        )

    def _correct(self, others: Sequence[tuple[Row, Publishable]]) -> None:
        """In a thread: publish an event for each that is still open."""
        done = 0
        try:
            for row, event in others:
                if self.stands(row).open:
                    key = self.engine.view.corrections.key_for_parked(row)
                    published = self.engine.publish(*encode(event), key)
                    self.handled.publish_as(row, published.entry_id, parked=True)
                    done += 1
        except EngineError as error:
            told = f"{done:,} of {len(others):,} corrected. {error}" if done else str(error)
            self.app.call_from_thread(self.tell, told, "error")
        else:
            what = "1 corrected event is" if done == 1 else f"{done:,} corrected events are"
            self.app.call_from_thread(self.tell, f"{what} in the log.")


def _readable(row: Row) -> Fields:
    """What a correction may begin with. Of an entry that is kept in part only the type: half is no order."""
    if row.mark is None:
        return row.fields
    return (b"type", type_of(row.fields).encode("utf-8", "backslashreplace"), b"data", b"")
