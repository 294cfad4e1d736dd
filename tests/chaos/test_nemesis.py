"""The nemesis itself: what it draws, what it finds when something is wrong, and that it finds nothing."""

import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from esdash.engine.projection import Projection
from esdash.log import continuity
from esdash.log.continuity import Continuity, Standing, Verdict
from esdash.log.facts import Evidence
from tests.chaos.nemesis.operations import OPERATIONS
from tests.chaos.nemesis.running import Failure, Nemesis
from tests.chaos.nemesis.schedule import Operation, Schedule, draw
from tests.chaos.nemesis.shrink import shrink
from tests.chaos.nemesis.truth import TrueLog, looks_like, text

SWAP = (
    "plain,1000,50000,20000 append:3,1;consume:0;snapshot:0;settle;dump;append:2,2;settle;atomic:3;restore;append:2,5;"
    "append:1,6;settle"
)
"""A log with as many entries in the place of another."""

TRIM = "plain,1000,50000,20000 append:2,1;consume:0;settle;append:1,2;snapshot:0;atomic:2;append:5,3;trim:2;settle"
"""Entries that leave before they are read."""


@pytest.fixture(scope="module")
def nemesis(server_binary: Path) -> Iterator[Nemesis]:
    with Nemesis(server_binary) as nemesis:
        yield nemesis


def shortest(nemesis: Nemesis, failure: Failure) -> Schedule:
    """The same failure with the fewest operations."""

    def fails(schedule: Schedule) -> bool:
        again = nemesis.run(schedule)
        return again is not None and again.kind == failure.kind

    return shrink(failure.schedule, fails)


class TestSchedules:
    def test_are_the_same_for_the_same_seed(self) -> None:
        assert [draw(seed) for seed in range(50)] == [draw(seed) for seed in range(50)]

    def test_are_read_as_they_were_written(self) -> None:
        for seed in range(200):
            assert Schedule.parse(str(draw(seed))) == draw(seed)

    def test_have_every_operation_among_them(self) -> None:
        drawn = {operation.name for seed in range(3000) for operation in draw(seed).operations}
        assert drawn == set(OPERATIONS)

    def test_are_shrunk_to_what_matters(self) -> None:
        schedule = Schedule("plain", 3, 60, 3, tuple(Operation(name, (5, 9)) for name in "abcdefghij"))

        def fails(attempt: Schedule) -> bool:
            numbers = {operation.name: operation.numbers for operation in attempt.operations}
            return "c" in numbers and "h" in numbers and numbers["h"][0] > 1

        assert str(shrink(schedule, fails)) == "plain,1000,50000,20000 c:0,0;h:2,0"


class TestWhatNobodyCouldTell:
    """A log that passes for the continuation of another is not made."""

    @staticmethod
    def log(*payloads: bytes) -> TrueLog:
        log = TrueLog()
        for number, payload in enumerate(payloads, 1):
            log.append(text((number, 0)), [b"data", payload])
        return log

    def test_a_log_that_stands_can_be_told_by_its_anchor(self) -> None:
        log, foreign = self.log(b"a", b"b", b"c"), self.log(b"a", b"x")
        assert looks_like(log, foreign.history, [frozenset()]) is None

    def test_a_log_that_was_trimmed_as_far_as_a_foreign_state_had_come_cannot(self) -> None:
        log, foreign = self.log(b"a", b"b", b"c"), self.log(b"a", b"x")
        log.trim(1)
        assert looks_like(log, foreign.history, [frozenset()]) == 2

    def test_one_that_was_trimmed_further_can_be_told_by_its_count(self) -> None:
        log, foreign = self.log(b"a", b"b", b"c", b"d"), self.log(b"a", b"x")
        log.trim(1)
        assert looks_like(log, foreign.history, [frozenset()]) is None
        assert looks_like(log, foreign.history, [frozenset()], counted=False) == 2


class TestPlantedFaults:
    """It finds what is wrong, and says it in few operations."""

    def test_a_swapped_log_is_told_when_nobody_looks_at_the_anchor(
        self, nemesis: Nemesis, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        judge = continuity.judge

        def blind(standing: Standing, evidence: Evidence, *, must_stand: bool = False) -> Continuity | None:
            return judge(replace(standing, anchor=None), evidence, must_stand=must_stand)

        assert nemesis.run(Schedule.parse(SWAP)) is None
        monkeypatch.setattr(continuity, "judge", blind)
        failure = nemesis.run(Schedule.parse(SWAP))
        assert failure is not None
        assert failure.kind == "wrong"
        assert len(shortest(nemesis, failure).operations) <= 7

    def test_a_gap_that_nobody_mentions(self, nemesis: Nemesis, monkeypatch: pytest.MonkeyPatch) -> None:
        judge = continuity.judge

        def careless(standing: Standing, evidence: Evidence, *, must_stand: bool = False) -> Continuity | None:
            found = judge(standing, evidence, must_stand=must_stand)
            return replace(found, verdict=Verdict.CONTINUOUS) if found and found.verdict is Verdict.GAP else found

        monkeypatch.setattr(continuity, "judge", careless)
        failure = nemesis.run(Schedule.parse(TRIM))
        assert failure is not None
        assert failure.kind == "wrong"
        assert len(shortest(nemesis, failure).operations) <= 7

    def test_an_alarm_without_a_cause(self, nemesis: Nemesis, monkeypatch: pytest.MonkeyPatch) -> None:
        judge = continuity.judge

        def anxious(standing: Standing, evidence: Evidence, *, must_stand: bool = False) -> Continuity | None:
            return (
                Continuity(Verdict.GAP, 1) if standing.ordinal > 3 else judge(standing, evidence, must_stand=must_stand)
            )

        monkeypatch.setattr(continuity, "judge", anxious)
        failure = nemesis.run(Schedule.parse("plain,1000,50000,20000 consume:0;append:9,1;settle"))
        assert failure is not None
        assert failure.kind == "false alarm"

    def test_an_entry_that_is_applied_twice(self, nemesis: Nemesis, monkeypatch: pytest.MonkeyPatch) -> None:
        apply = Projection.apply

        def stuttering(projection: Projection, page: Any, *told: Any) -> bytes:
            if len(page) == 3:
                projection.domain.fold(projection.state, page[:1])
            return apply(projection, page, *told)

        monkeypatch.setattr(Projection, "apply", stuttering)
        failure = nemesis.run(Schedule.parse("plain,1000,50000,20000 append:2,1;consume:0;settle"))
        assert failure is not None
        assert failure.kind == "wrong"
        assert "instead of" in failure.what


@pytest.mark.timeout(90)
def test_eight_seconds_of_disasters_leave_no_wrong_state(nemesis: Nemesis) -> None:
    """`python -m tests.chaos.nemesis` goes on for longer."""
    deadline = time.monotonic() + 8
    for seed in count(1):
        if time.monotonic() > deadline:
            break
        failure = nemesis.run(draw(seed))
        assert failure is None, f"{failure.kind}: {failure.what}\n{failure.command}"
