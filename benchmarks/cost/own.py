"""The worker: goes through a script with a session of its own each time, or parses the timed frames and no more."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from benchmarks.cost.script import read
from benchmarks.serving import Subject, serve
from benchmarks.simulated import call_of, new_session, ring_of
from ringcollect.feed.session import Session
from ringcollect.ring.producer import Producer

PASSES = 3
CLOCK_PAIRS = 2000


class Timed:
    """Time of each labelled call; of the passes of one round the least, less what the clock itself takes."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self.plan, self.calls = read(Path(spec["script"]))
        labels = np.array([call.label for call in self.calls])
        self._labels = labels[labels >= 0]
        self._least: np.ndarray | None = None
        self.passes = PASSES

    def prepare(self) -> None:
        """Nothing to take back."""

    def times(self) -> list[int]:
        """ns of each timed call, in order."""
        raise TypeError("every subject says how it is timed")

    def run(self) -> int:
        """One pass."""
        times = np.array(self.times(), np.int64) - clock_ns()
        self._least = times if self._least is None else np.minimum(self._least, times)
        return len(times)

    def evidence(self) -> dict[str, float]:
        """Mean ns a frame of each label since the last time somebody asked."""
        least, self._least = self._least, None
        assert least is not None
        return {str(label): float(least[self._labels == label].mean()) for label in np.unique(self._labels)}


def clock_ns() -> int:
    """What two looks at the clock with nothing between them take."""
    clock = time.perf_counter_ns
    pairs = []
    for _ in range(CLOCK_PAIRS):
        before = clock()
        pairs.append(clock() - before)
    return int(np.median(pairs))


class Feed(Timed):
    """The session that runs live, its ring in shared memory."""

    def __init__(self, spec: dict[str, Any]) -> None:
        super().__init__(spec)
        shm = Path("/dev/shm")
        self._folder = tempfile.TemporaryDirectory(prefix="ringcollect-bench-", dir=shm if shm.is_dir() else None)
        self._ring: Producer = ring_of(self.plan, Path(self._folder.name))
        self._session: Session | None = None
        self._made = [(name, call_of((name, arguments)), label) for (name, arguments), label in self.calls]

    def prepare(self) -> None:
        self._session = new_session(self.plan, self._ring)

    def times(self) -> list[int]:
        session = self._session
        assert session is not None
        clock, frames, actions = time.perf_counter_ns, session.frames, session.actions
        times: list[int] = []
        for name, arguments, label in self._made:
            if label < 0:
                getattr(session, name)(*arguments)
            elif name == "frame":
                conn, payload, now, opcode = arguments
                payloads = [payload]
                before = clock()
                frames(conn, payloads, now, opcode)
                times.append(clock() - before)
            else:
                call = getattr(session, name)
                before = clock()
                call(*arguments)
                times.append(clock() - before)
            actions()
        return times


class Parse(Timed):
    """A JSON library's call on every timed payload."""

    def __init__(self, spec: dict[str, Any]) -> None:
        super().__init__(spec)
        self._payloads = [
            next(part for part in call_of(call.told) if isinstance(part, bytes))
            for call in self.calls
            if call.label >= 0
        ]

    def times(self) -> list[int]:
        clock, loads = time.perf_counter_ns, orjson.loads
        times: list[int] = []
        for payload in self._payloads:
            before = clock()
            loads(payload)
            times.append(clock() - before)
        return times


def open_subject(spec: dict[str, Any]) -> Subject:
    """The subject a spec names."""
    return Feed(spec) if spec["subject"] == "feed" else Parse(spec)


if __name__ == "__main__":
    serve(open_subject, {"orjson": orjson.__version__})
