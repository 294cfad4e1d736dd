"""A log swapped for another one with the same counts: no page of it is ever applied to the state of the first."""

from collections.abc import Callable, Sequence

import pytest
import redis

from esdash.engine.consumer import replaying
from esdash.engine.consumer.consumer import Consumer, ConsumerSettings
from esdash.engine.moments.history import History
from esdash.engine.shown.view import Phase, Verdict
from esdash.fold.folding import Entry, Told
from esdash.fold.state import State
from esdash.log.servers.server import Server
from esdash.log.snapshots import Header, SnapshotStore
from esdash.log.stream import PAGE, Stream
from tests.domains.ways import Present
from tests.engine.running import STREAM, RunningConsumer, document, expected, sound
from tests.servers import RunningServer
from tests.waiting import eventually

pytestmark = [pytest.mark.two_generations, pytest.mark.usefixtures("any_domain"), pytest.mark.counts_entries]

OTHER = "elsewhere"


def write(client: redis.Redis, stream: str, first: int, last: int, amount: int = 100) -> None:
    """Entries with the ids first-0 … last-0."""
    with client.pipeline(transaction=False) as pipeline:
        for number in range(first, last + 1):
            pipeline.xadd(stream, sound(number, amount), id=f"{number}-0")
        pipeline.execute()


def write_another_history(client: redis.Redis, stream: str, common: int, last: int) -> None:
    """As many entries as `last`, of which all but the first `common` are others; the two after those lie between."""
    write(client, stream, 1, common)
    for sequence in (1, 2):
        client.xadd(stream, sound(3, 7_000), id=f"{common}-{sequence}")
    write(client, stream, common + 3, last, amount=900)


def rename(client: redis.Redis) -> None:
    """The other log in the place of the first."""
    client.rename(OTHER, STREAM)


def restore(client: redis.Redis) -> None:
    """The same by RESTORE … REPLACE."""
    saved = client.dump(OTHER)
    assert saved is not None
    client.restore(STREAM, 0, saved, replace=True)


def swap_databases(client: redis.Redis) -> None:
    """The same with the whole database."""
    client.execute_command("COPY", OTHER, STREAM, "DB", 1, "REPLACE")
    client.execute_command("SWAPDB", 0, 1)


SWAPS = [rename, restore, swap_databases]


class SwappingFold(Present):
    """Has the log swapped while its first page is folded."""

    def __init__(self, swap: Callable[[], object]) -> None:
        super().__init__()
        self._swap: Callable[[], object] | None = swap

    def _swap_once(self) -> None:
        if self._swap is not None:
            swap, self._swap = self._swap, None
            swap()

    def fold(self, state: State, entries: Sequence[Entry], tell: list[Told] | None = None) -> bytes:
        self._swap_once()
        return super().fold(state, entries, tell)

    def fold_packed(self, state: State, packed: bytes) -> bytes:
        self._swap_once()
        return super().fold_packed(state, packed)


@pytest.fixture(autouse=True)
def one_database_left(client: redis.Redis) -> None:
    client.flushall()


@pytest.mark.parametrize("swap", SWAPS)
def test_while_live_is_noticed_before_its_next_entry_is_applied(
    url: str, client: redis.Redis, swap: Callable[[redis.Redis], None]
) -> None:
    write(client, STREAM, 1, 8)
    with RunningConsumer(url) as consumer:
        consumer.until_live("8-0")
        # The swap and what follows it come as one page.
        write_another_history(client, OTHER, 6, 12)
        swap(client)
        consumer.until_live("12-0")
    log = Stream(Server(url), STREAM)
    assert consumer.document == expected(log)
    assert any("Going back" in notice.text for notice in consumer.view.notices)
    assert_snapshots_hold(log)
    log.server.close()


@pytest.mark.parametrize("swap", SWAPS)
def test_without_new_entries_is_noticed_all_the_same(
    url: str, client: redis.Redis, swap: Callable[[redis.Redis], None]
) -> None:
    write(client, STREAM, 1, 8)
    with RunningConsumer(url) as consumer:
        consumer.until_live("8-0")
        write(client, OTHER, 1, 7)
        client.xadd(OTHER, sound(5, 300), id="8-0")
        swap(client)
        consumer.until(lambda view: any("Going back" in notice.text for notice in view.notices))
        consumer.until_live("8-0")
    log = Stream(Server(url), STREAM)
    assert consumer.document == expected(log)
    log.server.close()


@pytest.mark.domains_in_turn
@pytest.mark.parametrize("far", [1, 1_000_000], ids=["read ahead", "read here"])
@pytest.mark.parametrize("swap", SWAPS)
def test_in_the_middle_of_a_replay_is_noticed(
    url: str, client: redis.Redis, monkeypatch: pytest.MonkeyPatch, swap: Callable[[redis.Redis], None], far: int
) -> None:
    monkeypatch.setattr(replaying, "FAR", far)
    count = 6 * PAGE
    write(client, STREAM, 1, count)
    # Wherever a page ends, the entries before it are others.
    write_another_history(client, OTHER, 10, count)
    log = Stream(Server(url), STREAM)
    consumer = Consumer(log, SwappingFold(lambda: swap(client)), ConsumerSettings(once=True))
    consumer.run()
    assert consumer.projection is not None
    assert document(consumer.projection) == expected(log)
    assert_snapshots_hold(log)
    log.server.close()


@pytest.mark.parametrize("swap", SWAPS)
def test_while_the_state_is_asked_for_is_never_called_continuous(
    url: str, client: redis.Redis, swap: Callable[[redis.Redis], None]
) -> None:
    count = 4 * PAGE
    write(client, STREAM, 1, count)
    write_another_history(client, OTHER, 10, count)
    log = Stream(Server(url), STREAM)
    projection, continuity = History(log, SwappingFold(lambda: swap(client))).at()
    assert continuity.verdict is Verdict.DIVERGED
    assert projection.ordinal < count
    projection, continuity = History(log, Present()).at()
    assert continuity.verdict is Verdict.CONTINUOUS
    assert document(projection) == expected(log)
    log.server.close()


@pytest.mark.domains_in_turn
def test_by_a_split_in_which_each_side_takes_as_many_entries_is_healed(
    new_server: Callable[..., RunningServer],
) -> None:
    left = new_server(port=True)
    right = new_server(port=True, replica_of=left)
    with left.client() as one, right.client() as other:
        write(one, STREAM, 1, 10)
        eventually(lambda: other.xlen(STREAM) == 10)
        with RunningConsumer(left.url) as consumer:
            consumer.until_live("10-0")
            other.execute_command("REPLICAOF", "NO", "ONE")
            write(one, STREAM, 11, 12)
            consumer.until_live("12-0")
            write(other, STREAM, 13, 14, amount=900)
            one.execute_command("REPLICAOF", "127.0.0.1", right.port)
            eventually(lambda: one.info("replication")["master_link_status"] == "up", timeout=30)
            write(other, STREAM, 15, 16)
            consumer.until(lambda view: view.phase is Phase.LIVE and view.position.last_event_id == "16-0")
    # Its farewell snapshot was refused by the replica that its server has become.
    log = Stream(Server(right.url), STREAM)
    assert consumer.document == expected(log)
    assert [row.entry_id for row in consumer.view.orphans] == [b"11-0", b"12-0"]
    log.server.close()


def assert_snapshots_hold(log: Stream) -> None:
    """Every stored snapshot is that of the present log at its position."""
    stored = list(SnapshotStore(log).headers())
    assert stored
    for header in stored:
        assert isinstance(header, Header)
        projection, continuity = History(log, Present()).at(header.last_event_id.encode(), ignore_snapshots=True)
        assert (projection.ordinal, continuity.verdict) == (header.ordinal, Verdict.CONTINUOUS)
        assert Present().digest(projection.state) == header.digest
