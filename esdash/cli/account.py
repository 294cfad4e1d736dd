"""Where an account of entries begins, and what a person should know about that."""

from esdash.cli.output import warn, warn_of_edited
from esdash.counted import counted
from esdash.engine.moments.history import Beginning


def warn_of_beginning(beginning: Beginning, *, ranged: bool = False) -> None:
    """Say what is left out, and whether something was gone before the stream was first read.

    With `ranged`, how to ask for what is left by --from.
    """
    if beginning.snapshot_id is not None:
        warn(_what_is_left_out(beginning, ranged=ranged))
    warn_of_what_is_left(beginning.projection.unseen)
    warn_of_edited(beginning.projection)


def warn_of_what_is_left(unseen: int) -> None:
    """Say whether something was gone before the stream was first read."""
    if unseen > 0:
        gone = counted(unseen, "entry was", "entries were")
        warn(f"Partial history: {gone} gone, and what is shown is the fold of those that are left.")


def _what_is_left_out(beginning: Beginning, *, ranged: bool) -> str:
    asked = f": --from snapshot:{beginning.snapshot_id}" if ranged else ""
    shown = f"Shown is what came after #{beginning.number:,}{asked}."
    if not beginning.left_out:
        return f"Entries up to #{beginning.number:,} are gone from the stream. {shown}"
    still_there = counted(beginning.left_out, "entry that is", "entries that are")
    return f"What became of {still_there} still in the stream cannot be told, since others are gone. {shown}"
