"""Snapshots as bytes: chunks and a header, stored beside the stream.

Keys, all in the stream's hash slot:

- `esdash:{orders}:snapshots`: a hash, snapshot id → header;
- `esdash:{orders}:snapshot:<id>`: a hash, number → chunk;
- `esdash:{orders}:lease`: who takes the periodic snapshots.

Chunks are written first, one command each, and expire unless the header follows. One script then checks and adds the
header, so a snapshot is there as a whole or not at all.
"""

import hashlib
import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from msgspec import Struct

from esdash.log.continuity import Verdict, check
from esdash.log.errors import RefusedError, WrongTypeError
from esdash.log.keys import key_prefix
from esdash.log.stream import Log, id_parts

FORMAT: Final = 1
"""Of header and chunks; another one is not read."""

KEEP: Final = 5
"""Snapshots kept: the newest ones of the stream's present history."""

_UNFINISHED_MS: Final = 10 * 60 * 1000
"""Chunks whose writer died are gone after ten minutes."""

_CHECKSUM: Final = 16
"""Bytes of the checksum before the header."""


class Header(Struct, frozen=True, forbid_unknown_fields=True):
    """What is needed to find a snapshot and to trust it."""

    snapshot_id: str
    last_event_id: str
    ordinal: int
    unseen: int
    """Entries that were gone before esdash first read the stream."""
    anchor: str
    """`stream.anchor_of` the entry at the position."""
    fold_version: str
    digest: str
    """Of the state."""
    checksum: str
    """Of the chunks: BLAKE2b, 32 hexadecimal digits."""
    chunks: int
    size: int
    """Bytes of all chunks."""
    created_ms: int
    """Unix time by the writer's clock."""
    seconds: float
    """How long taking it took."""
    owner: str
    """Which process took it: host and process number."""
    format: int = FORMAT


class Unreadable(Struct, frozen=True):
    """A header that cannot be trusted."""

    snapshot_id: str
    reason: str


class DamagedError(Exception):
    """A stored snapshot's bytes are not what was written."""


# Whether a header belongs to the stream's present history; shared by the scripts below.
_STANDS = """
local function before(a, b)
  local am, as = string.match(a, '^(%d+)-(%d+)$')
  local bm, bs = string.match(b, '^(%d+)-(%d+)$')
  if am ~= bm then
    return #am < #bm or (#am == #bm and am < bm)
  end
  return #as < #bs or (#as == #bs and as < bs)
end
local facts = {}
if redis.call('EXISTS', KEYS[1]) == 1 then
  local reply = redis.call('XINFO', 'STREAM', KEYS[1])
  for i = 1, #reply, 2 do facts[reply[i]] = reply[i + 1] end
end
local function anchor_at(id)
  local found = redis.call('XRANGE', KEYS[1], id, id)
  if #found == 0 then return nil end
  local parts = {#found[1][1] .. ':' .. found[1][1]}
  for _, part in ipairs(found[1][2]) do parts[#parts + 1] = #part .. ':' .. part end
  return redis.sha1hex(table.concat(parts))
end
local function stands(header)
  local id = header.last_event_id
  if not facts['last-generated-id'] or before(facts['last-generated-id'], id) then return false end
  if facts['entries-added'] and facts['entries-added'] < header.ordinal + header.unseen then return false end
  local anchor = anchor_at(id)
  if anchor then return anchor == header.anchor end
  local first = facts['first-entry']
  if first and not before(id, first[1]) then
    return not (facts['max-deleted-entry-id'] and before(facts['max-deleted-entry-id'], id))
  end
  -- Trimmed past it: then all that is there was added after it.
  return not facts['entries-added'] or facts['entries-added'] >= header.ordinal + header.unseen + facts['length']
end
"""

# KEYS: stream, index, chunks of the new one. ARGV: prefix of chunk keys, id, header, how many chunks, how many to keep,
# bytes of the checksum before a header.
_COMMIT: Final = (
    _STANDS
    + """
local skip = tonumber(ARGV[6])
local function parse(raw)
  local ok, header = pcall(cjson.decode, string.sub(raw, skip + 1))
  if ok and type(header) == 'table' and type(header.ordinal) == 'number' and type(header.unseen) == 'number'
     and type(header.last_event_id) == 'string' and string.match(header.last_event_id, '^%d+-%d+$') then
    return header
  end
  return nil
end
local new = parse(ARGV[3])
if redis.call('HLEN', KEYS[3]) ~= tonumber(ARGV[4]) then return 'incomplete' end
if not stands(new) then
  redis.call('UNLINK', KEYS[3])
  return 'foreign'
end
local function seen(header) return header.ordinal + header.unseen end
local kept = {{new, ARGV[2]}}
local dropped = {}
local all = redis.call('HGETALL', KEYS[2])
for i = 1, #all, 2 do
  local header = parse(all[i + 1])
  if header and stands(header) then
    -- A state that saw more of this history is not replaced.
    if seen(header) > seen(new) then
      redis.call('UNLINK', KEYS[3])
      return 'older'
    end
    kept[#kept + 1] = {header, all[i]}
  else
    dropped[#dropped + 1] = all[i]
  end
end
table.sort(kept, function(a, b)
  if seen(a[1]) ~= seen(b[1]) then return seen(a[1]) > seen(b[1]) end
  return a[2] == ARGV[2] and b[2] ~= ARGV[2]
end)
-- Where there are too many, several of one place go before the oldest place does.
for i = #kept, 2, -1 do
  if #kept > tonumber(ARGV[5]) and seen(kept[i][1]) == seen(kept[i - 1][1]) then
    dropped[#dropped + 1] = table.remove(kept, i)[2]
  end
end
for i = tonumber(ARGV[5]) + 1, #kept do dropped[#dropped + 1] = kept[i][2] end
redis.call('PERSIST', KEYS[3])
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
for _, id in ipairs(dropped) do
  redis.call('HDEL', KEYS[2], id)
  redis.call('UNLINK', ARGV[1] .. id)
end
return 'ok'
"""
)

_RENEW: Final = """
local owner = redis.call('GET', KEYS[1])
if not owner or owner == ARGV[1] then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return ARGV[1]
end
return owner
"""

_RELEASE: Final = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""


@dataclass(frozen=True, slots=True)
class Draft:
    """What a writer knows of a snapshot before its bytes are made."""

    last_event_id: str
    ordinal: int
    unseen: int
    anchor: str
    fold_version: str
    digest: str
    created_ms: int
    owner: str


class SnapshotStore:
    """The snapshots of one stream."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._prefix = key_prefix(log.stream)
        self._index = self._prefix + "snapshots"
        self._lease = self._prefix + "lease"

    def headers(self) -> list[Header | Unreadable]:
        """Every stored snapshot, the one that saw most first; damaged ones last. Raises LogError."""
        reply = self._command("HGETALL", self._index)
        found = [_read_header(name, raw) for name, raw in zip(reply[::2], reply[1::2], strict=True)]
        return sorted(found, key=_newest_first)

    def newest(self) -> Header | None:
        """The readable one that saw most of the stream's present history. Raises LogError."""
        for header in self.headers():
            if isinstance(header, Header):
                found = check(self._log, header.last_event_id.encode(), header.ordinal, header.unseen, header.anchor)
                if found.verdict is not Verdict.DIVERGED:
                    return header
        return None

    def chunks(self, header: Header) -> Iterator[bytes]:
        """The snapshot's chunks, one command each.

        Raises DamagedError when one is missing or their checksum is not the header's, LogError for the server.
        """
        hashed = hashlib.blake2b(digest_size=16)
        for number in range(header.chunks):
            chunk = self._command("HGET", self._chunks_key(header.snapshot_id), number)
            if chunk is None:
                raise DamagedError(f"chunk {number + 1} of {header.chunks} is missing")
            hashed.update(chunk)
            yield chunk
        if hashed.hexdigest() != header.checksum:
            raise DamagedError("the checksum is wrong")

    def write(self, draft: Draft, chunks: Iterable[bytes], *, begun: float, clock: Callable[[], float]) -> Header:
        """Store a snapshot as a whole; the oldest beyond KEEP leave.

        `begun` is what `clock` (seconds) said when the taking began. Raises RefusedError, saying why, when a newer
        one is there or the log is another history, LogError for the server; then nothing is stored.
        """
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
            snapshot_id=snapshot_id,
            last_event_id=draft.last_event_id,
            ordinal=draft.ordinal,
            unseen=draft.unseen,
            anchor=draft.anchor,
            fold_version=draft.fold_version,
            digest=draft.digest,
            checksum=hashed.hexdigest(),
            chunks=count,
            size=size,
            created_ms=draft.created_ms,
            seconds=round(clock() - begun, 6),
            owner=draft.owner,
        )
        keys = (self._log.stream, self._index, key)
        options = (self._chunks_key(""), snapshot_id, _write_header(header), count, KEEP, _CHECKSUM)
        answer = self._command("EVAL", _COMMIT, len(keys), *keys, *options)
        if answer == b"ok":
            return header
        reasons = {
            b"older": "a newer snapshot is there already",
            b"foreign": "the log does not contain what the state was made from any more",
            b"incomplete": "its chunks were removed while it was written",
        }
        raise RefusedError(f"The snapshot was not stored: {reasons.get(answer, str(answer))}.")

    def delete(self, snapshot_id: str) -> bool:
        """Remove a snapshot; whether there was one. Raises LogError."""
        removed, _ = self._log.commands(
            [("HDEL", self._index, snapshot_id), ("UNLINK", self._chunks_key(snapshot_id))], atomic=True
        )
        return bool(removed)

    def hold_lease(self, owner: str, seconds: float) -> str:
        """Take or renew the lease on periodic snapshots for so long; who holds it now. Raises LogError."""
        answer = self._command("EVAL", _RENEW, 1, self._lease, owner, max(1, round(seconds * 1000)))
        return bytes(answer).decode("utf-8", "replace")

    def release_lease(self, owner: str) -> None:
        """Let another process take the periodic snapshots at once. Raises LogError."""
        self._command("EVAL", _RELEASE, 1, self._lease, owner)

    def lease_holder(self) -> str | None:
        """Who takes the periodic snapshots, if anybody. Raises LogError."""
        answer = self._command("GET", self._lease)
        return None if answer is None else bytes(answer).decode("utf-8", "replace")

    def _command(self, *arguments: Any) -> Any:
        """One command on esdash's own keys."""
        try:
            return self._log.command(*arguments)
        except WrongTypeError as error:
            raise RefusedError(
                f"A key on {self._log.server_name} that begins with {self._prefix} holds something that is not "
                "esdash's. Move it away."
            ) from error

    def _chunks_key(self, snapshot_id: str) -> str:
        return f"{self._prefix}snapshot:{snapshot_id}"

    def _put(self, key: str, number: int, chunk: bytes) -> None:
        replies = self._log.commands([("HSET", key, number, chunk), ("PEXPIRE", key, _UNFINISHED_MS)], atomic=True)
        for reply in replies:
            if isinstance(reply, Exception):
                raise RefusedError(f"The snapshot could not be written: {reply}.")


def _checksum(raw: bytes) -> bytes:
    return hashlib.blake2b(raw, digest_size=_CHECKSUM // 2).hexdigest().encode()


def _write_header(header: Header) -> bytes:
    raw = msgspec.json.encode(header)
    return _checksum(raw) + raw


def _read_header(name: bytes, raw: bytes) -> Header | Unreadable:
    snapshot_id = name.decode("utf-8", "replace")
    if raw[:_CHECKSUM] != _checksum(raw[_CHECKSUM:]):
        return Unreadable(snapshot_id, "its header is damaged")
    try:
        values: Any = msgspec.json.decode(raw[_CHECKSUM:])
        if isinstance(values, dict) and values.get("format") != FORMAT:
            return Unreadable(snapshot_id, f"it has format {values.get('format')}, this esdash reads {FORMAT}")
        header = msgspec.convert(values, Header)
        id_parts(header.last_event_id)
    except (msgspec.MsgspecError, ValueError) as error:
        return Unreadable(snapshot_id, f"its header cannot be read: {error}")
    if header.snapshot_id != snapshot_id:
        return Unreadable(snapshot_id, "its header belongs to another snapshot")
    return header


def _newest_first(header: Header | Unreadable) -> tuple[int, int, int]:
    if isinstance(header, Unreadable):
        return (1, 0, 0)
    return (0, -(header.ordinal + header.unseen), -header.created_ms)
