"""The channels between processes, by name."""

from __future__ import annotations

from typing import Any

from benchmarks.subjects import Entry

WORKER = "benchmarks.ring.worker"
PEERS = ("faster-fifo", "pyzmq", "iceoryx2")


def ring(name: str, **spec: Any) -> Entry:
    """A ring of ours, under ``name``."""
    return Entry(f"ringcollect, {name}", WORKER, {"link": "ring"} | spec, ours=True)


QUEUE = Entry("multiprocessing.Queue", WORKER, {"link": "queue"})
FASTER_FIFO = Entry("faster-fifo", WORKER, {"link": "faster-fifo"}, "faster-fifo")
ZEROMQ = Entry("ZeroMQ ipc", WORKER, {"link": "zmq"}, "pyzmq")
ICEORYX = Entry("iceoryx2", WORKER, {"link": "iceoryx"}, "iceoryx2")
