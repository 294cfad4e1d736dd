"""A second process that reads a long range of a stream and packs what the first has no time for, which folds."""

import os
import select
import socket
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Final

import hiredis
import msgspec

from esdash.log import child
from esdash.log.bounded import BoundedReader
from esdash.log.child import InterruptedWaitError, Pipe, SilentError
from esdash.log.errors import ForbiddenError, LogError, plainly
from esdash.log.reader import READY, Answer, Frame, parse
from esdash.log.stream import NOT_HAD, Entry, Evidence, Page, Stream

_PIPE_BYTES: Final = 1 << 20
"""Pages that may wait: about twenty of them, or the faster process would always wait for the slower."""

SILENCE: Final = 5.0
"""Seconds for which the other process may write nothing, beyond those that the server may take to answer."""

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


def read_ahead(
    log: Stream,
    after: bytes,
    until: bytes,
    packing: str,
    noting: str = "",
    *,
    interrupted: Callable[[], bool] = bool,
) -> Iterator[Page | PackedPage]:
    """The entries after an id, up to another, page by page: packed by the function `packing` (module:name), with what
    the function `noting` picked out of them before; but for those for which this process had to wait.

    Nothing is yielded where no second process can be had (an encrypted connection cannot be handed over), or where the
    user may not ECHO, by which it tells where an answer ends; and no more where `interrupted` says so while there is
    nothing to do but wait: read the pages yourself then. Raises LogError when the server is lost on the way.
    """
    try:
        log.command("ECHO", b"")
    except ForbiddenError:
        return
    parse_all = False
    whole = False
    while not whole:
        try:
            with log.connection() as connection:
                # redis-py has authenticated it and chosen the database; from here on it belongs to the other process.
                opened = getattr(connection, "_sock", None)
                if type(opened) is not socket.socket or not hasattr(os, "posix_spawn"):
                    return
                with _start(opened, log, until, (packing, noting), parse_all) as process:
                    pipe = Pipe(process.stdout, log.server.timeout + SILENCE, interrupted)
                    try:
                        for page in _pages(process, pipe, log, after, until):
                            if page is None:
                                whole = True
                                break
                            last = page.last_entry
                            after = last[0] if last is not None else after
                            yield page
                        parse_all = True
                    finally:
                        process.kill()
                        connection.disconnect()
        except InterruptedWaitError:
            return
        except SilentError as error:
            raise LogError(
                f"The process that reads from {log.server.name} does nothing any more. Look whether it was stopped."
            ) from error
        except NOT_HAD as error:
            log.paging.shrink(error)


def _pages(
    process: "subprocess.Popen[bytes]", pipe: Pipe, log: Stream, after: bytes, until: bytes
) -> Iterator[Page | PackedPage | None]:
    """The pages after an id, those that are read here while the other process starts first; None after the last.

    Without it, what follows is wrong, and is to be read anew.
    """
    begin = yield from _pages_until_ready(process, log, after, until)
    if begin is None:
        yield None
    else:
        yield from _pages_from(process, pipe, log, begin, until)


def _pages_until_ready(
    process: "subprocess.Popen[bytes]", log: Stream, after: bytes, until: bytes
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
    opened: socket.socket, log: Stream, until: bytes, functions: tuple[str, str], parse_all: bool
) -> "subprocess.Popen[bytes]":
    numbers = [opened.fileno(), log.server.timeout, int(parse_all)]
    return child.start(
        "esdash.log.reader:main",
        *map(str, numbers),
        log.name,
        until.decode(),
        *functions,
        pass_fds=[opened.fileno()],
        stdin=subprocess.PIPE,
        pipesize=_PIPE_BYTES if sys.platform == "linux" else -1,
    )


def _pages_from(
    process: "subprocess.Popen[bytes]", pipe: Pipe, log: Stream, after: bytes, until: bytes
) -> Iterator[Page | PackedPage | None]:
    """What the other process reads."""
    from esdash.log.refusals import FAILURES, refusal  # with redis-py, which is loaded by now

    assert process.stdin is not None
    parser = BoundedReader()
    count = log.paging.count
    with suppress(BrokenPipeError):  # its end is told below
        process.stdin.write(b"%d %b" % (count, after))
        process.stdin.close()
    pipe.read(len(READY))
    while True:
        length = pipe.read(4)
        size = int.from_bytes(length, "big")
        raw = pipe.read(size)
        if len(length) < 4 or len(raw) < size:
            raise LogError(f"The process that reads from {log.server.name} ended unexpectedly. Try again.")
        frame = _decode(raw)
        if isinstance(frame, Answer):
            with plainly(log.server.name):
                parser.feed(frame.raw)
                try:
                    page = parse(parser, after, until, count)
                except hiredis.ReplyError as error:
                    raise refusal(str(error), log.server.name, log.name) from error
            if not page.entries:
                yield None
                return
            after = page.entries[-1][0]
            yield page
            if after != frame.last_id:
                return
        elif frame.failure == "refused":
            raise refusal(frame.error, log.server.name, log.name)
        elif frame.error:
            with plainly(log.server.name):
                raise FAILURES[frame.failure](frame.error)
        elif not frame.count:
            yield None
            return
        else:
            after = frame.last_entry[0]
            yield PackedPage(frame.count, frame.last_entry, frame.evidence, frame.packed, frame.noted)
