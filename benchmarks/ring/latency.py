"""One-way latency: a record's way from one process to another, for each way of waiting, beside other channels."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from benchmarks.figures import Case, Section, Series, Skip
from benchmarks.form import Form
from benchmarks.harness import cpus
from benchmarks.peers import Installed, install
from benchmarks.ring.channels import FASTER_FIFO, ICEORYX, PEERS, QUEUE, ZEROMQ, ring
from benchmarks.subjects import Entry, Measured

QUANTILES = ("p50", "p99", "p99.9")


def run(form: Form) -> Section:
    """Microseconds."""
    ready, skipped = install(PEERS) if form.peers else ({}, [Skip(name, "not in this form") for name in PEERS])
    cases: list[Case] = []
    versions: dict[str, str] = {}
    for rate in (1_000, 10_000) if form.peers else (10_000,):
        found, told = _at(form, ready, rate)
        cases += found
        versions |= told
    return Section(
        name="latency",
        title="One-way latency",
        unit="microseconds from just before sending to just after receiving",
        cases=tuple(cases),
        skipped=tuple(skipped),
        notes=(
            "One producer, one reader, each pinned to a processor (a library's own threads are not); single records at"
            " a steady rate. Each carries CLOCK_MONOTONIC as read before the sending call; the reader reads it again"
            " when it has the record. All from Python, one call a record, except `between kernels`: both loops are"
            " jitted.",
            "ringcollect's ways of waiting poll: `adaptive` sleeps between looks (the figure is mostly that sleep),"
            " `yield` and `spin` do not. Peers block in their own receive call, but iceoryx2 has none: polled without"
            " pause, or waiting for an event that the producer notifies for each record.",
            "A reader that shares its processor with somebody else shows it in p99 and p99.9: see the load at start.",
        ),
        facts=versions,
    )


def subjects() -> list[Entry]:
    """Every way a reader can wait."""
    adaptive = [
        ring(f"adaptive, {name}", kernel=False, gated=False, wait="adaptive", interval_s=interval)
        for name, interval in (("1 to 20 ms", ()), ("1 ms", (0.001, 0.001)), ("100 us", (0.0001, 0.0001)))
    ]
    return [
        *adaptive,
        ring("yield", kernel=False, gated=False, wait="yield"),
        ring("spin", kernel=False, gated=False, wait="spin"),
        replace(ring("spin, between kernels", subject="kernels")),
        QUEUE,
        FASTER_FIFO,
        replace(ZEROMQ, name="ZeroMQ ipc, PUSH/PULL"),
        replace(ICEORYX.told(wait="spin"), name="iceoryx2, polled"),
        replace(ICEORYX.told(wait="event"), name="iceoryx2, event"),
    ]


def _at(form: Form, ready: dict[str, Installed], rate: int) -> tuple[list[Case], dict[str, str]]:
    messages = round(rate * _seconds(form))
    told = [replace(c, spec={"subject": "latency"} | c.spec | _common(rate, messages)) for c in subjects()]
    measured = Measured(told, ready, form.rounds)
    cases = [
        Case(
            f"{rate:,} records a second, {quantile}",
            f"{messages:,} records a run.",
            _series(measured, quantile),
            skipped=tuple(measured.skipped),
            checks=_complete(measured) if quantile == QUANTILES[0] else (),
        )
        for quantile in QUANTILES
    ]
    return cases, measured.versions


def _common(rate: int, messages: int) -> dict[str, Any]:
    places = [cpus()[:1], cpus()[-1:]]
    return {"readers": 1, "batch": 1, "rate": rate, "messages": messages, "cpus": places}


def _seconds(form: Form) -> float:
    return max(0.1, 3 * form.scale)


def _series(measured: Measured, quantile: str) -> tuple[Series, ...]:
    """The recorded rounds' quantile in microseconds; the first round warmed up."""
    return tuple(
        Series(c.name, tuple(found[quantile] / 1000 for found in measured.evidence[c.name][1:]), c.ours)
        for c in measured.entries
        if c.name in measured.numbers
    )


def _complete(measured: Measured) -> tuple[str, ...]:
    missing = [
        f"{name}: {found['sent'] - found['received']} of {found['sent']} records did not arrive"
        for name, rounds in measured.evidence.items()
        for found in rounds[1:]
        if found["sent"] != found["received"]
    ]
    return tuple(missing) or ("every record of every run arrived",)
