"""A whole writer in one short life: take up, drain, seal, stop. Run as a program, so that failpoints can kill it."""

from __future__ import annotations

import sys
from pathlib import Path

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
    while journal.drain(90):
        journal.sync()
        seal_all(journal.take_finished(), data)
    seal_all(journal.close(), data)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
