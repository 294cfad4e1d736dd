"""A second process that reads a long range of a stream and packs what the first has no time for, which folds."""

import os
import select
import socket
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, suppress
from typing import Final

import hiredis
import msgspec

from esdash.log import child
from esdash.log.bounded import BoundedReader
from esdash.log.child import InterruptedWaitError, Pipe, SilentError
from esdash.log.errors import ForbiddenError, LogError
from esdash.log.facts import id_parts
from esdash.log.pages import PackedPage, Page
from esdash.log.plainly import plainly
from esdash.log.reading.reader import READY, Answer, Frame, parse
from esdash.log.stream import NOT_HAD, Stream

_PIPE_BYTES: Final = 1 << 20
"""Pages that may wait: about twenty of them, or the faster process would always wait for the slower."""

SILENCE: Final = 5.0
"""Seconds for which the other process may write nothing, beyond those that the server may take to answer."""

_decode = msgspec.msgpack.Decoder(Frame | Answer).decode


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
    functions = packing, noting
    if id_parts(after) < id_parts(log.archived_to):
        within = until != b"+" and id_parts(until) <= id_parts(log.archived_to)
        end = until if within else log.archived_to
        after = yield from _from_archive(log, after, end, functions, interrupted)
        if within or after != end:
            return
    yield from _from_server(log, after, until, functions, interrupted)


def _from_server(
    log: Stream, after: bytes, until: bytes, functions: tuple[str, str], interrupted: Callable[[], bool]
) -> Iterator[Page | PackedPage]:
    """What is in the stream, read by a process that is given a connection."""
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
                with _start(opened, log, until, functions, parse_all) as process:
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
            raise _silent(log.server.name) from error
        except NOT_HAD as error:
            log.paging.shrink(error)


def _from_archive(
    log: Stream, after: bytes, until: bytes, functions: tuple[str, str], interrupted: Callable[[], bool]
) -> Generator[Page | PackedPage, None, bytes]:
    """What is in the archive up to an id, read by a process of its own; the id that was reached."""
    from esdash.log.archive.through import passed  # with zstandard, which is loaded by now

    process = child.start(
        "esdash.log.reading.archive_reader:main",
        log.archive_root,
        log.name,
        until.decode(),
        *functions,
        stdin=subprocess.PIPE,
        pipesize=_PIPE_BYTES if sys.platform == "linux" else -1,
    )
    with process:
        try:
            begin = yield from _pages_until_ready(process, log, after, until)
            if begin is None:
                return until
            after = begin
            evidence = log.evidence(after)
            pipe = Pipe(process.stdout, SILENCE, interrupted)
            _tell(process, after)
            pipe.read(len(READY))
            while True:
                frame = _frame(pipe, "an archive")
                assert isinstance(frame, Frame), "an archive is parsed where it is read"
                if frame.error:
                    raise LogError(frame.error)
                if not frame.count:
                    return until
                yield PackedPage(frame.count, frame.last_entry, evidence, frame.packed, frame.noted)
                evidence = passed(evidence, frame.last_entry, frame.count)
                after = frame.last_entry[0]
        except InterruptedWaitError:
            return after
        except SilentError as error:
            raise _silent("an archive") from error
        finally:
            process.kill()


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
        while not select.select([process.stdout], [], [], 0)[0]:
            page = next(pages, None)
            if page is None:
                return None
            if page.entries:
                after = page.entries[-1][0]
                yield page
    return after


def _start(
    opened: socket.socket, log: Stream, until: bytes, functions: tuple[str, str], parse_all: bool
) -> "subprocess.Popen[bytes]":
    numbers = [opened.fileno(), log.server.timeout, int(parse_all)]
    return child.start(
        "esdash.log.reading.reader:main",
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

    parser = BoundedReader()
    count = log.paging.count
    _tell(process, b"%d %b" % (count, after))
    pipe.read(len(READY))
    while True:
        frame = _frame(pipe, log.server.name)
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


def _tell(process: "subprocess.Popen[bytes]", words: bytes) -> None:
    assert process.stdin is not None
    with suppress(BrokenPipeError):  # its end is told where nothing comes from it
        process.stdin.write(words)
        process.stdin.close()


def _frame(pipe: Pipe, source: str) -> Frame | Answer:
    """The next one. Raises LogError where there is none."""
    length = pipe.read(4)
    size = int.from_bytes(length, "big")
    raw = pipe.read(size)
    if len(length) < 4 or len(raw) < size:
        raise LogError(f"The process that reads from {source} ended unexpectedly. Try again.")
    frame: Frame | Answer = _decode(raw)
    return frame


def _silent(source: str) -> LogError:
    return LogError(f"The process that reads from {source} does nothing any more. Look whether it was stopped.")
