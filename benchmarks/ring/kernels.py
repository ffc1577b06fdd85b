"""Latency from one kernel to another: the clock is read inside both, so that no Python stands between the stamps."""

from __future__ import annotations

import ctypes
import os
import tempfile
import time
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.ring.group import quantiles
from ringcollect.jit import njit
from ringcollect.records import RECORD
from ringcollect.ring import protocol
from ringcollect.ring.attach import Reader
from ringcollect.ring.producer import Producer

_STAMP = 5

_clock_gettime = ctypes.CDLL(None).clock_gettime
_clock_gettime.argtypes = [ctypes.c_int, ctypes.c_void_p]
_clock_gettime.restype = ctypes.c_int


@njit(cache=False)
def _now(two_words: np.ndarray) -> int:
    """CLOCK_MONOTONIC, ns."""
    _clock_gettime(1, two_words.ctypes.data)
    return two_words[0] * 1_000_000_000 + two_words[1]


@njit(cache=False)
def _publish_paced(ring: np.ndarray, batch: np.ndarray, two_words: np.ndarray, period_ns: int, n: int) -> None:
    due = _now(two_words) + 20_000_000
    for _ in range(n):
        while _now(two_words) < due:
            pass
        batch[_STAMP] = _now(two_words)
        protocol.publish(ring, batch, 1)
        due += period_ns


@njit(cache=False)
def _read_spinning(ring: np.ndarray, cursor: int, out: np.ndarray, two_words: np.ndarray, found: np.ndarray) -> int:
    received = 0
    while received < found.size:
        first, n, offset, _ = protocol.consume(ring, cursor, out, 1)
        if n:
            found[received] = _now(two_words) - out[offset * 8 + _STAMP]
            received += 1
        cursor = first + n
    return cursor


class BetweenKernels:
    """As ``group.Latency``, with both loops jitted."""

    def __init__(self, folder: Path, rate: int, messages: int, cpus: list[list[int]]) -> None:
        self._cpus = cpus[0]
        self._producer = Producer.open(folder, "kernels.rec", RECORD, generation=time.time_ns())
        self._batch, self._two_words = np.zeros(8, np.int64), np.zeros(2, np.int64)
        self._period_ns, self._messages = 1_000_000_000 // rate, messages
        self._found: list[int] = []
        _publish_paced(self._producer.words, self._batch, self._two_words, self._period_ns, 0)
        _read_spinning(self._producer.words, 0, self._batch, self._two_words, np.zeros(0, np.int64))
        fork = get_context("fork")
        self._pipe, there = fork.Pipe()
        fork.Process(target=_read, args=(self._producer.path, there, cpus[1], messages), daemon=True).start()

    def prepare(self) -> None:
        os.sched_setaffinity(0, self._cpus)
        self._pipe.send(True)
        self._pipe.recv()

    def run(self) -> int:
        _publish_paced(self._producer.words, self._batch, self._two_words, self._period_ns, self._messages)
        self._found = self._pipe.recv()
        return self._messages

    def evidence(self) -> dict[str, Any]:
        return quantiles(self._found, self._messages)


def _read(path: Path, pipe: Connection, cpus: list[int], messages: int) -> None:
    os.sched_setaffinity(0, cpus)
    reader = Reader(path)
    out, two_words, found = np.zeros(8, np.int64), np.zeros(2, np.int64), np.zeros(messages, np.int64)
    _read_spinning(reader.words, reader.head, out, two_words, found[:0])  # its own type: the mapping is read-only
    while pipe.recv():
        cursor = reader.head
        pipe.send(True)
        _read_spinning(reader.words, cursor, out, two_words, found)
        pipe.send(found.tolist())


def between_kernels(spec: dict[str, Any]) -> BetweenKernels:
    """The subject of a worker's spec."""
    return BetweenKernels(Path(tempfile.mkdtemp(dir=spec["folder"])), spec["rate"], spec["messages"], spec["cpus"])
