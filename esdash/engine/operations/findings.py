"""What was seen of a server and a log, judged: ok, a warning or a problem, and what to do."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from msgspec import Struct

from esdash.counted import counted
from esdash.log.continuity import Continuity, Verdict
from esdash.log.inspection import Inspection

MEMORY_LEFT: Final = (0.10, 0.25)
"""Shares of the memory limit: less than the first left is a problem, less than the second a warning."""

EXPIRING_SHOWN: Final = 5
"""So many keys that expire are named."""


class Status(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


class Finding(Struct, frozen=True):
    """One thing that was looked at."""

    name: str
    status: Status
    seen: str
    """What was seen, in a sentence."""
    advice: str = ""
    """What to do about it; empty when nothing is."""


def version_finding(server: Inspection) -> Finding:
    """Whether the server can do what esdash needs."""
    seen = f"{server.product} {server.version}{', in a cluster' if server.cluster else ''}."
    if server.product == "redis" and server.major_version < 7:
        return Finding(
            "server",
            Status.WARNING,
            seen,
            "Before Redis 7 a server does not count its entries: vanished ones would not be noticed. Use Redis 7, "
            "Valkey, or later.",
        )
    return Finding("server", Status.OK, seen)


def role_finding(server: Inspection) -> Finding:
    """Whether it takes writes."""
    if server.role == "master":
        return Finding("role", Status.OK, f"Primary with {server.replicas:,} replicas.")
    if not server.primary_link_up:
        return Finding("role", Status.PROBLEM, "A replica that does not hear its primary.", "Mend their connection.")
    return Finding(
        "role",
        Status.WARNING,
        "A replica: what it shows may lag behind, and it takes no events and no snapshots.",
        "Give the URL of the primary, unless you only want to look.",
    )


def persistence_finding(server: Inspection) -> Finding:
    """What outlives the end of the server."""
    if server.append_only and not server.append_only_sound:
        return Finding(
            "persistence",
            Status.PROBLEM,
            "The last write to the append-only file, or its last rewriting, failed.",
            "Look into the server's log and free some disk space.",
        )
    if server.append_only:
        lost = {
            "always": (Status.OK, "synced at every write: what was acknowledged survives a power cut", ""),
            "everysec": (Status.OK, "synced every second: a power cut may cost the last second of events", ""),
            "no": (
                Status.WARNING,
                "never synced by the server: a power cut may cost half a minute of events",
                "Set appendfsync to everysec or always.",
            ),
        }.get(server.append_fsync or "", (Status.OK, "how often it is synced, the server does not tell", ""))
        return Finding("persistence", lost[0], f"Append-only file on, {lost[1]}.", lost[2])
    if server.saves is False:
        return Finding(
            "persistence",
            Status.PROBLEM,
            "Neither an append-only file nor saving is on: when the server ends, every event is gone.",
            "Set appendonly to yes.",
        )
    if not server.save_sound:
        return Finding(
            "persistence", Status.PROBLEM, "The last saving of the data failed.", "Look into the server's log."
        )
    return Finding(
        "persistence",
        Status.WARNING,
        f"No append-only file. If the server crashed now, {server.unsaved_changes:,} changes since it last saved its "
        "data would be gone.",
        "Set appendonly to yes, unless losing the newest events is acceptable.",
    )


def durability_finding(server: Inspection) -> Finding:
    """What publishing can wait for."""
    ways = []
    if server.append_only and server.tells_synced:
        after = {
            "always": " (at once)",
            "everysec": " (within about a second)",
            "no": " (which may take half a minute)",
        }
        ways.append(f"synced{after.get(server.append_fsync or '', '')}")
    if server.replicas:
        ways.append(f"replicas:1 to replicas:{server.replicas}" if server.replicas > 1 else "replicas:1")
    without = []
    if not server.append_only:
        without.append("without an append-only file nothing is synced")
    elif not server.tells_synced:
        without.append("the server has no WAITAOF to tell what is synced")
    if not server.replicas:
        without.append("no replica follows")
    seen = (
        f"Publishing can wait for {' and '.join(ways)}" if ways else "Publishing can wait for nothing more than applied"
    )
    return Finding("durability", Status.OK, f"{seen}{'; ' if without else ''}{', '.join(without)}.")


def eviction_finding(server: Inspection) -> Finding:
    """Whether it deletes keys to make room."""
    policy = server.eviction_policy
    if policy == "noeviction":
        return Finding("eviction", Status.OK, "maxmemory-policy noeviction: nothing is deleted to make room.")
    if policy.startswith("volatile"):
        return Finding(
            "eviction",
            Status.WARNING,
            f"maxmemory-policy {policy}: keys with a time to live are deleted when memory runs short.",
            "Keys without one are safe, see expiry below; noeviction says so plainly.",
        )
    return Finding(
        "eviction",
        Status.PROBLEM if server.memory_limit else Status.WARNING,
        f"maxmemory-policy {policy}: any key, the stream too, may be deleted when memory runs short"
        f"{'' if server.memory_limit else ', though no limit is set now'}.",
        "Set maxmemory-policy to noeviction: a log must not be a cache.",
    )


def expiry_finding(stream: str, times: Mapping[str, int]) -> Finding:
    """Whether the server will delete a key by itself. `times` are milliseconds by key, of the keys that expire."""
    if not times:
        return Finding("expiry", Status.OK, "Neither the stream nor a snapshot expires.")
    soonest = sorted(times, key=lambda key: (key != stream, times[key]))
    seen = ", ".join(f"{key} in {duration(times[key] / 1000)}" for key in soonest[:EXPIRING_SHOWN])
    more = f" and {len(times) - EXPIRING_SHOWN} more" if len(times) > EXPIRING_SHOWN else ""
    return Finding(
        "expiry",
        Status.PROBLEM if stream in times else Status.WARNING,
        f"The server will delete {seen}{more}: somebody gave {'them' if len(times) > 1 else 'it'} a time to live.",
        f"Take it away: {', '.join(f'`PERSIST {key}`' for key in soonest[:EXPIRING_SHOWN])}"
        f"{', and so on' if more else ''}. Then look who set it with EXPIRE.",
    )


def memory_finding(server: Inspection) -> Finding:
    """How much room is left."""
    used = size(server.memory_used)
    limit = server.memory_limit or server.memory_of_machine
    if not limit:
        return Finding("memory", Status.OK, f"{used} used, no limit set.")
    left = 1 - server.memory_used / limit
    of_what = "its limit" if server.memory_limit else "the machine's memory; no limit is set"
    seen = f"{used} used of {size(limit)}, {of_what}."
    problem, warning = MEMORY_LEFT
    if left >= warning:
        return Finding("memory", Status.OK, seen)
    status = Status.PROBLEM if left < problem else Status.WARNING
    return Finding(
        "memory", status, seen, "When it is full, events are refused. Raise maxmemory, or archive and trim the stream."
    )


def continuity_finding(continuity: Continuity) -> Finding:
    """Whether the log holds everything after the newest snapshot."""
    seen = f"{continuity}. {continuity.explanation}".rstrip()
    if continuity.verdict is Verdict.GAP:
        return Finding(
            "continuity",
            Status.PROBLEM,
            seen,
            "Bring the entries back from a backup or a replica, or accept the loss: `esdash consume --from-start` "
            "computes the state of what is left.",
        )
    if continuity.verdict is Verdict.DIVERGED:
        return Finding(
            "continuity",
            Status.PROBLEM,
            seen,
            "A consumer goes back to the newest snapshot that still fits; publish again what was lost.",
        )
    if continuity.verdict is Verdict.UNKNOWN:
        return Finding("continuity", Status.WARNING, seen, "Use Redis 7, Valkey, or later.")
    if continuity.unseen_before_start > 0:
        return Finding(
            "continuity",
            Status.WARNING,
            f"{seen} Partial history: {entries(continuity.unseen_before_start)} were gone before esdash first read "
            "the stream.",
            "The state is that of what is left. Nothing to do, if the stream was trimmed on purpose.",
        )
    return Finding("continuity", Status.OK, f"{seen} Nothing between the snapshot and the newest entry is missing.")


def parked_finding(parked: int, reasons: str, known: int, left: int) -> Finding:
    """Entries that cannot be understood: of so many, `known` are listed, and `left` of those are open."""
    seen = f"{entries(parked)} cannot be understood: {reasons}."
    if known == parked:
        corrected = f"{known - left:,} corrected" if left < known else "none corrected"
        seen += f" {left:,} open, {corrected}." if left else " Every one of them is corrected."
    elif known:
        seen += f" Open: {left:,} of the {known:,} newest that are still in the stream; of the others nothing is known."
    else:
        seen += " None of them is in the stream any more."
    if not left:
        return Finding("parked", Status.OK, seen)
    return Finding(
        "parked",
        Status.WARNING,
        seen,
        "`esdash events --outcome parked` shows them. They change nothing and stay in the stream; publish what they "
        "meant in the dashboard's list of them, or with `esdash publish … --key corrects:ID`.",
    )


def entries(count: int) -> str:
    """`1 entry`, `2 entries`."""
    return counted(count, "entry", "entries")


def duration(seconds: float) -> str:
    """`5 minutes`."""
    for one, unit in ((86_400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * one:
            return f"{seconds / one:,.0f} {unit}"
    whole = round(max(0.0, seconds))
    return counted(whole, "second", "seconds")


def size(count: int) -> str:
    """`1.5 MiB`."""
    for one, unit in ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
        if count >= one:
            return f"{count / one:,.1f} {unit}"
    return f"{count:,} bytes"
