"""The ring's throughput: publishing beside memcpy, and one producer with 1, 2 and 4 readers beside other channels."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from benchmarks.figures import Case, Section, Series, Skip, Target
from benchmarks.form import Form
from benchmarks.harness import cpus
from benchmarks.peers import Installed, install
from benchmarks.ring.channels import FASTER_FIFO, ICEORYX, PEERS, QUEUE, WORKER, ZEROMQ, ring
from benchmarks.subjects import Entry, Measured

BATCH = 64
_PUBLISH, _MEMCPY = "publish, jitted loop", "memcpy, jitted loop"
_COPIES = ("slice assignment, jitted loop", _MEMCPY)
_CALLS = ("Producer.publish, a call a batch", "numpy.copyto, a call a batch")

IN_LOOPS = ring("jitted loops, producer waits", kernel=True, gated=True)
FREE = ring("jitted loops, never waits", kernel=True, gated=False)
CALLS = ring("a Python call a batch, producer waits", kernel=False, gated=True)
CALLS_FREE = ring("a Python call a batch, never waits", kernel=False, gated=False)


def run(form: Form) -> Section:
    """Millions of records a second."""
    ready, skipped = install(PEERS) if form.peers else ({}, [Skip(name, "not in this form") for name in PEERS])
    cases = [_copying(form, BATCH)]
    if form.peers:
        cases += [_calling(form, 1), _calling(form, BATCH)]
    versions: dict[str, str] = {}
    for readers, batch in ((1, BATCH), (1, 1), (2, BATCH), (4, BATCH)) if form.peers else ((1, BATCH),):
        case, told = _readers(form, ready, readers, batch)
        cases.append(case)
        versions |= told
    return Section(
        name="ring",
        title="Ring throughput",
        unit="million records of 64 bytes a second",
        cases=tuple(cases),
        less_is_better=False,
        skipped=tuple(skipped),
        notes=(
            "With readers a figure counts the records that the slowest reader received, over the time from the first"
            " send until every reader had met the end. Readers copy the records out and do nothing else.",
            "`producer waits`: as in a replay, nothing is lost. `never waits`: as live, a reader too slow is lapped and"
            " knows exactly what it lost.",
            "One reader: producer and reader are pinned to a processor each (a library's own threads are not).",
            f"This host has {len(cpus())} processors: 2 and 4 readers share them with the producer, unpinned, so those"
            " figures are throughput only and no statement on latency.",
            "Checked in every run: the seq of every record our readers kept, and every field of the last ones.",
        ),
        facts=versions,
    )


def _copying(form: Form, batch: int) -> Case:
    ours = Entry(
        f"ringcollect, {_PUBLISH}", WORKER, _copy(form, _PUBLISH, batch, form.amount(200_000, 40_000)), ours=True
    )
    others = [Entry(way, WORKER, _copy(form, way, batch, form.amount(200_000, 40_000))) for way in _COPIES]
    measured = Measured([ours, *others], {}, form.rounds)
    return Case(
        f"copying alone, batches of {batch}",
        "No reader. The same bytes into 8 MiB, walked round as a ring is, by the C library's memcpy and by numba's own"
        " slice assignment.",
        _speeds(measured.series()),
        (Target(ours.name, _MEMCPY, 0.5),),
        tuple(measured.skipped),
    )


def _calling(form: Form, batch: int) -> Case:
    times = form.amount(50_000)
    ours = Entry(f"ringcollect, {_CALLS[0]}", WORKER, _copy(form, _CALLS[0], batch, times), ours=True)
    measured = Measured([ours, Entry(_CALLS[1], WORKER, _copy(form, _CALLS[1], batch, times))], {}, form.rounds)
    return Case(
        f"copying alone, from Python, batches of {batch}",
        "One call from Python a batch, so that most of it is the call.",
        _speeds(measured.series()),
        skipped=tuple(measured.skipped),
    )


def _copy(form: Form, way: str, batch: int, times: int) -> dict[str, object]:
    return {"subject": "copy", "way": way, "batch": batch, "times": times, "cpus": [cpus()[-1:]]}


def _readers(form: Form, ready: dict[str, Installed], readers: int, batch: int) -> tuple[Case, dict[str, str]]:
    zeromq = replace(ZEROMQ, name=f"ZeroMQ ipc, {'PUSH/PULL' if readers == 1 else 'PUB/SUB'}")
    loops = [IN_LOOPS, FREE] if batch > 1 else []
    told = [
        channel.told(subject="throughput", readers=readers, batch=batch, seconds=_seconds(form), cpus=_places(readers))
        for channel in (*loops, CALLS, CALLS_FREE, QUEUE, FASTER_FIFO, zeromq, ICEORYX)
    ]
    measured = Measured(told, ready, form.rounds)
    case = Case(
        f"{readers} reader{'s' if readers > 1 else ''}, batches of {batch}",
        _said_of_batches(batch),
        _speeds(measured.series()),
        skipped=tuple(measured.skipped),
        checks=tuple(_delivered(name, rounds[1:]) for name, rounds in measured.evidence.items()),
    )
    return case, measured.versions


def _places(readers: int) -> list[list[int]]:
    """Processors of the producer and of each reader."""
    if readers == 1:
        return [cpus()[:1], cpus()[-1:]]
    return [cpus()] * (readers + 1)


def _seconds(form: Form) -> float:
    return max(0.05, 0.5 * math.sqrt(form.scale))


def _said_of_batches(batch: int) -> str:
    if batch == 1:
        return "One record a message everywhere."
    return (
        f"A batch is {batch} records of 64 bytes. ZeroMQ, iceoryx2 and multiprocessing.Queue get it as one message of"
        f" {batch * 64} bytes, faster-fifo as {batch} messages in one `put_many`; the queues hand a message to one"
        " reader only, so they are one queue per reader."
    )


def _delivered(name: str, rounds: list[dict[str, Any]]) -> str:
    lost = [max(1 - received / max(1, found["sent"]) for received in found["received"]) for found in rounds]
    if not any(lost):
        return f"{name}: every reader received all of it in every run"
    return f"{name}: the worst reader lost {min(lost):.1%} to {max(lost):.1%} of a run, not counted as throughput"


def _speeds(series: tuple[Series, ...]) -> tuple[Series, ...]:
    """Millions a second from ns each."""
    return tuple(replace(one, runs=tuple(1000 / ns for ns in one.runs)) for one in series)
