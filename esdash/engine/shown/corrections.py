"""What was published in the place of parked entries and orphans, told by keys: every reader of the log sees the same.

A parked entry is corrected under the key `corrects:<its id>`; after a correction that was rejected, and so used its key
up, under `corrects:<its id>:2`, and so on. An orphan goes back under the key that it had, else `restores:<its old id>`.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Final, NamedTuple

import msgspec
from msgspec import Struct

from esdash.engine.shown.row import Row
from esdash.fold.folding import Entry, Fold
from esdash.fold.keys import Keys
from esdash.fold.sorting import Kinds

CORRECTS: Final = b"corrects:"
RESTORES: Final = b"restores:"

KEPT: Final = (5_000, 10_000)
"""Corrections and restorations known at a time, those that were decided last: ten times the parked entries that are
kept, and as many as there are orphans."""

REMEMBERED: Final = (1_000, 2_000)
"""How many of them a snapshot remembers."""

_FORM: Final = re.compile(rb"((?:corrects|restores):\d{1,20}-\d{1,20})(?::([2-9]|[1-9]\d{1,8}))?")

_USUAL: Final = Keys()


class Noted(NamedTuple):
    """An entry whose key says that it stands for another one."""

    place: int
    """In its page, from 0."""
    entry_id: bytes
    key: bytes


class Attempt(NamedTuple):
    """One entry that was published for another, and what the fold made of it."""

    ordinal: int
    entry_id: bytes
    code: int
    """An index into `Fold.outcomes`."""


class Correction(Struct, frozen=True, array_like=True, gc=False):
    """What has come of the attempts to correct a parked entry, or to publish an orphan again."""

    last: Attempt
    """The newest, whatever became of it."""
    done: Attempt | None = None
    """The one that was applied."""
    refused: int = 0
    """The highest number of a key that a rejected attempt has used up; 0 for none."""
    elsewhere: bool = False
    """An attempt was a duplicate of one that is not known here, so whether that was applied is not known either."""


def note(page: Sequence[Entry], also: frozenset[bytes] = frozenset(), keys: Keys = _USUAL) -> list[Noted]:
    """Those of a page that stand for another entry: by the form of their key, or since it is one of `also`."""
    found: list[Noted] = []
    for place in _suspects(page, also, keys):
        entry_id, fields = page[place]
        key = keys.of(fields)
        if key is not None and (key.startswith((CORRECTS, RESTORES)) or key in also):
            found.append(Noted(place, entry_id, key))
    return found


def _suspects(page: Sequence[Entry], also: frozenset[bytes], keys: Keys) -> Sequence[int]:
    """Where those are that could stand for another: to look into each would take too long."""
    name = keys.name
    if keys.within:
        return [
            place
            for place, (_, fields) in enumerate(page)
            if also or any(CORRECTS in value or RESTORES in value for value in fields[1::2])
        ]
    # Nearly every entry is passed over here, by its last field, which nearly always is the key.
    return [
        place
        for place, (_, fields) in enumerate(page if name else ())
        if (len(fields) > 4 or name != _USUAL.name)
        and fields
        and (
            fields[-2] != name
            or b"co" <= fields[-1] < b"cp"
            or b"re" <= fields[-1] < b"rf"
            or (also and fields[-1] in also)
        )
    ]


def noting(domain: Fold) -> str:
    """`note` for another process, as `log.reading.readahead` names it."""
    if domain.keys.within:
        return f"{__name__}:codec_noter({msgspec.json.encode(domain.kinds).decode()})"
    return f"{__name__}:noter({domain.keys.name.decode()})"


def noter(name: str) -> Callable[[Sequence[Entry]], list[Noted]]:
    """`note` for entries whose key has this name."""
    return partial(note, keys=Keys(name.encode()))


def codec_noter(kinds: str) -> Callable[[Sequence[Entry]], list[Noted]]:
    """`note` for entries of another program, by `Kinds` as JSON."""
    from esdash.fold.codecs.sorting import CodecKeys, CodecSorter

    return partial(note, keys=CodecKeys(CodecSorter(msgspec.json.decode(kinds, type=Kinds))))


class Corrections:
    """What is known at one moment; never changed. Keys are bytes that are read with `surrogateescape` as text."""

    def __init__(
        self,
        corrections: Mapping[bytes, Correction] | None = None,
        restorations: Mapping[bytes, Correction] | None = None,
        keys: Keys = _USUAL,
    ) -> None:
        """By the first key that was used for each, or could have been; `keys` tells where entries have them."""
        self._keys = keys
        self._corrections = corrections or {}
        self._restorations = restorations or {}

    def of_parked(self, row: Row) -> Correction | None:
        """What came of correcting a parked entry; None when nobody tried."""
        return self._corrections.get(self._first_key(row))

    def key_for_parked(self, row: Row) -> str:
        """The key for its correction."""
        found = self.of_parked(row)
        return _numbered(self._first_key(row), 1 + (found.refused if found else 0))

    def of_orphan(self, row: Row) -> Correction | None:
        """What came of publishing an orphan again; None when nobody tried."""
        own = self.own_key(row)
        first = None if own is None else self._restorations.get(own)
        second = self._restorations.get(RESTORES + row.entry_id)
        return first if second is None or (first is not None and first.done is not None) else second

    def key_for_orphan(self, row: Row) -> str:
        """Its own key, unless it had none, or that was used up by an attempt that was rejected."""
        own = self.own_key(row)
        if own is not None:
            found = self._restorations.get(own)
            if found is None or not found.refused:
                return own.decode("utf-8", "surrogateescape")
        root = RESTORES + row.entry_id
        found = self._restorations.get(root)
        return _numbered(root, 1 + (found.refused if found else 0))

    def own_key(self, row: Row) -> bytes | None:
        """The key that an entry came with."""
        return self._keys.of(row.fields)

    def _first_key(self, row: Row) -> bytes:
        """The first key for correcting a parked entry; of a correction that was parked, that of what it corrects."""
        own = self.own_key(row)
        form = _FORM.fullmatch(own) if own is not None and own.startswith(CORRECTS) else None
        return CORRECTS + row.entry_id if form is None else form[1]


NOTHING: Final = Corrections()
"""Nobody has corrected anything."""


class CorrectionTracker:
    """Takes note while pages are folded. Belongs to one thread."""

    def __init__(self, domain: Fold, kept: tuple[int, int] | None = None) -> None:
        """`kept`: how many corrections and restorations are known at a time."""
        self._kept = kept or KEPT
        names = [outcome.name for outcome in domain.outcomes]
        self._names = names
        self._keys = domain.keys
        self._own: frozenset[bytes] = frozenset()
        self._watched: Sequence[Row] = ()
        self._corrections: dict[bytes, Correction] = {}
        self._restorations: dict[bytes, Correction] = {}
        self._current: Corrections | None = None

    def watch(self, orphans: Sequence[Row]) -> None:
        """Take note of the keys that these had, too."""
        if orphans is not self._watched:
            self._watched = orphans
            self._own = frozenset(key for row in orphans if (key := self._keys.of(row.fields)) is not None)

    def add(self, first: int, page: Sequence[Entry], codes: bytes) -> None:
        """A page was folded; its first entry has ordinal `first`."""
        self.add_noted(first, note(page, self._own, self._keys), codes)

    def add_noted(self, first: int, noted: Iterable[Noted], codes: bytes) -> None:
        """A page was folded of which only what `note` found is known."""
        for place, entry_id, key in noted:
            attempt = Attempt(first + place, entry_id, codes[place])
            if key in self._own:
                self._tried(self._restorations, self._kept[1], key, 1, attempt)
            if (form := _FORM.fullmatch(key)) is None:
                continue
            number = int(form[2] or 1)
            if key.startswith(CORRECTS):
                self._tried(self._corrections, self._kept[0], form[1], number, attempt)
            elif key not in self._own:
                self._tried(self._restorations, self._kept[1], form[1], number, attempt)

    def recall(self, remembered: Iterable[tuple[bytes, Correction]]) -> None:
        """Begin with what a snapshot remembers."""
        for key, correction in remembered:
            (self._corrections if key.startswith(CORRECTS) else self._restorations)[key] = correction
        self._current = None

    def marks(self) -> list[tuple[bytes, Correction]]:
        """What a snapshot has to remember."""
        return [
            mark
            for known, most in zip((self._corrections, self._restorations), REMEMBERED, strict=True)
            for mark in list(known.items())[-most:]
        ]

    def current(self) -> Corrections:
        """What is known now; the same object until something changes."""
        if self._current is None:
            self._current = Corrections(self._corrections.copy(), self._restorations.copy(), self._keys)
        return self._current

    def _tried(
        self, known: dict[bytes, Correction], most: int, first_key: bytes, number: int, attempt: Attempt
    ) -> None:
        before = known.pop(first_key, None) or Correction(attempt)
        done, refused, elsewhere = before.done, before.refused, before.elsewhere
        name = self._names[attempt.code]
        if name == "applied":
            done = done or attempt
        elif name == "rejected":
            refused = max(refused, number)
        elif name == "duplicate":
            elsewhere = elsewhere or (done is None and number > refused)
        known[first_key] = Correction(attempt, done, refused, elsewhere)
        if len(known) > most:
            del known[next(iter(known))]
        self._current = None


def _numbered(first_key: bytes, number: int) -> str:
    text = first_key.decode("utf-8", "surrogateescape")
    return text if number == 1 else f"{text}:{number}"
