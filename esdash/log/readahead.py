"""A second process that reads a long range of a stream and packs what the first has no time for, which folds."""

import os
import select
import socket
import subprocess
import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Final

import hiredis
import msgspec

from esdash.log import child
from esdash.log.errors import ForbiddenError, LogError, UnreachableError, refusal
from esdash.log.reader import READY, Answer, Frame, parse
from esdash.log.stream import PAGE, Entry, Evidence, Log, Page

_PIPE_BYTES: Final = 1 << 20
"""Pages that may wait: about twenty of them, or the faster process would always wait for the slower."""

_decode = msgspec.msgpack.Decoder(Frame | Answer).decode


@dataclass(frozen=True, slots=True)
class PackedPage:
    """The first entries after a position, read and packed by another process."""

    count: int
    last_entry: Entry
    evidence: Evidence
    """About the position before the first of them."""
    packed: bytes
    noted: Sequence[tuple[int, bytes, bytes]]
    """What the function `noting` found in it: (place from 0, id, key)."""


def read_ahead(log: Log, after: bytes, until: bytes, packing: str, noting: str = "") -> Iterator[Page | PackedPage]:
    """The entries after an id, up to another, page by page: packed by the function `packing` (module:name), with what
    the function `noting` picked out of them before; but for those for which this process had to wait.

    Nothing is yielded where no second process can be had (an encrypted connection cannot be handed over), or where the
    user may not ECHO, by which it tells where an answer ends: read the pages yourself then. Raises LogError when the
    server is lost on the way.
    """
    try:
        log.command("ECHO", b"")
    except ForbiddenError:
        return
    parse_all = False
    begin: bytes | None = after
    while begin is not None:
        with log.connection() as connection:
            # redis-py has authenticated it and chosen the database; from here on it belongs to the other process.
            opened = getattr(connection, "_sock", None)
            if type(opened) is not socket.socket or not hasattr(os, "posix_spawn"):
                return
            with _start(opened, log, until, (packing, noting), parse_all) as process:
                try:
                    begin = yield from _pages_until_ready(process, log, begin, until)
                    if begin is not None:
                        begin = yield from _pages_from(process, log, begin, until)
                    parse_all = True
                finally:
                    process.kill()
                    connection.disconnect()


def _pages_until_ready(
    process: "subprocess.Popen[bytes]", log: Log, after: bytes, until: bytes
) -> Generator[Page, None, bytes | None]:
    """What is read here while the other process starts; the id after which it has to begin, None for nothing left."""
    assert process.stdout is not None
    with closing(log.pages(after, until)) as pages:
        for page in pages:
            if page.entries:
                after = page.entries[-1][0]
                yield page
            if select.select([process.stdout], [], [], 0)[0]:
                return after
    return None


def _start(
    opened: socket.socket, log: Log, until: bytes, functions: tuple[str, str], parse_all: bool
) -> "subprocess.Popen[bytes]":
    numbers = [opened.fileno(), log.timeout, PAGE, int(parse_all)]
    return child.start(
        "esdash.log.reader:main",
        *map(str, numbers),
        log.stream,
        until.decode(),
        *functions,
        pass_fds=[opened.fileno()],
        stdin=subprocess.PIPE,
        pipesize=_PIPE_BYTES if sys.platform == "linux" else -1,
    )


def _pages_from(
    process: "subprocess.Popen[bytes]", log: Log, after: bytes, until: bytes
) -> Generator[Page | PackedPage, None, bytes | None]:
    """What the other process reads; then None, or the id after which to begin anew because what follows is wrong."""
    assert process.stdin is not None
    assert process.stdout is not None
    pipe, parser = process.stdout, hiredis.Reader()
    with suppress(BrokenPipeError):  # its end is told below
        process.stdin.write(after)
        process.stdin.close()
    pipe.read(len(READY))
    while True:
        length = pipe.read(4)
        size = int.from_bytes(length, "big")
        raw = pipe.read(size)
        if len(length) < 4 or len(raw) < size:
            raise LogError(f"The process that reads from {log.server_name} ended unexpectedly. Try again.")
        frame = _decode(raw)
        if isinstance(frame, Answer):
            parser.feed(frame.raw)
            try:
                page = parse(parser, after, until, PAGE)
            except hiredis.ReplyError as error:
                raise refusal(str(error), log.server_name, log.stream) from error
            except hiredis.HiredisError as error:
                raise UnreachableError(f"No connection to {log.server_name}: {error}.") from error
            if not page.entries:
                return None
            after = page.entries[-1][0]
            yield page
            if after != frame.last_id:
                return after
        elif frame.refusal:
            raise refusal(frame.refusal, log.server_name, log.stream)
        elif frame.error:
            raise UnreachableError(f"No connection to {log.server_name}: {frame.error}.")
        elif not frame.count:
            return None
        else:
            after = frame.last_entry[0]
            yield PackedPage(frame.count, frame.last_entry, frame.evidence, frame.packed, frame.noted)
