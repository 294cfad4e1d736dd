"""The program of a second process: reads a range of a stream, packs its pages, writes them to standard output.

It is given a connection that is open and authenticated already, and imports no client library, so it is at work a few
hundredths of a second after its start. `readahead.ReadAhead` starts it and reads what it writes: frames of a length
(four bytes, big-endian) and a MessagePack `Frame`.
"""

import gc
import os
import pkgutil
import socket
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

import hiredis
import msgspec
from msgspec import Struct

from esdash.log.facts import StreamFacts

_RECEIVE = 256 * 1024
_TAIL = 64 * 1024


class Frame(Struct, array_like=True, frozen=True, gc=False):
    """One page."""

    count: int
    """Entries in it; 0 in the last frame."""
    first_id: bytes
    last_entry: tuple[bytes, list[bytes]]
    """id, fields."""
    length: int
    entries_added: int | None
    oldest_id: bytes | None
    newest_id: bytes
    max_deleted_id: bytes
    exists: bool
    """Whether the stream was there when the facts were asked for."""
    packed: bytes
    """What the packing function made of the entries."""
    error: str = ""
    """Why reading ended early."""

    def facts(self) -> StreamFacts:
        """Facts about the stream, read right after the page."""
        return StreamFacts(
            self.length, self.entries_added, self.oldest_id, self.newest_id, self.max_deleted_id, self.exists
        )


def _command(words: tuple[bytes, ...]) -> bytes:
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words)


def _last_id(tail: bytes) -> bytes:
    """What looks like the id of the last entry before the facts; empty when nothing does."""
    entry = tail.rfind(b"\r\n*2\r\n$", 0, tail.rfind(b"$6\r\nlength\r\n"))
    words = tail[entry + 2 : entry + 64].split(b"\r\n") if entry >= 0 else []
    return words[2] if len(words) > 3 and words[3].startswith(b"*") else b""


def read(
    connection: socket.socket,
    stream: bytes,
    after: bytes,
    until: bytes,
    count: int,
    pack: Callable[[Any], bytes],
    output: BinaryIO,
) -> None:
    """Read the entries after an id, up to another (inclusive), `count` a page, and write a frame for each page.

    The next page is asked for as soon as this one has come, before it is parsed, so that the server is at work
    meanwhile. Where it begins is told by a glance at the bytes, and was told wrongly when what is parsed says so.
    """
    parser = hiredis.Reader()
    encode = msgspec.msgpack.Encoder().encode
    # Nobody who wrote the stream can know it, so where it is seen the answer ends.
    mark = os.urandom(16).hex().encode()
    end = b"%b\r\n" % mark

    def ask(start: bytes) -> None:
        page = (b"XRANGE", stream, b"(" + start, until, b"COUNT", b"%d" % count)
        facts = (b"XINFO", b"STREAM", stream)
        connection.sendall(b"".join(map(_command, (page, facts, (b"ECHO", mark)))))

    def receive() -> bytes:
        tail = b""
        while not tail.endswith(end):
            received = connection.recv(_RECEIVE)
            if not received:
                raise ConnectionError("the connection was closed")
            parser.feed(received)
            tail = (tail + received)[-_TAIL:]
        return tail

    def reply() -> Any:
        value = parser.gets()
        if isinstance(value, hiredis.ReplyError):
            raise value
        return value

    def write(frame: Frame) -> None:
        raw = encode(frame)
        output.write(len(raw).to_bytes(4, "big") + raw)

    def reply_about_the_stream() -> StreamFacts:
        try:
            return StreamFacts.parse(reply())
        except hiredis.ReplyError as error:
            if "no such key" not in str(error):
                raise
            return StreamFacts()

    nothing = Frame(0, b"", (b"", []), 0, None, None, b"0-0", b"0-0", False, b"")
    try:
        ask(after)
        while True:
            guess = _last_id(receive())
            if guess:
                ask(guess)
            page = reply()
            facts = reply_about_the_stream()
            reply()
            if len(page) == count and page[-1][0] != guess:
                if guess:
                    receive()
                    for _ in range(3):
                        parser.gets()
                ask(page[-1][0])
            if page:
                write(
                    Frame(
                        len(page), page[0][0], tuple(page[-1]), facts.length, facts.entries_added, facts.first_id,
                        facts.last_id, facts.max_deleted_id, facts.exists, pack(page),
                    )
                )  # fmt: skip
            if len(page) < count:
                break
        write(nothing)
    except (OSError, hiredis.HiredisError) as error:
        write(msgspec.structs.replace(nothing, error=str(error) or type(error).__name__))
    output.flush()


def main() -> None:
    """Arguments: file descriptor of the connection, its timeout in seconds, stream, after, until, count, packing
    function (module:name).
    """
    descriptor, timeout, stream, after, until, count, packing = sys.argv[1:]
    # There is nothing to collect, and looking for it takes a third of the time.
    gc.disable()
    connection = socket.socket(fileno=int(descriptor))
    connection.settimeout(float(timeout))
    pack = pkgutil.resolve_name(packing)
    try:
        with open(1, "wb", buffering=0, closefd=False) as output:
            read(connection, os.fsencode(stream), after.encode(), until.encode(), int(count), pack, output)
    except BrokenPipeError:
        # Whoever started this is gone or has had enough.
        pass
