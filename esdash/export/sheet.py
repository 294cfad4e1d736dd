"""What is handed on: lines that are values for programs, and cells for people."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

T = TypeVar("T")


class Heading(NamedTuple):
    """Of one column."""

    title: str
    is_number: bool = False


@dataclass(frozen=True)
class Sheet(Generic[T]):
    """Lines, each made when it is written."""

    title: str
    columns: Sequence[Heading]
    lines: Iterable[T]
    document: Callable[[T], dict[str, Any]]
    """A line as raw values: JSON lines."""
    cells: Callable[[T], Sequence[str]]
    """The same as people read it, one cell for each column; not made harmless yet."""
