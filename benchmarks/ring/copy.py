"""Publishing with no reader beside a copy of the same bytes: what the protocol costs the producer."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.ring.own import CAPACITY, publish_many
from benchmarks.serving import Subject
from ringcollect.jit import cgutils, intrinsic, make_array, njit, types
from ringcollect.records import RECORD
from ringcollect.ring.producer import Producer

_WORDS = RECORD.itemsize // 8


@intrinsic
def memcpy(typingctx: Any, target: Any, to: Any, source: Any, n: Any) -> Any:
    """The C library's memcpy of ``n`` words to ``target[to:]``."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        into = make_array(signature.args[0])(context, builder, args[0]).data
        from_ = make_array(signature.args[2])(context, builder, args[2]).data
        cgutils.raw_memcpy(builder, cgutils.gep_inbounds(builder, into, args[1]), from_, args[3], 8)
        return context.get_dummy_value()

    return types.void(target, types.intp, source, types.intp), codegen


@njit
def memcpy_many(target: np.ndarray, batch: np.ndarray, words: int, times: int) -> int:
    """Copy the batch ``times`` times, walking round ``target`` as publishing walks round the ring."""
    at = 0
    for _ in range(times):
        memcpy(target, at, batch, words)
        at += words
        if at == target.size:
            at = 0
    return at


@njit
def assign_many(target: np.ndarray, batch: np.ndarray, words: int, times: int) -> int:
    """The same with ``target[a:b] = batch``, which numba compiles for itself."""
    at = 0
    for _ in range(times):
        target[at : at + words] = batch
        at += words
        if at == target.size:
            at = 0
    return at


class Copying:
    """``batch`` records a time, ``times`` times; a unit is a record. ``way`` is one of WAYS."""

    def __init__(self, folder: Path, way: str, batch: int, times: int, cpus: list[int]) -> None:
        self._producer = Producer.open(folder, "copy.rec", RECORD, CAPACITY, generation=time.time_ns())
        self._batch = np.arange(batch * _WORDS)
        self._records = self._batch.view(RECORD)
        self._target = np.zeros(CAPACITY * _WORDS, np.int64)
        self._cpus = cpus
        self._way, self._n, self._times = way, batch, times
        self._call(1)

    def _call(self, times: int) -> None:
        words = self._n * _WORDS
        if self._way == "publish, jitted loop":
            publish_many(self._producer.words, self._batch, self._n, times)
        elif self._way == "memcpy, jitted loop":
            memcpy_many(self._target, self._batch, words, times)
        elif self._way == "slice assignment, jitted loop":
            assign_many(self._target, self._batch, words, times)
        elif self._way == "Producer.publish, a call a batch":
            publish, records = self._producer.publish, self._records
            for _ in range(times):
                publish(records)
        else:
            copyto, places = np.copyto, self._target.reshape(-1, words)
            for i in range(times):
                copyto(places[i % len(places)], self._batch)

    def prepare(self) -> None:
        """Publishing goes on where it was."""
        os.sched_setaffinity(0, self._cpus)

    def run(self) -> int:
        self._call(self._times)
        return self._n * self._times

    def evidence(self) -> dict[str, Any]:
        """The slots hold what was published."""
        return {"head": int(self._producer.head)}


def copying(spec: dict[str, Any]) -> Subject:
    """The subject of a worker's spec."""
    return Copying(
        Path(tempfile.mkdtemp(dir=spec["folder"])), spec["way"], spec["batch"], spec["times"], spec["cpus"][0]
    )
