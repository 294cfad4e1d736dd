"""What is handed on: lines that are values for programs, and cells for people."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from msgspec import Struct

T = TypeVar("T")


class Heading(NamedTuple):
    """Of one column."""

    title: str
    is_number: bool = False


class Sheet(Struct, Generic[T], frozen=True):
    """Lines, each made when it is written."""

    title: str
    columns: Sequence[Heading]
    lines: Iterable[T]
    document: Callable[[T], dict[str, Any]]
    """A line as raw values: JSON lines."""
    cells: Callable[[T], Sequence[str]]
    """The same as people read it, one cell for each column; not made harmless yet."""
