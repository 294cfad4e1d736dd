"""What becomes of formats of a domain that end the program, which is none of their business."""

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from msgspec import Struct

from esdash.domain import Column, EventType, Format
from esdash.engine.invariants.asked import says
from esdash.fold.schema import Field
from esdash.ui.correct.mending import as_typed, is_whole
from esdash.words.changes import by
from esdash.words.entries import write
from esdash.words.typed import read_value, write_value
from tests.fold.trying import Do, folding


def ends(*_: Any) -> Any:
    raise SystemExit(7)


ENDING = Format(ends, ends, ends)


def test_a_format_that_ends_the_program_is_one_that_fails() -> None:
    field = Field("n", "n", "int", shown=ENDING)
    assert write(ENDING, 1_000) == "1000"
    assert by(Column("n", int, ENDING), -1_000) == "−1,000"
    assert (is_whole(field), as_typed(field, 12)) == (False, "12")
    assert write_value(field, 12) == "12"
    with pytest.raises(ValueError, match=r"^n cannot be read: its format ends the program, and may not$"):
        read_value(field, "12")


@pytest.fixture
def answered_by_python() -> Iterator[None]:
    """Ctrl-C is answered as Python does, whatever a command that ran in this process before has left."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("answered_by_python")
def test_so_is_one_that_says_it_was_interrupted_and_was_not() -> None:
    def interrupted(*_: Any) -> Any:
        raise KeyboardInterrupt

    def signalled(*_: Any) -> Any:
        signal.raise_signal(signal.SIGINT)
        return "never"

    assert write(Format(interrupted, interrupted), 12) == "12"
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(write, Format(interrupted, interrupted), 12).result() == "12"
    with pytest.raises(KeyboardInterrupt):
        write(Format(signalled, signalled), 12)


class Late(Struct, frozen=True):
    """While it is made the program is told to end."""

    n: int = 0

    def __post_init__(self) -> None:
        signal.raise_signal(signal.SIGINT)


class Old(Struct, frozen=True):
    """As is one of these while it is upcast."""

    n: int = 0


@pytest.mark.usefixtures("answered_by_python")
def test_no_signal_is_lost_while_an_entry_is_read_or_a_state_is_asked() -> None:
    def signalled(_: Any) -> Any:
        signal.raise_signal(signal.SIGINT)
        return Do()

    fold = folding(lambda *_: None, EventType(Late, lambda *_: None), EventType(Old, upcast=signalled))
    for name in (b"Late", b"Old"):
        with pytest.raises(KeyboardInterrupt):
            fold.read([b"type", name, b"data", b"{}"])
    with pytest.raises(KeyboardInterrupt):
        says(fold, fold.empty(), signalled)
