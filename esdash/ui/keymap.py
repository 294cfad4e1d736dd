"""The keys that the settings give to actions, checked before the dashboard opens."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Final

from textual.keys import KEY_ALIASES, KEY_NAME_REPLACEMENTS, Keys, _character_to_key, key_to_character

from esdash.fold.folding import Fold
from esdash.ui.actions import ACTIONS, Action, Group, Keymap, key_name
from esdash.ui.declared import Actions

ALWAYS_QUITS: Final = "ctrl+q"

_TAKEN: Final = {ALWAYS_QUITS: "it always quits, also within a form", "ctrl+c": "it copies what is selected"}
"""Keys that Textual keeps for itself, and for what."""

_SAME: Final = {alias: key for key, aliases in KEY_ALIASES.items() for alias in aliases} | {
    "ctrl+left_square_bracket": "escape",
    "ctrl+[": "escape",
}
"""Keys that a terminal sends as another one."""

_MODIFIERS: Final = frozenset({"ctrl", "shift", "alt", "super", "hyper", "meta"})
_NAMED: Final = frozenset(key.value for key in Keys) | frozenset(KEY_NAME_REPLACEMENTS.values())


class KeymapError(Exception):
    """The keys cannot be given like this. The message is one or two plain sentences."""


def checked(keymap: Keymap, fold: Fold | None = None, questions: Sequence[str] = ()) -> Keymap:
    """The keymap, when every action in it is one, every key can be pressed, and no key means two things.

    `questions` are the names of those that are saved. Actions of other domains than this one may be in it, and mean
    nothing here. Raises KeymapError.
    """
    actions = {action.id: action for action in (*Actions(fold, questions=questions), *ACTIONS)}
    given = {name: list(dict.fromkeys(_keys(name, keys, actions))) for name, keys in keymap.items()}
    taken: dict[str, Action] = {}
    for action in actions.values():
        for key in given.get(action.id) or map(_canonical, _parts(action.keys)):
            other = taken.setdefault(key, action)
            if other is not action:
                raise KeymapError(_conflict(key, action, other, given))
    return {name: ",".join(keys) for name, keys in given.items() if keys}


def unknown(keymap: Keymap, fold: Fold, questions: Sequence[str] = ()) -> list[str]:
    """What the keymap gives keys to and is no action of this domain's dashboard."""
    known = {action.id for action in (*ACTIONS, *Actions(fold, questions=questions))}
    return [name for name in keymap if name not in known]


def _conflict(key: str, one: Action, other: Action, given: Mapping[str, object]) -> str:
    new, old = (one, other) if one.id in given else (other, one)
    if old.id in given:
        what = f"to both {old.id} ({old.label}) and {new.id} ({new.label})"
    else:
        what = f"to {new.id} ({new.label}), and it is the key of {old.id} ({old.label})"
    return f"The settings give {key_name(key)} {what}. Choose another one for either."


def _keys(name: str, keys: str, actions: Mapping[str, Action]) -> Iterator[str]:
    action = actions.get(name)
    if action is None and (like := get_close_matches(name, actions, cutoff=0.8)):
        raise KeymapError(f"The settings give keys to {name!r}, which is no action. Like it: {', '.join(like)}.")
    if action is not None and not action.keys and action.group is Group.PROGRAM:
        raise KeymapError(f"The settings give keys to {name}, which takes none: it is in the palette.")
    parts = _parts(keys)
    if not parts:
        raise KeymapError(f"The settings give no key to {name}. Name one, or leave it out for the usual one.")
    for part in parts:
        key = _canonical(part)
        if not _is_key(key):
            raise KeymapError(
                f"The settings give {part!r} to {name}, which is no key. Keys are written q, Q, f5, ctrl+s, pageup, "
                "question_mark."
            )
        if key == ALWAYS_QUITS and name == "quit":
            continue  # it does so anyway
        if key in _TAKEN:
            raise KeymapError(f"The settings give {key_name(key)} to {name}, and {_TAKEN[key]}. Choose another key.")
        yield key


def _parts(keys: str) -> list[str]:
    return [part for each in keys.split(",") if (part := each.strip())]


def _canonical(key: str) -> str:
    """One name for whatever the terminal sends alike."""
    *modifiers, last = key.split("+") if key != "+" else ["+"]
    last = _character_to_key(last) if len(last) == 1 and not modifiers else last.lower()
    key = "+".join([*sorted(modifier.lower() for modifier in modifiers), last])
    return _SAME.get(key, key)


def _is_key(key: str) -> bool:
    *modifiers, last = key.split("+")
    known = len(last) == 1 or last in _NAMED or key_to_character(last) is not None
    return known and _MODIFIERS.issuperset(modifiers)
