"""The line of keys at the bottom: as many as have room, made from the registry of actions."""

from collections.abc import Mapping, Sequence

from textual import events

from esdash.ui.actions import Action, Scope
from esdash.ui.declared import Actions
from esdash.ui.paint.painted import Chunk, Line, PaintedLines, Span, join


class KeyBar(PaintedLines):
    """Keys and what they do; a click does it."""

    DEFAULT_CSS = """
    KeyBar { height: 1; padding: 0 1; background: $panel; &:ansi { background: ansi_default; } }
    """

    def __init__(self, actions: Actions, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._actions = actions
        self._readonly = False
        self._labels: dict[str, str] = {}
        self._extra: tuple[str, ...] = ()

    def relabel(self, labels: Mapping[str, str], extra: Sequence[str] = (), *, readonly: bool = False) -> None:
        """Say what some actions do just now; `extra` actions come first although they are not shown as a rule.

        An action whose label is empty does nothing now, and is left out.
        """
        if labels != self._labels or tuple(extra) != self._extra or readonly is not self._readonly:
            self._labels = dict(labels)
            self._extra = tuple(extra)
            self._readonly = readonly
            self.sync()

    def lines(self, width: int) -> Sequence[Line]:
        """One line."""
        return (join([chunk for _, chunk in self._chunks()], width, "  "),)

    def on_click(self, event: events.Click) -> None:
        """Do what was clicked."""
        chunks = self._chunks()
        shown = join([chunk for _, chunk in chunks], self.size.width, "  ")
        x = event.x - self.styles.padding.left
        for action, chunk in chunks:
            if chunk.spans[0] not in shown:
                continue
            if 0 <= x < chunk.width:
                self.app.run_worker(
                    self.app.run_action(action.action, self.app if action.scope is Scope.APP else self.screen),
                    name="clicked key",
                )
                return
            x -= chunk.width + 2

    def _chunks(self) -> list[tuple[Action, Chunk]]:
        offered = [action for action in self._actions.offered(self._readonly) if action.shown]
        shown = [self._actions[name] for name in self._extra]
        shown += [action for action in offered if action.id not in self._extra]
        chunks = []
        for rank, action in enumerate(shown):
            label = self._labels.get(action.id, action.label)
            key = action.name(self._actions.keymap)
            if label and key:
                kept = action.id in ("help", "quit") or action.id in self._extra
                chunks.append((action, Chunk((Span(key, "accent"), Span(f" {label}")), 0 if kept else rank + 1)))
        return chunks
