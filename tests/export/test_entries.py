"""Entries as they are handed on where a screen does not have all of them."""

import pytest

from esdash.engine.shown.kept import row_of
from esdash.engine.shown.row import Row
from esdash.export.entries import Decided, entry_document, log_sheet
from esdash.fold.folding import Fold
from esdash.words.entries import GONE
from tests.domains import kinds, the_bank, the_depots
from tests.domains.shop import shop


@pytest.mark.parametrize("fold", [shop(), the_bank(), the_depots(), kinds()], ids=lambda fold: fold.name)
def test_one_that_has_left_the_stream_keeps_its_place_and_its_outcome(fold: Fold) -> None:
    row = Row(7, b"1700000000000-0", (), len(fold.outcomes) - 1)
    sheet = log_sheet(fold, [Decided(row)], 3)
    document, cells = sheet.document(Decided(row)), sheet.cells(Decided(row))
    assert (document["ordinal"], document["id"], document["type"], document["data"]) == (7, "1700000000000-0", "", None)
    assert (cells[0], cells[5]) == ("10", GONE)
    assert document["outcome"] == cells[6] == fold.outcomes[-1].name
    assert len(cells) == len(sheet.columns)


def test_one_of_which_only_the_beginning_is_kept_says_how_large_it_is() -> None:
    fields = [b"type", b"TopUp", b"data", b'{"user_id":7,"amount":1,"more":"' + b"x" * 100_000 + b'"}']
    row = row_of(1, (b"1-0", fields), 2)
    document = entry_document(shop(), row)
    assert document["bytes"] == sum(map(len, fields))
    assert (document["data"], document["raw"]) == (None, None)


def test_an_outcome_that_is_not_known_is_left_out() -> None:
    row = Row(1, b"1-0", [b"type", b"TopUp", b"data", b'{"user_id":7,"amount":100}'], None)
    assert entry_document(shop(), row)["outcome"] is None
    assert log_sheet(shop(), [], 0).cells(Decided(row))[5:8] == ("user 7 +1.00", "", "")
