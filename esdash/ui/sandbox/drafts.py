"""Sandboxes as a person keeps them: the edits of each, which can be taken back. No textual."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from esdash.ui.remembered import read_from, write_to
from esdash.whatif.edits import Edit, Insert

MOST: Final = 100
"""Sandboxes that are kept under a name, of all streams; the one that was kept longest ago is forgotten first."""

UNNAMED: Final = "sandbox"


class Draft:
    """One sandbox."""

    def __init__(self, begin: bytes | None, name: str = "", edits: Sequence[Edit] = (), number: int = 0) -> None:
        """`begin` is the id behind which it stands, `number` of the entry there; None: at the end of the log, wherever
        that is."""
        self.begin = begin
        self.number = number
        self.name = name
        """Empty for one that nobody has named, and that is gone when the dashboard ends."""
        self.edits: list[Edit] = list(edits)
        self._before = [self.edits[:count] for count in range(len(self.edits))]
        """What the edits were before each of the changes that can be taken back."""
        self._after: list[list[Edit]] = []
        """What they were before changes were taken back."""

    def add(self, edit: Edit) -> None:
        self._become([*self.edits, edit])

    def remove(self, place: int) -> None:
        self._become([*self.edits[:place], *self.edits[place + 1 :]])

    def replace(self, place: int, edit: Edit) -> None:
        self._become([*self.edits[:place], edit, *self.edits[place + 1 :]])

    def undo(self) -> bool:
        """Take the last change back; whether there was one."""
        return self._go(self._before, self._after)

    def redo(self) -> bool:
        """Make the change again that was taken back last; whether there was one."""
        return self._go(self._after, self._before)

    def _become(self, edits: list[Edit]) -> None:
        """What was taken back before is forgotten."""
        self._before.append(self.edits)
        self._after.clear()
        self.edits = edits

    def _go(self, there: list[list[Edit]], back: list[list[Edit]]) -> bool:
        if not there:
            return False
        back.append(self.edits)
        self.edits = there.pop()
        return True

    @property
    def at_the_end(self) -> tuple[Sequence[bytes], ...]:
        """The entries that it adds to the end of the log, where it does nothing else; empty otherwise."""
        inserts = [edit for edit in self.edits if isinstance(edit, Insert) and edit.after is None]
        return tuple(fields for edit in inserts for fields in edit.entries) if len(inserts) == len(self.edits) else ()


class KeptDraft(Struct, frozen=True):
    """A sandbox in a file."""

    stream: str
    domain: str
    name: str
    begin: bytes | None
    edits: tuple[Edit, ...]
    number: int = 0


class DraftBook:
    """The sandboxes of one stream that have a name. It looks into its file each time: several dashboards share it."""

    def __init__(self, file: Path | None, stream: str, domain: str) -> None:
        """Without a file they are kept until the end."""
        self._file = file
        self._of = stream, domain
        self._here: tuple[KeptDraft, ...] = ()

    def all(self) -> list[Draft]:
        """Those there are, the one that was kept last first."""
        return [
            Draft(each.begin, each.name, each.edits, each.number)
            for each in reversed(self._read())
            if (each.stream, each.domain) == self._of
        ]

    def keep(self, draft: Draft) -> None:
        """Keep it, in place of the one of that name. Raises OSError when it cannot be written."""
        kept = KeptDraft(*self._of, draft.name, draft.begin, tuple(draft.edits), draft.number)
        self._write((*self._others(draft.name), kept))

    def forget(self, name: str) -> None:
        """Keep it no more. Raises OSError when that cannot be written."""
        self._write(self._others(name))

    def _others(self, name: str) -> tuple[KeptDraft, ...]:
        return tuple(each for each in self._read() if (each.stream, each.domain, each.name) != (*self._of, name))

    def _read(self) -> tuple[KeptDraft, ...]:
        if self._file is None:
            return self._here
        return read_from(self._file, tuple[KeptDraft, ...]) or ()

    def _write(self, kept: tuple[KeptDraft, ...]) -> None:
        if self._file is not None and self._file.exists() and read_from(self._file, tuple[KeptDraft, ...]) is None:
            raise OSError(f"{self._file} cannot be read as sandboxes, and is left as it is")
        self._here = kept[-MOST:]
        if self._file is not None:
            write_to(self._file, self._here)
