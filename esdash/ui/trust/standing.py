"""Whether a parked entry or an orphan is open or done, by what the log says, told for people. No textual."""

from typing import NamedTuple

from esdash.engine.shown.corrections import Attempt, Correction
from esdash.engine.shown.row import Row
from esdash.engine.shown.view import View
from esdash.fold.folding import Fold
from esdash.ui.trust.handled import Handled, Sent
from esdash.visible import visible


class Standing(NamedTuple):
    """How one entry stands."""

    open: bool
    """Whether something is left to publish for it."""
    cell: str
    """For a table."""
    brief: str
    """For a narrow one."""
    style: str
    told: str
    """In a sentence or two."""


class Words(NamedTuple):
    """What is done about entries of one kind."""

    done: str
    """For a table: `corrected by`."""
    still_open: str
    """What is so when an attempt came to nothing."""
    undone: str
    """What to do about one that is open."""


PARKED = Words(
    "corrected by", "The parked entry is still open.", "c publishes a corrected event; this entry stays as it is."
)
ORPHAN = Words("back as", "The orphan is still to decide on.", "p publishes it again.")


def of_parked(view: View, fold: Fold, handled: Handled, row: Row) -> Standing:
    return _standing(view, fold, handled, row, view.corrections.of_parked(row), PARKED)


def of_orphan(view: View, fold: Fold, handled: Handled, row: Row) -> Standing:
    """How an orphan stands. One that had been rejected is back when it is in the log again, whatever became of it."""
    found = view.corrections.of_orphan(row)
    if found is not None and found.done is not None:
        return _done(view, fold, found.done, ORPHAN)
    if found is not None and found.refused and not _was_applied(fold, row):
        return _done(view, fold, found.last, ORPHAN)
    if not publishable(fold, row):
        return Standing(False, "– stays gone", "–", "dim", _why_not(row))
    if handled.dismissed(row.entry_id):
        return Standing(False, "– dismissed", "–", "dim", "– dismissed; d takes that back")
    return _standing(view, fold, handled, row, found, ORPHAN)


def publishable(fold: Fold, row: Row) -> bool:
    """Whether the entry can go back: all of it is kept, and it can do something, as one that was parked never could."""
    return row.mark is None and fold.read(row.fields).event is not None


def _why_not(row: Row) -> str:
    if row.mark is not None:
        return f"It had {row.size:,} bytes, of which only the beginning is kept: it cannot be published again."
    return "It was never understood and changed nothing: it is not published again."


def unlisted(view: View) -> int:
    """Orphans of which nothing is known but that they are gone."""
    return max(0, view.orphans_gone - len(view.orphans))


class OpenOrphans:
    """Counts those that are left to decide on, anew only when something is another one."""

    def __init__(self, fold: Fold, handled: Handled) -> None:
        self._fold = fold
        self._handled = handled
        self._known: tuple[object, object, int] | None = None
        self._count = 0

    def count(self, view: View) -> int:
        known, changes = self._known, self._handled.changes
        if known is None or known[0] is not view.orphans or known[1] is not view.corrections or known[2] != changes:
            self._known = (view.orphans, view.corrections, changes)
            self._count = sum(of_orphan(view, self._fold, self._handled, row).open for row in view.orphans)
        return self._count


def settle(view: View, fold: Fold, handled: Handled) -> list[tuple[str, str]]:
    """What became of events that were published here for entries and had not been decided: sentence and severity."""
    told: list[tuple[str, str]] = []
    for sent in handled.waiting():
        if (decision := _decided(view, fold, sent)) is not None:
            handled.settle(sent)
            told.append(decision)
    if len(told) <= 2:
        return told
    wrong = [decision for decision in told if decision[1] == "warning"]
    summary = f"{len(told):,} are decided: {len(told) - len(wrong):,} as intended."
    return [(summary, "warning"), wrong[0]] if wrong else [(summary, "information")]


def _decided(view: View, fold: Fold, sent: Sent) -> tuple[str, str] | None:
    """What became of an event that was published for an entry: a sentence and its severity; None while it is open."""
    parked = sent.parked
    found = view.corrections.of_parked(sent.row) if parked else view.corrections.of_orphan(sent.row)
    if found is None or not _reached(view, sent.new_id):
        return None
    nth = f"#{view.nth(found.last.ordinal):,}"
    if found.last.entry_id != sent.new_id.encode():
        nth = f"The event {visible(sent.new_id, 45)}"
    words = PARKED if parked else ORPHAN
    if found.done is not None:
        done = f"#{view.nth(found.done.ordinal):,}"
        if found.done.entry_id == sent.new_id.encode():
            return (f"{done} corrects it." if parked else f"It is in the log again as {done}."), "information"
        return f"{nth} is a duplicate: somebody had published {done} for it before, and that counts.", "warning"
    if found.elsewhere:
        return f"{nth} is a duplicate. {_ELSEWHERE}", "warning"
    if not parked and found.refused and not _was_applied(fold, sent.row):
        return f"It is in the log again as {nth}: {_outcome(fold, found.last)}, as it was.", "information"
    return f"{nth} was {_outcome(fold, found.last)}. {words.still_open}", "warning"


def _standing(view: View, fold: Fold, handled: Handled, row: Row, found: Correction | None, words: Words) -> Standing:
    if found is not None and found.done is not None:
        return _done(view, fold, found.done, words)
    if (sent := handled.sent(row.entry_id)) is not None:
        told = f"published as {visible(sent, 45)}; what became of that is not known here yet."
        return Standing(False, "… published", "…", "dim", told)
    undone = "This dashboard is read-only: it publishes nothing." if view.readonly else words.undone
    if found is None:
        return Standing(True, "open", "open", "warning", f"open: {undone[:1].lower()}{undone[1:]}")
    nth = f"#{view.nth(found.last.ordinal):,}"
    if found.elsewhere:
        return Standing(False, f"? see {nth}", f"? {nth}", "warning", f"{nth} is a duplicate. {_ELSEWHERE}")
    told = f"open: {nth}, published for it, was {_outcome(fold, found.last)}. {undone}"
    return Standing(True, f"open, see {nth}", "open", "warning", told)


_ELSEWHERE = (
    "An event with its key was decided before this history begins, or too long ago to be remembered here; whether that "
    "was applied, only the log of that time can tell."
)


def _done(view: View, fold: Fold, by: Attempt, words: Words) -> Standing:
    nth = f"#{view.nth(by.ordinal):,}"
    more = "" if fold.outcomes[by.code].name == "applied" else f", {_outcome(fold, by)}"
    told = f"✓ {words.done} {nth}{more}, {visible(by.entry_id.decode(), 45)}"
    return Standing(False, f"✓ {words.done} {nth}", f"✓ {nth}", "good", told)


def _outcome(fold: Fold, attempt: Attempt) -> str:
    outcome = fold.outcomes[attempt.code]
    return f"{outcome.name} ({outcome.reason})" if outcome.reason else outcome.name


def _was_applied(fold: Fold, row: Row) -> bool:
    return row.code is None or fold.outcomes[row.code].name == "applied"


def _reached(view: View, entry_id: str) -> bool:
    return _parts(view.position.last_event_id) >= _parts(entry_id)


def _parts(entry_id: str) -> tuple[int, int]:
    milliseconds, _, sequence = entry_id.partition("-")
    return int(milliseconds), int(sequence or 0)
