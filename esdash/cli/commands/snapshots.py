"""`esdash snapshot`: the stored snapshots of the state."""

from typing import TYPE_CHECKING, Any, Final

import click
from msgspec.structs import asdict

from esdash.cli.connect import open_log, require_writable
from esdash.cli.domains import fold_of, warn_of_another_domain
from esdash.cli.failures import BadInputError, FailedError
from esdash.cli.options import as_json, common_options, with_settings
from esdash.cli.output import (
    iso_time,
    local_time,
    new_table,
    number,
    print_json,
    print_tables,
    tell,
    warn,
    warn_of_edited,
    warn_of_partial_history,
    warn_of_rungs,
)
from esdash.cli.presence import absence, open_stream
from esdash.config import Settings
from esdash.counted import counted
from esdash.engine.consumer.consumer import Consumer, ConsumerSettings
from esdash.engine.operations.doctor import fault_of
from esdash.fold.folding import Fold
from esdash.log.snapshots import Header, SnapshotStore, Unreadable
from esdash.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterable


_MEMBERS: Final = (
    *("id", "last_event_id", "ordinal", "unseen", "confirmed", "created", "size", "chunks", "seconds", "digest"),
    *("domain", "version", "fingerprint", "owner", "rows", "condemned", "pinned", "usable", "reason"),
)
"""What is told of a snapshot; None where its header cannot be read."""


@click.group(no_args_is_help=False)
@common_options
def command() -> None:
    """List, take, show, delete snapshots."""


@command.command("list")
@as_json
@with_settings
def list_snapshots(settings: Settings, as_json: bool) -> None:
    """Show every stored snapshot, and why one cannot be used.

    Reads and checks each as a consumer does that restores it.
    """
    fold = fold_of(settings)
    with open_stream(settings) as log:
        store = SnapshotStore(log)
        headers = store.headers()
        documents = [_document(store, fold, header) for header in headers]
    if as_json:
        print_json(documents)
        return
    rows = [
        (
            visible(document["id"]),
            number(document["ordinal"]),
            visible(document["last_event_id"] or "–"),
            local_time(header.created_ms) if isinstance(header, Header) else "–",
            number(document["size"]),
            visible(document["domain"] or "–"),
            visible(document["version"] or "–"),
            number(document["unseen"]),
            _usable(document),
        )
        for header, document in zip(headers, documents, strict=True)
    ]
    columns = ("id", "left"), ("events", "right"), ("last event", "left"), ("taken", "left"), ("bytes", "right")
    more = ("domain", "left"), ("version", "left"), ("unseen", "right"), ("usable", "left")
    print_tables(new_table("Snapshots", [*columns, *more], rows))


@command.command()
@as_json
@with_settings
def take(settings: Settings, as_json: bool) -> None:
    """Fold up to the newest entry and store a snapshot, unless a good one is there already."""
    fold = fold_of(settings)
    require_writable(settings, "No snapshot was taken", fold)
    with open_log(settings) as log:
        warn_of_another_domain(log, fold)
        store = SnapshotStore(log)
        before = {header.snapshot_id for header in store.headers()}
        consumer = Consumer(log, fold, ConsumerSettings(once=True, watched=False))
        consumer.run()
        view = consumer.view
        warn_of_rungs(view.restored.rungs if view.restored else ())
        warn_of_partial_history(view.continuity.unseen_before_start if view.continuity else 0)
        warn_of_edited(view)
        for notice in view.notices:
            if notice.text != view.snapshot_note:  # which is told as the end of it
                warn(notice.text)
        if view.position.ordinal == 0:
            raise FailedError(f"No snapshot was taken: the stream is empty. {absence(log) or ''}".rstrip())
        header = next(
            (
                header
                for header in store.headers()
                if isinstance(header, Header) and view.snapshot and header.snapshot_id == view.snapshot.snapshot_id
            ),
            None,
        )
        if header is None or header.ordinal != view.position.ordinal:
            raise FailedError(view.snapshot_note or "No snapshot was taken.")
    taken = header.snapshot_id not in before
    if as_json:
        print_json(_facts(header) | {"taken": taken})
    else:
        tell(
            f"Snapshot {header.snapshot_id} at event {header.ordinal + header.unseen:,} ({header.last_event_id}), "
            f"{header.size:,} bytes{f', taken in {header.seconds * 1000:,.0f} ms' if taken else ', was there already'}."
        )


@command.command()
@click.argument("snapshot_id", metavar="ID")
@as_json
@with_settings
def show(settings: Settings, snapshot_id: str, as_json: bool) -> None:
    """Show one snapshot, what its state holds, and whether it can be used."""
    fold = fold_of(settings)
    with open_stream(settings) as log:
        store = SnapshotStore(log)
        header = next((header for header in store.headers() if header.snapshot_id == snapshot_id), None)
        if header is None:
            raise _no_snapshot(snapshot_id)
        document = _document(store, fold, header)
    if as_json:
        print_json(document)
    else:
        for name, value in document.items():
            tell(f"{name:<14} {_shown(value)}")


@command.command()
@click.argument("snapshot_ids", metavar="[ID...]", nargs=-1)
@click.option(
    "--version",
    "versions",
    metavar="VERSION",
    multiple=True,
    help="All that rules of this version made; `DOMAIN VERSION` where several domains have it.",
)
@as_json
@with_settings
def delete(settings: Settings, snapshot_ids: tuple[str, ...], versions: tuple[str, ...], as_json: bool) -> None:
    """Delete stored snapshots. Events are never deleted, so the state can be computed again."""
    require_writable(settings, "Nothing was deleted")
    if not snapshot_ids and not versions:
        raise click.UsageError("Name snapshots to delete, or a --version: `esdash snapshot list` shows both.")
    with open_stream(settings) as log:
        store = SnapshotStore(log)
        headers = {header.snapshot_id: header for header in store.headers()}
        for snapshot_id in snapshot_ids:
            if snapshot_id not in headers:
                raise _no_snapshot(snapshot_id)
        doomed = dict.fromkeys(snapshot_ids)
        for version in versions:
            doomed.update(dict.fromkeys(_made_by(version, headers.values())))
        for snapshot_id in doomed:
            store.delete(snapshot_id)
    if as_json:
        print_json({"deleted": list(doomed)})
    else:
        tell(f"Deleted {', '.join(doomed)}.")


def _made_by(version: str, headers: "Iterable[Header | Unreadable]") -> list[str]:
    """Ids of what rules of a version made. Raises FailedError for none, BadInputError for those of several domains."""
    stored = [header for header in headers if isinstance(header, Header)]
    named = [header for header in stored if f"{header.domain} {header.version}" == version]
    made = named or [header for header in stored if header.version == version]
    if not made:
        raise FailedError(f"There is no snapshot of version {visible(version)!r}.")
    domains = sorted({header.domain for header in made})
    if len(domains) > 1:
        which = " or ".join(f"--version '{visible(name)} {visible(version)}'" for name in domains)
        raise BadInputError(f"Several domains have a version {visible(version)}; nothing was deleted. Write {which}.")
    return [header.snapshot_id for header in made]


def _no_snapshot(snapshot_id: str) -> FailedError:
    return FailedError(f"There is no snapshot {visible(snapshot_id)!r}. `esdash snapshot list` shows those there are.")


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {count:,}" for name, count in value.items())
    return "–" if value is None else str(value)


def _document(store: SnapshotStore, fold: Fold, header: Header | Unreadable) -> dict[str, Any]:
    """What is known of a stored snapshot, the same members for each."""
    if not isinstance(header, Header):
        return {**dict.fromkeys(_MEMBERS), "id": header.snapshot_id, "usable": False, "reason": header.reason}
    reason, projection = fault_of(store, fold, header)
    rows = None
    if projection is not None:
        rows = {name: len(columns[0]) for name, columns in fold.cells_of(projection.state).items()}
    facts = _facts(header) | {"rows": rows, "usable": reason is None, "reason": reason}
    return {name: facts.get(name) for name in _MEMBERS}


def _usable(document: dict[str, Any]) -> str:
    if not document["usable"]:
        return f"no: {visible(document['reason'])}"
    without = f", without {counted(document['unseen'], 'entry', 'entries')} before" if document["unseen"] > 0 else ""
    return f"yes{without}{', kept for the archive' if document['pinned'] else ''}"


def _facts(header: Header) -> dict[str, Any]:
    told = asdict(header) | {
        "id": header.snapshot_id,
        "created": iso_time(header.created_ms),
        "pinned": header.pinned or None,
    }
    return {name: told[name] for name in _MEMBERS if name in told}
