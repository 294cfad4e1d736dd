"""What differs between two moments, told by a track without folding: as `engine.moments.comparing` would tell it."""

from collections import Counter
from typing import Any

from esdash.engine.moments.comparing import Distance
from esdash.engine.shown.view import Position
from esdash.fold.cells import Change
from esdash.fold.codecs.sorting import CodecSorter
from esdash.fold.sorting import Sorter
from esdash.past.numbers.difference import Between, differences
from esdash.past.track.reader import TrackReader


def distance_by(reader: TrackReader, first: bytes, second: bytes) -> Distance | None:
    """What differs between the moments after two ids; None where the track lacks one, or a type that is counted.

    Raises TrackError.
    """
    fold = reader.fold
    one, other = reader.ordinal_of(first), reader.ordinal_of(second)
    if min(one, other) <= reader.shown_from:
        return None
    between = Between(reader, one, other)
    while not between.done:
        between.take(reader)
    came = between.came()
    # Of what could not be understood the track seldom has the type, and a sorter of its own may call types otherwise.
    if type(fold.sorter) not in (Sorter, CodecSorter) or not all(each.type for each in came):
        return None
    tables = fold.domain.tables
    places = {
        (table.name, column.name): (number, place)
        for number, table in enumerate(tables)
        for place, column in enumerate(table.columns)
    }

    def in_order(change: Change) -> tuple[int, Any, int]:
        table, column = places[change.table, change.column]
        return table, change.key, column

    return Distance(
        Position(reader.id_of(one).decode(), one, reader.origin.unseen),
        Position(reader.id_of(other).decode(), other, reader.origin.unseen),
        sorted(differences(reader, one, other, tables), key=in_order),
        Counter({(each.type, each.outcome): each.count for each in came}),
    )
