"""Copies the line under a panel's cursor."""

from typing import Any

from textual.app import App

from esdash.fold.folding import Fold
from esdash.ui.clipboard import copy
from esdash.ui.messages import tell
from esdash.ui.paint.payload import too_large
from esdash.ui.tables.log_source import LogSource
from esdash.ui.tables.panel import Panel
from esdash.words.entries import payload_of, type_of


def copy_line(app: App[Any], fold: Fold, panel: Panel) -> None:
    """Put a row's cells, or an event's id, type and payload, on the clipboard, and say so; or why that cannot be."""
    table, source = panel.table, panel.source
    if table.selected is None:
        return
    if isinstance(source, LogSource):
        row = source.row(table.cursor)
        if row is None:
            tell(app, "This entry is still being read.")
            return
        if why_not := too_large(row, "copied"):
            tell(app, why_not, "warning")
            return
        payload = payload_of(fold, row.fields).decode("utf-8", "backslashreplace")
        entry_id = row.entry_id.decode("utf-8", "backslashreplace")
        text = f"{entry_id} {type_of(fold, row.fields)} {payload}"
        copy(app, text, "The event's id, type and payload are copied.")
    else:
        cells = source.cells(table.cursor)[:-2]  # without what changed it last, and when
        text = " ".join(cell.text for cell in cells if cell.text)
        copy(app, text, "The line is copied.")
