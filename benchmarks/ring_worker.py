"""A producer's process: ``python -m benchmarks.ring_worker``, in our environment or in a peer's."""

from __future__ import annotations

import os
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.ring_group import Latency, Throughput
from benchmarks.ring_links import FasterFifo, Link, MultiprocessingQueue, ZeroMq
from benchmarks.serving import Subject, serve

_PACKAGES = ("faster-fifo", "pyzmq", "iceoryx2")


def _link(spec: dict[str, Any]) -> Link:
    kind, readers, batch, wait = spec["link"], spec["readers"], spec["batch"], spec.get("wait", "yield")
    if kind == "queue":
        return MultiprocessingQueue(readers, batch)
    if kind == "faster-fifo":
        return FasterFifo(readers, batch)
    if kind == "zmq":
        return ZeroMq(readers, batch, f"ipc://{tempfile.mkdtemp(dir=spec['folder'])}/socket")
    if kind == "iceoryx":
        from benchmarks.ring_iceoryx import Iceoryx

        return Iceoryx(readers, batch, f"ringcollect-bench-{os.getpid()}-{wait}", wait)
    from benchmarks.ring_own import Ring
    from benchmarks.ring_waits import pause_of

    return Ring(
        Path(tempfile.mkdtemp(dir=spec["folder"])),
        batch,
        kernel=spec["kernel"],
        gated=spec["gated"],
        pause=pause_of(wait),
    )


def _open(spec: dict[str, Any]) -> Subject:
    if spec["subject"] == "copy":
        from benchmarks.ring_copy import copying

        return copying(spec)
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
