"""redis-py's parser with bounds."""

from typing import Any

from redis._parsers import hiredis as parsing

from esdash.log.bounded import BoundedReader


class BoundedParser(parsing._HiredisParser):  # redis-py documents the argument, parser_class, but not its classes
    """Takes replies up to a size, and raises `shapes.UnreadableError` for what it cannot read."""

    def on_connect(self, connection: Any, **options: Any) -> None:
        """A connection is there: begin anew."""
        super().on_connect(connection, **options)  # type: ignore[no-untyped-call]
        self._reader: Any = BoundedReader(self.parse_error, not_enough=parsing.NOT_ENOUGH_DATA)

    @property
    def received(self) -> int:
        """Bytes taken on this connection."""
        return 0 if self._reader is None else int(self._reader.taken)
