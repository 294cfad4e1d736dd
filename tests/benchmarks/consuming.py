"""Runs of the consumer, each proven by ordinal and digest, and of the limit client."""

from tests.benchmarks.setting import Ended, Setting, run_module


def consume(setting: Setting, stream: str, count: int, digest: str, *options: str) -> Ended:
    """`esdash consume --once --no-snapshot`, which must arrive at `count` and `digest`."""
    where = ("--url", setting.server.url, "--stream", stream)
    ended = run_module("esdash", *where, "consume", "--once", "--no-snapshot", *options)
    prove(ended.json["ordinal"], ended.json["digest"], count, digest)
    return ended


def prove(ordinal: int, digest: str, expected_ordinal: int, expected_digest: str) -> None:
    """End the program when what was measured did not do its work."""
    if (ordinal, digest) != (expected_ordinal, expected_digest):
        raise SystemExit(f"What was measured is wrong: {ordinal} {digest}, not {expected_ordinal} {expected_digest}.")


def limit(setting: Setting, stream: str, count: int) -> float:
    """Entries a second that the limit client got."""
    _, seconds = run_module("tests.benchmarks.limit", setting.socket, stream).output.split()
    return count / float(seconds)
