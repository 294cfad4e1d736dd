"""What an entry did, in a word or two."""

import sys

import msgspec
import pytest

from esdash.domain import COUNT, MONEY, TEXT, TIME, Column, Domain, Format, Table
from esdash.fold.cells import Change
from esdash.fold.folding import Fold, Told
from esdash.ui.correct.mending import is_whole
from esdash.words.changes import by_size, gist, moved
from esdash.words.entries import write
from esdash.words.typed import read_value, write_value
from tests.domains.shop import shop


def a_fold() -> Fold:
    """Accounts with a balance and an owner, visits by time, and what nobody sees."""
    account = (Column("since", int, TIME), Column("owner", str, TEXT), Column("balance", int, MONEY, bar=True))
    tables = (
        Table("accounts", "account", str, account),
        Table("flags", "flag", int, (Column("set", bool), Column("note", str, TEXT))),
        Table("seen", "seen", str, (Column("times", int, COUNT),), hidden=True),
    )
    return Fold(Domain("bank", "1", tables, shop().domain.events[:1], shop().domain.reasons))


@pytest.mark.parametrize(
    ("changes", "named", "told"),
    [
        ([], [], ""),
        ([("seen", "x", "times", 1, 2)], [], ""),
        ([("accounts", "A", "balance", 500, 456)], [], "−0.44"),
        ([("accounts", "A", "balance", 500, 456), ("accounts", "B", "balance", 0, 44)], [("accounts", "B")], "+0.44"),
        ([("accounts", "A", "balance", 500, 456), ("accounts", "B", "balance", 0, 44)], [("accounts", "C")], "−0.44"),
        ([("accounts", "A", "owner", "x", "y"), ("accounts", "A", "balance", 5, 6)], [], "+0.01"),
        ([("accounts", "A", "owner", "x", "y")], [], "owner y"),
        ([("accounts", "A", "since", None, 5), ("accounts", "A", "balance", None, 0)], [], "new"),
        ([("accounts", "A", "since", None, 5), ("accounts", "A", "balance", None, 9)], [], "+0.09"),
        ([("accounts", "A", "since", 5, None), ("accounts", "A", "balance", 7, None)], [], "gone"),
        ([("flags", 7, "set", False, True)], [], "set yes"),
        ([("flags", 7, "note", "x", None)], [], "note –"),
    ],
)
def test_it_is_about_the_row_that_the_entry_names_first_and_the_number_that_matters_most(
    changes: list[tuple[str, str, str, object, object]], named: list[tuple[str, int | str]], told: str
) -> None:
    assert gist(a_fold(), Told(tuple(Change(*change) for change in changes)), named) == told


@pytest.mark.parametrize(
    ("column", "before", "after", "told"),
    [
        (Column("balance", int, MONEY), 500, 456, "−0.44"),
        (Column("balance", int, MONEY), None, 44, "+0.44"),
        (Column("balance", int, MONEY), 44, None, "−0.44"),
        (Column("balance", int, MONEY), None, 0, "0.00"),
        (Column("since", int, TIME), 1_000, 3_000, "+2.000 s"),
        (Column("since", int, TIME), None, 1_700_000_000_000, ""),
        (Column("since", int, TIME), 1_700_000_000_000, None, ""),
        (Column("set", bool), False, True, ""),
        (Column("owner", str, TEXT), None, "x", ""),
    ],
)
def test_an_amount_that_appears_or_vanishes_moves_by_all_of_it_and_nothing_is_far_from_a_time(
    column: Column, before: object, after: object, told: str
) -> None:
    assert moved(column, before, after) == told


def test_amounts_come_before_texts_and_times_and_those_that_differ_most_before_others() -> None:
    changes = [
        Change("accounts", "A", "since", None, 1_700_000_000_000),
        Change("accounts", "A", "owner", "x", "y"),
        Change("accounts", "A", "balance", 5, 9),
        Change("flags", 7, "set", False, True),
        Change("accounts", "B", "balance", None, -700),
        Change("accounts", "C", "balance", 300, -399),
        Change("accounts", "D", "balance", 0, None),
    ]
    order = [changes[place] for place in (4, 5, 2, 6, 0, 1, 3)]
    assert by_size(changes, a_fold()) == order


def fails(_: object) -> str:
    sys.exit(3)


def test_a_format_that_ends_the_program_does_not() -> None:
    shown = Format(fails, fails, fails)
    column, field = Column("balance", int, shown), msgspec.structs.replace(a_fold().models[0].fields[0], shown=shown)
    assert moved(column, 1, 3) == "+2"
    assert write(shown, 7) == write_value(field, 7) == "7"
    with pytest.raises(ValueError, match="cannot be read: its format ends the program, and may not"):
        read_value(field, "7")
    assert not is_whole(field)
