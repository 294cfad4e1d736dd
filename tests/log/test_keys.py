"""esdash's keys beside a stream: in its slot whatever its name, and never another stream's."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
import redis
from hypothesis import example, given
from hypothesis import strategies as st
from redis.crc import key_slot

from esdash.log.keys import SLOTS, key_prefix
from tests.servers import RunningServer

names = st.text(st.sampled_from("{}:ab0"), max_size=8) | st.text(max_size=12)
"""Names of streams, most of them of what decides about slots."""

rests = st.sampled_from(["snapshots", "lease", "snapshot:7-0a1b2c3d"])
"""What follows the prefix."""


@pytest.mark.parametrize(
    ("stream", "prefix"),
    [
        ("orders", "esdash:{orders}:"),
        ("or{ders", "esdash:{or{ders}:"),
        ("shop:{7}:orders", "esdash::shop:{7}:orders:"),
        ("{orders}", "esdash::{orders}:"),
    ],
)
def test_an_ordinary_name_is_the_tag_or_keeps_its_own(stream: str, prefix: str) -> None:
    assert key_prefix(stream) == prefix


@given(names, rests, names, rests)
def test_no_two_streams_share_a_key(stream: str, rest: str, other: str, other_rest: str) -> None:
    assert (key_prefix(stream) + rest == key_prefix(other) + other_rest) == ((stream, rest) == (other, other_rest))


def test_every_slot_has_a_number() -> None:
    for slot in range(0, SLOTS, 997):
        name = next(name for number in count() if key_slot((name := f"}}{number}").encode()) == slot)
        assert key_slot(key_prefix(name).encode()) == slot


@pytest.fixture(scope="module")
def node(server_binary: Path) -> Iterator[redis.Redis]:
    """A client of a node of a cluster. It serves no slot, but knows them."""
    server = RunningServer(server_binary, port=True, cluster_enabled="yes", appendonly="no")
    with server.client() as client:
        yield client
    server.close()


@given(names, rests)
@example("{}", "lease")
@example("x{}y", "lease")
@example("a}b{c", "lease")
@example("{}{orders}", "lease")
@example("", "lease")
def test_a_real_server_finds_them_in_the_streams_slot_whatever_its_name(
    node: redis.Redis, stream: str, rest: str
) -> None:
    slot = node.execute_command("CLUSTER KEYSLOT", stream)
    assert node.execute_command("CLUSTER KEYSLOT", key_prefix(stream) + rest) == slot
