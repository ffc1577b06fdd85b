"""Prometheus metrics, read from shared memory at the moment of the scrape.

A private registry with one collector: nothing is counted twice, and the default registry's process metrics, which
would be the supervisor's own, stay out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from ringcollect.feed.host_clock import clock_quality
from ringcollect.observe.health import State
from ringcollect.observe.rings import UNTRACKED, Leg, RingReport, Subscription
from ringcollect.observe.snapshot import Archive, ProcessReport, Snapshot
from ringcollect.ring.layout import GAP_SIZE_BOUNDS, SILENCE_BOUNDS_NS

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Source = Callable[[], tuple[Snapshot, Sequence[Subscription]]]


def exposition(source: Source) -> bytes:
    """The text Prometheus scrapes."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Ours(source))
    return generate_latest(registry)


class _Ours(Collector):
    def __init__(self, source: Source) -> None:
        self._source = source

    def collect(self) -> Iterator[Metric]:
        snapshot, subscriptions = self._source()
        yield from _of_collector(snapshot)
        yield from _of_clock()
        yield from _of_processes(snapshot.processes)
        yield from _of_rings(snapshot.rings)
        yield from _of_legs([leg for ring in snapshot.rings for leg in ring.legs])
        yield from _of_subscriptions(subscriptions)


def _of_collector(snapshot: Snapshot) -> Iterator[Metric]:
    state = GaugeMetricFamily("ringcollect_state", "1 for the state the collector is in", labels=["state"])
    for each in State:
        state.add_metric([each.value], float(each is snapshot.state))
    yield state
    yield _gauge("ringcollect_start_time_seconds", "When the supervisor started", snapshot.started_ns / 1e9)
    yield _gauge("ringcollect_journals_unsealed", "Journals not sealed yet", snapshot.journals.count)
    yield _gauge("ringcollect_journals_unsealed_bytes", "Bytes in journals not sealed yet", snapshot.journals.bytes)
    recent = GaugeMetricFamily(
        "ringcollect_recent_events", "Events in a true sliding window", labels=["event", "window"]
    )
    for name, window in snapshot.windows.items():
        for span, count in (("1m", window.last_1m), ("5m", window.last_5m), ("15m", window.last_15m)):
            recent.add_metric([name, span], count)
    yield recent
    if snapshot.archive is not None:
        yield from _of_archive(snapshot.archive)


def _of_archive(archive: Archive) -> Iterator[Metric]:
    for name, text, value in (
        ("waiting_files", "Sealed files not yet archived", archive.waiting_files),
        ("waiting_bytes", "Bytes in sealed files not yet archived", archive.waiting_bytes),
        ("waiting_oldest_seconds", "Since the oldest segment that waits was sealed", archive.oldest_s),
        ("failing_seconds", "Since archiving began to fail, 0 while it works", archive.failing_s),
    ):
        yield _gauge(f"ringcollect_archive_{name}", text, value)
    for name, text, value in (
        ("segments", "Segments archived", archive.segments),
        ("files", "Files sent", archive.files),
        ("bytes", "Bytes sent", archive.bytes),
        ("files_found", "Files that the archive had already", archive.there),
        ("files_removed", "Files removed here once they were archived", archive.removed),
        ("seconds", "Time spent archiving", archive.seconds),
        ("retries", "Rounds begun after a failure", archive.retries),
    ):
        yield CounterMetricFamily(f"ringcollect_archive_{name}", text, value=value)
    failures = CounterMetricFamily("ringcollect_archive_failures", "Failures, by stage", labels=["stage"])
    for stage, count in archive.failures.items():
        failures.add_metric([stage], count)
    yield failures


def _of_clock() -> Iterator[Metric]:
    quality = clock_quality()
    if quality is None:
        return
    if quality.offset is not None:
        yield _gauge(
            "ringcollect_clock_offset_seconds", "What of the host's clock is still slewed away", quality.offset
        )
    yield _gauge("ringcollect_clock_dispersion_seconds", "Bound of the host clock's error", quality.dispersion)


def _of_processes(processes: Sequence[ProcessReport]) -> Iterator[Metric]:
    families = {
        "pss": GaugeMetricFamily("ringcollect_process_pss_bytes", "PSS without ring pages", labels=["process"]),
        "ring_pss": GaugeMetricFamily("ringcollect_process_ring_pss_bytes", "PSS of ring pages", labels=["process"]),
        "rss": GaugeMetricFamily("ringcollect_process_resident_bytes", "Resident memory", labels=["process"]),
        "cpu": GaugeMetricFamily("ringcollect_process_cpu_ratio", "CPU share, 1 is a core", labels=["process"]),
    }
    restarts = CounterMetricFamily("ringcollect_process_restarts", "Restarts by the supervisor", labels=["process"])
    up = GaugeMetricFamily("ringcollect_process_up", "1 while the process runs", labels=["process"])
    seen: set[str] = set()
    for process in processes:
        if process.name in seen:
            continue  # two helpers of one name would be two samples of one series
        seen.add(process.name)
        for field, family in families.items():
            value = getattr(process, field)
            if value >= 0:
                family.add_metric([process.name], value)
        restarts.add_metric([process.name], process.restarts)
        up.add_metric([process.name], float(process.pid > 0))
    yield from (*families.values(), restarts, up)


def _of_rings(rings: Sequence[RingReport]) -> Iterator[Metric]:
    labels = ["ring"]
    head = CounterMetricFamily("ringcollect_ring_records", "Records published to a ring", labels=labels)
    capacity = GaugeMetricFamily("ringcollect_ring_capacity_records", "Records a ring holds", labels=labels)
    alive = GaugeMetricFamily("ringcollect_ring_producer_up", "1 while the ring's producer lives", labels=labels)
    lag = GaugeMetricFamily("ringcollect_consumer_lag_records", "Not yet committed", labels=["ring", "consumer"])
    fill = GaugeMetricFamily("ringcollect_consumer_fill_ratio", "Lag over capacity", labels=["ring", "consumer"])
    lost = CounterMetricFamily("ringcollect_consumer_lost_records", "Lost, ever", labels=["ring", "consumer"])
    counters: dict[str, CounterMetricFamily] = {}
    for ring in rings:
        head.add_metric([ring.name], ring.head)
        capacity.add_metric([ring.name], ring.capacity)
        alive.add_metric([ring.name], float(ring.alive))
        for consumer in ring.consumers:
            place = [ring.name, consumer.name]
            lag.add_metric(place, consumer.lag)
            fill.add_metric(place, consumer.fill)
            lost.add_metric(place, consumer.lost)
        for name, value in ring.counters.items():
            family = counters.setdefault(
                name,
                CounterMetricFamily(f"ringcollect_{name}", f"Counter {name} of a ring's producer", labels=labels),
            )
            family.add_metric([ring.name], value)
    yield from (head, capacity, alive, lag, fill, lost, *counters.values())


def _of_legs(legs: Sequence[Leg]) -> Iterator[Metric]:
    labels = ["ring", "market", "shard", "leg"]
    counts = {
        name: CounterMetricFamily(f"ringcollect_leg_{name}", f"Per connection: {text}", labels=labels)
        for name, text in _OF_A_LEG.items()
    }
    lead = GaugeMetricFamily(
        "ringcollect_leg_lead_seconds", "By how much its newest first arrival came before the other leg's copy",
        labels=labels,
    )  # fmt: skip
    states = GaugeMetricFamily("ringcollect_leg_state", "1 for the state it is in", labels=[*labels, "state"])
    for leg in legs:
        place = [leg.ring, leg.market, str(leg.shard), str(leg.number)]
        for name, family in counts.items():
            family.add_metric(place, getattr(leg, name))
        lead.add_metric(place, leg.lead_ms / 1e3)
        states.add_metric([*place, leg.state], 1.0)
    yield from (*counts.values(), lead, states)


_OF_A_LEG = {
    "frames": "frames",
    "firsts": "batches that it brought before its mate",
    "dropped": "batches that its mate had brought before",
}


def _of_subscriptions(rows: Sequence[Subscription]) -> Iterator[Metric]:
    labels = ["exchange", "market", "symbol", "channel"]
    counts = {
        name: CounterMetricFamily(f"ringcollect_subscription_{name}", f"Per subscription: {text}", labels=labels)
        for name, text in _COUNTED.items()
    }
    sizes = HistogramMetricFamily(
        "ringcollect_subscription_gap_size", "Missing ids of a gap, where ids count without holes", labels=labels
    )
    silences = HistogramMetricFamily(
        "ringcollect_subscription_silence_seconds", "Time between two records, longer than the limit", labels=labels
    )
    silent = GaugeMetricFamily(
        "ringcollect_subscription_silent_seconds", "How long the present silence lasts, 0 if there is none",
        labels=labels,
    )  # fmt: skip
    tracked = GaugeMetricFamily(
        "ringcollect_subscription_tracked", "1 where gaps can be counted; the others have no gap series", labels=labels
    )
    last = GaugeMetricFamily(
        "ringcollect_subscription_last_data_seconds", "When it last had data, Unix time; 0 never", labels=labels
    )
    states = GaugeMetricFamily(
        "ringcollect_subscription_state", "1 for the state it is in", labels=[*labels, "state"]
    )  # fmt: skip
    for row in rows:
        place = [row.exchange, row.market, row.symbol, row.channel]
        for name, family in counts.items():
            if (value := getattr(row, name)) != UNTRACKED:
                family.add_metric(place, value)
        if row.gaps != UNTRACKED:
            sizes.add_metric(place, _buckets(GAP_SIZE_BOUNDS, row.gap_sizes), float(row.missing))
        bounds = [bound / 1e9 for bound in SILENCE_BOUNDS_NS]
        silences.add_metric(place, _buckets(bounds, row.silences), row.silence_ms / 1e3)
        silent.add_metric(place, row.silent_ms / 1e3)
        tracked.add_metric(place, float(row.gaps != UNTRACKED))
        last.add_metric(place, row.last_data_ns / 1e9)
        states.add_metric([*place, row.state], 1.0)
    yield from (*counts.values(), sizes, silences, silent, tracked, last, states)


_COUNTED = {
    "frames": "frames",
    "records": "records",
    "gaps": "gaps in what the exchange sent, where that can be known",
    "missing": "ids missing in those gaps",
    "backfilled": "missing ids fetched later over REST",
    "out_of_order": "records older than what was there, not seen before",
    "duplicates": "sent twice by the exchange on one connection",
    "dropped": "second copies by another connection of ours, dropped",
    "silence_gaps": "times between two records longer than the limit",
}


def _buckets(bounds: Sequence[float], counts: Sequence[int]) -> list[tuple[str, float]]:
    """Cumulative, as Prometheus wants them; the last count has no bound."""
    names = [f"{bound:g}" for bound in bounds] + ["+Inf"]
    return [(name, float(sum(counts[: i + 1]))) for i, name in enumerate(names)]


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=value)
