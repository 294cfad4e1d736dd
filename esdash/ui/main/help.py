"""The keys, and what one is looking at."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import ClassVar, Final

from textual.binding import Binding, BindingType

from esdash.ui.paint.pager import Paragraph
from esdash.ui.paint.text_dialog import TextDialog
from esdash.ui.past.time_marks import LEGEND
from esdash.words.outcomes import GLYPHS, MEANINGS

Key = tuple[str, str, str, str]
"""group, keys, label, tooltip."""

_FLOW: Final = (
    "              publish            fold            save",
    "  any program ────────▶ stream ────────▶ state ────────▶ snapshot",
    "  or a form            (entries)           ▲                │",
    "                                           └──── restore ───┘",
)
_NARROW_FLOW: Final = (
    "  publish ▶ stream ▶ fold ▶ state ▶ snapshot",
    "                              ▲         │",
    "                              └─restore─┘",
)
_IN_SHORT: Final = (
    ("log", "all entries in order; added at its end, never edited"),
    ("fold", "applies one entry after the other; the result: the state"),
    ("snapshot", "the state saved, so that a start need not fold all again"),
    (f"{GLYPHS['rejected']} rejected", "a rule said no to the entry; nothing changed"),
    (f"{GLYPHS['parked']} parked", "the entry cannot be understood; kept, nothing changed"),
    (f"{GLYPHS['duplicate']} duplicate", "the same key came before; not counted twice"),
    ("orphan", "an entry that had been applied and is gone from the log"),
    ("restored from", "the ladder: snapshots that were tried, and the one used"),
)
"""What a newcomer meets first on the screen, in a line each."""

_STORY: Final = (
    "None of the numbers in the tables is what is stored. What is stored is a log of events, a Redis Stream: entries "
    "are added at its end and never edited.",
    "The state is what the entries add up to. The consumer reads them in their order and applies each to the state by "
    "fixed rules: that is to fold it. So the same entries give the same state on every machine.",
    "Each entry gets one outcome. Even a refused one stays in the log: the log says what was asked, the fold what came "
    "of it.",
    "Folding from the beginning takes long when the log is long. So the state is saved now and then as a snapshot, and "
    "a start folds only the entries after it: the tail.",
    "Try it: crash the consumer. The state is gone from memory, comes back from the snapshot, and only the tail is "
    "replayed. Rebuild does the same from the first entry, and gives the same numbers.",
    "A publisher that hears no answer tries again with the same key; the fold counts a key once.",
)
_WORDS: Final = (
    ("event", "one entry of the stream; immutable"),
    ("fold", "what makes the state of the entries, one after the other"),
    ("outcome", "what the fold decided for an entry"),
    ("state", "the tables, the counters, the window of keys"),
    ("ordinal", "how many entries the fold has consumed since the first one it saw"),
    ("#n", "the n-th entry that was ever added: ordinal + entries that were gone before"),
    ("position", "last event id and ordinal: how far the fold has come"),
    ("snapshot", "the state at one position, with what is needed to trust it"),
    ("ladder", "the snapshots that a start tries, the newest first, until one can be trusted"),
    ("replay", "folding entries that were already there at the start"),
    ("lag", "entries in the stream after the position"),
    ("digest", "a hash of the state; equal states have equal digests"),
    ("continuity", "the proof that nothing between snapshot and tail is missing"),
    ("orphan", "an entry that the fold had applied and that is gone from the log"),
)


class HelpScreen(TextDialog[None]):
    """The words one meets first, the keys by group, then event sourcing in a page."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("q,question_mark", "leave", "Close", show=False)]

    def __init__(self, rows: Sequence[Key]) -> None:
        """`rows`: (group, keys, label, tooltip), those of a group together."""
        super().__init__("Help")
        self._keys = rows

    def tell(self, width: int) -> Iterator[Paragraph]:
        yield Paragraph("In short", style="accent")
        for word, meaning in _IN_SHORT:
            yield Paragraph(meaning, word, indent=15)
        yield Paragraph("")
        column = max((len(keys) for _, keys, _, _ in self._keys), default=0) + 2
        column = min(column, width // 3)
        for group, members in groupby(self._keys, key=lambda key: key[0]):
            yield Paragraph(group, style="accent")
            for _, keys, label, tooltip in members:
                what = f"{label} — {tooltip}" if tooltip and tooltip != label else label
                yield Paragraph(what, f"{keys} ", indent=max(column, len(keys) + 1))
            yield Paragraph("")
        yield Paragraph("The line of time", style="accent")
        for glyphs, meaning in LEGEND:
            yield Paragraph(meaning, glyphs, indent=6)
        yield Paragraph("A click goes there, dragging goes along, and the wheel shows more of the time, or less.")
        yield Paragraph("")
        yield from _learn(width)


def _learn(width: int) -> Iterator[Paragraph]:
    yield Paragraph("What you are looking at", style="accent")
    yield Paragraph("")
    for line in _FLOW if width >= max(map(len, _FLOW)) else _NARROW_FLOW:
        yield Paragraph(line, verbatim=True, style="dim")
    yield Paragraph("")
    for sentences in _STORY:
        yield Paragraph(sentences)
        yield Paragraph("")
    yield Paragraph("Outcomes", style="accent")
    for name, meaning in MEANINGS.items():
        yield Paragraph(meaning, f"{GLYPHS[name]} {name}", indent=13)
    yield Paragraph("")
    yield Paragraph("Words", style="accent")
    for word, meaning in _WORDS:
        yield Paragraph(meaning, word, indent=13)
