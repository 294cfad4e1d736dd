"""A second process that reads a long range of a stream and packs it, so that the first has only to fold."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import IO, Final

import msgspec

from esdash.log import child
from esdash.log.errors import LogError, UnreachableError
from esdash.log.reader import Frame
from esdash.log.stream import PAGE, TIMEOUT, Log

_PIPE_BYTES: Final = 1 << 20
"""Pages that may wait: about twenty of them, or the faster process would always wait for the slower."""

_decode = msgspec.msgpack.Decoder(Frame).decode


def read_ahead(log: Log, after: bytes, until: bytes, packing: str) -> Iterator[Frame]:
    """The entries after an id, up to another, packed by the function `packing` (module:name), a frame a page.

    Nothing is yielded where no second process can be had (an encrypted connection cannot be handed over): read the
    pages yourself then. Raises LogError when the server is lost on the way.
    """
    with log.connection() as connection:
        # redis-py has authenticated it and chosen the database; from here on it belongs to the other process.
        opened = getattr(connection, "_sock", None)
        if type(opened) is not socket.socket or not hasattr(os, "posix_spawn"):
            return
        with _start(opened, log, after, until, packing) as process:
            try:
                assert process.stdout is not None
                yield from _frames(process.stdout, log)
            finally:
                process.kill()
                connection.disconnect()


def _start(opened: socket.socket, log: Log, after: bytes, until: bytes, packing: str) -> "subprocess.Popen[bytes]":
    options = [str(opened.fileno()), str(TIMEOUT), log.stream, after.decode(), until.decode(), str(PAGE), packing]
    return child.start(
        "esdash.log.reader:main",
        *options,
        pass_fds=[opened.fileno()],
        stdin=subprocess.DEVNULL,
        pipesize=_PIPE_BYTES if sys.platform == "linux" else -1,
    )


def _frames(pipe: IO[bytes], log: Log) -> Iterator[Frame]:
    while True:
        length = pipe.read(4)
        raw = pipe.read(int.from_bytes(length, "big")) if len(length) == 4 else b""
        if not raw:
            raise LogError(f"The process that reads from {log.server_name} ended unexpectedly. Try again.")
        frame = _decode(raw)
        if frame.error:
            raise UnreachableError(f"No connection to {log.server_name}: {frame.error}.")
        if not frame.count:
            return
        yield frame
