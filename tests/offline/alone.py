"""A build as a process of its own, so that failpoints and signals can end it."""

from __future__ import annotations

import multiprocessing
import os
from multiprocessing.process import BaseProcess
from pathlib import Path

import msgspec

from ringcollect import failpoints
from ringcollect.sources.offline.build import build
from ringcollect.sources.offline.settings import Settings
from tests.offline.rows import quick_config


def main(fail: str, data: Path, out: Path, *, delete_source: bool, piecewise: bool) -> None:
    """Build everything as if started with RINGCOLLECT_FAIL=``fail``; exit code as of the report.

    ``piecewise`` lets the build go after each segment, writes down how many segments it built, and goes on once the
    other process has built as many: so both run for every second segment, and each builds some.
    """
    failpoints._armed.update(failpoints._parse(fail))
    settings = Settings(data=data, out=out, config=quick_config(data), by_segment=True, delete_source=delete_source)
    if not piecewise:
        raise SystemExit(build(settings).exit_code)
    log = out / f"built-{os.getpid()}"
    log.touch()
    while not any((out / "state" / "builds").glob("*/at-*.done")):
        counts = {path: len(path.read_text().split()) for path in out.glob("built-*")}
        if len(counts) < 2 or counts[log] > min(counts.values()):
            os.sched_yield()
            continue
        asked = iter([False])  # go on when a generation begins, stop at the end of its first segment
        report = build(msgspec.structs.replace(settings, stop=lambda asked=asked: next(asked, True)))
        assert report.problems() == []
        with log.open("a") as file:
            file.write("".join(f"{one.segments} " for one in report.built if one.segments))


def started(fail: str, data: Path, out: Path, *, delete_source: bool = False, piecewise: bool = False) -> BaseProcess:
    """:func:`main` in a process forked from one that has only done the imports."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    options = {"delete_source": delete_source, "piecewise": piecewise}
    child = context.Process(target=main, args=(fail, data, out), kwargs=options)
    child.start()
    return child


def ended(child: BaseProcess) -> int | None:
    """Its exit code, negative for a signal."""
    child.join(timeout=120)
    return child.exitcode
