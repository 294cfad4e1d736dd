"""Every decision of a consumer: no server, no thread, no time passes."""

from concurrent.futures import Future
from itertools import product
from typing import Any

import pytest

from esdash.engine.consumer import instructions as do
from esdash.engine.consumer import requests, stimuli
from esdash.engine.consumer.lifecycle import RETRY_SECONDS, TABLE, ImpossibleError, Lifecycle, Step, Stimulus, Terms
from esdash.engine.shown.view import Continuity, Phase, Verdict
from tests.domains.shop import shop

NOW = 1000.0
TERMS = Terms(once=False, watched=True, may_store=True, chance=lambda: 1.0)
ONCE = Terms(once=True, watched=True, may_store=True, chance=lambda: 1.0)
UNWATCHED = Terms(once=False, watched=False, may_store=True, chance=lambda: 1.0)
READONLY = Terms(once=False, watched=True, may_store=False, chance=lambda: 1.0)

ERROR = ConnectionError("The server is gone.")
GAP = Continuity(Verdict.GAP, 3, "1-0", "5-0", 0, "3 entries vanished unread.")
OTHER = Continuity(Verdict.DIVERGED, explanation="The log is another one.")
CHECKPOINT = requests.Checkpoint(Future())

CONNECTING, RESTORING, REPLAYING, LIVE = Phase.CONNECTING, Phase.RESTORING, Phase.REPLAYING, Phase.LIVE
DISCONNECTED, HALTED, STOPPED = Phase.DISCONNECTED, Phase.HALTED, Phase.STOPPED

BEGIN_ANEW = (do.DropMemory(), do.Enter(CONNECTING), do.Connect())
KEEP = do.LeaveSnapshot(True, "The last good state could not be stored")
HEAL = (
    do.RememberWay(),
    do.Notify("warning", "The log is another one. Going back to the newest snapshot that still fits."),
    do.DropMemory(),
)
HALT_AT_GAP = (
    KEEP,
    do.CountWaiting(GAP),
    do.ShowContinuity(GAP),
    do.Enter(HALTED, "3 entries vanished unread."),
    do.Wait(None),
)
TRY_LATER = (do.Enter(DISCONNECTED, "The server is gone.", NOW + 0.25), do.Wait(NOW + 0.25))
HALT_AT_ENTRY = (KEEP, do.CountWaiting(), do.Enter(HALTED, "The server is gone."), do.Wait(None))
NOT_LIVE = "No snapshot: the consumer is {}, not live."
FAREWELL = do.LeaveSnapshot(True, "No farewell snapshot")
SETTLE = do.LeaveSnapshot(False, "No farewell snapshot")
END = (do.Enter(STOPPED), do.End())
STAYING = do.Notify("information", "Staying on the last good state; nothing is applied or published.")

Expected = dict[Phase, tuple[do.Instruction, ...]]


def everywhere(*instructions: do.Instruction) -> Expected:
    """The same wherever requests are looked at."""
    return dict.fromkeys((REPLAYING, LIVE, DISCONNECTED, HALTED), instructions)


def shown_when_waiting(*instructions: do.Instruction) -> Expected:
    """The same, and who waits shows it."""
    return everywhere(*instructions) | dict.fromkeys((DISCONNECTED, HALTED), (*instructions, do.Show()))


WHOLE_TABLE: list[tuple[Stimulus, Expected]] = [
    (stimuli.Begun(), {CONNECTING: (do.Enter(CONNECTING), do.Connect())}),
    (
        stimuli.Connected(),
        dict.fromkeys((CONNECTING, DISCONNECTED), (do.Enter(RESTORING), do.Restore(ignore_snapshots=False))),
    ),
    (
        stimuli.StateRestored(agreed_to_forget=False, edited=False),
        {RESTORING: (do.Enter(REPLAYING), do.Replay(far=True))},
    ),
    (stimuli.Unbroken(), {DISCONNECTED: (do.Enter(REPLAYING), do.Replay(far=True))}),
    (stimuli.CaughtUp(), {REPLAYING: (do.Enter(LIVE), do.Follow())}),
    (stimuli.Answered(), {LIVE: ()}),
    (stimuli.RetryDue(), {DISCONNECTED: (do.Connect(),)}),
    (stimuli.GapFound(GAP, 7, ERROR), dict.fromkeys((RESTORING, REPLAYING, LIVE, DISCONNECTED), HALT_AT_GAP)),
    (
        stimuli.Diverged(OTHER, ERROR),
        dict.fromkeys((RESTORING, REPLAYING, LIVE, DISCONNECTED), (*HEAL, do.Connect())),
    ),
    (
        stimuli.LogFailed(ERROR),
        dict.fromkeys((CONNECTING, RESTORING, REPLAYING, LIVE, DISCONNECTED), TRY_LATER),
    ),
    (stimuli.DomainFailed(ERROR, spoiled=False), dict.fromkeys((REPLAYING, LIVE), HALT_AT_ENTRY)),
    (
        requests.TakeSnapshot(),
        {
            REPLAYING: (do.Notify("warning", NOT_LIVE.format("replaying")),),
            LIVE: (do.StoreSnapshot(),),
            DISCONNECTED: (do.Notify("warning", NOT_LIVE.format("disconnected")), do.Show()),
            HALTED: (do.Notify("warning", NOT_LIVE.format("halted")), do.Show()),
        },
    ),
    (requests.Crash(), everywhere(*BEGIN_ANEW)),
    (requests.Rebuild(), everywhere(*BEGIN_ANEW)),
    (requests.Stay(), shown_when_waiting() | {HALTED: (STAYING, do.Show())}),
    (requests.Reviewed(), everywhere(do.TrustRules(), do.Show())),
    (
        requests.Stop(),
        {REPLAYING: (SETTLE, *END), LIVE: (FAREWELL, *END), DISCONNECTED: END, HALTED: END},
    ),
    (requests.Reload(shop()), everywhere(do.UseRules(shop()), *BEGIN_ANEW)),
    (requests.RestoreAnew("Why."), everywhere(do.Notify("warning", "Why."), *BEGIN_ANEW)),
    (CHECKPOINT, shown_when_waiting(do.AnswerCheckpoint(CHECKPOINT))),
]


def told(stimulus: Stimulus, phase: Phase, *, terms: Terms = TERMS, **standing: Any) -> Step:
    """What is decided about a stimulus."""
    return Lifecycle(terms, phase, **standing).handle(stimulus, NOW)


def name_of(stimulus: object) -> str:
    return type(stimulus).__name__ if not isinstance(stimulus, Phase) else str(stimulus)


class TestTheWholeTable:
    def test_it_has_a_row_for_each_stimulus(self) -> None:
        assert {type(stimulus) for stimulus, _ in WHOLE_TABLE} == set(TABLE)

    @pytest.mark.parametrize(
        ("row", "phase"),
        [pytest.param(row, phase, id=f"{name_of(row[0])}-{phase}") for row, phase in product(WHOLE_TABLE, Phase)],
    )
    def test_each_pair_of_a_stimulus_and_a_phase_is_decided_or_impossible(
        self, row: tuple[Stimulus, Expected], phase: Phase
    ) -> None:
        stimulus, expected = row
        if phase in expected:
            assert told(stimulus, phase).instructions == expected[phase]
        else:
            with pytest.raises(ImpossibleError, match=rf"{name_of(stimulus)} while {phase}: \w"):
                told(stimulus, phase)

    @pytest.mark.parametrize(("stimulus", "expected"), WHOLE_TABLE, ids=name_of)
    def test_the_phase_is_the_one_that_was_entered_last(self, stimulus: Stimulus, expected: Expected) -> None:
        for phase in expected:
            after, instructions = told(stimulus, phase)
            shown = phase
            for each in instructions:
                if isinstance(each, do.DropMemory):
                    shown = CONNECTING
                elif isinstance(each, do.Enter):
                    shown = each.phase
            assert after.phase is shown

    @pytest.mark.parametrize(
        "terms", [TERMS, ONCE, UNWATCHED, READONLY], ids=["usual", "once", "unwatched", "readonly"]
    )
    def test_a_task_is_the_last_of_the_instructions(self, terms: Terms) -> None:
        for stimulus, expected in WHOLE_TABLE:
            for phase in expected:
                _, instructions = told(stimulus, phase, terms=terms, failures=2, edited=True, agreed_to_forget=True)
                assert not any(isinstance(each, do.Task) for each in instructions[:-1])

    def test_who_ended_is_stopped_and_nothing_more_can_come(self) -> None:
        assert not any(STOPPED in row.decisions for row in TABLE.values())


class TestConnecting:
    def test_a_state_that_outlived_the_connection_is_compared_with_the_log(self) -> None:
        after, instructions = told(stimuli.Connected(), DISCONNECTED, remembers=True)
        assert instructions == (do.CheckPosition(),)
        assert after.phase is DISCONNECTED, "until it is known whether it can go on"

    def test_a_state_is_remembered_from_when_it_was_restored_until_the_memory_is_dropped(self) -> None:
        restored, _ = told(stimuli.StateRestored(False, False), RESTORING)
        assert restored.remembers
        assert restored.handle(stimuli.LogFailed(ERROR), NOW).lifecycle.remembers
        assert not restored.handle(requests.Crash(), NOW).lifecycle.remembers

    def test_while_it_fails_the_pauses_double_up_to_a_limit(self) -> None:
        pauses, standing = [], Lifecycle(TERMS)
        for _ in range(12):
            standing, instructions = standing.handle(stimuli.LogFailed(ERROR), NOW)
            assert isinstance(instructions[-1], do.Wait)
            assert instructions[-1].until is not None
            pauses.append(instructions[-1].until - NOW)
            standing = standing.handle(stimuli.RetryDue(), NOW).lifecycle
        first, longest = RETRY_SECONDS
        assert pauses == [min(longest, first * 2**number) for number in range(12)]

    @pytest.mark.parametrize(("chance", "share"), [(0.0, 0.5), (0.5, 0.75), (1.0, 1.0)])
    def test_half_of_a_pause_is_drawn_by_lot(self, chance: float, share: float) -> None:
        terms = Terms(once=False, watched=True, may_store=True, chance=lambda: chance)
        _, instructions = told(stimuli.LogFailed(ERROR), CONNECTING, terms=terms)
        assert instructions[-1] == do.Wait(NOW + RETRY_SECONDS[0] * share)

    def test_a_million_failures_are_no_more_than_many(self) -> None:
        _, instructions = told(stimuli.LogFailed(ERROR), CONNECTING, failures=10**6)
        assert instructions[-1] == do.Wait(NOW + RETRY_SECONDS[1])

    def test_patience_begins_anew_when_the_server_answered(self) -> None:
        after, instructions = told(stimuli.Answered(), LIVE, failures=5)
        assert (after.failures, instructions) == (0, ())

    @pytest.mark.parametrize("phase", [CONNECTING, RESTORING, REPLAYING])
    def test_with_once_a_lost_server_is_the_end(self, phase: Phase) -> None:
        assert told(stimuli.LogFailed(ERROR), phase, terms=ONCE).instructions == (do.Raise(ERROR),)

    def test_a_state_with_nonsense_in_it_is_not_gone_on_with(self) -> None:
        after, instructions = told(stimuli.LogFailed(ERROR, spoiled=True), LIVE, remembers=True)
        assert instructions == (do.DropMemory(), *TRY_LATER)
        assert not after.remembers
        _, instructions = told(stimuli.LogFailed(ERROR, spoiled=True), REPLAYING, terms=ONCE)
        assert instructions == (do.DropMemory(), do.Raise(ERROR))


class TestRestoring:
    def test_a_rebuild_ignores_snapshots_until_a_state_was_made(self) -> None:
        asked, _ = told(requests.Rebuild(), LIVE)
        assert asked.ignores_snapshots
        restoring, instructions = asked.handle(stimuli.Connected(), NOW)
        assert instructions[-1] == do.Restore(ignore_snapshots=True)
        lost, _ = restoring.handle(stimuli.LogFailed(ERROR), NOW)
        assert lost.handle(stimuli.Connected(), NOW).instructions[-1] == do.Restore(ignore_snapshots=True)
        made, _ = restoring.handle(stimuli.StateRestored(False, False), NOW)
        assert not made.ignores_snapshots

    def test_what_a_person_agreed_to_lose_is_stored_as_soon_as_it_is_live(self) -> None:
        restored, _ = told(stimuli.StateRestored(agreed_to_forget=True, edited=False), RESTORING)
        live, instructions = restored.handle(stimuli.CaughtUp(), NOW)
        assert instructions == (do.Enter(LIVE), do.StoreSnapshot(), do.Follow())
        assert not live.agreed_to_forget, "once"

    def test_it_is_not_forgotten_over_a_lost_connection(self) -> None:
        replaying, _ = told(stimuli.StateRestored(agreed_to_forget=True, edited=True), RESTORING)
        lost, _ = replaying.handle(stimuli.LogFailed(ERROR), NOW)
        back, _ = lost.handle(stimuli.Unbroken(), NOW)
        _, instructions = back.handle(stimuli.CaughtUp(), NOW)
        assert instructions == (do.Enter(LIVE), do.StoreSnapshot(), do.ReviewRules(), do.Follow())

    def test_who_may_not_store_it_says_so(self) -> None:
        _, instructions = told(stimuli.CaughtUp(), REPLAYING, terms=READONLY, agreed_to_forget=True)
        assert instructions[1] == do.Notify("warning", "No snapshot: this consumer writes none.")

    def test_edited_rules_are_looked_into_once(self) -> None:
        restored, _ = told(stimuli.StateRestored(agreed_to_forget=False, edited=True), RESTORING)
        live, instructions = restored.handle(stimuli.CaughtUp(), NOW)
        assert instructions == (do.Enter(LIVE), do.ReviewRules(), do.Follow())
        assert not live.edited

    def test_with_once_it_ends_when_caught_up_and_leaves_a_snapshot(self) -> None:
        after, instructions = told(stimuli.CaughtUp(), REPLAYING, terms=ONCE)
        assert instructions == (do.Enter(LIVE), FAREWELL, *END)
        assert after.phase is STOPPED


class TestABrokenLog:
    def test_a_log_that_came_to_where_there_was_none_may_have_snapshots(self) -> None:
        after, instructions = told(stimuli.GapFound(GAP, 0, ERROR), LIVE)
        assert instructions == (do.DropMemory(), do.Connect())
        assert (after.phase, after.failures) == (CONNECTING, 1)

    @pytest.mark.parametrize("phase", [RESTORING, REPLAYING, DISCONNECTED])
    def test_elsewhere_a_gap_before_the_first_entry_halts(self, phase: Phase) -> None:
        assert told(stimuli.GapFound(GAP, 0, ERROR), phase).instructions == HALT_AT_GAP

    def test_with_once_a_gap_is_shown_and_raised(self) -> None:
        _, instructions = told(stimuli.GapFound(GAP, 7, ERROR), RESTORING, terms=ONCE)
        assert instructions == (do.ShowContinuity(GAP), do.Show(), do.Raise(ERROR))

    def test_who_may_not_store_keeps_the_last_good_state_in_memory_alone(self) -> None:
        _, instructions = told(stimuli.GapFound(GAP, 7, ERROR), LIVE, terms=READONLY)
        assert instructions[0] == do.LeaveSnapshot(False, "The last good state could not be stored")

    def test_a_log_that_is_another_one_at_every_look_is_given_time(self) -> None:
        after, instructions = told(stimuli.Diverged(OTHER, ERROR), REPLAYING, failures=1, remembers=True)
        assert instructions == (
            *HEAL,
            do.Enter(DISCONNECTED, "The log is another one.", NOW + 0.25),
            do.Wait(NOW + 0.25),
        )
        assert (after.failures, after.remembers) == (2, False)

    def test_with_once_it_is_healed_once(self) -> None:
        healed, instructions = told(stimuli.Diverged(OTHER, ERROR), REPLAYING, terms=ONCE)
        assert instructions == (*HEAL, do.Connect())
        _, instructions = told(stimuli.Diverged(OTHER, ERROR), RESTORING, terms=ONCE, failures=healed.failures)
        assert instructions == (*HEAL, do.Raise(ERROR))


class TestAFunctionOfTheDomainThatFails:
    @pytest.mark.parametrize("terms", [TERMS, ONCE, UNWATCHED])
    @pytest.mark.parametrize("phase", [REPLAYING, LIVE])
    def test_half_an_entry_is_undone_by_beginning_anew_without_a_second_process(
        self, phase: Phase, terms: Terms
    ) -> None:
        after, instructions = told(stimuli.DomainFailed(ERROR, spoiled=True), phase, terms=terms, failures=3)
        assert instructions == BEGIN_ANEW
        assert (after.reads_ahead, after.failures) == (False, 0)
        restoring, _ = after.handle(stimuli.Connected(), NOW)
        _, instructions = restoring.handle(stimuli.StateRestored(False, False), NOW)
        assert instructions[-1] == do.Replay(far=False)

    def test_other_rules_may_read_ahead_again(self) -> None:
        after, _ = told(requests.Reload(shop()), HALTED, reads_ahead=False)
        assert after.reads_ahead
        assert not told(requests.Crash(), HALTED, reads_ahead=False).lifecycle.reads_ahead

    @pytest.mark.parametrize("terms", [ONCE, UNWATCHED])
    def test_where_nobody_can_be_asked_it_is_raised(self, terms: Terms) -> None:
        _, instructions = told(stimuli.DomainFailed(ERROR, spoiled=False), REPLAYING, terms=terms)
        assert instructions == (KEEP, do.Raise(ERROR))


class TestRequests:
    def test_who_writes_no_snapshots_says_so(self) -> None:
        _, instructions = told(requests.TakeSnapshot(), LIVE, terms=READONLY)
        assert instructions == (do.Notify("warning", "No snapshot: this consumer writes none."),)

    def test_who_writes_no_snapshots_leaves_none(self) -> None:
        assert told(requests.Stop(), LIVE, terms=READONLY).instructions == (SETTLE, *END)

    @pytest.mark.parametrize(
        "request_", [requests.Crash(), requests.Rebuild(), requests.Reload(shop()), requests.RestoreAnew("Why.")]
    )
    @pytest.mark.parametrize("phase", [REPLAYING, LIVE, DISCONNECTED, HALTED])
    def test_to_begin_anew_is_to_begin_with_new_patience(self, phase: Phase, request_: requests.Request) -> None:
        after, _ = told(request_, phase, failures=7, remembers=True)
        assert (after.phase, after.failures, after.remembers) == (CONNECTING, 0, False)

    @pytest.mark.parametrize("phase", [REPLAYING, LIVE, DISCONNECTED, HALTED])
    def test_what_is_only_looked_at_leaves_all_as_it_is(self, phase: Phase) -> None:
        standing = Lifecycle(TERMS, phase, failures=2, remembers=True)
        for request in (requests.TakeSnapshot(), requests.Stay(), requests.Reviewed(), CHECKPOINT):
            assert standing.handle(request, NOW).lifecycle == standing
