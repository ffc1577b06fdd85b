"""A whole writer in one short life: take up, drain, seal, stop. Its own process, so that failpoints can kill it."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

from ringcollect import failpoints
from ringcollect.ring.attach import Reader
from ringcollect.store.cursor import left_behind
from ringcollect.store.drain import CONSUMER, RingJournal
from ringcollect.store.process import committed_of
from ringcollect.store.rotation import Policy
from ringcollect.store.seal import seal_all

POLICY = Policy(records=250)


def main(ring: Path, data: Path) -> None:
    """Everything in the ring into ``data``."""
    reader = Reader(ring, register=CONSUMER, cursor=committed_of(ring))
    journal = RingJournal(data, reader, POLICY)
    seal_all(left_behind(data, {journal.path}), data)
    while journal.drain(60):
        journal.sync()
        seal_all(journal.take_finished(), data)
    seal_all(journal.close(), data)


def armed(fail: str, ring: Path, data: Path) -> None:
    """:func:`main` as if started with RINGCOLLECT_FAIL=``fail``."""
    failpoints._armed.update(failpoints._parse(fail))
    main(ring, data)


def run(fail: str, ring: Path, data: Path) -> int | None:
    """:func:`armed` in a process forked from one that has only done the imports; returns its exit code."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    child = context.Process(target=armed, args=(fail, ring, data))
    child.start()
    child.join(timeout=60)
    return child.exitcode
