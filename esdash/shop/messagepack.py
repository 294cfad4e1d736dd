"""A forgiving, bounded reader of MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md).

msgspec reads nearly every entry of schema v0. This reader serves what msgspec cannot say: how deeply values are
nested, and what a map holds beside text that is not UTF-8 or keys that are not text.
"""

import struct
from typing import Final

_SIZES: Final = {0xC4: ">B", 0xC5: ">H", 0xC6: ">I", 0xD9: ">B", 0xDA: ">H", 0xDB: ">I",
                 0xDC: ">H", 0xDD: ">I", 0xDE: ">H", 0xDF: ">I", 0xC7: ">B", 0xC8: ">H", 0xC9: ">I"}  # fmt: skip
_NUMBERS: Final = {0xCA: ">f", 0xCB: ">d", 0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q",
                   0xD0: ">b", 0xD1: ">h", 0xD2: ">i", 0xD3: ">q"}  # fmt: skip
_FIXED_EXTENSIONS: Final = {0xD4: 1, 0xD5: 2, 0xD6: 4, 0xD7: 8, 0xD8: 16}
_NOT_CONTAINERS: Final = bytes(byte for byte in range(256) if not (0x80 <= byte <= 0x9F or 0xDC <= byte <= 0xDF))


class MessagePackError(ValueError):
    """Not one well-formed value within the bounds."""


class _Container:
    """An array or a map being filled; a map is a flat list of keys and values until it is complete."""

    __slots__ = ("is_map", "items", "wanted")

    def __init__(self, is_map: bool, size: int) -> None:
        self.is_map = is_map
        self.wanted = size * 2 if is_map else size
        self.items: list[object] = []

    def value(self) -> object:
        if not self.is_map:
            return self.items
        pairs = zip(self.items[::2], self.items[1::2], strict=True)
        return {key: value for key, value in pairs if isinstance(key, str)}


def may_nest_deeper(data: bytes, depth: int) -> bool:
    """False when the data surely has no more than `depth` containers inside one another; cheap."""
    return len(data.translate(None, _NOT_CONTAINERS)) > depth


def unpack(data: bytes, max_depth: int) -> object:
    """The one value in `data`.

    Map members whose key is not text are left out, and the last of equal keys counts. Text that is not UTF-8,
    binary data and extensions come back as bytes.

    Raises MessagePackError for malformed data, bytes left over, or more than `max_depth` nested containers.
    """
    stack: list[_Container] = []
    offset, end = 0, len(data)

    def take(size: int) -> bytes:
        nonlocal offset
        if offset + size > end:
            raise MessagePackError("the data ends too early")
        taken = data[offset : offset + size]
        offset += size
        return taken

    def number(layout: str) -> int | float:
        (value,) = struct.unpack(layout, take(struct.calcsize(layout)))
        return value  # type: ignore[no-any-return]

    def text(raw: bytes) -> str | bytes:
        try:
            return raw.decode()
        except UnicodeDecodeError:
            return raw

    while True:
        head = take(1)[0]
        value: object
        if head <= 0x7F:
            value = head
        elif head >= 0xE0:
            value = head - 0x100
        elif head <= 0x8F:
            value = _Container(True, head & 0x0F)
        elif head <= 0x9F:
            value = _Container(False, head & 0x0F)
        elif head <= 0xBF:
            value = text(take(head & 0x1F))
        elif head == 0xC0:
            value = None
        elif head in (0xC2, 0xC3):
            value = head == 0xC3
        elif head in _NUMBERS:
            value = number(_NUMBERS[head])
        elif head in _FIXED_EXTENSIONS:
            value = take(1 + _FIXED_EXTENSIONS[head])
        elif head in _SIZES:
            size = int(number(_SIZES[head]))
            if head >= 0xDC:
                value = _Container(head >= 0xDE, size)
            elif head >= 0xD9:
                value = text(take(size))
            else:
                value = take(size + 1 if head >= 0xC7 else size)
        else:
            raise MessagePackError("0xc1 is never used")
        if isinstance(value, _Container):
            if len(stack) == max_depth:
                raise MessagePackError("nested too deeply")
            stack.append(value)
        else:
            if not stack:
                break
            stack[-1].items.append(value)
        while stack and len(stack[-1].items) == stack[-1].wanted:
            value = stack.pop().value()
            if not stack:
                break
            stack[-1].items.append(value)
        if not stack:
            break
    if offset != end:
        raise MessagePackError("bytes are left over")
    return value
