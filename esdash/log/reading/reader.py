"""The program of a second process: reads a range of a stream, packs its pages, writes them to standard output.

It is given a connection that is open and authenticated already, and imports no client library, so it is at work a few
hundredths of a second after its start. `readahead.read_ahead` starts it, tells it where to begin when it is ready, and
reads what it writes: frames of a length (four bytes, big-endian) and a MessagePack `Frame` or `Answer`.
"""

import fcntl
import gc
import os
import pkgutil
import socket
import sys
import termios
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO, Final

import hiredis
import msgspec
from msgspec import Struct

from esdash.log import shapes
from esdash.log.bounded import NOT_ENOUGH, BoundedReader
from esdash.log.facts import Entry, Evidence, StreamFacts
from esdash.log.pages import Page, commands, page_of
from esdash.log.shapes import TooLargeError, UnreadableError

_RECEIVE: Final = 256 * 1024

_SMALL: Final = 16 * 1024
"""Bytes up to which an answer may be that of the last page, which is always parsed here."""

_LARGE: Final = 1024 * 1024
"""Bytes from which an answer is not held."""

READY: Final = b"ready"
"""What is written before the first frame."""

STARVING: Final = 64 * 1024
"""Bytes in the pipe, about a page, below which the other process is kept from waiting by leaving the parsing to it."""


class Frame(Struct, array_like=True, frozen=True, gc=False, tag="frame"):
    """One page."""

    count: int
    """Entries in it; 0 in the last frame."""
    last_entry: tuple[bytes, list[bytes]]
    """id, fields."""
    evidence: Evidence
    """About the position before the first entry."""
    packed: bytes
    """What the packing function made of the entries."""
    noted: list[tuple[int, bytes, bytes]] = []
    """What the noting function picked out of them."""
    error: str = ""
    """Why reading ended early."""
    failure: str = ""
    """What kind of error that was: refused, unreadable, too_large, silent or closed."""


class Answer(Struct, array_like=True, frozen=True, gc=False, tag="answer"):
    """One page as the server sent it."""

    raw: bytes
    last_id: bytes
    """What the next page was asked for after: the id of the last entry, by a guess."""


def _command(words: Sequence[bytes]) -> bytes:
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words)


def _guess_last_id(answer: bytearray) -> bytes:
    """What looks like the id of the last entry before the facts; empty when nothing does."""
    entry = answer.rfind(b"\r\n*2\r\n$", 0, answer.rfind(b"$6\r\nlength\r\n"))
    words = bytes(answer[entry + 2 : entry + 64]).split(b"\r\n") if entry >= 0 else []
    return words[2] if len(words) > 3 and words[3].startswith(b"*") else b""


REPLIES: Final = 5
"""In an answer: to MULTI, the two commands in it, EXEC, and ECHO."""


def parse(parser: BoundedReader, after: bytes, until: bytes, count: int) -> Page:
    """The page in an answer that was fed to a parser. Raises hiredis.ReplyError for a refusal, UnreadableError."""
    *queued, replies, _ = [_next(parser) for _ in range(REPLIES)]
    for reply in (*queued, replies):
        if isinstance(reply, hiredis.ReplyError):
            raise reply
    entries, facts = shapes.replies(replies, 2)
    if isinstance(entries, hiredis.ReplyError):
        raise entries
    if isinstance(facts, hiredis.ReplyError):
        if "no such key" not in str(facts):
            raise facts
        return page_of(entries, StreamFacts(), after, until, count)
    return page_of(entries, StreamFacts.parse(facts), after, until, count)


def _next(parser: BoundedReader) -> Any:
    reply = parser.gets()
    if reply is NOT_ENOUGH:
        raise UnreadableError("less than was asked for")
    return reply


def read(
    connection: socket.socket,
    stream: bytes,
    after: bytes,
    until: bytes,
    count: int,
    pack: Callable[[Any], bytes],
    note: Callable[[Any], Any],
    output: BinaryIO,
    waiting: Callable[[], int] | None,
) -> None:
    """Read the entries after an id, up to another (inclusive), `count` a page, and write a frame for each page.

    The next page is asked for as soon as this one has come, before it is parsed, so that the server is at work
    meanwhile. Where it begins is told by a glance at the bytes, and was told wrongly when what is parsed says so.

    `waiting` tells how many bytes the other process has not taken yet. When it runs out of work, it is given an
    answer as it is, so that neither waits for the other for long; without `waiting`, never.
    """
    parser = BoundedReader()
    encode = msgspec.msgpack.Encoder().encode
    # Nobody who wrote the stream can know it, so where it is seen the answer ends.
    mark = os.urandom(16).hex().encode()
    end = b"%b\r\n" % mark

    def ask(start: bytes) -> None:
        transaction = ((b"MULTI",), *commands(stream, start, until, count), (b"EXEC",))
        connection.sendall(b"".join(map(_command, (*transaction, (b"ECHO", mark)))))

    def receive() -> tuple[bytearray, bool]:
        """The end of an answer that the parser has not got yet, and whether that is all of it."""
        answer, whole = bytearray(), True
        while not answer.endswith(end):
            received = connection.recv(_RECEIVE)
            if not received:
                raise ConnectionError("the connection was closed")
            answer += received
            if len(answer) > _LARGE:
                whole = False
                parser.feed(bytes(answer[: -len(end)]))
                del answer[: -len(end)]
        return answer, whole

    def write(frame: Frame | Answer) -> None:
        raw = encode(frame)
        output.write(len(raw).to_bytes(4, "big") + raw)

    nothing = Frame(0, (b"", []), Evidence(StreamFacts(), None, None), b"")
    try:
        ask(after)
        while True:
            answer, whole = receive()
            guess = _guess_last_id(answer)
            if guess:
                ask(guess)
                if waiting and whole and len(answer) > _SMALL and waiting() < STARVING:
                    write(Answer(bytes(answer), guess))
                    after = guess
                    continue
            parser.feed(bytes(answer))
            page = parse(parser, after, until, count)
            last = page.last_entry
            if page.full and last and last[0] != guess:
                if guess:
                    parser.feed(bytes(receive()[0]))
                    for _ in range(REPLIES):
                        _next(parser)
                ask(last[0])
            if last:
                after = last[0]
                write(framed(page.entries, page.evidence, pack, note))
            if not page.full:
                break
        write(nothing)
    except (OSError, UnreadableError, hiredis.ReplyError) as error:
        write(msgspec.structs.replace(nothing, error=str(error) or type(error).__name__, failure=_failure(error)))
    output.flush()


def framed(
    entries: Sequence[Entry], evidence: Evidence, pack: Callable[[Any], bytes], note: Callable[[Any], Any]
) -> Frame:
    """The frame of a page that is not empty. Raises UnreadableError for what are no entries."""
    try:
        packed, picked = pack(entries), note(entries)
    except Exception:
        shapes.require_fields(entries)
        raise
    last_id, fields = entries[-1]
    return Frame(len(entries), (last_id, list(fields)), evidence, packed, picked)


def _failure(error: Exception) -> str:
    if isinstance(error, hiredis.ReplyError):
        return "refused"
    if isinstance(error, TooLargeError):
        return "too_large"
    if isinstance(error, UnreadableError):
        return "unreadable"
    return "silent" if isinstance(error, TimeoutError) else "closed"


def _bytes_in_pipe() -> int:
    try:
        return int.from_bytes(fcntl.ioctl(1, termios.FIONREAD, bytes(4)), sys.byteorder)
    except OSError:
        return STARVING


def function_named(name: str) -> Any:
    """What `module:name` stands for; with `(argument)` behind it, what that makes of the argument."""
    named, opened, argument = name.partition("(")
    function = pkgutil.resolve_name(named)
    return function(argument.removesuffix(")")) if opened else function


def main() -> None:
    """Arguments: file descriptor of the connection, its timeout in seconds, whether (0, 1) every answer is to be parsed
    here, stream, until, packing and noting function (as `function_named` reads them; the latter may be empty). Then,
    when it has said that it is ready, from standard input: entries a page, after.
    """
    descriptor, timeout, parse_all, stream, until, packing, noting = sys.argv[1:]
    # There is nothing to collect, and looking for it takes a third of the time.
    gc.disable()
    connection = socket.socket(fileno=int(descriptor))
    connection.settimeout(float(timeout))
    pack = function_named(packing)
    note = function_named(noting) if noting else lambda page: []  # noqa: ARG005
    try:
        with open(1, "wb", buffering=0, closefd=False) as output:
            output.write(READY)
            count, after = sys.stdin.buffer.read().split()
            read(
                connection, os.fsencode(stream), after, until.encode(), int(count), pack, note, output,
                None if int(parse_all) else _bytes_in_pipe,
            )  # fmt: skip
    except BrokenPipeError:
        # Whoever started this is gone or has had enough.
        pass
