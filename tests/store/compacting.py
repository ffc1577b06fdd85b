"""A lake compacted by one short-lived process, so that failpoints can kill it."""

from __future__ import annotations

import multiprocessing
from pathlib import Path
from typing import Any

from ringcollect import failpoints
from ringcollect.store.compaction.lake_run import CompactionReport, compact
from ringcollect.store.compaction.plan import Policy
from ringcollect.store.compaction.run import Settings
from ringcollect.store.location import Lake
from ringcollect.store.selection import Selection, select


def compacted(data: Path | str, selection: Selection | None = None, **more: Any) -> CompactionReport:
    """Compact the lake; ``more`` are fields of the settings and of the policy."""
    policy = Policy(**{name: more.pop(name) for name in list(more) if name in Policy._fields})
    settings = Settings(policy=policy, sync=False, **more)
    return compact(Lake.open(data), selection or select(), settings)


def main(fail: str, data: Path, exchanges: bool) -> None:
    """Compact as if started with RINGCOLLECT_FAIL=``fail``, fsyncs included."""
    failpoints._armed.update(failpoints._parse(fail))
    compact(Lake.open(data), select(), Settings(exchanges=exchanges))


def run(fail: str, data: Path, *, exchanges: bool = True) -> int | None:
    """:func:`main` in a process forked from one that has only done the imports; returns its exit code."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    child = context.Process(target=main, args=(fail, data, exchanges))
    child.start()
    child.join(timeout=60)
    return child.exitcode
