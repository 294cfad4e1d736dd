"""The sandbox: what is tried with the log, and what would be otherwise then."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.widgets import Static

from esdash.counted import counted
from esdash.engine.console import Publishing
from esdash.engine.shown.view import View
from esdash.fold.cells import Change as NumberChange
from esdash.fold.folding import Fold
from esdash.ui.asking import find_out
from esdash.ui.declared import Actions
from esdash.ui.messages import tell
from esdash.ui.paint.confirm import ask
from esdash.ui.paint.dialog import Dialog, open_dialog
from esdash.ui.paint.key_bar import Key, KeyBar
from esdash.ui.paint.painted import ToldLines
from esdash.ui.past.difference_source import number_cells
from esdash.ui.sandbox import choices
from esdash.ui.sandbox.cells import (
    DECIDED,
    EDITS,
    NUMBERS,
    EditLine,
    decided_cells,
    edit_cells,
    edit_lines,
)
from esdash.ui.sandbox.drafts import UNNAMED, Draft, DraftBook
from esdash.ui.sandbox.folding import Folding
from esdash.ui.sandbox.heading import NOTHING, heading_of
from esdash.ui.sandbox.keeping import DraftsScreen, NameScreen
from esdash.ui.sandbox.trying import Trying
from esdash.ui.tables.columns import Cell
from esdash.ui.tables.line_table import LineTable
from esdash.ui.tables.lines import Lines
from esdash.visible import visible
from esdash.whatif.decisions import Decided
from esdash.words.changes import by_size

if TYPE_CHECKING:
    from esdash.whatif.beside import Consequences
    from esdash.whatif.sandbox import Sandbox

HOW: Final = f"{NOTHING} e tries an event; w in the log, an entry."
"""Where nothing is."""

UNCHOSEN: Final = "Choose a line of what was tried or of what is decided otherwise. For any other entry: w in the log."
"""Where a key would have to know what it is about."""

WIDE: Final = 110
"""Cells from which lists stand beside each other."""

LOOK_SECONDS: Final = 0.2
"""Between two looks at how far the folding is."""

KEYS: Final = (
    Key("e", "Try event", "events"),
    Key("b", "Try a batch", "batch", 6),
    Key("x", "Leave out", "leave_out"),
    Key("c", "Change", "change", 3),
    Key("u", "Undo", "undo", 1),
    Key("U", "Redo", "redo", 5),
    Key("K J", "Move", "move(-1)", 6),
    Key("n", "Name", "name", 4),
    Key("l", "Others", "drafts", 4),
    Key("r", "Up to now", "fold_again", 5),
    Key("p", "Publish", "publish", 2),
    Key("?", "Keys", "tell_keys", 1),
    Key("Esc", "Leave", "leave"),
)


class SandboxScreen(Dialog[int]):
    """Left with Enter, it gives the ordinal of the entry that was chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(key, does, label, show=False) for key, label, does, _ in KEYS if key.isalpha() and len(key) == 1),
        Binding("question_mark", "tell_keys", "Keys", show=False),
        Binding("K", "move(-1)", "Earlier", show=False),
        Binding("J", "move(1)", "Later", show=False),
        Binding("delete", "leave_out", "Leave out", show=False),
        Binding("enter", "open", "Go there", show=False),
        Binding("backspace,q,w", "leave", "Leave", show=False),
        Binding("tab", "app.focus_next", "Next list", show=False),
        Binding("shift+tab", "app.focus_previous", "List before", show=False),
    ]
    AUTO_FOCUS = "#edits"
    CSS: ClassVar = """
    SandboxScreen #dialog {
        width: 100%; height: 100%; padding: 0 1; border: double $error; border-title-color: $text-error;
    }
    SandboxScreen:ansi Vertical#dialog:ansi { border: double ansi_red; border-title-color: ansi_red; }
    SandboxScreen #heading { height: 2; }
    SandboxScreen #lists { height: 1fr; }
    SandboxScreen.-tall #dialog { padding: 0 1; }
    SandboxScreen #lists > Vertical { height: 2fr; }
    SandboxScreen #lists > Vertical:last-of-type { height: 1fr; }
    SandboxScreen .title { height: 1; text-style: bold; color: $text-muted; }
    SandboxScreen .title:ansi { color: ansi_default; }
    SandboxScreen.-wide #lists { layout: horizontal; }
    SandboxScreen.-wide #lists > Vertical { width: 3fr; height: 100%; }
    SandboxScreen.-wide #lists > Vertical:last-of-type { width: 2fr; margin-left: 2; }
    SandboxScreen KeyBar { dock: bottom; }
    """

    def __init__(
        self,
        fold: Fold,
        actions: Actions,
        sandbox: "Sandbox",
        draft: Draft,
        book: DraftBook,
        view: View,
        publishing: Publishing | None,
        first: tuple[str, bytes] | None = None,
    ) -> None:
        """`view` has the state by which forms judge an event. `publishing` publishes what was tried; None: nothing
        does. `first` is what is tried at once: one of `choices`, with the id of an entry."""
        super().__init__()
        self.HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE, "-wide")]
        self._fold = fold
        self._sandbox = sandbox
        self.draft = draft
        self._book = book
        self._publishing = publishing
        self._first = first
        self._actions = actions
        self._trying = Trying(self, fold, actions, sandbox, view, lambda: self.draft, self._changed)
        self._heading = ToldLines(id="heading")
        self._edits = Lines(EDITS, partial(edit_cells, fold))
        self._decided = Lines(DECIDED, self._decided_cells)
        self._numbers = Lines(NUMBERS, partial(number_cells, fold))
        self._folding = Folding(self, sandbox, self._write)

    def compose(self) -> ComposeResult:
        """What is tried and what is decided otherwise, beside or over the numbers."""
        self.set_class(self.app.size.width >= WIDE, "-wide")  # from the first frame on
        with self.frame("", "nothing here is published"):
            yield self._heading
            with Container(id="lists"):
                with Vertical():
                    yield from self._list("edits", self._edits)
                    yield from self._list("decided", self._decided)
                with Vertical():
                    yield from self._list("numbers", self._numbers)
            yield KeyBar(id="sandbox-keys")

    def _list(self, name: str, source: Lines) -> ComposeResult:
        yield Static("", id=f"{name}-title", classes="title", markup=False)
        yield LineTable(source, id=name)

    def on_mount(self) -> None:
        """Try what was chosen."""
        self.query_one(KeyBar).show(KEYS)
        for place, name in enumerate(self._actions.event_types):
            if (key := self._actions[name].keys) and key not in {each.key for each in KEYS}:
                self._bindings.bind(key, f"insert({place})", show=False)
        self.set_interval(LOOK_SECONDS, self._head)
        self._fold_again()
        if self._first is not None:
            what, entry_id = self._first
            self._trying.choose(what, entry_id)

    def on_unmount(self) -> None:
        self._folding.give_up()

    # What keys do

    def action_events(self) -> None:
        self._trying.choose_event(self.draft.begin)

    def action_batch(self) -> None:
        self._trying.insert_batch(self.draft.begin)

    def action_insert(self, number: int) -> None:
        self._trying.insert(number, self.draft.begin)

    def action_leave_out(self) -> None:
        """An edit is taken out; an entry of the log left out."""
        if (line := self._chosen_edit()) is not None:
            self.draft.remove(line.place)
            self._changed()
        elif (decided := self._chosen_decided()) is not None:
            self._trying.choose(choices.SKIP, decided.entry_id)
        else:
            tell(self.app, UNCHOSEN)

    def action_change(self) -> None:
        """An edit, or an entry of the log."""
        if (line := self._chosen_edit()) is not None:
            self._trying.change_edit(line)
        elif (decided := self._chosen_decided()) is not None:
            self._trying.choose(choices.CHANGE, decided.entry_id)
        else:
            tell(self.app, UNCHOSEN)

    def action_move(self, by: int) -> None:
        if (decided := self._chosen_decided()) is not None:
            self._trying.choose(choices.EARLIER if by < 0 else choices.LATER, decided.entry_id)
        else:
            tell(self.app, "Choose an entry among those that are decided otherwise; K and J move it.")

    def action_undo(self) -> None:
        if self.draft.undo():
            self._changed()

    def action_redo(self) -> None:
        if self.draft.redo():
            self._changed()

    def action_name(self) -> None:
        self.app.push_screen(NameScreen(self._book, self.draft), lambda _: self._write())

    def action_drafts(self) -> None:
        fresh = Draft(self.draft.begin, number=self.draft.number)
        open_dialog(self.app, DraftsScreen(self._book, fresh), self._chose_draft)

    def action_fold_again(self) -> None:
        """Up to the end of the log as it is now."""
        self._fold_again()

    def action_open(self) -> None:
        if (decided := self._chosen_decided()) is not None:
            self.dismiss(decided.ordinal)

    def action_tell_keys(self) -> None:
        """All of them: a narrow terminal has no room for the bar."""
        keys = [f"{key} {label}" for key, label, _, __ in KEYS if key != "?"]
        tell(self.app, " · ".join((*keys, "Tab Next list", "Enter Go to an entry")))

    def action_publish(self) -> None:
        """Ask, then publish for real what it adds to the end of the log."""
        entries, until = self.draft.at_the_end, self._folding.until
        if self._publishing is None:
            tell(self.app, "This dashboard is read-only: it publishes nothing.", "warning")
        elif not entries:
            tell(
                self.app,
                "Only a sandbox that does nothing but add to the end of the log can be published.",
                "warning",
            )
        elif self._folding.found is None:
            tell(self.app, "See first what comes of it: it is still being folded.")
        else:
            ask(
                self.app,
                f"Publish {counted(len(entries), 'event', 'events')} for real?",
                "Only if nothing was appended meanwhile, so that what is shown is what comes of it. Otherwise nothing "
                "is published, and what would come of it now is shown first.",
                "Publish",
                partial(self._publish, self._publishing, entries, until),
            )

    # What follows

    def _changed(self) -> None:
        if self.draft.name:
            try:
                self._book.keep(self.draft)
            except OSError as error:
                tell(self.app, f"It could not be kept: {visible(str(error), 200)}.", "error")
        self._fold_again()

    def _chose_draft(self, draft: Draft) -> None:
        self.draft = draft
        self._fold_again()

    def _chosen_edit(self) -> EditLine | None:
        table = self.query_one("#edits", LineTable)
        return self._edits.lines[table.cursor] if table.has_focus and len(self._edits) else None

    def _chosen_decided(self) -> Decided | None:
        table = self.query_one("#decided", LineTable)
        return self._decided.lines[table.cursor] if table.has_focus and len(self._decided) else None

    def _decided_cells(self, decided: Decided) -> tuple[Cell, ...]:
        found = self._folding.found
        return decided_cells(self._fold, 0 if found is None else found.end.unseen, decided)

    def _publish(self, publishing: Publishing, entries: Sequence[Sequence[bytes]], until: bytes) -> None:
        publish = partial(publishing.publish_after, until, entries)
        find_out(self, publish, self._published, lambda why: tell(self.app, why, "error"), "sandbox")

    def _published(self, ids: Sequence[bytes]) -> None:
        if not ids:
            tell(self.app, "Something was appended meanwhile, so nothing was published. This is what comes of it now.")
            self._fold_again()
            return
        tell(self.app, f"{counted(len(ids), 'event is', 'events are')} in the log.")
        self.draft.edits = []
        self.dismiss(None)

    def _fold_again(self) -> None:
        self._folding.begin(self.draft)
        self._write()

    def _write(self) -> None:
        found = self._folding.found
        waiting = "folding …" if self._folding.running else ""
        self._edits.show(edit_lines(self.draft.edits, found), HOW)
        self._decided.show([] if found is None else found.decided, waiting)
        hidden = "Only numbers of hidden tables." if found is not None and found.numbers else ""
        self._numbers.show([] if found is None else by_size(_shown(self._fold, found), self._fold), waiting or hidden)
        counts = (
            ("edits", "Tried", len(self._edits)),
            ("decided", "Decided otherwise", 0 if found is None else found.count),
            ("numbers", "Numbers", len(self._numbers)),
        )
        for name, title, count in counts:
            self.query_one(f"#{name}-title", Static).update(f"{title} · {count:,}" if count else title)
        for table in self.query(LineTable):
            table.sync()
        self._head()

    def _head(self) -> None:
        name = visible(self.draft.name, 40) or UNNAMED
        self.query_one("#dialog").border_title = f"◇ SANDBOX{'' if name == UNNAMED else ' · kept'}"
        self._heading.tell(*heading_of(name, self.draft, self._folding))


def _shown(fold: Fold, found: "Consequences") -> list[NumberChange]:
    return [each for each in found.numbers if not fold.storage.places[each.table][0].hidden]
