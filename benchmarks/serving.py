"""The worker's end of a benchmark: one process per environment, told over stdin when to run one round.

A peer lives in an environment of its own, so its worker imports this file and nothing of ours; Python's standard
library is all it needs. Requests and answers are one JSON object a line:

* ``{"open": spec}``  build what the spec names            -> ``{"handle": n}``
* ``{"round": n}``    prepare (untimed), then run (timed)  -> ``{"ns": int, "units": int}``
* ``{"evidence": n}`` what the work led to                 -> ``{"evidence": ...}``
* ``{"close": n}``    forget it                            -> ``{}``

The first line a worker writes is ``{"versions": {...}}``. A failure is answered ``{"error": "..."}``.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any, Protocol


class Subject(Protocol):
    """Something a worker can run again and again; ``passes`` times a round, if it has such a number, by its ``clock``
    (ns), if it has one."""

    def prepare(self) -> None:
        """Back to the same start state; not timed."""
        ...

    def run(self) -> int:
        """One round; answers how many units (frames, records) it did."""
        ...

    def evidence(self) -> Any:
        """JSON that shows what the last round led to, to be compared with the others'."""
        ...


def serve(open_subject: Callable[[dict[str, Any]], Subject], versions: dict[str, str]) -> None:
    """Answer the driver until it closes our stdin."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a peer prints must not stand between the answers
    subjects: dict[int, Subject] = {}

    def say(answer: dict[str, Any]) -> None:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    say({"versions": versions})
    for line in sys.stdin:
        try:
            say(_answer(json.loads(line), subjects, open_subject))
        except Exception:  # noqa: BLE001 - whatever a peer raises is the reason the driver prints
            say({"error": traceback.format_exc(limit=-4)})


def _answer(
    request: dict[str, Any], subjects: dict[int, Subject], open_subject: Callable[[dict[str, Any]], Subject]
) -> dict[str, Any]:
    if "open" in request:
        handle = len(subjects)
        subjects[handle] = open_subject(request["open"])
        return {"handle": handle}
    if "round" in request:
        return _round(subjects[request["round"]])
    if "evidence" in request:
        return {"evidence": subjects[request["evidence"]].evidence()}
    subjects[request["close"]] = Closed()
    gc.collect()
    return {}


def _round(subject: Subject) -> dict[str, int]:
    took = units = 0
    clock = getattr(subject, "clock", time.perf_counter_ns)
    for _ in range(getattr(subject, "passes", 1)):
        subject.prepare()
        gc.collect()
        gc.disable()
        try:
            start = clock()
            units += subject.run()
            took += clock() - start
        finally:
            gc.enable()
    return {"ns": took, "units": units}


class Closed:
    """Stands where a subject was."""

    def prepare(self) -> None:
        raise RuntimeError("this subject was closed")

    def run(self) -> int:
        return 0

    def evidence(self) -> Any:
        return None
