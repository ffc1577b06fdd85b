"""A producer with forked readers as one subject: the same round for every channel, ours and the peers'."""

from __future__ import annotations

import atexit
import os
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

from benchmarks.ring.links import Link, Receiver


class Readers:
    """The reader processes; each runs ``work`` once a round and answers what it returns."""

    def __init__(self, link: Link, count: int, cpus: list[list[int]], work: Callable[[Receiver], Any]) -> None:
        self._pipes: list[Connection] = []
        self._processes: list[Any] = []
        fork = get_context("fork")
        for index in range(count):
            here, there = fork.Pipe()
            process = fork.Process(target=_read, args=(link, index, there, cpus[index], work), daemon=True)
            process.start()
            self._processes.append(process)
            self._pipes.append(here)
        atexit.register(self._end)  # a reader that is killed would leave its files behind
        for pipe in self._pipes:
            pipe.recv()

    def go(self) -> None:
        """Have every reader start a round; returns when all are about to."""
        for pipe in self._pipes:
            pipe.send(True)
        for pipe in self._pipes:
            pipe.recv()

    def _end(self) -> None:
        for pipe, process in zip(self._pipes, self._processes, strict=True):
            with suppress(OSError):
                pipe.send(False)
            process.join(2)

    def answers(self) -> list[Any]:
        """What each reader found in the round."""
        return [pipe.recv() for pipe in self._pipes]


def _read(link: Link, index: int, pipe: Connection, cpus: list[int], work: Callable[[Receiver], Any]) -> None:
    os.sched_setaffinity(0, cpus)
    receiver = link.receiver(index)
    pipe.send(True)
    while pipe.recv():
        receiver.renew()
        pipe.send(True)
        pipe.send(work(receiver))


def _count(receiver: Receiver) -> tuple[int, int]:
    received, receiver.lost = 0, 0
    while not receiver.ended:
        received += receiver.take()
    return received, receiver.lost


class Throughput:
    """As fast as the producer can for a fixed time; a unit is a record that the worst reader received."""

    def __init__(self, link: Link, readers: int, seconds: float, cpus: list[list[int]]) -> None:
        self._cpus = cpus[0]
        self._readers = Readers(link, readers, cpus[1:], _count)
        os.sched_setaffinity(0, set().union(*cpus))  # threads that the sender starts may run anywhere
        self._sender = link.sender()
        self._seconds = seconds
        self._found: dict[str, Any] = {}

    def prepare(self) -> None:
        os.sched_setaffinity(0, self._cpus)
        self._sender.renew()
        self._readers.go()

    def run(self) -> int:
        send, clock = self._sender.send, time.monotonic
        sent = 0
        until = clock() + self._seconds
        while clock() < until:
            sent += send()
        self._sender.end()
        answers = self._readers.answers()
        received = [records for records, _ in answers]
        self._found = {"sent": sent, "received": received, "lost": [lost for _, lost in answers]}
        return min(received)

    def evidence(self) -> dict[str, Any]:
        return self._found


def _latencies(receiver: Receiver) -> list[int]:
    clock, found = time.monotonic_ns, []
    while (stamp := receiver.stamp()) >= 0:
        found.append(clock() - stamp)
    return found


class Latency:
    """Single records at a steady rate; each carries the time just before it was sent, read again on arrival."""

    def __init__(self, link: Link, rate: int, messages: int, cpus: list[list[int]]) -> None:
        self._cpus = cpus[0]
        self._readers = Readers(link, 1, cpus[1:], _latencies)
        os.sched_setaffinity(0, set().union(*cpus))  # threads that the sender starts may run anywhere
        self._sender = link.sender()
        self._period_ns = 1_000_000_000 // rate
        self._messages = messages
        self._found: list[int] = []

    def prepare(self) -> None:
        os.sched_setaffinity(0, self._cpus)
        self._sender.renew()
        self._readers.go()

    def run(self) -> int:
        clock, rest, stamped = time.monotonic_ns, time.sleep, self._sender.stamped
        due = clock() + 20_000_000
        for _ in range(self._messages):
            while clock() < due:
                rest(0)  # a queue's own thread needs the interpreter's lock
            stamped(clock())
            due += self._period_ns
        self._sender.end()
        [self._found] = self._readers.answers()
        return self._messages

    def evidence(self) -> dict[str, Any]:
        return quantiles(self._found, self._messages)


def quantiles(latencies_ns: list[int], sent: int) -> dict[str, Any]:
    """p50, p99 and p99.9 of what was received, and how many were."""
    ordered = sorted(latencies_ns)
    at = {f"p{q}": ordered[min(len(ordered) - 1, int(len(ordered) * q / 100))] for q in (50, 99, 99.9)}
    return at | {"sent": sent, "received": len(ordered)}
