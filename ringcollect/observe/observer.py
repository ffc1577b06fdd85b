"""One look at everything, again and again: the supervisor keeps one of these, ``status`` makes one for a moment."""

from __future__ import annotations

import time
from pathlib import Path

from ringcollect.feed.desk import problems_in
from ringcollect.observe import archive, health, journals
from ringcollect.observe.health import Signs, State
from ringcollect.observe.process_table import ProcessTable
from ringcollect.observe.processes import SHORTEST_S, ProcessWatch
from ringcollect.observe.rings import RingReport, RingSet, Subscription
from ringcollect.observe.snapshot import ProcessReport, Snapshot
from ringcollect.observe.windows import SlidingWindows

WRITER = "journal"
ARCHIVER = "archive"
_CLOSED = "closed"
_UP = ("running", "stopping", "stopped")
"""A child that stopped because it was told to is not a fault."""


class Observer:
    """Reads shared memory, /proc and small files; asks no process and writes nothing."""

    def __init__(self, runtime: Path, shortest_s: float = SHORTEST_S) -> None:
        """CPU shares are taken over ``shortest_s`` seconds at least."""
        self._runtime = runtime
        self._rings = RingSet(runtime)
        self._processes = ProcessWatch(runtime, shortest_s)
        self._windows = SlidingWindows()
        self._state = State.OFFLINE
        self._since_ns = 0

    def look(self, table: ProcessTable) -> Snapshot:
        """The collector now. The first look is the baseline of the windows: what rings counted before is not news."""
        now_ns, mono_ns = time.time_ns(), time.monotonic_ns()
        rings = tuple(self._rings.reports(mono_ns, now_ns))
        self._windows.add(mono_ns / 1e9, _totals(rings), baseline=not self._since_ns)
        windows = self._windows.at(mono_ns / 1e9)
        subscriptions: dict[str, int] = {}
        for view in self._rings.views():
            for name, count in view.subscription_states().items():
                subscriptions[name] = subscriptions.get(name, 0) + count
        problems = problems_in(self._runtime)
        processes = self._processes.reports(table, mono_ns / 1e9)
        data = Path(table.data)
        unsealed = journals.look(data, self._runtime, now_ns / 1e9)
        archiving = None
        if any(process.name == ARCHIVER for process in processes):
            archiving = archive.look(self._runtime, now_ns / 1e9)
        fullest, where = _fullest(rings)
        signs = Signs(
            writer_running=_is_up(processes, WRITER),
            writer_error=unsealed.error,
            unreadable_rings=tuple(self._rings.unreadable),
            flowing=subscriptions.get("flowing", 0),
            subscriptions=sum(count for name, count in subscriptions.items() if name != _CLOSED),
            problems=problems,
            broken=subscriptions.get("stale", 0) + subscriptions.get("failed", 0),
            down=tuple(process.name for process in processes if process.state not in _UP),
            fullest=fullest,
            fullest_where=where,
            lost_15m=windows["lost"].last_15m if "lost" in windows else 0,
            rejected_15m=windows["rejected"].last_15m if "rejected" in windows else 0,
            gaps_1m=windows["gaps"].last_1m if "gaps" in windows else 0,
            archive_failing=(archiving.error, archiving.failing_s) if archiving and archiving.error else None,
        )
        state, reason = health.derive(signs)
        if state is not self._state or not self._since_ns:
            self._state, self._since_ns = state, now_ns
        return Snapshot(
            at_ns=now_ns,
            started_ns=table.started_ns,
            state=state,
            reason=reason,
            since_ns=self._since_ns,
            data=table.data,
            runtime=str(self._runtime),
            http=table.http,
            processes=processes,
            rings=rings,
            windows=windows,
            subscriptions=subscriptions,
            journals=unsealed,
            archive=archiving,
            unreadable=dict(self._rings.unreadable),
            problems=problems,
        )

    def subscriptions(self) -> list[Subscription]:
        """The ledger of every feed."""
        now_ns = time.time_ns()
        return [row for view in self._rings.views() for row in view.subscriptions(now_ns)]


def _totals(rings: tuple[RingReport, ...]) -> dict[str, int]:
    """Lifetime totals for the windows; the generation in the key makes a new ring start from zero."""
    totals = {}
    for ring in rings:
        place = f"{ring.name}/{ring.generation}"
        for consumer in ring.consumers:
            if health.is_own(consumer.name):
                totals[f"lost/{place}/{consumer.name}"] = consumer.lost
        if ring.silence_gaps:
            totals[f"silences/{place}"] = ring.silence_gaps
        for series, counter in (
            ("gaps", "seq_gaps"), ("gaps", "trade_gaps"), ("rejected", "rejected"), ("reconnects", "reconnects"),
        ):  # fmt: skip
            if counter in ring.counters:
                totals[f"{series}/{place}/{counter}"] = ring.counters[counter]
    return totals


def _fullest(rings: tuple[RingReport, ...]) -> tuple[float, str]:
    fills = [
        (consumer.fill, f"{ring.name} for {consumer.name}")
        for ring in rings
        if ring.alive
        for consumer in ring.consumers
        if health.is_own(consumer.name)
    ]
    return max(fills, default=(0.0, ""))


def _is_up(processes: tuple[ProcessReport, ...], name: str) -> bool:
    return any(process.name == name and process.state in _UP for process in processes)
