"""Everything a person can do with any dashboard, each described once; a domain adds its own (`esdash.ui.declared`).

Bindings, the line of keys, the help, the command palette and the README's table of keys are all made from these, so
that they cannot disagree. A keymap in the settings rebinds an action by its id.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

from msgspec import Struct
from textual.binding import Binding, BindingType
from textual.keys import format_key, key_to_character

Keymap = Mapping[str, str]
"""Action id → keys, comma-separated, instead of those of the registry."""


class Scope(StrEnum):
    """Where an action is understood."""

    APP = "app"
    """Everywhere but in a dialog; Textual's own Ctrl+Q and Ctrl+P work there as well."""
    SCREEN = "screen"
    """On the main screen."""
    TABLE = "table"
    """In the panel that has the focus."""


class Group(StrEnum):
    """What an action is about: the help's headings."""

    PUBLISH = "Publish events"
    CONSUMER = "Control the consumer"
    TRUST = "Check what can be trusted"
    PANELS = "Look closer"
    PAST = "Go to the past"
    WHAT_IF = "Ask what would have been"
    MOVE = "Move"
    PROGRAM = "esdash"


class Action(Struct, frozen=True):
    """One thing a person can do."""

    id: str
    """What a keymap calls it."""
    keys: str
    """Comma-separated, the one to advertise first; empty: only in the command palette."""
    action: str
    """The Textual action, a method `action_…` of the widget, screen or app of its scope."""
    label: str
    """One or two words for the line of keys."""
    tooltip: str
    """A sentence about what it does."""
    group: Group
    scope: Scope = Scope.SCREEN
    shown: bool = False
    """In the line of keys at the bottom."""
    destructive: bool = False
    """Asks before it acts."""
    palette: bool = True
    """In the command palette."""
    always: bool = False
    """In a dialog as well, and before what has the focus there."""
    writes: bool = False
    """A read-only dashboard does not offer it."""

    def names(self, keymap: Keymap | None = None) -> tuple[str, ...]:
        """Its keys as people read them, after the keymap: `("q", "Ctrl+Q")`."""
        keys = (keymap or {}).get(self.id, self.keys)
        return tuple(key_name(key) for key in keys.split(",") if key.strip())

    def name(self, keymap: Keymap | None = None) -> str:
        """The key to advertise; empty when it has none."""
        return next(iter(self.names(keymap)), "")


ACTIONS: Final[tuple[Action, ...]] = (
    Action("events", "e", "events", "Events",
        "Choose one of all types of event, and fill in its form.", Group.PUBLISH, writes=True),
    Action("demo_batch", "b", "demo_batch", "Demo batch",
        "Publish the first thirty of the domain's made-up events.", Group.PUBLISH, shown=True, writes=True),
    Action("load", "p", "load", "Produce",
        "Start or stop a steady load of made-up events.", Group.PUBLISH, shown=True, writes=True),
    Action("faster", "+,=", "change_rate(1)", "Faster load",
        "Raise the rate of the steady load; in the past, play faster.", Group.PUBLISH, writes=True),
    Action("slower", "-", "change_rate(-1)", "Slower load",
        "Lower the rate of the steady load; in the past, play slower.", Group.PUBLISH, writes=True),
    Action("load_form", "P", "load_form", "Load…",
        "Choose the rate of the steady load.", Group.PUBLISH, writes=True),
    Action("snapshot", "s", "snapshot", "Snapshot",
        "Store a snapshot of the state now.", Group.CONSUMER, shown=True, writes=True),
    Action("crash", "c", "crash", "Crash",
        "Drop all memory without a farewell snapshot, then restore and replay.",
        Group.CONSUMER, shown=True, destructive=True),
    Action("rebuild", "r", "rebuild", "Rebuild",
        "Forget the state and replay from the beginning of the stream.", Group.CONSUMER, shown=True, destructive=True),
    Action("stay", "S", "stay", "Stay",
        "While halted: keep the last good state and read no further.", Group.CONSUMER),
    Action("reload", "R", "reload", "Reload the domain",
        "While halted by the domain: read its file again, and go on with the entry that it failed on.", Group.CONSUMER),
    Action("rules", "B", "rules", "New rules",
        "Under `esdash dev FILE`: which entries the rules that were saved last decide otherwise, and which numbers are "
        "other ones.", Group.WHAT_IF),
    Action("take_rules", "T", "take_rules", "Take the rules",
        "Under `esdash dev FILE`: go on by the rules that were saved last; asks for a new version where they decide "
        "otherwise under the old one.", Group.WHAT_IF),
    Action("parked", "x", "parked", "Parked",
        "The entries that could not be understood: why, and how each is corrected.", Group.TRUST),
    Action("orphans", "O", "orphans", "Orphans",
        "The entries that had been applied and are gone from the log: which, and how each comes back.", Group.TRUST),
    Action("verify", "v", "verify", "Verify",
        "Replay everything in the background and compare it with every snapshot and the live state.", Group.TRUST),
    Action("ladder", "L", "ladder", "Restored from",
        "Where the state came from: every snapshot that was tried, and who takes them. Of those that are stored, the "
        "moments can be gone to, marked and compared.", Group.TRUST),
    Action("broken", "", "broken", "Broken invariant",
        "Go to the entry of the log that broke an invariant of the domain; a click on the line about it does so, too.",
        Group.TRUST),
    Action("details", "enter", "details", "Details",
        "Log: what the selected event holds and changed. Tables: the selected row, and all that made it so.",
        Group.PANELS, shown=True),
    Action("entries", "E", "entries", "Entries",
        "Tables: the entries of the log about the selected row.", Group.PANELS),
    Action("filter", "/", "filter", "Filter",
        "Show only the lines that match what is typed, in the log those that a question asks for; escape shows all.",
        Group.PANELS, shown=True),
    Action("next_hit", "n", "next_hit(1)", "Next hit",
        "Go to the next entry of the log that the last question asks for, among all the others.", Group.PANELS),
    Action("hit_before", "N", "next_hit(-1)", "Hit before",
        "Go to the one before.", Group.PANELS),
    Action("questions", "F", "questions", "Questions",
        "The questions that were saved under a name, and those that were asked before; Ctrl+S saves one while it is "
        "typed.", Group.PANELS),
    Action("clear", "escape", "clear", "Clear filter",
        "Go back to now; there, clear the filter of the panel, or leave the zoom.", Group.PANELS, palette=False),
    Action("sort_next", ">", "sort(1)", "Sort by next column",
        "Sort the panel by its next column; a click on a column's title sorts by it.", Group.PANELS),
    Action("sort_previous", "<", "sort(-1)", "Sort by previous column",
        "Sort the panel by its previous column.", Group.PANELS),
    Action("sort_invert", "i", "sort_invert", "Invert order",
        "Turn the order of the panel around.", Group.PANELS),
    Action("zoom", "z", "zoom", "Zoom",
        "Give the whole screen to the panel, or take it back.", Group.PANELS, shown=True),
    Action("preview", "V", "preview", "Preview",
        "On a wide terminal: read beside the panels what the cursor stands on, or give them that room.", Group.PANELS),
    Action("pause", "space", "pause", "Pause",
        "Freeze the screen, while the consumer goes on; again to catch up. In the past: play, or stop; + and - "
        "change the pace, down to that at which entries came.",
        Group.PANELS, shown=True),
    Action("copy", "y", "copy", "Copy",
        "Copy the selected line; of an event its id, type and payload.", Group.PANELS),
    Action("export", "ctrl+e", "export", "Export",
        "Hand on the panel as it is shown, as CSV, JSON lines, Markdown or a picture of the screen, to a file or the "
        "clipboard. On the page of a row, a difference and the board of refusals as well.", Group.PANELS),
    Action("messages", "M", "messages", "Messages",
        "List what the dashboard has said lately, the newest first.", Group.PANELS),
    Action("step_back", "[", "step(-1)", "Step back",
        "Show the moment one entry earlier: all tables, numbers and the log as they were then.", Group.PAST),
    Action("step_on", "]", "step(1)", "Step on",
        "Show the moment one entry later.", Group.PAST),
    Action("about_before", "{", "next_about(-1)", "Back to the row",
        "Go back to the entry before that is about the selected row.", Group.PAST),
    Action("about_after", "}", "next_about(1)", "On to the row",
        "Go on to the next entry about the selected row.", Group.PAST),
    Action("refused_before", "(", "next_refused(-1)", "Refused before",
        "Go back to the entry before that a rule refused.", Group.PAST),
    Action("refused_after", ")", "next_refused(1)", "Refused next",
        "Go on to the next entry that a rule refused.", Group.PAST),
    Action("parked_before", "Y", "next_parked(-1)", "Parked before",
        "Go back to the entry before that could not be understood.", Group.PAST),
    Action("parked_after", "X", "next_parked(1)", "Parked next",
        "Go on to the next entry that could not be understood.", Group.PAST),
    Action("go_to", "@", "go_to", "Go to",
        "Go to an entry, a time, so long ago, or to the first moment at which a condition holds, such as count(…) > 9.",
        Group.PAST),
    Action("condition_after", ";", "next_condition(1)", "Holds next",
        "Go on to the next moment at which the last condition begins to hold.", Group.PAST),
    Action("condition_before", "comma", "next_condition(-1)", "Held before",
        "Go back to the moment before at which the last condition began to hold.", Group.PAST),
    Action("play_until", "U", "play_until", "Play until…",
        "In the past: play until a place is reached, or a condition begins to hold.", Group.PAST),
    Action("mark", "m", "mark", "Mark",
        "Mark the moment that is shown; at another one, show which numbers differ between the two. The entries that "
        "lie between them made the difference: they are counted under it, and listed by row.", Group.PAST),
    Action("board", "!", "board", "Refusals",
        "What rules refused and what could not be understood, by reason and by row. Such entries stay in the log and "
        "change nothing: here is what was asked for in the last 5 minutes, an hour or ever, and not done.", Group.PAST),
    Action("watch", ".", "watch", "Watch the replay",
        "Play what was replayed since the last restore, from its snapshot on.", Group.PAST),
    Action("less_time", "Z", "zoom_time(1)", "Less of the time",
        "Show a shorter stretch in the line of time, down to the last minute.", Group.PAST),
    Action("more_time", "A", "zoom_time(-1)", "More of the time",
        "Show a longer stretch in the line of time, up to the whole stream.", Group.PAST),
    Action("what_if", "w", "what_if", "What if",
        "Try what would have been, in a sandbox: leave the selected entry out, change it, move it, add others. The log "
        "is folded once more beside the one there is, and what would be otherwise is shown. Nothing is published.",
        Group.WHAT_IF),
    Action("next_panel", "tab,right,l", "next_panel(1)", "Next panel",
        "Move the focus to the next panel.", Group.PANELS),
    Action("previous_panel", "shift+tab,left,h", "next_panel(-1)", "Previous panel",
        "Move the focus to the previous panel.", Group.PANELS),
    Action("up", "up,k", "move(-1)", "Up",
        "One line up.", Group.MOVE, Scope.TABLE, palette=False),
    Action("down", "down,j", "move(1)", "Down",
        "One line down.", Group.MOVE, Scope.TABLE, palette=False),
    Action("half_page_up", "ctrl+u", "page(-0.5)", "Half page up",
        "Half a page up.", Group.MOVE, Scope.TABLE, palette=False),
    Action("half_page_down", "ctrl+d", "page(0.5)", "Half page down",
        "Half a page down.", Group.MOVE, Scope.TABLE, palette=False),
    Action("page_up", "pageup,ctrl+b", "page(-1)", "Page up",
        "A page up.", Group.MOVE, Scope.TABLE, palette=False),
    Action("page_down", "pagedown,ctrl+f", "page(1)", "Page down",
        "A page down.", Group.MOVE, Scope.TABLE, palette=False),
    Action("first", "home,g", "first", "First line",
        "To the first line.", Group.MOVE, Scope.TABLE, palette=False),
    Action("last", "end,G", "last", "Last line",
        "To the last line; in the log, follow new events again.", Group.MOVE, Scope.TABLE, palette=False),
    Action("streams", "ctrl+o", "streams", "Streams",
        "The streams of the server: how long each is, how fast it grows, how far its snapshot is behind, who reads it. "
        "Enter opens another one here.", Group.PROGRAM, Scope.APP),
    Action("settings", "C", "settings", "Settings",
        "Every setting, what it is now and where that comes from: a flag, the environment, the settings file. A theme "
        "is chosen there, the rest is written in that file.", Group.PROGRAM, Scope.APP),
    Action("theme", "", "change_theme", "Theme",
        "Choose the colours.", Group.PROGRAM, Scope.APP),
    Action("screenshot", "", "save_picture", "Screenshot",
        "Save a picture of the screen as SVG.", Group.PROGRAM, Scope.APP),
    Action("raw", "W", "raw", "Show raw",
        "Leave the domain, and show the entries of the stream as they are.", Group.PROGRAM, Scope.APP),
    Action("help", "?", "help", "Help",
        "Explain the screen and all keys.", Group.PROGRAM, shown=True),
    Action("palette", "ctrl+p", "command_palette", "Commands",
        "Find and run any command by its name.", Group.PROGRAM, Scope.APP, palette=False),
    Action("suspend", "ctrl+z", "suspend_process", "Suspend",
        "Stop, and go back to the shell; `fg` goes on.", Group.PROGRAM, Scope.APP, palette=False, always=True),
    Action("quit", "q", "quit", "Quit",
        "Take a farewell snapshot and leave. Ctrl+Q does so from within a form, too.",
        Group.PROGRAM, Scope.APP, shown=True),
)  # fmt: skip
"""In the order of the help and of the line of keys."""

_NAMES: Final = {
    "up": "↑", "down": "↓", "left": "←", "right": "→",
    "pageup": "PgUp", "pagedown": "PgDn", "escape": "Esc", "tab": "Tab", "enter": "Enter", "space": "Space",
}  # fmt: skip


def key_name(key: str) -> str:
    """A key as people read it: `question_mark` → `?`, `ctrl+d` → `Ctrl+D`, `pageup` → `PgUp`."""
    *modifiers, last = key.strip().split("+") if key.strip() != "+" else ["+"]
    shown = last if len(last) == 1 else _NAMES.get(last) or key_to_character(last) or format_key(last)
    if len(shown) > 1 or modifiers:
        shown = shown[:1].upper() + shown[1:]
    return "+".join([*(modifier.capitalize() for modifier in modifiers), shown])


def bindings(scope: Scope) -> list[BindingType]:
    """The bindings of everything understood in a scope of any dashboard."""
    return list(bindings_of(action for action in ACTIONS if action.scope is scope))


def bindings_of(actions: Iterable[Action]) -> Iterable[Binding]:
    """Their bindings; what has no key has none."""
    for action in actions:
        if action.keys:
            yield Binding(
                action.keys,
                action.action,
                action.label,
                show=action.shown,
                tooltip=action.tooltip,
                id=action.id,
                priority=action.always,
            )


def key_rows(actions: Iterable[Action], keymap: Keymap | None = None) -> list[tuple[str, str, str, str]]:
    """Keys for the help: group, keys, label, tooltip; those of a group together, what has no key left out."""
    known = list(actions)
    return [
        (str(group), " ".join(action.names(keymap)), action.label, action.tooltip)
        for group in Group
        for action in known
        if action.group is group and action.names(keymap)
    ]
