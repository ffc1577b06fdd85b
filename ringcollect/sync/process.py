"""The synchronizer process: one worker per exchange and grid, one wait for all of their rings."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from ringcollect.config import Config, RowPlan
from ringcollect.errors import EnvironmentRefused, NotFoundError, RingReset
from ringcollect.instruments import Instrument
from ringcollect.ring.paths import ring_path
from ringcollect.ring.waiting import Watch, strategy
from ringcollect.sync.across import FOREVER
from ringcollect.sync.across_plan import AcrossPlan, across_plans
from ringcollect.sync.across_rings import AcrossWorker
from ringcollect.sync.book_ring import book_ring_name
from ringcollect.sync.output import Room
from ringcollect.sync.parameters import parameters_of
from ringcollect.sync.row_ring import row_ring_name
from ringcollect.sync.worker import RingWorker, consumer_name, forget_others, open_worker

_log = logging.getLogger(__name__)
_LOOK_S = 0.1
"""How often at least everything is looked at that no head tells: new and replaced rings, heartbeats, checkpoints."""
_RETRY_S = 0.1
_HEARTBEAT_S = 1.0
_DRAIN_S, _DRAIN_PAUSE_S = 1.5, 0.005
_ACROSS_S = 0.05
"""How often rows of several exchanges are compared: they have waited much longer for each other."""


def consumer_of(plan: RowPlan) -> str:
    """Under which name the worker of ``plan`` reads the record ring."""
    return consumer_name("" if plan.is_base else plan.grid)


def open_planned(
    directory: Path,
    exchange: str,
    config: Config,
    plan: RowPlan,
    *,
    ring_capacity: int,
    required: bool = False,
    resume: bool = True,
    room: Room | None = None,
) -> RingWorker:
    """:func:`open_worker` for one of ``config.row_plans(exchange)``."""
    return open_worker(
        directory,
        exchange,
        plan.grid,
        parameters_of(config, plan),
        ring_capacity=ring_capacity,
        required=required,
        resume=resume,
        room=room,
        wants=wants_of(plan),
        selection=plan.selection(),
        consumer=consumer_of(plan),
        stored=config.sync.output.features,
        books=book_ring_name(exchange, plan.own_grid) if config.sync.output.books and plan.makes_once else "",
        book_interval_ns=config.sync.output.book_interval_ns,
        bar_grid=plan.own_grid,
    )


def wants_of(plan: RowPlan) -> Callable[[Instrument], bool] | None:
    """Whose rows ``plan`` has, as the engine takes it; None where it has all."""
    if plan.selection() is None:
        return None
    return lambda instrument: plan.wants(instrument.market, instrument.symbol, instrument.unified)


def run(config: Config, exchanges: Sequence[str], stop: Callable[[], bool]) -> None:
    """Child main: synchronize ``exchanges`` until ``stop()``, then drain, checkpoint and close; does not finalize.

    A ring that is not there yet is waited for; one that was replaced is drained and attached anew.
    """
    stations = [_Station(config, exchange, plan) for exchange in exchanges for plan in config.row_plans(exchange)]
    comparisons = [_Comparison(config, plan, stations) for plan in across_plans(config, exchanges)]
    waiting = strategy(config.wait.strategy, config.wait.min_ns / 1e9, config.wait.max_ns / 1e9)
    watch = Watch()
    try:
        while not stop():
            worked = _work(stations)
            for comparison in comparisons:
                comparison.work()
            if not worked:
                watch.set([ring for station in stations for ring in station.watched()])
                waiting.wait(watch, _LOOK_S, stop)
        _drain(stations)
        for comparison in comparisons:
            comparison.work(at_once=True)
    finally:
        for comparison in comparisons:
            comparison.close()
        for station in stations:
            station.close()


def _work(stations: Sequence[_Station]) -> bool:
    """One step of each, so that a busy one starves nobody; True if there was anything to do."""
    worked = [station.work() for station in stations]
    return any(worked)


def _drain(stations: Sequence[_Station]) -> None:
    """Take in what the feeds still publish while they stop, for at most 1.5 s."""
    end = time.monotonic() + _DRAIN_S
    while time.monotonic() < end:
        worked = _work(stations)
        if not worked and all(station.input_is_over() for station in stations):
            return
        if not worked:
            time.sleep(_DRAIN_PAUSE_S)


class _Station:
    """One grid of one exchange: its worker while its ring is there, and when to look, say "alive" and checkpoint."""

    def __init__(self, config: Config, exchange: str, plan: RowPlan) -> None:
        self._directory: Path = config.runtime_path()
        self._exchange = exchange
        self._config = config
        self._plan = plan
        self._name = row_ring_name(exchange, plan.grid)
        parameters_of(config, plan)  # what nobody knows is refused at once, not when the ring is there
        self._checkpoint_s = config.sync.checkpoint_interval_ns / 1e9
        self._worker: RingWorker | None = None
        self._next_try = 0.0
        self._next_heartbeat = 0.0
        self._next_checkpoint = 0.0
        self._dirty = False

    def work(self) -> bool:
        """One step; True if there was anything to do."""
        now = time.monotonic()
        if self._worker is None and not self._attach(now):
            return False
        assert self._worker is not None
        try:
            worked = self._worker.step()
        except RingReset:
            _log.info("%s: %s.rec was replaced: starting on its new generation", self._name, self._exchange)
            self._leave()
            return True
        self._dirty |= worked
        if now >= self._next_heartbeat:
            self._next_heartbeat = now + _HEARTBEAT_S
            self._worker.heartbeat(time.time_ns())
        if self._dirty and now >= self._next_checkpoint:
            self._save(now)
        return worked

    def watched(self) -> list[tuple[np.ndarray, int]]:
        """The ring to wait for and the position up to which it was read; empty while there is none."""
        return [] if self._worker is None else [(self._worker.reader.words, self._worker.reader.cursor)]

    def input_is_over(self) -> bool:
        """True once nothing more can come: the ring is closed, its producer dead, or there is none."""
        return (
            self._worker is None
            or self._worker.reader.state != "live"
            or not self._worker.reader.producer_alive()
        )  # fmt: skip

    @property
    def place(self) -> tuple[str, str]:
        """Exchange and grid."""
        return self._exchange, self._plan.grid

    def reached_ns(self) -> int:
        """Rows that are not out yet will have a ``ts_recv`` of at least this; FOREVER: there is not even a ring."""
        if self._worker is None:
            return 0 if ring_path(self._directory, f"{self._exchange}.rec").exists() else FOREVER
        return self._worker.engine.stream_ns

    def is_over(self) -> bool:
        """Nobody makes records now: whoever does later receives later than all that others have received by now."""
        return self._worker is not None and not self._worker.reader.producer_alive() and self._worker.reader.lag == 0

    def close(self) -> None:
        """Checkpoint and close the row ring."""
        if self._worker is not None:
            self._save(time.monotonic())
            self._leave()

    def _attach(self, now: float) -> bool:
        if now < self._next_try:
            return False
        self._next_try = now + _RETRY_S
        try:
            self._worker = open_planned(
                self._directory, self._exchange, self._config, self._plan, ring_capacity=self._config.ring.capacity
            )
        except NotFoundError:
            return False
        except EnvironmentRefused as error:
            _log.warning("%s: %s; trying again", self._name, error)
            self._next_try = now + 10 * _RETRY_S
            return False
        if self._plan.is_base:
            plans = self._config.row_plans(self._exchange)
            forget_others(self._directory, self._exchange, [consumer_of(plan) for plan in plans])
        self._save(now)  # at once: whoever is killed before the first interval is over resumes from here
        return True

    def _save(self, now: float) -> None:
        assert self._worker is not None
        self._next_checkpoint = now + self._checkpoint_s
        try:
            self._worker.save()
            self._dirty = False
        except OSError as error:
            _log.error("%s: checkpoint not written: %s", self._name, error)

    def _leave(self) -> None:
        if self._worker is not None:
            self._worker.close()
            self._worker = None
            self._next_try = 0.0


class _Comparison:
    """Group O on one grid: the rows of all its exchanges, compared as far as all of them are known."""

    def __init__(self, config: Config, plan: AcrossPlan, stations: Sequence[_Station]) -> None:
        by_place = {station.place: station for station in stations}
        self._sides = [by_place[exchange, plan.grid] for exchange in plan.exchanges]
        self._grid = plan.grid
        self._worker = AcrossWorker(config.runtime_path(), plan, self._known, config.ring.capacity)
        self._next = self._next_heartbeat = 0.0

    def work(self, *, at_once: bool = False) -> None:
        """A step, when it is time for one."""
        now = time.monotonic()
        if now < self._next and not at_once:
            return
        self._next = now + _ACROSS_S
        try:
            self._worker.step()
        except EnvironmentRefused as error:
            _log.warning("%s: group O: %s; trying again", self._grid, error)
            self._next = now + 10 * _RETRY_S
        if now >= self._next_heartbeat:
            self._next_heartbeat = now + _HEARTBEAT_S
            self._worker.heartbeat(time.time_ns())

    def close(self) -> None:
        """Give up its rings."""
        self._worker.close()

    def _known(self) -> list[int]:
        over = [side.is_over() for side in self._sides]
        reached = [side.reached_ns() for side in self._sides]
        if all(over):
            return reached  # the others are not further, either
        return [FOREVER if gone else ns for gone, ns in zip(over, reached, strict=True)]
