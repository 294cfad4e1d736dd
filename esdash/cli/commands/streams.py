"""`esdash streams`: the streams of a server, or of all nodes of a cluster."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import click
from msgspec.structs import asdict

from esdash.cli.connect import open_log
from esdash.cli.failures import ExitCode
from esdash.cli.options import as_json, with_settings
from esdash.cli.output import iso_time, local_time, new_table, number, print_json, print_tables, tell, warn
from esdash.config import Settings
from esdash.engine.operations.streams import StreamSummary
from esdash.engine.operations.survey import MOST_KEYS, survey
from esdash.log.servers.nodes import is_cluster
from esdash.log.survey import Group
from esdash.visible import visible

if TYPE_CHECKING:
    from rich.table import Table


DEAD_MS: Final = 15 * 60 * 1000
"""A consumer of a group that has not asked for so long is called dead where it has entries that wait."""


@click.command()
@click.argument("pattern", required=False)
@click.option("--keys", "most", type=click.IntRange(min=1), metavar="N",
    help="Look at so many keys of each node, at most.  [1000000]")  # fmt: skip
@as_json
@with_settings
def command(settings: Settings, pattern: str | None, most: int | None, as_json: bool) -> None:
    """Show the streams of the server.

    How long each is and how fast it grows, what it takes, how far its best snapshot is behind and whether anything is
    missing since, who takes the snapshots, and the consumer groups that read it: their lag, and what they have not
    acknowledged. Of a cluster, those of all its nodes.

    PATTERN chooses names, such as 'orders*'. Without it there are those that the setting `streams` lists, else all.
    What the server cannot tell is a dash, or null; a lag that is not known is never 0. What is left out is said on
    stderr; exit code 5 where a node of the cluster does not answer. Reads only.
    """
    listed = settings.streams if pattern is None else ()
    with open_log(settings) as log:
        clustered = is_cluster(log.server)
        found = survey(log.server, time.time, listed=listed, pattern=pattern or "*", most=most or MOST_KEYS)
    if as_json:
        print_json({"streams": [_document(each) for each in found.streams], "whole": found.whole})
    elif found.streams:
        tables = [_streams(found.streams, clustered=clustered)]
        if any(each.readers.groups for each in found.streams):
            tables.append(_groups(found.streams))
        if idempotent := [
            each for each in found.streams if each.readers.idempotence and each.readers.idempotence.added
        ]:
            tables.append(_idempotent(idempotent))
        print_tables(*tables)
    else:
        tell("There is no such stream.")
    for sentence in found.told:
        warn(sentence)
    if found.lost:
        raise click.exceptions.Exit(ExitCode.UNREACHABLE)


def _document(stream: StreamSummary) -> dict[str, Any]:
    return {
        "stream": stream.name,
        "node": stream.node,
        "length": stream.length,
        "entries_added": stream.entries_added,
        "first_event_id": stream.first_id,
        "last_event_id": stream.last_id,
        "events_per_second": None if stream.rate is None else round(stream.rate, 3),
        "memory": stream.memory,
        "expires_in_ms": stream.expires_ms,
        "domain": stream.domain,
        "snapshot": stream.snapshot_id,
        "snapshot_time": None if stream.snapshot_ms is None else iso_time(stream.snapshot_ms),
        "behind": stream.behind,
        "continuity": stream.continuity,
        "keeper": stream.keeper,
        "groups": [_group(each) for each in stream.readers.groups],
        "idempotent": None if stream.readers.idempotence is None else asdict(stream.readers.idempotence),
    }


def _group(group: Group) -> dict[str, Any]:
    return {
        "group": group.name,
        "last_delivered_id": group.last_delivered_id,
        "entries_read": group.entries_read,
        "lag": group.lag,
        "pending": group.pending,
        "nacked": group.nacked,
        "gone": group.gone,
        "consumers": [
            {
                "consumer": each.name,
                "pending": each.pending,
                "idle_ms": each.idle_ms,
                "inactive_ms": each.inactive_ms,
                "dead": _is_dead(each.pending, each.idle_ms),
            }
            for each in group.consumers
        ],
    }


def _streams(streams: Sequence[StreamSummary], *, clustered: bool) -> "Table":
    names = (("stream", "left"), ("node", "left")) if clustered else (("stream", "left"),)
    columns = ("entries", "right"), ("a second", "right"), ("last", "left"), ("bytes", "right")
    more = ("expires", "left"), ("domain", "left"), ("snapshot", "left"), ("behind", "right"), ("", "left")
    rows = [
        (
            visible(each.name, 60),
            *([visible(each.node or "–", 60)] if clustered else []),
            number(each.length),
            "–" if each.rate is None else f"{each.rate:,.1f}",
            local_time(int(each.last_id.partition("-")[0])) if each.entries_added != 0 else "–",
            number(each.memory),
            "never" if each.expires_ms is None else f"in {each.expires_ms / 1000:,.0f} s",
            visible(each.domain or "–", 40),
            "–" if each.snapshot_ms is None else local_time(each.snapshot_ms),
            number(each.behind),
            visible(each.continuity or "", 30),
        )
        for each in streams
    ]
    return new_table("Streams", [*names, *columns, *more], rows)


def _groups(streams: Sequence[StreamSummary]) -> "Table":
    nacked = any(group.nacked is not None for stream in streams for group in stream.readers.groups)
    columns = ("stream", "left"), ("group", "left"), ("lag", "right"), ("pending", "right")
    more = ("gone", "right"), ("consumers", "right"), ("dead", "right")
    rows = [
        (
            visible(stream.name, 60),
            visible(group.name, 60),
            "unknown" if group.lag is None else f"{group.lag:,}",
            number(group.pending),
            *([number(group.nacked)] if nacked else []),
            number(group.gone),
            number(len(group.consumers)),
            number(sum(_is_dead(each.pending, each.idle_ms) for each in group.consumers)),
        )
        for stream in streams
        for group in stream.readers.groups
    ]
    return new_table("Consumer groups", [*columns, *([("nacked", "right")] if nacked else []), *more], rows)


def _idempotent(streams: Sequence[StreamSummary]) -> "Table":
    columns = ("stream", "left"), ("added", "right"), ("sent again", "right"), ("producers", "right")
    more = ("remembered", "right"), ("of each", "right"), ("seconds", "right")
    rows = [
        (
            visible(stream.name, 60),
            *map(number, (told.added, told.duplicates, told.producers, told.tracked, told.most, told.seconds)),
        )
        for stream in streams
        if (told := stream.readers.idempotence)
    ]
    return new_table("Idempotent adds", [*columns, *more], rows)


def _is_dead(pending: int, idle_ms: int) -> bool:
    return pending > 0 and idle_ms >= DEAD_MS
