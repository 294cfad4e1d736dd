"""The program of a second process: reads an archive and packs its entries, while the first folds them.

`readahead` starts it, tells it where to begin when it is ready, and reads what it writes: frames as those of
`log.reading.reader`, whose evidence is left to whoever knows the stream.
"""

import gc
import sys
from pathlib import Path
from typing import Final

import msgspec

from esdash.log.archive.folder import Archive
from esdash.log.archive.segment import ArchiveError
from esdash.log.facts import Evidence, StreamFacts
from esdash.log.reading.reader import READY, Frame, framed, function_named

FAILURE: Final = "archive"
"""What kind of error a frame has that says why an archive cannot be read."""

_UNKNOWN: Final = Evidence(StreamFacts(), None, None)


def main() -> None:
    """Arguments: folder of the archive, stream, until, packing and noting function (as `log.reading.reader` reads
    them). Then, when it has said that it is ready, from standard input: after.
    """
    root, stream, until, packing, noting = sys.argv[1:]
    # There is nothing to collect, and looking for it takes time.
    gc.disable()
    encode = msgspec.msgpack.Encoder().encode
    pack = function_named(packing)
    note = function_named(noting) if noting else lambda page: []  # noqa: ARG005
    nothing = Frame(0, (b"", []), _UNKNOWN, b"")
    try:
        with open(1, "wb", buffering=0, closefd=False) as output:

            def write(frame: Frame) -> None:
                raw = encode(frame)
                output.write(len(raw).to_bytes(4, "big") + raw)

            output.write(READY)
            after = sys.stdin.buffer.read()
            try:
                for page in Archive(Path(root), stream).blocks(after, until.encode()):
                    write(framed(page, _UNKNOWN, pack, note))
                write(nothing)
            except ArchiveError as error:
                write(msgspec.structs.replace(nothing, error=str(error), failure=FAILURE))
    except BrokenPipeError:
        # Whoever started this is gone or has had enough.
        pass
