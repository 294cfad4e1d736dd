"""What a consumer is measured by, for Prometheus: made of its newest view at each scrape.

The one module that needs the package prometheus-client. Names and units follow its conventions: `_total` only grows
but for a state that goes back, times are in seconds, sizes in bytes.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import version
from typing import Final

from prometheus_client import CollectorRegistry, Histogram, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric

from esdash.engine.shown.view import Phase, View
from esdash.fold.folding import Fold
from esdash.log.continuity import Verdict
from esdash.log.stream import id_parts

FOLD_BUCKETS: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Upper bounds in seconds: from a page of one entry to one of ten thousand with slow rules."""

LABELS: Final = ("stream", "domain")


class Metrics:
    """All metrics of one consumer. `exposition` is for any thread."""

    def __init__(
        self,
        stream: str,
        fold: Fold,
        view: Callable[[], View],
        *,
        name: str,
        reconnects: Callable[[], int],
        lines_lost: Callable[[], int],
        unready: Callable[[View], str],
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        """`view` gives the newest view; `name` is what this process is called as a holder of the lease.

        `reconnects` and `lines_lost` are counted elsewhere; `unready` says why a consumer is not ready. `wall_clock`
        gives Unix seconds.
        """
        self._values = (stream, fold.name)
        self._fold = fold
        self._versions = {"version": version("esdash"), "domain_version": fold.version}
        self._view = view
        self._name = name
        self._reconnects = reconnects
        self._lines_lost = lines_lost
        self._unready = unready
        self._wall_clock = wall_clock
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        told = "Seconds that a page of entries took to fold."
        histogram = Histogram("esdash_fold_seconds", told, LABELS, buckets=FOLD_BUCKETS, registry=self._registry)
        self.folded: Callable[[float], None] = histogram.labels(*self._values).observe
        """A page was folded in so many seconds."""
        self._registry.register(self)

    def exposition(self, accept: str = "") -> tuple[bytes, str]:
        """All metrics now, in a format that a client accepts, and its content type."""
        encode, kind = choose_encoder(accept)
        return encode(self._registry), kind

    def describe(self) -> Iterable[Metric]:
        """Nothing: what there is depends on the view."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """What the newest view says."""
        view = self._view()
        yield self._info()
        yield from self._standing(view)
        yield from self._outcomes(view)
        yield from self._snapshot(view)
        yield from self._restored(view)
        yield from self._trust(view)
        yield from self._invariants(view)
        yield self._counter("esdash_reconnects", "How often the server was lost and found again.", self._reconnects())
        yield self._counter("esdash_log_lines_lost", "Lines of the log that could not be written.", self._lines_lost())

    def _gauge(self, name: str, told: str, value: float) -> Metric:
        family = GaugeMetricFamily(name, told, labels=LABELS)
        family.add_metric(self._values, value)
        return family

    def _counter(self, name: str, told: str, value: float) -> Metric:
        family = CounterMetricFamily(name, told, labels=LABELS)
        family.add_metric(self._values, value)
        return family

    def _one_of(self, name: str, told: str, label: str, every: Iterable[str], current: str | None) -> Metric:
        """A series for each of some words: 1 for the current one, else 0."""
        family = GaugeMetricFamily(name, told, labels=(*LABELS, label))
        for each in every:
            family.add_metric((*self._values, each), float(each == current))
        return family

    def _info(self) -> Metric:
        family = InfoMetricFamily("esdash_build", "What runs here.", labels=LABELS)
        family.add_metric(self._values, self._versions)
        return family

    def _standing(self, view: View) -> Iterator[Metric]:
        """Where the consumer stands, and how fast it goes."""
        yield self._one_of(
            "esdash_phase", "1 for the phase that the consumer is in, else 0.", "phase", Phase, view.phase
        )
        yield self._gauge("esdash_ready", "1 while /readyz answers 200.", float(not self._unready(view)))
        yield self._gauge("esdash_position_ordinal", "Entries that the state has consumed.", view.position.ordinal)
        moment = id_parts(view.position.last_event_id.encode())[0] / 1000
        yield self._gauge("esdash_position_timestamp_seconds", "Unix time of the last entry consumed.", moment)
        yield self._gauge("esdash_lag_entries", "Entries in the stream after the position, as last heard.", view.lag)
        running = view.phase in (Phase.LIVE, Phase.REPLAYING)
        told = "Entries folded a second, over the last second."
        yield self._gauge("esdash_rate_entries_per_second", told, view.rate if running else 0)

    def _outcomes(self, view: View) -> Iterator[Metric]:
        told = "Entries that the state has consumed, by what became of them; falls when the state goes back."
        family = CounterMetricFamily("esdash_entries", told, labels=(*LABELS, "outcome", "reason"))
        for outcome, count in zip(self._fold.outcomes, view.counts, strict=False):
            family.add_metric((*self._values, outcome.name, outcome.reason or ""), count)
        yield family

    def _snapshot(self, view: View) -> Iterator[Metric]:
        held = float(view.lease_holder == self._name)
        yield self._gauge(
            "esdash_snapshot_lease_held", "1 when this process had the lease on snapshots, when one was last due.", held
        )
        snapshot = view.snapshot
        if snapshot is None:
            return
        age = max(0.0, self._wall_clock() - snapshot.created_ms / 1000)
        for name, told, value in (
            ("age_seconds", "Seconds since the newest snapshot was taken.", age),
            ("size_bytes", "Bytes of the newest snapshot.", snapshot.size),
            ("duration_seconds", "Seconds that taking the newest snapshot took.", snapshot.seconds),
            ("position_ordinal", "Entries that the newest snapshot has seen.", snapshot.position.ordinal),
        ):
            yield self._gauge(f"esdash_snapshot_{name}", told, value)

    def _restored(self, view: View) -> Iterator[Metric]:
        restored = view.restored
        if restored is None or not restored.rungs:
            return
        unused = sum(rung.reason is not None for rung in restored.rungs)
        for name, told, value in (
            ("esdash_restore_duration_seconds", "Seconds that restoring the state took.", restored.load_seconds),
            (
                "esdash_restore_position_ordinal",
                "Entries that the restored state had seen, which were not replayed.",
                restored.position.ordinal,
            ),
            (
                "esdash_restore_unused_snapshots",
                "Snapshots that could not be used when the state was restored.",
                unused,
            ),
        ):
            yield self._gauge(name, told, value)
        if restored.done:
            told = "Seconds that replaying what came after the restored state took."
            yield self._gauge("esdash_replay_duration_seconds", told, restored.replay_seconds)
            yield self._gauge(
                "esdash_replay_entries",
                "Entries that came after the restored state and were replayed.",
                restored.replayed,
            )

    def _trust(self, view: View) -> Iterator[Metric]:
        """How far the state can be believed."""
        continuity = view.continuity
        if continuity is not None:
            told = "1 for the last verdict on continuity, else 0."
            yield self._one_of("esdash_continuity", told, "verdict", Verdict, continuity.verdict)
            told = "Entries that vanished unread."
            yield self._gauge("esdash_missing_entries", told, continuity.missing)
            told = "Entries that had left the stream before this history began."
            yield self._gauge("esdash_unseen_entries", told, continuity.unseen_before_start)
        told = "Entries that had been applied and are gone from the log."
        yield self._gauge("esdash_orphaned_entries", told, view.orphans_gone)

    def _invariants(self, view: View) -> Iterator[Metric]:
        if not view.invariants:
            return
        told = "1 while an invariant of the domain holds or is watched no more, else 0."
        held = GaugeMetricFamily("esdash_invariant_held", told, labels=(*LABELS, "invariant"))
        told = "How often an invariant was broken, as far as this process saw."
        broken = CounterMetricFamily("esdash_invariant_broken", told, labels=(*LABELS, "invariant"))
        for each in view.invariants:
            held.add_metric((*self._values, each.name), float(each.holds))
            broken.add_metric((*self._values, each.name), each.times)
        yield held
        yield broken
