"""The actions of one dashboard: those of every dashboard, and what the declared domain adds to them.

Each event type that can be published is an action, called by its name in snake case (`PaidOut` → `paid_out`), and so is
each panel. A key that an event type would like is its own where no other action has it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from msgspec.structs import replace
from textual.binding import Binding

from esdash.domain import EventType, Table
from esdash.fold.folding import Fold
from esdash.fold.schema import Model
from esdash.ui.actions import ACTIONS, Action, Group, Keymap, bindings_of, key_rows
from esdash.visible import visible
from esdash.words.entries import words

LOG: Final = "log"
"""What the panel of the log is called; those of tables have a prefix, so that any may be called so."""

MOST_SHOWN: Final = 6
"""Event types in the line of keys; the list of all has the others."""

_NEEDS_SAMPLES: Final = frozenset({"demo_batch", "load", "faster", "slower", "load_form"})

_NEEDS_A_FILE: Final = ("rules", "take_rules")

_BOUNDARY: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[^A-Za-z0-9]+")


def snake(name: str) -> str:
    """`PaidOut` → `paid_out`."""
    return _BOUNDARY.sub("_", name).strip("_").lower() or "event"


def label_of(event_type: EventType) -> str:
    """What an event type is called on a screen: `PaidOut` → `Paid out`."""
    told = words(snake(event_type.wire_name))
    return visible(told[:1].upper() + told[1:], 40)


def model_of(fold: Fold, event_type: EventType) -> Model:
    return next(model for each, model in zip(fold.domain.events, fold.models, strict=True) if each is event_type)


def title_of(table: Table) -> str:
    """What a table is called on a screen."""
    told = table.title or words(table.name)
    return visible(told[:1].upper() + told[1:], 40)


def panel_of(table: Table) -> str:
    """What a table's panel is called."""
    return f"table-{table.name}"


def visible_tables(fold: Fold) -> tuple[Table, ...]:
    """Those that have a panel."""
    return tuple(table for table in fold.domain.tables if not table.hidden)


class Actions:
    """All that can be done with the dashboard of one domain, after the keymap of a person."""

    def __init__(
        self,
        fold: Fold | None = None,
        keymap: Keymap | None = None,
        *,
        raw: bool = False,
        watched: bool = False,
        questions: Sequence[str] = (),
    ) -> None:
        """Without a domain those of every dashboard. `raw`: it can be left for one without a domain. `watched`: the
        file of its rules is. `questions` are the names of those that are saved."""
        self.keymap: Keymap = keymap or {}
        self.event_types: Mapping[str, EventType] = {}
        """By the id of the action that publishes one."""
        own: tuple[Action, ...] = ()
        panels: tuple[Action, ...] = ()
        if fold is not None:
            panels = (*_panels(fold), *_asking(questions))
            own = tuple(_publishing(fold, (*ACTIONS, *panels)))
            self.event_types = dict(zip((action.id for action in own), fold.publishable, strict=True))
        self._own = (*own, *panels)
        samples = fold is None or fold.domain.sample is not None
        missing = frozenset(() if samples else _NEEDS_SAMPLES)
        if fold is not None:
            missing |= frozenset((*(() if raw else ("raw",)), *(() if watched else _NEEDS_A_FILE)))
        self._all = tuple(_in_order(own, panels, missing))
        self._by_id = {action.id: action for action in self._all}

    def __iter__(self) -> Iterator[Action]:
        """In the order of the help and of the line of keys."""
        return iter(self._all)

    def __getitem__(self, action_id: str) -> Action:
        """One by its id. Raises KeyError."""
        return self._by_id[action_id]

    def __contains__(self, action_id: object) -> bool:
        return action_id in self._by_id

    def key(self, action_id: str) -> str:
        """The key to advertise for an action; empty when it has none."""
        return self._by_id[action_id].name(self.keymap)

    def offered(self, readonly: bool) -> list[Action]:
        """Those that a dashboard lists: one that writes nothing leaves out what writes."""
        return [action for action in self._all if not (readonly and action.writes)]

    def key_rows(self, readonly: bool = False) -> list[tuple[str, str, str, str]]:
        """Keys for the help: group, keys, label, tooltip."""
        return key_rows(self.offered(readonly), self.keymap)

    def bindings(self) -> list[Binding]:
        """Of what the domain adds; an action without a key of its own may have one of the keymap."""
        return list(bindings_of(replace(each, keys=each.keys or self.keymap.get(each.id, "")) for each in self._own))


def _in_order(own: tuple[Action, ...], panels: tuple[Action, ...], missing: frozenset[str]) -> Iterator[Action]:
    yield from own
    lonely = any(not action.keys for action in own[:MOST_SHOWN]) or len(own) > MOST_SHOWN
    for action in ACTIONS:
        if action.id in missing:
            continue
        yield replace(action, shown=True) if action.id == "events" and lonely else action
        if action.id == "previous_panel":
            yield from panels


def _panels(fold: Fold) -> Iterator[Action]:
    tables = visible_tables(fold)
    names = [(panel_of(table), title_of(table), f"Move the focus to the table {table.name}.") for table in tables]
    names.append((LOG, "Event log", "Move the focus to the event log."))
    for number, (name, title, tooltip) in enumerate(names, 1):
        keys = str(number) if number <= 9 else ""
        yield Action(name.replace("-", "_"), keys, f"panel('{name}')", title, tooltip, Group.PANELS)


def _asking(questions: Sequence[str]) -> Iterator[Action]:
    for name in questions:
        yield Action(f"ask_{name}", "", f"ask('@{name}')", f"@{name}", f"Ask the log what was saved as {name}.",
            Group.PANELS)  # fmt: skip


def _publishing(fold: Fold, others: tuple[Action, ...]) -> Iterator[Action]:
    taken = {key.strip() for action in others for key in action.keys.split(",")}
    known = {action.id for action in others}
    for place, event_type in enumerate(fold.publishable):
        name = snake(event_type.wire_name)
        name = f"publish_{name}" if name in known else name
        while name in known:
            name += "_"
        known.add(name)
        press = event_type.press
        free = len(press) == 1 and press.isprintable() and press not in {" ", ","} and press not in taken
        taken.add(press)
        summary = visible((model_of(fold, event_type).help.splitlines() or [""])[0].strip())
        does = f"{summary if summary.endswith('.') else summary + '.'} " if summary else ""
        yield Action(
            name, press if free else "", f"publish({place})", label_of(event_type),
            f"{does}Publishes {visible(event_type.wire_name, 40)}.",
            Group.PUBLISH, shown=place < MOST_SHOWN and free, writes=True,
        )  # fmt: skip
