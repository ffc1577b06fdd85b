"""A producer's process: ``python -m benchmarks.ring.worker``, in our environment or in a peer's."""

from __future__ import annotations

import os
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.ring.group import Latency, Throughput
from benchmarks.ring.links import FasterFifo, Link, MultiprocessingQueue, ZeroMq
from benchmarks.serving import Subject, serve

_PACKAGES = ("faster-fifo", "pyzmq", "iceoryx2")


def _link(spec: dict[str, Any]) -> Link:
    kind, readers, batch = spec["link"], spec["readers"], spec["batch"]
    if kind == "queue":
        return MultiprocessingQueue(readers, batch)
    if kind == "faster-fifo":
        return FasterFifo(readers, batch)
    if kind == "zmq":
        return ZeroMq(readers, batch, f"ipc://{tempfile.mkdtemp(dir=spec['folder'])}/socket")
    if kind == "iceoryx":
        from benchmarks.ring.iceoryx import Iceoryx

        wait = spec.get("wait", "yield")
        return Iceoryx(readers, batch, f"ringcollect-bench-{os.getpid()}-{wait}", wait)
    from benchmarks.ring.own import Ring
    from ringcollect.ring.waiting import strategy

    return Ring(
        Path(tempfile.mkdtemp(dir=spec["folder"])),
        batch,
        kernel=spec["kernel"],
        gated=spec["gated"],
        waiting=strategy(spec.get("wait", "yield"), *spec.get("interval_s", ())),
    )


def _open(spec: dict[str, Any]) -> Subject:
    if spec["subject"] == "copy":
        from benchmarks.ring.copy import copying

        return copying(spec)
    if spec["subject"] == "kernels":
        from benchmarks.ring.kernels import between_kernels

        return between_kernels(spec)
    if spec["subject"] == "latency":
        return Latency(_link(spec), spec["rate"], spec["messages"], spec["cpus"])
    return Throughput(_link(spec), spec["readers"], spec["seconds"], spec["cpus"])


def _versions() -> dict[str, str]:
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


if __name__ == "__main__":
    serve(_open, _versions())
