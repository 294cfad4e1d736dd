"""Records what entries do into a track, segment by segment."""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
import numpy as np

from esdash.engine.projection import Projection
from esdash.fold.folding import Entry, Fold
from esdash.fold.recording import Record
from esdash.fold.state import State
from esdash.past.shown.cursor import Cursor
from esdash.past.track.encoding import (
    Entries,
    encode_cells,
    encode_entries,
    encode_keys,
    encode_parts,
    formats,
    part_name,
)
from esdash.past.track.file import FORMAT, Origin, Segment, Track
from esdash.past.track.packing import DeletedTrackError
from esdash.past.track.reader import TrackReader

SEGMENT: Final = 20_000
"""Entries from which a segment is whole: it is stored, and a new one begun."""

SPACING: Final = 8
"""All cells of a column are kept whenever so many entries have come for each of them."""


def origin_of(fold: Fold, stream: str, projection: Projection) -> Origin:
    """That of a track which begins after a projection."""
    return Origin(
        FORMAT,
        stream,
        fold.name,
        fold.version,
        fold.fingerprint,
        projection.ordinal,
        projection.unseen,
        projection.last_id,
        projection.anchor or "",
        list(projection.state.counts),
    )


class Recorder:
    """Folds the entries after a projection, which moves on, and keeps what they did."""

    def __init__(self, track: Track, stream: str, projection: Projection, segment: int = SEGMENT) -> None:
        """The track ends where the projection stands, or is to begin there; `segment`: entries that make one whole."""
        self._track = track
        self._stream = stream
        self._whole = segment
        self.projection = projection
        self._fold = projection.domain
        self._formats = formats(self._fold)
        self._kept: dict[str, int] = {}
        """By column: the ordinal after which its cells were kept last."""
        self._begin_segment()

    def begin(self) -> None:
        """Make the track anew, from where the projection stands. Raises TrackError."""
        projection = self.projection
        with self._track.writing():
            self._track.begin(origin_of(self._fold, self._stream, projection))
            self._keep_keys(projection.state.key_order)
            self._keep(projection.state, always=True)

    def _begin_segment(self) -> None:
        self._record = Record(self._fold.models, len(self.projection.state.cells))
        self._ids: list[bytes] = []
        self._stored = 0
        """Of this segment: entries that are in the track."""

    @property
    def pending(self) -> int:
        """Entries that are not in the track yet."""
        return len(self._record) - self._stored

    def add(self, page: Sequence[Entry]) -> None:
        """Fold a page that is not empty. Raises DomainError, TrackError."""
        try:
            self.projection.apply(page, record=self._record)
        finally:
            self._ids += [entry_id for entry_id, _ in page[: len(self._record) - len(self._ids)]]
        if len(self._record) >= self._whole:
            self.store()
            self._begin_segment()

    def require_file(self) -> None:
        """Raises DeletedTrackError where what is stored is no longer what others read."""
        if self._track.is_stale():
            raise DeletedTrackError("its file was deleted")

    def store(self) -> None:
        """Store what came since the last whole segment. Raises TrackError."""
        record, projection = self._record, self.projection
        if not self.pending:
            return
        self.require_file()
        first = projection.ordinal - len(record) + 1
        text = b" ".join(self._ids).replace(b"-", b" ")
        ids = np.fromstring(text.decode(), np.uint64, sep=" ").reshape(-1, 2)
        codes, kinds = (np.frombuffer(bytes(each), np.uint8) for each in (record.codes, record.kinds))
        entries = Entries(ids[:, 0].view(np.int64), ids[:, 1].view(np.int64), codes, kinds)
        segment = Segment(
            first,
            len(record),
            int(ids[0, 0]),
            int(ids[-1, 0]),
            projection.last_id,
            projection.anchor or "",
            list(projection.state.counts),
        )
        with self._track.writing():
            self._track.put(
                segment,
                encode_entries(f"{first} entries", entries, record, self._formats),
                encode_keys(f"{first} keys", record.keys) if record.keys else None,
                encode_parts(first, self._fold, record),
            )
            if len(record) >= self._whole:
                self._keep(projection.state)
        self._stored = len(record)

    def thin(self) -> None:
        """Drop the oldest tenth. Raises TrackError."""
        reader = TrackReader(self._track.path, self._fold, still=True)
        try:
            if len(reader.segments) < 2:
                return
            last = reader.segments[max(1, len(reader.segments) // 10) - 1]
            cursor = Cursor(reader)
            cursor.seek(last.last)
            with self._track.writing():
                for table, column, cells in cursor.all_cells():
                    name = part_name(table, column)
                    encoded = encode_cells(name, last.last, table, column, cells)
                    self._track.put_keyframe(name, last.last, encoded)
                self._keep_keys(reader.window(last.last))
                self._track.thin(
                    msgspec.structs.replace(
                        reader.origin,
                        ordinal=last.last,
                        last_id=last.last_id,
                        anchor=last.anchor,
                        counts=last.counts,
                    )
                )
        finally:
            reader.close()
        self._track.shrink()

    def _keep_keys(self, keys: Iterable[bytes]) -> None:
        """Keep those that were in the window before the first segment."""
        if pairs := [(0, key) for key in keys]:
            self._track.put_keys(0, encode_keys("0 keys", pairs))

    def _keep(self, state: State, *, always: bool = False) -> None:
        ordinal = self.projection.ordinal
        for table, places in self._fold.storage.places.values():
            for place, column in zip(places, table.columns, strict=True):
                name, cells = part_name(table, column), state.cells[place]
                due = ordinal - self._kept.get(name, 0) >= SPACING * len(cells)
                if cells and (always or due):
                    self._track.put_keyframe(name, ordinal, encode_cells(name, ordinal, table, column, cells))
                    self._kept[name] = ordinal
