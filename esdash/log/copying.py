"""Every entry that a stream has at one moment, while it may go on, and the proof that none was left out."""

from collections.abc import Iterator
from contextlib import closing

from esdash.counted import counted
from esdash.log import shapes
from esdash.log.errors import LogError
from esdash.log.facts import START, Entry, StreamFacts, anchor_of, id_parts
from esdash.log.plainly import plainly
from esdash.log.stream import Stream


class Copying:
    """Reads a stream from its first entry to the newest one that it has when the first page is read."""

    def __init__(self, log: Stream) -> None:
        """Reads that page. Raises LogError."""
        self._name = log.server.name
        self._pages = log.pages(START)
        self._page = next(self._pages)
        self.facts: StreamFacts = self._page.evidence.facts
        """Read in one transaction with it, so that they are true of exactly these entries."""

    def entries(self) -> Iterator[Entry]:
        """They, one after the other, once. Raises LogError, at the end as well, when some left the stream unread."""
        last, count, newest = None, 0, id_parts(self.facts.last_id)
        with closing(self._pages):
            page = self._page
            while True:
                anchor = page.evidence.anchor
                if last is not None and anchor is not None and anchor != anchor_of(last):
                    raise LogError("The stream became another one while it was read. Run it again.")
                with plainly(self._name):
                    shapes.require_fields(page.entries)
                for entry in page.entries:
                    if id_parts(entry[0]) > newest:
                        break
                    last = entry
                    count += 1
                    yield entry
                else:
                    if page.full:
                        page = next(self._pages)
                        continue
                break
        if count != self.facts.length:
            gone = counted(self.facts.length - count, "entry", "entries")
            raise LogError(f"{gone} left the stream before they were read. Run it again.")
