"""The archive process: looks for sealed segments, has them sent by a short-lived child, tries again what failed.

Nothing is remembered but counters: what waits is read from the lake, so a restart goes on where the marks end.
No pyarrow here, and nothing the journal waits for.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog

from ringcollect.config import Config
from ringcollect.errors import EnvironmentRefused
from ringcollect.store.archive.backlog import Backlog
from ringcollect.store.archive.marks import Watch
from ringcollect.store.archive.sender import STALL_S, Sender
from ringcollect.store.archive.settings import Target, target_of
from ringcollect.store.archive.state import Counts, write_state

LOOK_S = 2.0
STEP_S = 0.5
STATE_S = 1.0
BATCH = 32  # segments per child: an end every now and then, and a start is not felt
STORE_REFUSES = EnvironmentRefused.exit_code
RETRY_FIRST_S = 1.0
RETRY_MAX_S = 60.0
STOPPING_S = 0.02
STOP_SHARE = 0.9  # of the stop budget


class ArchiveProcess:
    """State of the archive process; :meth:`step` is one turn of its loop.

    Segments are sent in rounds: everything that waits, the oldest first, but what failed last time at the end, so
    that one bad segment keeps nobody waiting. After a failure the next round begins after a back-off.
    """

    def __init__(self, config: Config, target: Target) -> None:
        self.counts = Counts()
        self.backlog = Backlog()
        self._target = target
        self._runtime = config.runtime_path()
        self._data = config.data_path()
        self._removes = config.archive.mode == "s3"
        self._interval_s = config.archive.interval_ns / 1e9
        self._watch = Watch(self._data, target.mark, removes=self._removes)
        self._sender: Sender | None = None
        self._batch: list[Path] = []
        self._round: list[Path] = []
        self._bad: set[Path] = set()
        self._look_s = self._next_round_s = self._state_s = 0.0
        self._retry_s = RETRY_FIRST_S
        self._is_last_round = False
        self._log = structlog.get_logger()

    def step(self, now_s: float) -> None:
        """One turn at monotonic time ``now_s``. Never waits."""
        self._collect(now_s)
        if now_s >= self._look_s:
            self._look_s = now_s + LOOK_S
            self.backlog.update(self._watch.look())
        self.backlog.measure()
        if self._sender is None and not self._round and now_s >= self._next_round_s and not self._is_last_round:
            self._begin_round(now_s)
        if self._sender is None and self._round:
            self._start(now_s)
        if now_s >= self._state_s:
            self._state_s = now_s + STATE_S
            self.tell()

    def begin_last_round(self, now_s: float) -> None:
        """Everything once more, whatever the interval and the back-off; then :attr:`finished`."""
        self.backlog.update(self._watch.look())
        self._begin_round(now_s)
        self._round = [path for path in self._round if path not in self._batch]
        self._is_last_round = True

    @property
    def finished(self) -> bool:
        """Nothing is being sent, and nothing of the round is left."""
        return self._sender is None and not self._round

    def tell(self) -> None:
        """Say how things stand, for ``status``. A runtime folder that refuses is not the data's problem."""
        try:
            write_state(self._runtime, self._target.uri, self.counts, self.backlog, sending=self._sender is not None)
        except OSError as error:
            self._log.warning("state_not_written", reason=str(error))

    def close(self) -> None:
        """End the child, if there is one."""
        if self._sender is not None:
            self._sender.kill()
            self._sender.close()
            self._sender = None

    def _begin_round(self, now_s: float) -> None:
        waiting = self.backlog.paths
        if not waiting:
            return
        self._bad &= set(waiting)
        self._round = sorted(waiting, key=lambda path: path in self._bad)
        self._next_round_s = now_s + self._interval_s
        if self.counts.failing_since_ns:
            self.counts.retries += 1

    def _start(self, now_s: float) -> None:
        self._batch, self._round = self._round[:BATCH], self._round[BATCH:]
        try:
            self._sender = Sender(self._data, self._target, self._batch, remove=self._removes, now_s=now_s)
        except OSError as error:
            self._failed("reach", f"cannot start the archiver: {error}")
            self._back_off(now_s)

    def _collect(self, now_s: float) -> None:
        """Hear what the child has to say."""
        if self._sender is None:
            return
        code, said = self._sender.poll(now_s)
        for line in said:
            if "sent" in line:
                self._sent(line["sent"])
            elif "failed" in line:
                failed = line["failed"]
                self._bad |= {path for path in self._batch if path.name == failed["certificate"]}
                self._failed(failed["stage"], failed["error"])
        if code is None:
            return
        sender, self._sender, self._batch = self._sender, None, []
        if sender.stalled:
            self._failed("timeout", f"the archiver said nothing for {STALL_S:g} s and was ended")
        elif code not in (0, 1, STORE_REFUSES):
            self._failed("reach", sender.last_words() or f"the archiver ended with {code}")
        sender.close()
        if code not in (0, 1):
            self._round = []
        if code != 0:
            self._back_off(now_s)
        elif not self._round and not self._bad:
            self._worked()
        self._look_s = 0.0

    def _sent(self, line: dict[str, Any]) -> None:
        self.counts.sent(line)
        certificate = self._data / line["certificate"]
        self._bad.discard(certificate)
        self.backlog.done(certificate)

    def _failed(self, stage: str, error: str) -> None:
        self.counts.failures[stage] += 1
        if error != self.counts.error:
            self._log.error("archiving_failed", stage=stage, reason=error)
        self.counts.error = error
        self.counts.failing_since_ns = self.counts.failing_since_ns or time.time_ns()

    def _back_off(self, now_s: float) -> None:
        """A retry waits for this, not for the interval."""
        self._next_round_s = now_s + self._retry_s
        self._retry_s = min(RETRY_MAX_S, self._retry_s * 2)

    def _worked(self) -> None:
        if self.counts.error:
            self._log.info("archiving_goes_on", segments=self.counts.segments)
        self.counts.error = ""
        self.counts.failing_since_ns = 0
        self._retry_s = RETRY_FIRST_S


def run(config: Config, stop: Callable[[], bool]) -> None:
    """Main of the archive process. At a stop it sends what is left once, within ``collector.stop_archive_s``.

    What it cannot send by then waits for the next start.
    """
    target = target_of(config)
    if target is None:
        return
    process = ArchiveProcess(config, target)
    while not stop():
        process.step(time.monotonic())
        time.sleep(STEP_S)
    began_s = time.monotonic()
    process.begin_last_round(began_s)
    while not process.finished and time.monotonic() < began_s + config.collector.stop_archive_s * STOP_SHARE:
        process.step(time.monotonic())
        time.sleep(STOPPING_S)
    process.close()
    process.tell()
