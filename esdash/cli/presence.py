"""Whether there is anything of a stream at all: an empty answer about a name that was misspelt would mislead."""

import difflib
from typing import TYPE_CHECKING, Final

from esdash.cli.failures import FailedError
from esdash.visible import visible

if TYPE_CHECKING:
    from esdash.log.stream import Stream

SCANS: Final = 100
"""Steps of a search for other streams, a thousand keys each: it stops soon on a server with millions of keys."""

SHOWN: Final = 3
"""Other streams that are named."""


def absence(log: "Stream") -> str | None:
    """Says that neither the stream nor a snapshot of it exists, and what similar ones there are; None when one does.

    Raises LogError.
    """
    from esdash.log.errors import RefusedError
    from esdash.log.snapshots import SnapshotStore

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


def require_stream(log: "Stream") -> None:
    """Raises FailedError where neither the stream nor a snapshot of it exists; LogError."""
    if missing := absence(log):
        raise FailedError(missing)


def _streams(log: "Stream") -> list[str]:
    """The names of streams on the server, in order, as far as it tells and a bounded search finds them."""
    from esdash.log import shapes
    from esdash.log.errors import RefusedError

    names: set[str] = set()
    cursor = b"0"
    try:
        for _ in range(SCANS):
            cursor, found = log.command("SCAN", cursor, "COUNT", 1000, "TYPE", "stream", shape=shapes.scanned)
            names.update(name.decode("utf-8", "replace") for name in found)
            if cursor == b"0":
                break
    except RefusedError:
        pass  # not everybody may
    return sorted(names)


def _quoted(name: str) -> str:
    return f"'{visible(name, 64)}'"
