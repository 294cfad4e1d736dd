"""A guided tour: what to do next, which effect it waits for, and what that meant. Steps are declared."""

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from textual.screen import Screen

from esdash.engine.shown.view import Phase, View
from esdash.fold.folding import Fold
from esdash.ui.actions import key_name
from esdash.ui.declared import LOG, Actions, panel_of, visible_tables
from esdash.ui.paint.pager import wrap
from esdash.ui.paint.painted import Line, PaintedLines, Span
from esdash.ui.past.row_page import RowPage

if TYPE_CHECKING:
    from esdash.ui.past.past_now import PastNow

LOOK_SECONDS: Final = 0.2

SKIP: Final = "ctrl+n"

HEIGHT: Final = 4

_KEY: Final = re.compile("(‹[^›]*›)")


class Seen(Struct, frozen=True):
    """What a step's effect is judged by."""

    view: View
    past: "PastNow | None"
    """The moment of the past that is shown; None for now."""
    page: bool
    """A row's page is open."""
    refused: int
    """Entries that a rule refused, so far."""


class Step(Struct, frozen=True):
    """One thing to do. In its texts, `{snapshot}` is the key of that action; `{first}`, `{last}` and `{rows}` are those
    of the first and the last type of event, and of the first table. Keys stand in ‹ ›."""

    do: str
    done: Callable[[Seen, Seen], bool]
    """Whether its effect is there, of what was seen at its beginning and what is seen now."""
    meant: str
    """In a sentence, once it is done."""


def _grew(before: Seen, now: Seen) -> bool:
    return now.view.position.ordinal > before.view.position.ordinal


def _stored(before: Seen, now: Seen) -> bool:
    return now.view.snapshot is not None and now.view.snapshot != before.view.snapshot


def _came_back(before: Seen, now: Seen) -> bool:
    restored = now.view.restored
    again = restored is not None and restored.done and restored != before.view.restored
    return again and now.view.phase is Phase.LIVE


STEPS: Final = (
    Step(
        "Nothing is stored but a log of events. Publish one: ‹{first}› opens a form; fill it in, then ‹Enter›.",
        _grew,
        "The event is the log's newest entry, for ever. The number in the table is what the rules made of it.",
    ),
    Step(
        "Now thirty at once: ‹{demo_batch}›.",
        lambda before, now: now.view.position.ordinal >= before.view.position.ordinal + 30,
        "Each was folded into the tables in its order: that is all that a state is.",
    ),
    Step(
        "Ask for more than there is: ‹{last}›, fill it in. It warns; a second ‹Enter› publishes all the same.",
        lambda before, now: now.refused > before.refused,
        "A rule refused it: it stays in the log, but it changed nothing. The log says what was asked for.",
    ),
    Step(
        "Folding a long log takes long. Save the state: ‹{snapshot}›.",
        _stored,
        "That is a snapshot: the state after one entry, from which a start can go on.",
    ),
    Step("Let more happen after it: ‹{demo_batch}›.", _grew, "These are in the log alone, in no snapshot yet."),
    Step(
        "Crash it: ‹{crash}›, then ‹y›. All of its memory is gone.",
        _came_back,
        "The same numbers: the snapshot was read, and only what came after it was folded again.",
    ),
    Step(
        "That was too fast to see. Watch it: ‹{watch}›.",
        lambda _, now: now.past is not None,
        "This is the past, as its frame says: the state of the snapshot, and entries that fall into it.",
    ),
    Step(
        "Watch what changes; it ends by itself, or with ‹{clear}›.",
        lambda _, now: now.past is None,
        "Now again. The past can be shown since every state is what the entries up to it add up to.",
    ),
    Step(
        "So go back by one entry: ‹{step_back}›.",
        lambda _, now: now.past is not None,
        "Tables, numbers and log are those of before the newest entry. Nothing was lost.",
    ),
    Step(
        "Ask why a row is what it is: ‹{rows}›, then ‹Enter›.",
        lambda _, now: now.page,
        "Every entry that moved it, newest first, and those that were refused.",
    ),
    Step(
        "Back to now: ‹{clear}› until the frame says LIVE.",
        lambda _, now: now.past is None and not now.page,
        "That was all of it: a log, a fold, a state, snapshots, and any moment of the past.",
    ),
)


class Tour(PaintedLines):
    """What the last step meant, and the next one; at its end it says so and stays."""

    DEFAULT_CSS = """
    Tour { height: 4; padding: 0 1; background: $primary 20%; &:ansi { background: ansi_default; } }
    """

    def __init__(self, fold: Fold, actions: Actions, see: Callable[[], Seen], steps: Sequence[Step] = STEPS) -> None:
        super().__init__(id="tour")
        self._see = see
        self._steps = steps
        names = {action.id: action.name(actions.keymap) for action in actions}
        own = list(actions.event_types)
        tables = [panel_of(table).replace("-", "_") for table in visible_tables(fold)]
        self._keys = names | {
            "first": names[own[0]] if own else names["events"],
            "last": names[own[-1]] if own else names["events"],
            "rows": names[tables[0] if tables else LOG],
        }
        self.at = 0
        """Steps that are done, or were left out."""
        self._meant = ""
        self._before: Seen | None = None

    def on_mount(self) -> None:
        self.set_interval(LOOK_SECONDS, self.look)

    def look(self) -> None:
        """Go on once the effect of a step is there."""
        if self.at == len(self._steps):
            return
        seen = self._see()
        if self._before is None:
            if seen.view.phase is Phase.LIVE:
                self._before = seen
        elif self._steps[self.at].done(self._before, seen):
            self._go_on(seen, f"✓ {self._steps[self.at].meant}")

    def skip(self) -> None:
        if self.at < len(self._steps):
            self._go_on(self._see(), "")

    def _go_on(self, seen: Seen, meant: str) -> None:
        self.at, self._meant, self._before = self.at + 1, meant, seen
        self.sync()

    def lines(self, width: int) -> Sequence[Line]:
        room, leave = max(20, width), f"‹{self._keys['quit']}› leaves"
        if self.at == len(self._steps):
            do = f"The tour is over. {leave}; all of this is thrown away. `esdash` opens your own."
        else:
            number = f"{self.at + 1}/{len(self._steps)}"
            do = f"{number}  {self._steps[self.at].do.format(**self._keys)}  (‹{key_name(SKIP)}› skips, {leave})"
        told = [_with_keys(line) for line in wrap(do, room)][:HEIGHT]
        meant = [(Span(line, "good"),) for line in wrap(self._meant, room)] if self._meant else []
        return (*meant[: HEIGHT - len(told)], *told)


def _with_keys(text: str) -> Line:
    """A line in which the keys stand out."""
    return tuple(Span(part, "accent" if part[:1] == "‹" else "") for part in _KEY.split(text) if part)


def seen_of(screen: Screen[None], view: View, fold: Fold, past: "PastNow | None") -> Seen:
    counts = () if view.state is None else view.state.counts
    refused = sum(count for outcome, count in zip(fold.outcomes, counts, strict=False) if outcome.name == "rejected")
    return Seen(view, past, any(isinstance(each, RowPage) for each in screen.app.screen_stack), refused)
