"""Snapshots as bytes: chunks and a header, stored beside the stream.

Keys, all in the stream's hash slot:

- `esdash:{orders}:snapshots`: a hash, snapshot id → header;
- `esdash:{orders}:snapshot:<id>`: a hash, number → chunk;
- `esdash:{orders}:foreign`: a set, ids of snapshots that were found to be of another history;
- `esdash:{orders}:condemned`: a set, ids of snapshots of which the entries make another state;
- `esdash:{orders}:pinned`: a hash, ids of snapshots that are kept however old they get → why (`headers.Pin`);
- `esdash:{orders}:lease:<domain> <version>`: who takes the periodic snapshots of these rules.

Chunks are written first, one command each, and expire unless the header follows. One script then checks and adds the
header, so a snapshot is there as a whole or not at all.
"""

import hashlib
import secrets
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, TypeVar

from msgspec.structs import asdict

from esdash.counted import counted
from esdash.log import scripts, shapes
from esdash.log.continuity import Continuity, Standing, Verdict, check
from esdash.log.errors import ForbiddenError, RefusedError, WrongTypeError
from esdash.log.headers import CHECKSUM, FORMAT, Draft, Header, Pin, Unreadable, rank, read_header, write_header
from esdash.log.keys import key_prefix
from esdash.log.plainly import plainly
from esdash.log.stream import Stream

_Reply = TypeVar("_Reply")

Rules = tuple[str, str]
"""The name and the version of a domain."""

KEEP: Final = 5
"""Snapshots kept of each version: the most complete ones of the stream's present history, of these the newest."""

_UNFINISHED_MS: Final = 10 * 60 * 1000
"""Chunks whose writer died are gone after ten minutes."""


class DamagedError(Exception):
    """A stored snapshot's bytes are not what was written."""


class SnapshotStore:
    """The snapshots of one stream."""

    def __init__(self, log: Stream) -> None:
        self._log = log
        self._prefix = key_prefix(log.name)
        self._index = self._prefix + "snapshots"
        self._foreign = self._prefix + "foreign"
        self._condemned = self._prefix + "condemned"
        self._pinned = self._prefix + "pinned"
        self.denial = ""
        """Why `offered` had to do without snapshots, in a sentence."""

    def headers(self) -> list[Header | Unreadable]:
        """Every stored snapshot: complete ones first, then newer ones, damaged ones last. Raises LogError."""
        stored = self._command("HGETALL", self._index, shape=shapes.pairs)
        foreign = self._command("SMEMBERS", self._foreign, shape=shapes.texts) if stored else []
        condemned = self._command("SMEMBERS", self._condemned, shape=shapes.texts) if stored else []
        pinned = self._command("HGETALL", self._pinned, shape=shapes.pairs) if stored else {}
        found = (
            read_header(
                name,
                raw,
                foreign=name in foreign,
                condemned=name in condemned,
                pinned=pinned.get(name, b"").decode("utf-8", "replace"),
            )
            for name, raw in stored.items()
        )
        return sorted(found, key=rank)

    def continuity(self, header: Header) -> Continuity:
        """Where a snapshot stands in the log as it is now. Raises LogError."""
        standing = Standing(header.last_event_id.encode(), header.ordinal, header.unseen, header.anchor)
        return check(self._log, standing, must_stand=header.foreign)

    def offered(self) -> list[Header | Unreadable]:
        """`headers`, or none where this user may not read them: `denial` says so then. Raises LogError."""
        try:
            found = self.headers()
        except ForbiddenError as error:
            self.denial = f"Snapshots cannot be read: {error}"
            return []
        self.denial = ""
        return found

    def newest(self, rules: Rules | None = None) -> Header | None:
        """The best readable one of the stream's present history, if need be one with a gap behind. Raises LogError.

        Of these rules, where some are given.
        """
        broken: Header | None = None
        for header in self.offered():
            if not isinstance(header, Header) or rules not in (None, header.rules):
                continue
            verdict = self.continuity(header).verdict
            if verdict in (Verdict.CONTINUOUS, Verdict.UNKNOWN) and not header.condemned:
                return header
            if verdict is Verdict.GAP:
                broken = broken or header
        return broken

    def chunks(self, header: Header) -> Iterator[bytes]:
        """The snapshot's chunks, one command each.

        Raises DamagedError when one is missing or their checksum is not the header's, LogError for the server.
        """
        hashed = hashlib.blake2b(digest_size=16)
        for number in range(header.chunks):
            try:
                chunk = self._command("HGET", self._chunks_key(header.snapshot_id), number, shape=shapes.text_or_none)
            except ForbiddenError as error:
                raise DamagedError(str(error).rstrip(".")) from error
            except RefusedError as error:
                if not isinstance(error.__cause__, WrongTypeError):
                    raise
                raise DamagedError(f"the key {self._chunks_key(header.snapshot_id)} holds something else") from error
            if chunk is None:
                raise DamagedError(f"chunk {number + 1} of {header.chunks} is missing")
            hashed.update(chunk)
            yield chunk
        if hashed.hexdigest() != header.checksum:
            raise DamagedError("the checksum is wrong")

    def write(
        self,
        draft: Draft,
        chunks: Iterable[bytes],
        *,
        begun: float,
        clock: Callable[[], float],
        usable: Callable[[Header], bool],
    ) -> Header:
        """Store a snapshot as a whole; the oldest beyond KEEP leave.

        `begun` is what `clock` (seconds) said when the taking began. `usable` tells whether a stored snapshot can be
        used: one that is more complete than the draft and can be used is not outranked. Raises RefusedError, saying
        why, when such a one or a newer one is there or the log is another history, LogError for the server; then
        nothing is stored.
        """
        unusable = [each.snapshot_id for each in self.headers() if isinstance(each, Header) and each.condemned]
        for header in self._more_complete(draft):
            self._require_no_use(header, draft, usable)
            unusable.append(header.snapshot_id)
        snapshot_id = f"{draft.ordinal}-{secrets.token_hex(4)}"
        key = self._chunks_key(snapshot_id)
        hashed = hashlib.blake2b(digest_size=16)
        count = size = 0
        for chunk in chunks:
            self._put(key, count, chunk)
            hashed.update(chunk)
            count += 1
            size += len(chunk)
        header = Header(
            **asdict(draft),
            snapshot_id=snapshot_id,
            checksum=hashed.hexdigest(),
            chunks=count,
            size=size,
            seconds=round(clock() - begun, 6),
            format=FORMAT,
        )
        try:
            while (better := self._commit(header, unusable)) is not None:
                for other in self.headers():
                    if isinstance(other, Header) and other.snapshot_id == better:
                        self._require_no_use(other, draft, usable)
                unusable.append(better)
        except RefusedError:
            with suppress(RefusedError):  # they expire soon
                self._command("UNLINK", key)
            raise
        return header

    def _commit(self, header: Header, unusable: list[str]) -> str | None:
        """Add a header; None when that is done, else the id of a more complete snapshot that stands in its way."""
        keys = (self._log.name, self._index, self._foreign, self._chunks_key(header.snapshot_id), self._pinned)
        options = (self._chunks_key(""), header.snapshot_id, write_header(header), header.chunks, KEEP, CHECKSUM)
        answer = self._command("EVAL", scripts.COMMIT, len(keys), *keys, *options, *unusable, shape=shapes.text)
        if answer == b"ok":
            return None
        word, _, better = answer.decode("utf-8", "replace").partition(" ")
        if word == "fuller" and better not in unusable:
            return better
        reasons = {
            "older": "a newer snapshot is there already",
            "foreign": "the log does not contain what the state was made from any more",
            "incomplete": "its chunks were removed while it was written",
        }
        raise RefusedError(f"The snapshot was not stored: {reasons.get(word, 'the server does not say why')}.")

    def _more_complete(self, draft: Draft) -> Iterator[Header]:
        """The stored snapshots of the same version that have fewer unseen. Raises LogError."""
        if draft.unseen > 0:
            for header in self.headers():
                if (
                    isinstance(header, Header)
                    and header.rules == draft.rules
                    and header.unseen < draft.unseen
                    and not header.condemned
                ):
                    yield header

    def _require_no_use(self, header: Header, draft: Draft, usable: Callable[[Header], bool]) -> None:
        """Raises RefusedError when a more complete snapshot can be used."""
        if usable(header):
            gone = draft.unseen - max(0, header.unseen)
            raise RefusedError(
                f"The snapshot was not stored: snapshot {header.snapshot_id} has seen "
                f"{counted(gone, 'entry', 'entries')} more that left the stream, and stays the one to "
                "restore from. Delete it with `esdash snapshot delete` if they are not wanted."
            )

    def condemn(self, snapshot_ids: Iterable[str]) -> None:
        """Let nobody restore these any more. Raises LogError."""
        stored = {header.snapshot_id for header in self.headers()}
        gone = [
            name
            for name in self._command("SMEMBERS", self._condemned, shape=shapes.texts)
            if name.decode() not in stored
        ]
        if gone:
            self._command("SREM", self._condemned, *gone)
        if names := [snapshot_id for snapshot_id in snapshot_ids if snapshot_id in stored]:
            self._command("SADD", self._condemned, *names)

    def pin(self, header: Header) -> None:
        """Keep a snapshot because what it was made from is archived, however many newer ones come. Raises LogError.

        Of each version one is kept that is archived, and one up to which entries were trimmed: the newest.
        """
        before = self._pinned_instead(header, (Pin.ARCHIVED,))
        if not header.pinned:
            self._command("HSET", self._pinned, header.snapshot_id, Pin.ARCHIVED)
        if before:
            self._command("HDEL", self._pinned, *before)

    def _pinned_instead(self, header: Header, reasons: Collection[Pin]) -> list[str]:
        """Ids of other snapshots of the same version that are pinned for one of these reasons. Raises LogError."""
        return [
            each.snapshot_id
            for each in self.headers()
            if isinstance(each, Header)
            and each.pinned in reasons
            and each.rules == header.rules
            and each.snapshot_id != header.snapshot_id
        ]

    def trim(self, header: Header, minid: bytes) -> str:
        """Remove the entries before an id from the stream, if this snapshot and every consumer group allow it.

        It is pinned then in place of all others of its version. How many were removed, or a word: `snapshot` that is
        gone, `changed` for another log, `group NAME` that needs one of them. Raises LogError.
        """
        keys = (self._log.name, self._index, self._pinned)
        options = (minid, header.snapshot_id, header.last_event_id, header.anchor, Pin.TRIMMED)
        before = self._pinned_instead(header, tuple(Pin))
        answer = self._command("EVAL", scripts.TRIM, len(keys), *keys, *options, *before, shape=shapes.text)
        return answer.decode("utf-8", "backslashreplace")

    def delete(self, snapshot_id: str) -> bool:
        """Remove a snapshot; whether there was one. Raises LogError."""
        commands = [
            ("HDEL", self._index, snapshot_id),
            ("SREM", self._foreign, snapshot_id),
            ("SREM", self._condemned, snapshot_id),
            ("HDEL", self._pinned, snapshot_id),
            ("UNLINK", self._chunks_key(snapshot_id)),
        ]
        with self._own_keys():
            removed, *_ = self._log.commands(commands, atomic=True)
            return self._log.server.understood(removed, shapes.number, self._log.name) > 0

    def lease_key(self, rules: Rules) -> str:
        """Of the lease on periodic snapshots: other rules have another, since no snapshot serves both."""
        return f"{self._prefix}lease:{' '.join(rules)}"

    def hold_lease(self, rules: Rules, owner: str, seconds: float) -> str:
        """Take or renew the lease on periodic snapshots for so long; who holds it now. Raises LogError."""
        key, milliseconds = self.lease_key(rules), max(1, round(seconds * 1000))
        answer = self._command("EVAL", scripts.RENEW, 1, key, owner, milliseconds, shape=shapes.text)
        return answer.decode("utf-8", "replace")

    def release_lease(self, rules: Rules, owner: str) -> None:
        """Let another process take the periodic snapshots at once. Raises LogError."""
        self._command("EVAL", scripts.RELEASE, 1, self.lease_key(rules), owner)

    def lease_holder(self, rules: Rules) -> str | None:
        """Who takes the periodic snapshots, if anybody. Raises LogError."""
        answer = self._command("GET", self.lease_key(rules), shape=shapes.text_or_none)
        return None if answer is None else answer.decode("utf-8", "replace")

    def _command(self, *arguments: Any, shape: Callable[[Any], _Reply] = shapes.anything) -> _Reply:
        """One command on esdash's own keys."""
        with self._own_keys():
            return self._log.command(*arguments, shape=shape)

    @contextmanager
    def _own_keys(self) -> Iterator[None]:
        """What the log says of the stream's key is said of esdash's own in this block."""
        try:
            yield
        except WrongTypeError as error:
            raise RefusedError(
                f"A key on {self._log.server.name} that begins with {self._prefix} holds something that is not "
                "esdash's. Move it away."
            ) from error
        except ForbiddenError as error:
            if error.right.startswith("~"):
                raise ForbiddenError.of(self._log.server.name, f"~{self._prefix}*") from error
            raise

    def _chunks_key(self, snapshot_id: str) -> str:
        return f"{self._prefix}snapshot:{snapshot_id}"

    def _put(self, key: str, number: int, chunk: bytes) -> None:
        commands = [("HSET", key, number, chunk), ("PEXPIRE", key, _UNFINISHED_MS)]
        with self._own_keys(), plainly(self._log.server.name, self._log.name):
            for reply in self._log.commands(commands, atomic=True):
                if isinstance(reply, Exception):
                    raise reply


__all__ = ["KEEP", "DamagedError", "Draft", "Header", "Pin", "SnapshotStore", "Unreadable"]
