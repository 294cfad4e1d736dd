"""Taking a snapshot of a projection, in the name of this process."""

import os
import secrets
import socket
from collections.abc import Callable
from itertools import chain
from typing import Final

import msgspec

from esdash.engine.projection import Projection
from esdash.engine.snapshots.snapshot import Journal, is_usable
from esdash.fold.state import State
from esdash.log.headers import Draft, Header
from esdash.log.snapshots import SnapshotStore

MIXED: Final = "mixed"
"""Stands for a fingerprint where a state is of edited rules that nobody has looked into: no source has it."""

_TOKEN: Final = secrets.token_hex(4)


def process_name() -> str:
    """Who this process is to others on the same stream: `host:1234:9f3c61d2`, the last part drawn by lot.

    In containers that share a network, host and process id may be the same: each is process 1 there.
    """
    return f"{socket.gethostname()}:{os.getpid()}:{_TOKEN}"


class Taking:
    """A snapshot of a projection as it is at this moment; stored by `store`, which may run in another thread."""

    def __init__(
        self,
        projection: Projection,
        state: State,
        journal: Journal,
        *,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
    ) -> None:
        """`state` is the projection's, or a fork of it."""
        self.state = state
        self._domain = projection.domain
        self._standing = projection.standing
        self._confirmed = projection.confirmed
        self._edited = projection.edited
        self._journal = journal
        self._clock = clock
        self._begun = clock()
        self._created_ms = round(wall_clock() * 1000)

    def store(self, store: SnapshotStore) -> Header:
        """Write it. Raises LogError; then nothing is stored."""
        draft = Draft(
            last_event_id=self._standing.last_id.decode(),
            ordinal=self._standing.ordinal,
            unseen=self._standing.unseen,
            confirmed=self._confirmed,
            anchor=self._standing.anchor or "",
            domain=self._domain.name,
            version=self._domain.version,
            fingerprint=MIXED if self._edited else self._domain.fingerprint,
            digest=self._domain.digest(self.state),
            created_ms=self._created_ms,
            owner=process_name(),
        )
        chunks = chain([msgspec.msgpack.encode(self._journal)], self._domain.dump(self.state))
        return store.write(
            draft,
            chunks,
            begun=self._begun,
            clock=self._clock,
            usable=lambda header: is_usable(header, store, self._domain),
        )
