"""What empty panels teach."""

from collections.abc import Iterator

from esdash.domain import Table
from esdash.fold.folding import Fold
from esdash.fold.schema import Field, Model
from esdash.ui.declared import Actions, label_of, model_of, title_of, visible_tables
from esdash.ui.tables.relation import text_of


def table_hint(fold: Fold, actions: Actions, table: Table, *, readonly: bool = False) -> tuple[str, ...]:
    """Lines that say how to fill a table; where nothing is published, only that it is empty."""
    title = title_of(table)
    first = f"No {title[:1].lower()}{title[1:]} yet."
    ways = [] if readonly else list(_ways(fold, actions, table))
    return (first, "", *ways) if ways else (first,)


def log_hint(fold: Fold, actions: Actions, *, readonly: bool = False) -> tuple[str, ...]:
    """Lines about the log, and how to fill it."""
    told = [
        "No events yet.",
        "",
        "Whatever is appended to the stream shows here,",
        "with what the consumer made of it.",
    ]
    if readonly:
        return tuple(told)
    if "demo_batch" in actions:
        keys = (actions.key("demo_batch"), actions.key("load"), actions.key("help"))
        told += ["", "Press {} for a demo batch, {} for a steady load, {} for help.".format(*keys)]
    elif fold.publishable:
        told += ["", f"Press {actions.key('events')} to publish one, {actions.key('help')} for help."]
    return tuple(told)


def example_of(fold: Fold) -> str:
    """A question to the log about a row, behind a comma; empty where there is no table."""
    for table in visible_tables(fold):
        return f", or {text_of(table, 7 if table.key is int else '…')}"
    return ""


def _ways(fold: Fold, actions: Actions, table: Table) -> Iterator[str]:
    samples = "demo_batch" in actions
    for name, event_type in actions.event_types.items():
        if _is_about(model_of(fold, event_type), table.name):
            key = actions.key(name)
            way = f"{key} for {label_of(event_type)}" if key else f"{actions.key('events')} for the list of events"
            yield f"Press {way}{',' if samples else '.'}"
            if samples:
                yield f"or {actions.key('demo_batch')} to publish a demo batch."
            return
    if samples:
        yield f"Press {actions.key('demo_batch')} to publish a demo batch."


def _is_about(model: Model, table: str) -> bool:
    return any(_names(field, table) for field in model.fields)


def _names(field: Field, table: str) -> bool:
    inner = field.element if field.element is not None else field
    return inner.about == table or (inner.record is not None and _is_about(inner.record, table))
