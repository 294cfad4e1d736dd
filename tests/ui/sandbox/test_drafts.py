"""The edits of a sandbox are taken back and made again, and kept under a name."""

from pathlib import Path

import pytest

from esdash.ui.sandbox.drafts import Draft, DraftBook
from esdash.whatif.edits import Change, Insert, Skip, Swap

ONE = (b"1-0", [b"type", b"TopUp", b"data", b"\xff{}"])
OTHER = (b"2-0", [b"type", b"Order"])
EDITS = (
    Skip(ONE),
    Change(ONE, OTHER[1]),
    Swap(ONE, OTHER),
    Insert(None, (ONE[1],)),
    Insert(b"1-0", (ONE[1], OTHER[1])),
)


def test_edits_are_taken_back_and_made_again() -> None:
    draft = Draft(None)
    assert not draft.undo()
    assert not draft.redo()
    for edit in EDITS[:3]:
        draft.add(edit)
    assert draft.undo()
    assert draft.undo()
    assert draft.redo()
    assert draft.edits == list(EDITS[:2])
    draft.add(EDITS[3])
    assert not draft.redo()
    draft.replace(0, EDITS[4])
    draft.remove(1)
    assert draft.edits == [EDITS[4], EDITS[3]]
    assert draft.undo()
    assert draft.edits == [EDITS[4], EDITS[1], EDITS[3]]
    assert draft.undo()
    assert draft.edits == [EDITS[0], EDITS[1], EDITS[3]]
    assert draft.redo()
    assert draft.redo()
    assert not draft.redo()
    assert draft.edits == [EDITS[4], EDITS[3]]


def test_edits_that_were_kept_are_taken_back_one_by_one() -> None:
    draft = Draft(None, "", EDITS[:2])
    assert draft.undo()
    assert draft.edits == [EDITS[0]]
    assert draft.undo()
    assert not draft.undo()
    assert draft.edits == []


def test_what_adds_to_the_end_and_does_nothing_else_can_be_published() -> None:
    assert Draft(None, "", [EDITS[3], EDITS[3]]).at_the_end == (ONE[1], ONE[1])
    assert Draft(None, "", [EDITS[3], EDITS[0]]).at_the_end == ()
    assert Draft(None, "", [EDITS[4]]).at_the_end == ()
    assert Draft(None).at_the_end == ()


class TestKeeping:
    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        return tmp_path / "state" / "sandboxes.json"

    def test_each_stream_of_each_domain_has_its_own(self, file: Path) -> None:
        DraftBook(file, "orders", "shop").keep(Draft(b"7-0", "all kinds", EDITS))
        DraftBook(file, "orders", "shop").keep(Draft(None, "other", EDITS[:1]))
        DraftBook(file, "accounts", "bank").keep(Draft(None, "other"))
        found = DraftBook(file, "orders", "shop").all()
        assert [(each.name, each.begin, tuple(each.edits)) for each in found] == [
            ("other", None, EDITS[:1]),
            ("all kinds", b"7-0", EDITS),
        ]
        assert DraftBook(file, "orders", "bank").all() == []
        assert file.stat().st_mode & 0o777 == 0o600

    def test_one_takes_the_place_of_the_one_of_its_name(self, file: Path) -> None:
        book = DraftBook(file, "orders", "shop")
        book.keep(Draft(None, "a", EDITS[:1]))
        book.keep(Draft(None, "a", EDITS[:2]))
        assert [tuple(each.edits) for each in book.all()] == [EDITS[:2]]
        book.forget("a")
        assert book.all() == []

    def test_a_file_that_cannot_be_read_is_left_as_it_is(self, file: Path) -> None:
        file.parent.mkdir()
        file.write_text("no sandboxes")
        book = DraftBook(file, "orders", "shop")
        assert book.all() == []
        with pytest.raises(OSError, match="left as it is"):
            book.keep(Draft(None, "a"))
        assert file.read_text() == "no sandboxes"

    def test_without_a_file_until_the_end(self) -> None:
        book = DraftBook(None, "orders", "shop")
        book.keep(Draft(None, "a", EDITS))
        assert [each.name for each in book.all()] == ["a"]
