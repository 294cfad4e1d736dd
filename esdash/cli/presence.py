"""Whether there is anything of a stream at all: an empty answer about a name that was misspelt would mislead."""

import difflib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from esdash.cli.connect import open_log
from esdash.cli.failures import FailedError
from esdash.config import Settings
from esdash.log.errors import LogError, RefusedError
from esdash.log.servers.nodes import nodes_of
from esdash.log.snapshots import SnapshotStore
from esdash.log.stream import Stream
from esdash.log.survey import find_streams
from esdash.visible import visible

MOST_KEYS: Final = 100_000
"""Keys of a node that are searched for other streams: that ends soon on a server with millions of them."""

SHOWN: Final = 3
"""Other streams that are named."""


def absence(log: Stream) -> str | None:
    """Says that neither the stream nor a snapshot of it exists, and what similar ones there are; None when one does.

    Raises LogError.
    """
    if log.facts().exists:
        return None
    try:
        if SnapshotStore(log).headers():
            return None
    except RefusedError:
        pass  # whoever may not see snapshots has none
    sentence = f"There is no stream {_quoted(log.name)} on {log.server.name}, nor a snapshot of it."
    names = _streams(log)
    similar = difflib.get_close_matches(log.name, names, SHOWN)
    if similar:
        return f"{sentence} Did you mean {' or '.join(map(_quoted, similar))}? --stream chooses."
    if names:
        more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
        return f"{sentence} There {'are' if len(names) > 1 else 'is'} {', '.join(map(_quoted, names[:SHOWN]))}{more}."
    return f"{sentence} The first event that is published makes it."


@contextmanager
def open_stream(settings: Settings) -> Iterator[Stream]:
    """A log of which there is something, as `open_log` gives it. Raises FailedError where there is not, LogError."""
    with open_log(settings) as log:
        require_stream(log)
        yield log


def require_stream(log: Stream) -> None:
    """Raises FailedError where neither the stream nor a snapshot of it exists; LogError."""
    if missing := absence(log):
        raise FailedError(missing)


def _streams(log: Stream) -> list[str]:
    """The names of streams on the server, in order, as far as it tells and a bounded search finds them."""
    names: list[str] = []
    try:
        for node in nodes_of(log.server):
            names += find_streams(node.server, most=MOST_KEYS).names
    except LogError:
        pass  # not everybody may, and not every node answers
    return sorted(names)


def _quoted(name: str) -> str:
    return f"'{visible(name, 64)}'"
