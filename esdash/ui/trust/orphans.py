"""Entries that had been applied and are gone from the log after a failover: what they hold, and publishing them again.

An orphan goes back with its own idempotency key, so it counts once even when its publisher sends it again, too.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import ClassVar, Final

from textual.binding import Binding, BindingType

from esdash.counted import counted
from esdash.engine.console import Console
from esdash.engine.shown.row import Row
from esdash.engine.shown.view import View
from esdash.fold.folding import Fold
from esdash.ui.forms.outlook import blocked
from esdash.ui.paint.confirm import ask
from esdash.ui.paint.key_bar import Key
from esdash.ui.paint.pager import Paragraph
from esdash.ui.paint.payload import LABEL, tell_stored
from esdash.ui.trust.entry_list import EntryListScreen
from esdash.ui.trust.handled import Handled
from esdash.ui.trust.standing import OpenOrphans, unlisted
from esdash.visible import visible
from esdash.words.entries import describe, payload_of, type_of
from esdash.words.outcomes import GLYPHS, outcome_of, sentence

_WHY_UNLISTED: Final = "only the newest entries that this esdash has itself applied are remembered, at most 10,000."


class OrphansScreen(EntryListScreen):
    """The orphans in the order in which they had been in the log."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p,enter", "publish", "Publish again", show=False),
        Binding("a", "publish_all", "Publish all", show=False),
        Binding("d", "dismiss_entry", "Dismiss", show=False),
    ]
    PARKED = False
    KEYS = (
        Key("p", "publish again", "publish"),
        Key("a", "publish all", "publish_all"),
        Key("d", "dismiss", "dismiss_entry"),
    )

    def __init__(self, console: Console, handled: Handled, wall_clock: Callable[[], float]) -> None:
        super().__init__(console, handled, wall_clock)
        self._open = OpenOrphans(console.fold, handled)

    def rows(self, view: View) -> Sequence[Row]:
        return view.orphans

    def title_and_meaning(self, view: View) -> tuple[str, str]:
        count, more = len(view.orphans), unlisted(view)
        left = self._open.count(view)
        title = f"▲ Orphans: {count:,}, {left:,} to decide on" if count else "Orphans: none"
        if more:
            self.handled.told_gone = view.orphans_gone
            title = f"▲ Orphans: {count + more:,} gone, {_listed(count)}, {left:,} to decide on"
            return title, f"{'The others' if count else 'They'} cannot be listed: {_WHY_UNLISTED}"
        return title, "They had been applied and are gone from the log; the state does not hold them any more."

    def about(self, row: Row, width: int) -> Iterator[Paragraph]:
        yield Paragraph(visible(describe(self.fold, row.fields)), "What", indent=LABEL)
        outcome = outcome_of(self.fold, row.code)
        if outcome is not None:
            reason = "" if outcome.reason is None else f" · {outcome.reason}"
            yield Paragraph(f"{GLYPHS[outcome.name]} {outcome.name}{reason}", "It was", indent=LABEL)
            yield Paragraph(visible(sentence(self.fold, outcome), 300), indent=LABEL)
        stands = self.stands(row)
        yield Paragraph(stands.told, "Stands", stands.style, LABEL)
        if stands.open:
            key = self.key_for(row).encode("utf-8", "surrogateescape")
            own = self.engine.view.corrections.own_key(row)
            note = "its own" if key == own else "made of the id that it had"
            shown = visible(key.decode("utf-8", "backslashreplace"), 130)
            yield Paragraph(f"{shown} ({note})", "Key", indent=LABEL)
        yield Paragraph("")
        yield from tell_stored(self.fold, row, width, "was")

    def when_empty(self, view: View) -> Iterator[Paragraph]:
        if more := unlisted(view):
            gone = counted(more, "entry is", "entries are")
            yield Paragraph(f"{gone} gone, and none of them can be listed: {_WHY_UNLISTED}", style="warning")
            yield Paragraph("")
            yield Paragraph(
                "Publish them again from where they came from, under the keys that they had: then each counts once."
            )
        else:
            yield Paragraph("There are no orphans.", style="good")
        yield Paragraph("")
        yield Paragraph(
            "An orphan is an entry that this consumer had applied and that is gone from the log: a failover to a "
            "replica that lacked the newest entries, a restart without them, a stream that was made again."
        )
        yield Paragraph("")
        yield Paragraph(
            "The log decides. The consumer goes back to the newest snapshot that the log still contains, and lists "
            "here what is lost, so that a person can publish it again. Each entry goes back under its own "
            "idempotency key and counts once, whoever else sends it."
        )

    def action_publish(self) -> None:
        row = self.selected
        if row is None or not self._may_publish():
            return
        stands = self.stands(row)
        if stands.open or self.handled.dismissed(row.entry_id):
            self._publish([row])
        else:
            self.tell(stands.told)

    def action_publish_all(self) -> None:
        """Publish all that nothing was decided about, after a question."""
        if not self._may_publish():
            return
        view = self.engine.view
        # Of several with one key, one is enough.
        by_key = {view.corrections.key_for_orphan(row): row for row in reversed(view.orphans) if self.stands(row).open}
        rows = list(reversed(by_key.values()))
        if not rows:
            self.tell("Nothing is left to publish again.")
            return
        own_key = self.engine.view.corrections.own_key
        keyless = sum(own_key(row) is None for row in rows)
        keys = "Each goes back under its own idempotency key and counts once."
        if keyless:
            old = "gets its old id" if keyless == 1 else "get their old ids"
            keys = f"Each goes back under its own idempotency key; {keyless:,} had none and {old} as key."

        what = counted(len(rows), "orphan", "orphans")
        consequence = f"They are appended in their old order, after all that is in the log now. {keys}"
        ask(self.app, f"Publish {what} again?", consequence, "Publish", partial(self._publish, rows))

    def action_dismiss_entry(self) -> None:
        """Decide to leave it; again, to take that back."""
        if (row := self.selected) is not None:
            self.handled.dismiss(row.entry_id)
            self.poll()

    def _may_publish(self) -> bool:
        publishing = "They are being published already." if self.publishing else ""
        why_not = publishing or self.fold.objection or blocked(self.engine.view)
        if why_not is not None:
            self.tell(why_not, "warning")
        return why_not is None

    def _publish(self, rows: Sequence[Row]) -> None:
        def tell_of(done: int) -> str:
            one = f"{type_of(self.fold, rows[0].fields)} is"
            return f"{one if len(rows) == 1 else f'{done:,} entries are'} in the log again."

        self.publish_each(((row, _again(self.fold, row)) for row in rows), len(rows), "published again", tell_of)


def _again(fold: Fold, row: Row) -> tuple[str, bytes]:
    """Type and data of an orphan, as they were; one of an older version, which is not published any more, as what it
    becomes.
    """
    name, (_, event_type, event) = type_of(fold, row.fields), fold.read(row.fields)
    current = {each.wire_name: each.v for each in fold.publishable}.get(name, "1")
    if event_type is not None and event_type.v != current and fold.type_of(event) in fold.publishable:
        return fold.encode(event)
    return name, payload_of(fold, row.fields)


def _listed(count: int) -> str:
    return f"{count:,} of them listed" if count else "none of them listed"
