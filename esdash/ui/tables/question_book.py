"""The questions of one domain: those that were asked before, and those that were saved under a name. No textual."""

import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from esdash.ui.remembered import read_from, write_to

if TYPE_CHECKING:
    from esdash.fold.folding import Fold

MOST_ASKED: Final = 50
"""Questions of a domain that are kept; the one that was asked longest ago is forgotten first."""

MOST_SAVED: Final = 100
"""Of a domain, from the screen."""

MOST_DOMAINS: Final = 50


class Kept(Struct, frozen=True):
    """Of one domain."""

    asked: tuple[str, ...] = ()
    """The newest last."""
    saved: dict[str, str] = {}
    """By name."""


class QuestionBook:
    """Looks into its file whenever something is added, since several dashboards share it."""

    def __init__(self, file: Path | None = None, domain: str = "", settings: Mapping[str, str] | None = None) -> None:
        """Without a file they are kept until the end. `settings` are those saved in the settings, which go first."""
        self._file = file
        self._domain = domain
        self.settings = dict(settings or {})
        self._here: dict[str, Kept] = {}
        """What is kept where there is no file."""
        self.saved: dict[str, str] = {}
        """All of them by name; always the same mapping, for whoever has to know them."""
        self.asked: tuple[str, ...] = ()
        """The newest last."""
        with suppress(ValueError):
            self._take(self._read())

    def wrong(self, fold: "Fold") -> Iterator[str]:
        """A sentence for each question of the settings that cannot be asked in a domain."""
        if not self.settings:
            return  # and nothing needs to be imported
        from esdash.query.errors import QueryError
        from esdash.query.questions import read_question
        from esdash.words.asked import schema_of

        for name in self.settings:
            try:
                read_question(f"@{name}", schema_of(fold, self.settings), time.time())
            except QueryError as error:
                yield f"In the settings: {error}"

    def note(self, question: str) -> None:
        """It was asked. That it cannot be written is no great loss."""
        with suppress(OSError, ValueError):
            kept = self._read()
            others = [each for each in kept.asked if each != question]
            self._write(Kept((*others, question)[-MOST_ASKED:], kept.saved))

    def save(self, name: str, question: str) -> None:
        """Keep it under a name.

        Raises OSError when it cannot be written, ValueError with a sentence when it may not.
        """
        kept = self._read()
        if name in self.settings:
            raise ValueError(f"The settings have a question {name}: choose another name, or change it there.")
        if name not in kept.saved and len(kept.saved) >= MOST_SAVED:
            raise ValueError(f"{MOST_SAVED} questions are saved already: forget one first.")
        self._write(Kept(kept.asked, {**kept.saved, name: question}))

    def forget(self, name: str) -> None:
        """Keep it no more. Raises OSError when that cannot be written, ValueError with a sentence when it may not."""
        if name in self.settings:
            raise ValueError(f"The question {name} stands in the settings: it is taken out there.")
        kept = self._read()
        self._write(Kept(kept.asked, {each: text for each, text in kept.saved.items() if each != name}))

    def _read(self) -> Kept:
        return self._all().get(self._domain, Kept())

    def _all(self) -> dict[str, Kept]:
        if self._file is None:
            return self._here
        if (found := read_from(self._file, dict[str, Kept])) is None and self._file.exists():
            raise ValueError(f"{self._file} cannot be read as questions, and is left as it is.")
        return found or {}

    def _write(self, kept: Kept) -> None:
        self._take(kept)
        others = [(name, each) for name, each in self._all().items() if name != self._domain]
        self._here = dict([*others, (self._domain, kept)][-MOST_DOMAINS:])
        if self._file is not None:
            write_to(self._file, self._here)

    def _take(self, kept: Kept) -> None:
        self.asked = kept.asked
        self.saved.clear()
        self.saved.update(sorted({**kept.saved, **self.settings}.items()))
