"""The synchronizer process: one worker per exchange, one adaptive poll loop over all of them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from ringcollect.config import Config
from ringcollect.errors import EnvironmentRefused, NotFoundError, RingReset
from ringcollect.sync.engine import Parameters
from ringcollect.sync.features.catalogue import select
from ringcollect.sync.worker import RingWorker, open_worker

_log = logging.getLogger(__name__)
_SHORTEST_S, _LONGEST_S = 0.001, 0.020
_RETRY_S = 0.1
_HEARTBEAT_S = 1.0
_DRAIN_S = 1.5


def parameters_of(config: Config) -> Parameters:
    """``[sync]`` as the engine takes it. Raises ConfigError for features nobody knows."""
    sync = config.sync
    return Parameters(
        grid_ns=sync.grid_ns,
        mode=sync.mode,
        hold_back_ns=sync.hold_back_ns,
        max_gap_fill=sync.max_gap_fill,
        max_future_skew_ns=sync.max_future_skew_ns,
        hold_back_records=sync.hold_back_records,
        book_levels=sync.book_levels,
        columns=tuple(select(sync.features)),
    )


def run(config: Config, exchanges: Sequence[str], stop: Callable[[], bool]) -> None:
    """Child main: synchronize ``exchanges`` until ``stop()``, then drain, checkpoint and close; does not finalize.

    A ring that is not there yet is waited for; one that was replaced is drained and attached anew.
    """
    stations = [_Station(config, exchange) for exchange in exchanges]
    pause = _SHORTEST_S
    try:
        while not stop():
            if any(station.work() for station in stations):
                pause = _SHORTEST_S
            else:
                time.sleep(pause)
                pause = min(pause * 1.5, _LONGEST_S)
        _drain(stations)
    finally:
        for station in stations:
            station.close()


def _drain(stations: Sequence[_Station]) -> None:
    """Take in what the feeds still publish while they stop, for at most 1.5 s."""
    end = time.monotonic() + _DRAIN_S
    while time.monotonic() < end:
        worked = any(station.work() for station in stations)
        if not worked and all(station.input_is_over() for station in stations):
            return
        if not worked:
            time.sleep(_SHORTEST_S)


class _Station:
    """One exchange: its worker while its ring is there, and when to look, say "alive" and checkpoint again."""

    def __init__(self, config: Config, exchange: str) -> None:
        self._directory: Path = config.runtime_path()
        self._exchange = exchange
        self._grid = config.sync.grid
        self._parameters = parameters_of(config)
        self._ring_capacity = config.ring.capacity
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
            _log.info("%s.rec was replaced: starting on its new generation", self._exchange)
            self._leave()
            return True
        self._dirty |= worked
        if now >= self._next_heartbeat:
            self._next_heartbeat = now + _HEARTBEAT_S
            self._worker.heartbeat(time.time_ns())
        if self._dirty and now >= self._next_checkpoint:
            self._save(now)
        return worked

    def input_is_over(self) -> bool:
        """True once nothing more can come: the ring is closed, its producer dead, or there is none."""
        return (
            self._worker is None
            or self._worker.reader.state != "live"
            or not self._worker.reader.producer_alive()
        )  # fmt: skip

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
            self._worker = open_worker(
                self._directory, self._exchange, self._grid, self._parameters, ring_capacity=self._ring_capacity
            )
        except NotFoundError:
            return False
        except EnvironmentRefused as error:
            _log.warning("%s: %s; trying again", self._exchange, error)
            self._next_try = now + 10 * _RETRY_S
            return False
        self._save(now)  # at once: whoever is killed before the first interval is over resumes from here
        return True

    def _save(self, now: float) -> None:
        assert self._worker is not None
        self._next_checkpoint = now + self._checkpoint_s
        try:
            self._worker.save()
            self._dirty = False
        except OSError as error:
            _log.error("%s: checkpoint not written: %s", self._exchange, error)

    def _leave(self) -> None:
        if self._worker is not None:
            self._worker.close()
            self._worker = None
            self._next_try = 0.0
