"""What a consumer does next: a table of what can happen, in which phase, and the function that decides.

Values go in, values come out; nothing is read, waited for or called here, so that every decision can be tried without a
server or a thread. The table has a row for each stimulus, and not for each phase, because a request or a failure means
about the same wherever it comes: what differs is where it can come at all. A pair that is not in the table cannot
happen, and its row says why. While connecting and restoring a consumer does not look at requests; they wait.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from esdash.engine.consumer import instructions as do
from esdash.engine.consumer import requests, stimuli
from esdash.engine.shown.view import Phase

RETRY_SECONDS: Final = (0.25, 10.0)
"""First and longest wait before connecting again; it doubles, and half of it is drawn by lot."""

Stimulus = stimuli.Happening | requests.Request


class ImpossibleError(Exception):
    """A stimulus in a phase in which it cannot come: the consumer itself is wrong."""


class Terms(Struct, frozen=True):
    """On what terms a consumer was started."""

    once: bool
    """It ends when caught up, and raises what goes wrong instead of trying again."""
    watched: bool
    """Somebody looks at the state, and can be asked what to do."""
    may_store: bool
    """It may store snapshots."""
    chance: Callable[[], float]
    """Numbers in 0…1 for the jitter."""


class Step(NamedTuple):
    """A decision."""

    lifecycle: "Lifecycle"
    """Where the consumer stands after it."""
    instructions: tuple[do.Instruction, ...]


class Lifecycle(Struct, frozen=True):
    """Where a consumer stands, as far as its decisions depend on it."""

    terms: Terms
    phase: Phase = Phase.CONNECTING
    failures: int = 0
    """Attempts that failed, one after the other."""
    remembers: bool = False
    """There is a state that a lost connection leaves as it is."""
    ignores_snapshots: bool = False
    """The next state is made from the beginning of the stream."""
    reads_ahead: bool = True
    """A long way is left to a second process; no more when a function of the domain failed on it."""
    agreed_to_forget: bool = False
    """Entries are missing from the state that a person agreed to lose, and no snapshot says so yet."""
    edited: bool = False
    """The state is of rules that were edited, and nobody has looked into that yet."""

    def handle(self, stimulus: Stimulus, now: float) -> Step:
        """What to do about it, at `now` seconds of the consumer's clock. Raises ImpossibleError."""
        row = TABLE[type(stimulus)]
        decide = row.decisions.get(self.phase)
        if decide is None:
            raise ImpossibleError(f"{type(stimulus).__name__} while {self.phase}: {row.elsewhere}")
        return decide(self, stimulus, now)

    def then(self, *instructions: do.Instruction, **changes: Any) -> Step:
        """A decision: instructions, which bring the phase with them, and what else is different from now on."""
        for each in instructions:
            if isinstance(each, do.Enter):
                changes["phase"] = each.phase
            elif isinstance(each, do.DropMemory):
                changes |= {"phase": Phase.CONNECTING, "remembers": False}
        return Step(replace(self, **changes), instructions)

    def try_later(self, reason: str, now: float, attempts: int, *before: do.Instruction) -> Step:
        """Wait for the server, the longer the more attempts were in vain; one more has failed."""
        first, longest = RETRY_SECONDS
        delay = min(longest, first * 2 ** min(attempts - 1, 10)) * (0.5 + self.terms.chance() / 2)
        enter = do.Enter(Phase.DISCONNECTED, reason, now + delay)
        return self.then(*before, enter, do.Wait(now + delay), failures=self.failures + 1)

    def begin_anew(self, *before: do.Instruction, **changes: Any) -> Step:
        """From the first phase on, without a state, as if nothing had failed."""
        return self.then(*before, do.DropMemory(), do.Enter(Phase.CONNECTING), do.Connect(), failures=0, **changes)

    def say(self, *instructions: do.Instruction) -> Step:
        """Do something about a request that leaves all as it is. Who waits would not show it for long."""
        return self.then(*instructions, *([do.Show()] if self.phase in WAITING else []))


# What happens


def _begin(at: Lifecycle, _: stimuli.Begun, __: float) -> Step:
    return at.then(do.Enter(Phase.CONNECTING), do.Connect())


def _connected(at: Lifecycle, _: stimuli.Connected, __: float) -> Step:
    if at.remembers:
        return at.then(do.CheckPosition())
    return at.then(do.Enter(Phase.RESTORING), do.Restore(at.ignores_snapshots))


def _restored(at: Lifecycle, state: stimuli.StateRestored, __: float) -> Step:
    return at.then(
        do.Enter(Phase.REPLAYING),
        do.Replay(at.reads_ahead),
        remembers=True,
        ignores_snapshots=False,
        agreed_to_forget=state.agreed_to_forget,
        edited=state.edited,
    )


def _unbroken(at: Lifecycle, _: stimuli.Unbroken, __: float) -> Step:
    return at.then(do.Enter(Phase.REPLAYING), do.Replay(at.reads_ahead))


def _caught_up(at: Lifecycle, _: stimuli.CaughtUp, now: float) -> Step:
    if at.terms.once:
        live = at.then(do.Enter(Phase.LIVE))
        ended = _stop(live.lifecycle, requests.Stop(), now)
        return Step(ended.lifecycle, live.instructions + ended.instructions)
    instructions: list[do.Instruction] = [do.Enter(Phase.LIVE)]
    if at.agreed_to_forget:
        # Or the next start would find the snapshots from before the gap, and halt at it again.
        instructions.append(_snapshot(at.terms, Phase.LIVE))
    if at.edited:
        instructions.append(do.ReviewRules())
    return at.then(*instructions, do.Follow(), agreed_to_forget=False, edited=False)


def _answered(at: Lifecycle, _: stimuli.Answered, __: float) -> Step:
    return at.then(failures=0) if at.failures else Step(at, ())


def _retry(at: Lifecycle, _: stimuli.RetryDue, __: float) -> Step:
    return at.then(do.Connect())


# What goes wrong


def _gap(at: Lifecycle, gap: stimuli.GapFound, _: float) -> Step:
    if at.terms.once:
        return at.then(do.ShowContinuity(gap.continuity), do.Show(), do.Raise(gap.error))
    return at.then(
        _keep_last_good_state(at.terms),
        do.CountWaiting(gap.continuity),
        do.ShowContinuity(gap.continuity),
        do.Enter(Phase.HALTED, gap.continuity.explanation),
        do.Wait(None),
        failures=at.failures + 1,
    )


def _gap_while_live(at: Lifecycle, gap: stimuli.GapFound, now: float) -> Step:
    if gap.ordinal:
        return _gap(at, gap, now)
    # A log that came to where there was none before: a snapshot may have seen what is missing.
    return at.then(do.DropMemory(), do.Connect(), failures=at.failures + 1)


def _diverged(at: Lifecycle, log: stimuli.Diverged, now: float) -> Step:
    """Back to the newest snapshot that the log still contains; what was applied after it may be orphaned."""
    told = f"{log.continuity.explanation} Going back to the newest snapshot that still fits."
    heal: tuple[do.Instruction, ...] = do.RememberWay(), do.Notify("warning", told), do.DropMemory()
    if not at.failures:
        return at.then(*heal, do.Connect(), failures=1)
    # A log that is another one at every look, as behind a proxy that points now here, now there.
    if at.terms.once:
        return at.then(*heal, do.Raise(log.error))
    return at.try_later(log.continuity.explanation, now, at.failures, *heal)


def _lost(at: Lifecycle, log: stimuli.LogFailed, now: float) -> Step:
    spoiled: tuple[do.Instruction, ...] = (do.DropMemory(),) if log.spoiled else ()
    if at.terms.once:
        return at.then(*spoiled, do.Raise(log.error))
    return at.try_later(str(log.error), now, at.failures + 1, *spoiled)


def _stop_before(at: Lifecycle, domain: stimuli.DomainFailed, _: float) -> Step:
    """Halt before an entry on which a function of the domain failed."""
    if domain.spoiled:
        # The state is half of what that entry does; from here on every write is checked and can be undone, and
        # pages come as they are.
        return at.begin_anew(reads_ahead=False)
    keep = _keep_last_good_state(at.terms)
    if at.terms.once or not at.terms.watched:
        return at.then(keep, do.Raise(domain.error))
    return at.then(keep, do.CountWaiting(), do.Enter(Phase.HALTED, str(domain.error)), do.Wait(None))


def _keep_last_good_state(terms: Terms) -> do.LeaveSnapshot:
    """When halting: what was applied since the last snapshot may be gone from the stream, and so never replayed."""
    return do.LeaveSnapshot(terms.may_store, "The last good state could not be stored")


# What somebody asks for


def _snapshot(terms: Terms, phase: Phase) -> do.Instruction:
    if not terms.may_store:
        return do.Notify("warning", "No snapshot: this consumer writes none.")
    if phase is not Phase.LIVE:
        return do.Notify("warning", f"No snapshot: the consumer is {phase}, not live.")
    return do.StoreSnapshot()


def _take_snapshot(at: Lifecycle, _: requests.TakeSnapshot, __: float) -> Step:
    return at.say(_snapshot(at.terms, at.phase))


def _stay(at: Lifecycle, _: requests.Stay, __: float) -> Step:
    if at.phase is not Phase.HALTED:
        return at.say()
    return at.say(do.Notify("information", "Staying on the last good state; nothing is applied or published."))


def _reviewed(at: Lifecycle, _: requests.Reviewed, __: float) -> Step:
    return at.then(do.TrustRules(), do.Show())


def _checkpoint(at: Lifecycle, checkpoint: requests.Checkpoint, _: float) -> Step:
    return at.say(do.AnswerCheckpoint(checkpoint))


def _crash(at: Lifecycle, _: requests.Crash, __: float) -> Step:
    return at.begin_anew()


def _rebuild(at: Lifecycle, _: requests.Rebuild, __: float) -> Step:
    return at.begin_anew(ignores_snapshots=True)


def _restore_anew(at: Lifecycle, asked: requests.RestoreAnew, _: float) -> Step:
    return at.begin_anew(do.Notify("warning", asked.why))


def _reload(at: Lifecycle, asked: requests.Reload, _: float) -> Step:
    return at.begin_anew(do.UseRules(asked.fold), reads_ahead=True)


def _stop(at: Lifecycle, _: requests.Stop, __: float) -> Step:
    """With a last snapshot, when the state is sound."""
    leave: tuple[do.Instruction, ...] = ()
    if at.phase not in WAITING:
        store = at.terms.may_store and at.phase is Phase.LIVE
        leave = (do.LeaveSnapshot(store, "No farewell snapshot"),)
    return at.then(*leave, do.Enter(Phase.STOPPED), do.End())


# The table

Decision = Callable[[Lifecycle, Any, float], Step]


class Case(NamedTuple):
    """What is done about a stimulus, by phase."""

    decisions: Mapping[Phase, Decision]
    elsewhere: str
    """Why it cannot come in any other phase."""


WAITING: Final = (Phase.DISCONNECTED, Phase.HALTED)


def _case(decide: Decision, *phases: Phase, elsewhere: str, but: Mapping[Phase, Decision] | None = None) -> Case:
    return Case(dict.fromkeys(phases, decide) | dict(but or {}), elsewhere)


def _request(decide: Decision) -> Case:
    return _case(decide, Phase.REPLAYING, Phase.LIVE, *WAITING, elsewhere="requests are not looked at")


TABLE: Final[Mapping[type[Stimulus], Case]] = {
    stimuli.Begun: _case(_begin, Phase.CONNECTING, elsewhere="a consumer runs once"),
    stimuli.Connected: _case(_connected, Phase.CONNECTING, Phase.DISCONNECTED, elsewhere="nobody is connecting"),
    stimuli.StateRestored: _case(_restored, Phase.RESTORING, elsewhere="nobody is restoring"),
    stimuli.Unbroken: _case(_unbroken, Phase.DISCONNECTED, elsewhere="nobody comes back with a state"),
    stimuli.CaughtUp: _case(_caught_up, Phase.REPLAYING, elsewhere="nobody is behind"),
    stimuli.Answered: _case(_answered, Phase.LIVE, elsewhere="nobody follows"),
    stimuli.RetryDue: _case(_retry, Phase.DISCONNECTED, elsewhere="nobody waits for an hour"),
    stimuli.GapFound: _case(
        _gap,
        Phase.RESTORING,
        Phase.REPLAYING,
        Phase.DISCONNECTED,
        but={Phase.LIVE: _gap_while_live},
        elsewhere="nobody compares a state with the log",
    ),
    stimuli.Diverged: _case(
        _diverged,
        Phase.RESTORING,
        Phase.REPLAYING,
        Phase.LIVE,
        Phase.DISCONNECTED,
        elsewhere="nobody compares a state with the log",
    ),
    stimuli.LogFailed: _case(
        _lost,
        Phase.CONNECTING,
        Phase.RESTORING,
        Phase.REPLAYING,
        Phase.LIVE,
        Phase.DISCONNECTED,
        elsewhere="what fails then is only told",
    ),
    stimuli.DomainFailed: _case(_stop_before, Phase.REPLAYING, Phase.LIVE, elsewhere="nothing is applied"),
    requests.TakeSnapshot: _request(_take_snapshot),
    requests.Crash: _request(_crash),
    requests.Rebuild: _request(_rebuild),
    requests.Stay: _request(_stay),
    requests.Reviewed: _request(_reviewed),
    requests.Stop: _request(_stop),
    requests.Reload: _request(_reload),
    requests.RestoreAnew: _request(_restore_anew),
    requests.Checkpoint: _request(_checkpoint),
}
