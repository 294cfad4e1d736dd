"""What the shop's entries mean may change only together with its `version`."""

from tests.fold.trying import rows
from tests.strategies import overflowing_entries, seeded_entries
from tests.unit.shop import SHOP, as_entries, fold_all

MEANINGS = {"1": "e5b7b3bc83ba3d86c57a1871aafc4fca"}
"""The version → the digest of the states that the corpus gives. Add a line when the version changes."""


def test_the_same_version_means_the_same() -> None:
    state, outcomes = fold_all([*seeded_entries(20_191_129, 10_000), *overflowing_entries()])
    assert len(set(outcomes)) == len(SHOP.outcomes) == 16
    assert SHOP.version in MEANINGS, "another version needs the digest of its meaning here"
    assert SHOP.digest(state) == MEANINGS[SHOP.version], (
        "the shop's entries mean something else now: give it another version, and snapshots are not mixed up"
    )


def test_the_corpus_has_enough_in_it() -> None:
    state = SHOP.empty()
    SHOP.fold(state, as_entries(seeded_entries(20_191_129, 10_000)))
    tables = rows(SHOP, state)
    assert len(tables["users"]) > 300
    assert len(tables["items"]) >= 10
    assert len(state.key_order) > 5_000
