"""The keys that the settings give to actions, checked before the dashboard opens."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Final

from textual.keys import KEY_ALIASES, KEY_NAME_REPLACEMENTS, Keys, _character_to_key, key_to_character

from esdash.ui.actions import ACTIONS, BY_ID, Action, Keymap, key_name

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


def checked(keymap: Keymap) -> Keymap:
    """The keymap, when every action in it is one, every key can be pressed, and no key means two things.

    Raises KeymapError.
    """
    given = {name: list(dict.fromkeys(_keys(name, keys))) for name, keys in keymap.items()}
    taken: dict[str, Action] = {}
    for action in ACTIONS:
        for key in given.get(action.id) or map(_canonical, _parts(action.keys)):
            other = taken.setdefault(key, action)
            if other is not action:
                raise KeymapError(_conflict(key, action, other, given))
    return {name: ",".join(keys) for name, keys in given.items() if keys}


def _conflict(key: str, one: Action, other: Action, given: Mapping[str, object]) -> str:
    new, old = (one, other) if one.id in given else (other, one)
    if old.id in given:
        what = f"to both {old.id} ({old.label}) and {new.id} ({new.label})"
    else:
        what = f"to {new.id} ({new.label}), and it is the key of {old.id} ({old.label})"
    return f"The settings give {key_name(key)} {what}. Choose another one for either."


def _keys(name: str, keys: str) -> Iterator[str]:
    action = BY_ID.get(name)
    if action is None:
        like = get_close_matches(name, BY_ID, cutoff=0.6)
        there = f"Like it: {', '.join(like)}." if like else f"There are {', '.join(BY_ID)}."
        raise KeymapError(f"The settings give keys to {name!r}, which is no action. {there}")
    if not action.keys:
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
