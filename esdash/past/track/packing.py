"""Arrays of integers, and bytes, as small blobs that are known to be whole."""

import struct
import zlib
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import zstandard
from numpy.typing import NDArray

Numbers = NDArray[np.int64]

LEVEL: Final = 1
"""Of zstandard: more saves nothing. zlib takes six times as long, and room for a twentieth more."""

LARGEST: Final = 1 << 30
"""Bytes that a blob may say it has."""

_KINDS: Final = [np.dtype(kind) for kind in ("<u1", "<i1", "<u2", "<i2", "<u4", "<i4", "<i8")]
_ARRAY: Final = struct.Struct("<BI")
_SUM: Final = struct.Struct("<I")


class TrackError(Exception):
    """The track cannot be used, or not be written; a plain sentence."""


class DamagedTrackError(TrackError):
    """What is stored is not what was written."""


class DeletedTrackError(TrackError):
    """The file was deleted, perhaps with its lock: another process may be making it anew."""


def pack(name: str, arrays: "Sequence[NDArray[Any] | bytes]") -> bytes:
    """Arrays of 64-bit integers and bytes; `name` says where the blob belongs, so that it is good nowhere else."""
    parts = []
    for array in arrays:
        if isinstance(array, bytes):
            parts += [_ARRAY.pack(0, len(array)), array]
            continue
        kind = _smallest(array)
        small = array.astype(_KINDS[kind])
        # The bytes of equal weight together: those of most weight are mostly alike.
        parts += [_ARRAY.pack(kind, len(array)), small.view(np.uint8).reshape(len(array), small.itemsize).T.tobytes()]
    body = b"".join(parts)
    return _SUM.pack(zlib.crc32(body, zlib.crc32(name.encode()))) + zstandard.compress(body, LEVEL)


def unpack(name: str, blob: bytes) -> list[NDArray[Any]]:
    """What was packed; bytes come as an array of them. Raises DamagedTrackError."""
    try:
        (checksum,) = _SUM.unpack_from(blob)
        packed = blob[_SUM.size :]
        if zstandard.get_frame_parameters(packed).content_size > LARGEST:
            raise DamagedTrackError(f"{name} is larger than any that is written")
        body = zstandard.decompress(packed)
    except (struct.error, zstandard.ZstdError) as error:
        raise DamagedTrackError(f"{name} cannot be read") from error
    if zlib.crc32(body, zlib.crc32(name.encode())) != checksum:
        raise DamagedTrackError(f"{name} is not what was written")
    arrays: list[NDArray[Any]] = []
    at = 0
    while at < len(body):
        kind, size = _ARRAY.unpack_from(body, at)
        at += _ARRAY.size
        dtype = _KINDS[kind]
        planes = np.frombuffer(body, np.uint8, size * dtype.itemsize, at).reshape(dtype.itemsize, size)
        at += planes.size
        if dtype.itemsize == 1:
            arrays.append(planes[0].view(dtype))
            continue
        array = np.empty((size, dtype.itemsize), np.uint8)
        # One plane after the other: all at once would take five times as long.
        for weight, plane in enumerate(planes):
            array[:, weight] = plane
        arrays.append(array.view(dtype).ravel())
    return arrays


def _smallest(array: NDArray[Any]) -> int:
    if not len(array):
        return 0
    low, high = int(array.min()), int(array.max())
    for kind, dtype in enumerate(_KINDS):
        bounds = np.iinfo(dtype)
        if bounds.min <= low and high <= bounds.max:
            return kind
    raise AssertionError("64 bits hold every one")
