"""What the form of an event hands its event to in a sandbox: nothing that could reach a server."""

from collections.abc import Callable

from msgspec.structs import replace

from esdash.engine.console import Published
from esdash.engine.publishing.publisher import new_keys
from esdash.engine.shown.view import Phase, View
from esdash.fold.folding import Fold


class SandboxDesk:
    """Takes one event into a sandbox (`engine.console.Desk`)."""

    def __init__(self, fold: Fold, view: View, take: Callable[[str, bytes, bytes], object]) -> None:
        """`view` has the state by which the event is judged; `take` gets type, data and a new key, in any thread."""
        self.fold = fold
        self.view = replace(view, phase=Phase.LIVE, readonly=False)
        self.publishing = self
        self._take = take

    def publish(self, event_type: str, data: bytes, key: str | None = None) -> Published:  # noqa: ARG002 - a new one
        """Take it. Nothing is published."""
        (own,) = new_keys(1)
        self._take(event_type, data, own.encode())
        return Published("", event_type, own)
