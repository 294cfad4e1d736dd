"""A state together with how far in the log it has come."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import msgspec

from esdash.engine.shown.view import Position
from esdash.fold.failing import DomainError
from esdash.fold.folding import Entry, Fold, Told
from esdash.fold.recording import Record
from esdash.fold.state import State
from esdash.log.continuity import Standing
from esdash.log.errors import UnreadableReplyError
from esdash.log.pages import PackedPage, Page
from esdash.log.shapes import UnreadableError, require_fields
from esdash.log.stream import START, anchor_of

_UNREADABLE: Final = "The server sent an entry that cannot be read: it is damaged, or another program is there."


@contextmanager
def blaming(page: Sequence[Entry]) -> Iterator[None]:
    """Where what is done with a page fails, look whether it is one. Raises UnreadableReplyError when it is none."""
    try:
        yield
    except Exception:
        try:
            require_fields(page)
        except UnreadableError as error:
            raise UnreadableReplyError(_UNREADABLE) from error
        raise


class Projection:
    """The fold's result at one position. Belongs to one thread."""

    __slots__ = ("_anchor", "_last_entry", "confirmed", "domain", "edited", "last_id", "ordinal", "state", "unseen")

    def __init__(self, domain: Fold, unseen: int = 0) -> None:
        """The empty state before the first entry; `unseen` entries were gone before that."""
        self.domain = domain
        self.state: State = domain.empty()
        self.last_id: bytes = START
        self.ordinal = 0
        self.unseen = unseen
        self.confirmed = 0
        """Of the unseen entries, those that a person agreed to lose when the state was made anew."""
        self.edited = False
        """Whether other source of the same version made some of it, and nobody knows that it means the same."""
        self._last_entry: Entry | None = None
        self._anchor = ""

    @classmethod
    def restored(cls, domain: Fold, state: State, position: Position, unseen: int, anchor: str) -> "Projection":
        """The state of a snapshot."""
        projection = cls(domain, unseen)
        projection.state = state
        projection.last_id = position.last_event_id.encode()
        projection.ordinal = position.ordinal
        projection._anchor = anchor
        return projection

    @property
    def position(self) -> Position:
        """(last event id, ordinal)."""
        return Position(self.last_id.decode(), self.ordinal, self.unseen)

    @property
    def anchor(self) -> str | None:
        """What stands for the entry at the position; None before the first entry."""
        if self._last_entry is not None:
            self._anchor = anchor_of(self._last_entry)
            self._last_entry = None
        return self._anchor or None

    @property
    def standing(self) -> Standing:
        """Where it stands in the log, for a proof of continuity."""
        return Standing(self.last_id, self.ordinal, self.unseen, self.anchor)

    def apply(self, page: Sequence[Entry], tell: list[Told] | None = None, record: Record | None = None) -> bytes:
        """Fold a page that is not empty; one outcome code an entry. `tell` is given what each did, or `record`.

        Raises UnreadableReplyError for what are no entries; then the state is nothing to go on with. Raises DomainError
        where a function of the domain fails; then it stands before that entry.
        """
        try:
            with blaming(page):
                if record is not None:
                    codes = self.domain.record(self.state, page, record)
                else:
                    codes = self.domain.fold(self.state, page, tell)
        except DomainError as error:
            error.entry_id = page[len(error.codes)][0]
            if error.codes:
                self._moved(page[len(error.codes) - 1], len(error.codes))
            raise
        self._moved(page[-1], len(page))
        return codes

    def apply_ahead(self, page: Page | PackedPage, tell: list[Told] | None = None) -> bytes:
        """Fold a page that was read ahead, and perhaps packed; one outcome code an entry. `tell` is as in `apply`.

        Where a function of the domain fails on an entry of a packed page, the state is nothing to go on with.
        """
        if isinstance(page, Page):
            return self.apply(page.entries, tell)
        try:
            if tell is not None:
                codes = self.domain.tell_packed(self.state, page.packed, tell)
            else:
                codes = self.domain.fold_packed(self.state, page.packed)
        except msgspec.ValidationError as error:
            raise UnreadableReplyError(_UNREADABLE) from error
        except DomainError as error:
            # What the entry before it holds is not known here, and so nothing to stand for this place.
            error.spoiled = True
            raise
        self._moved(page.last_entry, page.count)
        return codes

    def explain(self, entry: Entry) -> tuple[int, Told]:
        """Fold one entry; its outcome code and what it did."""
        try:
            told = self.domain.explain(self.state, entry)
        except DomainError as error:
            error.entry_id = entry[0]
            raise
        self._moved(entry, 1)
        return told

    def _moved(self, last: Entry, count: int) -> None:
        self.ordinal += count
        self.last_id = last[0]
        self._last_entry = last
