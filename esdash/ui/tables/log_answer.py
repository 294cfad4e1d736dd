"""What a question to the log has found so far: at both ends, as new entries come and the search goes back."""

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from esdash.engine.shown.row import Row

if TYPE_CHECKING:
    from esdash.engine.moments.asking import Asked, Examined
    from esdash.fold.folding import Fold
    from esdash.query.places import Id
    from esdash.query.questions import Question
    from esdash.query.terms import Since, Until

Examine = Callable[[Row], "Examined"]
"""One entry as a question looks at it."""


class Hits(Sequence[int]):
    """Ordinals, ascending; eight bytes each, since there may be millions."""

    def __init__(self) -> None:
        self._older = array("q")
        """Found by going back: the newest first, and negative, so that they ascend."""
        self._newer = array("q")

    def __len__(self) -> int:
        return len(self._older) + len(self._newer)

    def __getitem__(self, index: int) -> int:  # type: ignore[override]  # no slices
        older = len(self._older)
        return -self._older[older - 1 - index] if index < older else self._newer[index - older]

    def below(self, ordinal: int) -> int:
        """How many are less than an ordinal."""
        newer = bisect_left(self._newer, ordinal)
        return newer + len(self._older) - bisect_left(self._older, 1 - ordinal)

    def copied_below(self, ordinal: int) -> "Hits":
        """Those less than an ordinal, for another thread."""
        copied = Hits()
        copied._older = self._older[bisect_left(self._older, 1 - ordinal) :]
        copied._newer = self._newer[: bisect_left(self._newer, ordinal)]
        return copied

    def add_newer(self, ordinal: int) -> None:
        """Add one that is greater than all."""
        self._newer.append(ordinal)

    def add_older(self, ordinals: Iterable[int]) -> None:
        """Add some that are less than all, the greatest first."""
        self._older.extend(-ordinal for ordinal in ordinals)

    def drop_below(self, ordinal: int) -> None:
        """Forget those that are less than an ordinal."""
        del self._older[bisect_left(self._older, 1 - ordinal) :]
        del self._newer[: bisect_left(self._newer, ordinal)]


class Answer:
    """A question, and the entries that it asks for among those that were looked at."""

    def __init__(self, fold: "Fold", text: str, question: "Question") -> None:
        """`text` is the question as it was typed."""
        self.text = text
        self.question = question
        self.hits = Hits()
        self.oldest = self.newest = 0
        """Ordinals from which and up to which all entries were looked at; 0 before any was."""
        self.searching = False
        """Older ones are being looked at."""
        self.stopped = ""
        """Why they are no more, although some are left."""
        self.gone = 0
        """Entries that have left the stream, so that nobody can tell."""
        self.hasty = False
        """Some were not looked at, or it was not known what they did."""
        self._fold = fold
        self._asks: Asked | None = None

    @property
    def ready(self) -> bool:
        """Entries can be looked at."""
        return self._asks is not None

    def places(self) -> "Iterator[Since | Until]":
        """What has to be looked up before entries can be looked at."""
        from esdash.query.places import Between
        from esdash.query.terms import Since, Until
        from esdash.query.trees import terms_of

        for term in terms_of(self.question):
            if isinstance(term, Since | Until) and not isinstance(term.place, Between):
                yield term

    def prepare(self, reached: "dict[Since | Until, Id]") -> None:
        """Entries can be looked at from now on; `reached` is what those places reach from or to."""
        from esdash.engine.moments.asking import Asked
        from esdash.query.places import Between
        from esdash.query.terms import Since

        def reach(term: "Since | Until") -> "Id":
            if isinstance(term.place, Between):
                return term.place.first if isinstance(term, Since) else term.place.last
            return reached[term]

        self._asks = Asked(self._fold, self.question, reach)

    def look(self, rows: Sequence[Row], examine: Examine) -> None:
        """Look at entries that follow the newest one that was looked at, oldest first."""
        assert self._asks is not None, "it is ready"
        for row in rows:
            self.hasty = self.hasty or row.told is None
            if self._asks(examine(row)):
                self.hits.add_newer(row.ordinal)
        if rows:
            self.oldest = self.oldest or rows[0].ordinal
            self.newest = rows[-1].ordinal

    def went_back(self, hits: Sequence[int], down_to: int, gone: int) -> None:
        """The search has looked at the entries from an ordinal on."""
        self.hits.add_older(hits)
        self.oldest = down_to
        self.gone += gone
