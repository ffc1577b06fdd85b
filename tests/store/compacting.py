"""A lake compacted by one short-lived process, so that failpoints can kill it."""

from __future__ import annotations

import multiprocessing
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa

from ringcollect import failpoints
from ringcollect.config import Retention
from ringcollect.store.compaction import merging
from ringcollect.store.compaction.lake_run import CompactionReport, compact
from ringcollect.store.compaction.plan import Policy
from ringcollect.store.compaction.run import Settings
from ringcollect.store.location import Lake
from ringcollect.store.naming import DAY_NS
from ringcollect.store.retention.run import retain
from ringcollect.store.selection import Selection, select
from tests import synthetic


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


def retain_main(fail: str, data: Path, retention: Retention) -> None:
    """Retention ten days after the synthetic records, as if started with RINGCOLLECT_FAIL=``fail``."""
    failpoints._armed.update(failpoints._parse(fail))
    report = retain(data, retention, now_ns=synthetic.MIDNIGHT_NS + 10 * DAY_NS)
    sys.exit(report.exit_code)


def retained(fail: str, data: Path, retention: Retention) -> int | None:
    """:func:`retain_main` in a process of its own; returns its exit code."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    child = context.Process(target=retain_main, args=(fail, data, retention))
    child.start()
    child.join(timeout=60)
    return child.exitcode


def _tell_peak(data: Path, told: Any) -> None:
    merging.GROUP_ROWS = 1 << 12
    compacted(data)
    told.send(pa.default_memory_pool().max_memory())


def peak_of_compaction(data: Path) -> int:
    """Most bytes that Arrow held at a time while the lake was compacted in groups of 4096 rows."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    here, there = context.Pipe(duplex=False)
    child = context.Process(target=_tell_peak, args=(data, there))
    child.start()
    peak: int = here.recv()
    child.join(timeout=60)
    return peak
