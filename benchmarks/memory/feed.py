"""A feed's session in a process of its own, told what a script says: ``python -m benchmarks.memory.feed SCRIPT DIR``.

Prints one JSON object, bytes at the end: ``pss``, without the ring's pages, and ``anon``, what of it is in no file;
-1 where the host does not tell. With a third word it traces allocations and prints the places that hold the most, which
costs memory of its own.
"""

from __future__ import annotations

import gc
import os
import sys
import tracemalloc
from pathlib import Path

import msgspec
import orjson

from benchmarks.simulated import new_session, ring_of, tell
from ringcollect.feed.plan import Plan
from ringcollect.observe.memory import usage


def main(script: Path, folder: Path, *, traced: bool = False) -> None:
    """Go through ``script`` line by line, so that it never is in memory; rings are in ``folder``."""
    if traced:
        tracemalloc.start(8)
    with script.open("rb") as lines:
        plan = msgspec.json.decode(lines.readline(), type=Plan)
        ring = ring_of(plan, folder)
        session = new_session(plan, ring)
        for line in lines:
            name, arguments = orjson.loads(line)
            tell(session, (name, arguments))
    gc.collect()
    print(orjson.dumps({"pss": usage(os.getpid(), folder).pss, "anon": private_bytes()}).decode(), flush=True)
    if traced:
        for place in tracemalloc.take_snapshot().statistics("lineno")[:40]:
            print(place)
    ring.close()


def private_bytes() -> int:
    """Bytes in no file: pages of files are shared with whoever else runs Python, which changes from run to run."""
    try:
        lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    except OSError:
        return -1
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss_Anon:")), -1)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), traced=len(sys.argv) > 3)
