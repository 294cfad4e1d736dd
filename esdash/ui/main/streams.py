"""The streams of the server, or of all nodes of the cluster: to compare them, and to open another one."""

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, Final

from msgspec import Struct
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from esdash.counted import counted
from esdash.ui.asking import Asking
from esdash.ui.paint.drawing import age, clock_time, milliseconds_of, rate
from esdash.ui.paint.painted import Span, ToldLines
from esdash.ui.tables.columns import Cell, Column, Kind
from esdash.ui.tables.line_table import LineTable
from esdash.ui.tables.lines import MadeLines
from esdash.ui.tables.table_dialog import TableDialog
from esdash.visible import visible

if TYPE_CHECKING:
    from esdash.engine.operations.streams import StreamSummary
    from esdash.engine.operations.survey import Survey


class StreamBoard(Struct, frozen=True):
    """Where the screen has its lines from."""

    look: "Callable[[], Survey]"
    """Looks at the streams there are. Blocks, raises EngineError."""
    clustered: bool = False
    """Whether they may be on several nodes."""


NODE: Final = Column("node", "node", least=9, rank=1)
"""Stands beside the name where there are several."""

COLUMNS: Final = (
    Column("name", "stream", least=10, stretch=2),
    Column("length", "entries", Kind.NUMBER),
    Column("rate", "rate", Kind.NUMBER, rank=4),
    Column("last", "last", least=11, rank=5),
    Column("memory", "KiB", Kind.NUMBER, rank=7),
    Column("domain", "domain", least=6, rank=3),
    Column("snapshot", "snapshot", Kind.NUMBER, rank=6),
    Column("behind", "behind", Kind.NUMBER, rank=2),
    Column("groups", "groups", least=12, stretch=1, rank=1),
)


TOLD: Final = 3
"""Sentences about what is left out that have room above the lines."""


class StreamsScreen(TableDialog[str]):
    """Left with Enter, it gives the name of the stream that was chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "look", "Look again", show=False),
    ]
    AUTO_FOCUS = "#streams"
    CSS: ClassVar = """
    StreamsScreen #dialog { max-width: 160; }
    StreamsScreen #summary { height: 1; margin-bottom: 1; }
    StreamsScreen.-short #summary { margin: 0; }
    """

    def __init__(self, board: StreamBoard, shown: str, wall_clock: Callable[[], float]) -> None:
        """`shown` is the stream that the dashboard shows."""
        super().__init__()
        self._board = board
        self._shown = shown
        self._wall_clock = wall_clock
        self._asking = Asking(self, "streams")
        self._summary = ToldLines(id="summary")
        self._source = MadeLines((COLUMNS[0], NODE, *COLUMNS[1:]) if board.clustered else COLUMNS)
        self._table = LineTable(self._source, id="streams")

    def compose(self) -> ComposeResult:
        with self.frame("Streams", "↑↓ choose · Enter opens it · r looks again · Esc back"):
            yield self._summary
            yield self._table

    def on_mount(self) -> None:
        self.action_look()

    def action_look(self) -> None:
        self._tell(Span("looking at the keys of the server …", "dim"))
        self._asking.ask(lambda _: self._board.look(), self._came, self._failed)

    def action_open(self) -> None:
        chosen = self._table.selected
        if isinstance(chosen, str):
            self.dismiss(None if chosen == self._shown else chosen)

    def _failed(self, why: str) -> None:
        self._tell(Span(visible(why, 300), "warning"))

    def _came(self, found: "Survey") -> None:
        now = self._wall_clock()
        self._source.show([(each.name, self._cells(each, now)) for each in found.streams])
        self._table.sync()
        told = (
            found.told if len(found.told) <= TOLD else [*found.told[: TOLD - 1], f"… {len(found.told) - TOLD + 1} more"]
        )
        self._tell(
            Span(counted(len(found.streams), "stream", "streams"), "strong"),
            *(Span(visible(sentence, 300), "warning") for sentence in told),
        )

    def _tell(self, *spans: Span) -> None:
        """A line each."""
        self._summary.styles.height = len(spans)
        self._summary.tell(*((span,) for span in spans))

    def _cells(self, stream: "StreamSummary", now: float) -> tuple[Cell, ...]:
        whole = stream.continuity in (None, "CONTINUOUS")
        behind = "–" if stream.behind is None else f"{stream.behind:,}"
        return (
            Cell(("● " if stream.name == self._shown else "  ") + visible(stream.name, 80), "strong"),
            *([Cell(visible(stream.node or "–", 60))] if self._board.clustered else []),
            Cell(f"{stream.length:,}"),
            Cell("–" if stream.rate is None else rate(stream.rate)),
            Cell(clock_time(milliseconds_of(stream.last_id), now) if stream.entries_added != 0 else "–", "dim"),
            Cell("–" if stream.memory is None else f"{stream.memory / 1024:,.0f}", "dim"),
            Cell(visible(stream.domain or "–", 40)),
            Cell("–" if stream.snapshot_ms is None else f"{age(now - stream.snapshot_ms / 1000)} ago", "dim"),
            Cell(behind if whole else f"✗ {stream.continuity} {behind}", "" if whole else "bad"),
            _groups(stream),
        )


def _groups(stream: "StreamSummary") -> Cell:
    """Of each group its lag, unknown where the server cannot tell, and what was given back."""
    told = [
        f"{visible(each.name, 30)} {'lag ?' if each.lag is None else f'lag {each.lag:,}'}"
        + (f" nacked {each.nacked:,}" if each.nacked else "")
        for each in stream.readers.groups
    ]
    gone = any(each.gone for each in stream.readers.groups)
    return Cell(", ".join(told), "warning" if gone else "")
