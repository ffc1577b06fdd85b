"""Alternating runs: A B C A B C ..., so that whatever disturbs the host disturbs every subject alike."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

Run = Callable[[], float]
"""One timed run of one subject; answers its number, in the unit of the section."""


def alternate(
    subjects: Mapping[str, Run], rounds: int, *, warmup: int = 1
) -> tuple[dict[str, tuple[float, ...]], dict[str, str]]:
    """Run every subject in turn, ``warmup`` times unrecorded and ``rounds`` times recorded.

    Answers the numbers by subject, and the subjects that failed with the last line of their error: a peer's failure
    is no reason to lose the others.
    """
    numbers: dict[str, list[float]] = {name: [] for name in subjects}
    failed: dict[str, str] = {}
    for turn in range(warmup + rounds):
        for name, run in subjects.items():
            if name in failed:
                continue
            try:
                number = run()
            except RunFailed as error:
                failed[name] = last_line(str(error))
                continue
            if turn >= warmup:
                numbers[name].append(number)
    return {name: tuple(runs) for name, runs in numbers.items() if name not in failed}, failed


class RunFailed(Exception):
    """A subject could not do its run; the message says why."""


def last_line(text: str) -> str:
    """The last line that says something: of a traceback or of pip's output, the reason."""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "no reason given")


@contextmanager
def quiet() -> Iterator[None]:
    """No garbage collection inside; what is there already is collected before."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def cpus() -> list[int]:
    """The processors this process may use, in order."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]


def pin(cpu: int) -> None:
    """Keep this process (and its later children) on one processor, where the system can."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {cpu})
