"""A payload for people: JSON set out in lines, everything else as hexadecimal bytes beside their text."""

import codecs
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec
from rich.cells import cell_len
from textual.app import App

from esdash.counted import counted
from esdash.domain import Codec
from esdash.engine.shown.row import Row
from esdash.fold.folding import Fold
from esdash.fold.sorting import MESSAGEPACK, Envelope, Fields
from esdash.ui.clipboard import copy
from esdash.ui.messages import tell
from esdash.ui.paint.pager import JSON, Paragraph
from esdash.visible import visible
from esdash.words.entries import payload_of

SHOWN: Final = 64 * 1024
"""Bytes of one entry that are shown."""
DEEPEST: Final = 64
"""Nested levels that are still set out in lines: indenting deeper ones makes too much of a small payload."""
PIECE: Final = 1000
"""Characters made harmless at a time, so that what is remembered of them stays small."""
MOST_FIELDS: Final = 200
"""Fields of an entry that are shown."""
SHORT: Final = 60
"""Bytes of JSON that read well in one line."""
LABEL: Final = 10
"""Cells of the column of labels."""
WIDE: Final = 74
"""Cells that sixteen bytes a line need."""

_SET_OUT: Final = ("JSON", "MessagePack")
"""What `_read` calls that of which its text is JSON in lines."""

_BRACKETS: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"|([\[{])|([\]}])', re.DOTALL)


def too_large(row: Row, what: str) -> str | None:
    """Why what needs all of an entry cannot be done, when only its beginning is kept; `what` was to be done to it."""
    if row.mark is None:
        return None
    entry_id = visible(row.entry_id.decode("ascii", "backslashreplace"), 60)
    return (
        f"The entry has {row.size:,} bytes: too many to be {what} here. "
        f"`esdash events --from {entry_id} --to {entry_id} --json` prints all of it."
    )


def copy_payload(app: App[Any], fold: Fold, row: Row) -> None:
    """Put an entry's payload on the clipboard, hexadecimal when it is no text, and say so; or why that cannot be."""
    if why_not := too_large(row, "copied"):
        tell(app, why_not, "warning")
    else:
        data = payload_of(fold, row.fields)
        try:
            text = data.decode()
        except UnicodeDecodeError:
            text = data.hex()
        copy(app, text, "The payload was copied.")


def payload_size(fold: Fold, row: Row) -> int:
    """Bytes of the entry's payload in the log; of a name given twice the last counts."""
    if row.mark is None and fold.sorter.envelope(row.fields) is not None:
        return len(payload_of(fold, row.fields))
    sizes = row.sizes or tuple(map(len, row.fields))
    named = list(zip(row.fields[::2], sizes[1::2], strict=True))
    if not fold.payload_field:
        return sum(size for _, size in named)
    found = [size for name, size in named if name == fold.payload_field.encode()]
    return found[-1] if found else 0


def tell_stored(fold: Fold, row: Row, width: int, verb: str = "is", *, bytes_too: bool = False) -> Iterator[Paragraph]:
    """An entry as it is stored; before that what it says, where another program has put that into a form of its own."""
    envelope = None if row.mark is not None else fold.sorter.envelope(row.fields)
    if envelope is not None:
        yield Paragraph(f"What it says · {envelope.program}", style="accent")
        yield from tell_said(envelope, width)
        yield Paragraph("")
    yield Paragraph(f"As it {verb} stored", style="accent")
    payload: str | None = fold.payload_field
    if not bytes_too and envelope is not None:
        payload = None  # it was set out above
    elif row.fields and isinstance(fold.domain.wire, Codec):
        longest = max(range(0, len(row.fields), 2), key=lambda place: len(row.fields[place + 1]))
        payload = row.fields[longest].decode("utf-8", "surrogateescape")
    yield from tell_fields(row.fields, width, row.sizes, payload=payload, bytes_too=bytes_too)


def tell_said(envelope: Envelope, width: int) -> Iterator[Paragraph]:
    fields = tuple(part for member in envelope.told for part in member)
    yield from tell_fields(fields, width, payload=envelope.payload.decode(), json_too=True)


def tell_fields(
    fields: Fields,
    width: int,
    sizes: Sequence[int] = (),
    *,
    payload: str | None = "data",
    bytes_too: bool = False,
    json_too: bool = False,
) -> Iterator[Paragraph]:
    """An entry's fields as they are stored; with `bytes_too` a payload that can be read is dumped as well.

    The field of the name `payload` is set out in lines; where it has no name, every field that looks like JSON is, and
    with `json_too` every other that is not SHORT; with None none is.

    `sizes` says how long each is in the log, where only their beginnings are at hand.
    """
    cut, sizes = bool(sizes), sizes or tuple(map(len, fields))
    room = SHOWN
    told = 0
    while told < min(len(fields), 2 * MOST_FIELDS) and room > 0:
        name, value = fields[told : told + 2]
        size = sizes[told + 1]
        told += 2
        room -= len(name) + len(value)
        shown = visible(name[:200].decode("utf-8", "backslashreplace"))
        at_length = value[:1] in (b"{", b"[") and (payload == "" or (json_too and size > SHORT))
        if (payload and name == payload.encode("utf-8", "surrogateescape")) or at_length:
            yield Paragraph("", shown, indent=LABEL)
            yield from tell_payload(value, width, size, bytes_too=bytes_too)
            continue
        text = visible(value[:1000].decode("utf-8", "backslashreplace"), 1000)
        if cell_len(shown) >= LABEL:
            yield Paragraph("", shown, indent=LABEL)
            shown = ""
        yield Paragraph(text or "(empty)", shown, indent=LABEL, verbatim=True)
        if size > 1000:
            yield Paragraph(f"{size:,} bytes, the first 1,000 shown", style="dim", indent=LABEL)
    if told < len(fields):
        yield Paragraph(f"… and {'at least ' * cut}{(len(fields) - told) // 2:,} more fields", style="dim")


def tell_payload(data: bytes, width: int, size: int | None = None, *, bytes_too: bool = False) -> Iterator[Paragraph]:
    """What the bytes are, then the bytes; with `bytes_too` also of what can be read as text.

    `size` is that of the payload in the log, where only its beginning is at hand.
    """
    size = size or len(data)
    kind, text = _read(data) if size <= SHOWN else _read_beginning(data[:SHOWN])
    cut = f", the first {SHOWN:,} shown" if size > SHOWN else ""
    yield Paragraph(f"{counted(size, 'byte', 'bytes')}{cut} · {kind}", style="dim")
    if text is not None:
        for line in text.split("\n"):
            for start in range(0, max(1, len(line)), PIECE):
                piece = visible(line[start : start + PIECE], 10 * PIECE)
                yield Paragraph(piece, style=JSON if kind in _SET_OUT else "", verbatim=True)
    if bytes_too or text is None or kind.startswith("MessagePack"):
        yield from dump(data[:SHOWN], width)


def dump(data: bytes, width: int) -> Iterator[Paragraph]:
    """Offset, hexadecimal bytes and printable ASCII; eight or sixteen bytes a line."""
    step = 16 if width >= WIDE else 8
    for offset in range(0, len(data), step):
        part = data[offset : offset + step]
        text = "".join(chr(byte) if 0x20 <= byte < 0x7F else "·" for byte in part)
        yield Paragraph(f"{offset:04x}  {part.hex(' '):<{step * 3 - 1}}  {text}", verbatim=True)


def _read(data: bytes) -> tuple[str, str | None]:
    """What the bytes are, and their text set out in lines."""
    if not data:
        return "nothing", None
    if data[0] in MESSAGEPACK:
        try:
            return "MessagePack", _unpacked(data)
        except (msgspec.MsgspecError, ValueError, TypeError, RecursionError) as error:
            return f"MessagePack that cannot be read ({visible(str(error), 200)}); bytes and text", None
    try:
        text = data.decode()
        msgspec.json.decode(data, type=msgspec.Raw)
    except (UnicodeDecodeError, msgspec.DecodeError, RecursionError):
        return "not JSON; bytes and text", None
    if _depth(data) > DEEPEST:
        return "JSON, too deeply nested to set out", text
    return "JSON", msgspec.json.format(text, indent=2)


def _read_beginning(data: bytes) -> tuple[str, str | None]:
    """What the bytes seem to be of which these are the first, and their text as it is."""
    if data[0] in MESSAGEPACK:
        return "MessagePack by its first byte; bytes and text", None
    try:
        # Of the last character there may be only a part.
        text = codecs.getincrementaldecoder("utf-8")().decode(data)
    except UnicodeDecodeError:
        return "neither JSON nor text; bytes and text", None
    return ("text that begins like JSON" if data.lstrip()[:1] in (b"{", b"[") else "text"), text


def _unpacked(data: bytes) -> str:
    """MessagePack as JSON in lines. Raises ValueError for what is nested too deeply to set out."""
    value = msgspec.msgpack.decode(data)
    if _is_deeper(value, DEEPEST):
        raise ValueError(f"it is nested more than {DEEPEST} levels deep")
    return msgspec.json.format(msgspec.json.encode(_telling(value)), indent=2).decode()


def _is_deeper(value: Any, levels: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return levels < 0 or any(_is_deeper(each, levels - 1) for each in inner)


def _telling(value: Any) -> Any:
    """The value with everything that JSON cannot say as text: bytes, extensions, keys that are no text."""
    if isinstance(value, dict):
        return {key if isinstance(key, str) else str(key): _telling(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_telling(each) for each in value]
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, msgspec.msgpack.Ext):
        return f"extension {value.code}: {bytes(value.data).hex()}"
    return value


def _depth(data: bytes) -> int:
    deepest = depth = 0
    for match in _BRACKETS.finditer(data):
        depth += (match[1] is not None) - (match[2] is not None)
        deepest = max(deepest, depth)
    return deepest
