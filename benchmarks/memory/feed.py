"""A feed's session in a process of its own, told what a script says: ``python -m benchmarks.memory.feed SCRIPT DIR``.

Prints one JSON object: private bytes (PSS without the ring's pages) at the script's end. With a third word it traces
allocations and prints the places that hold the most, which costs memory of its own.
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
    used = usage(os.getpid(), folder)
    print(orjson.dumps({"pss": used.pss, "ring": used.ring_pss, "records": ring.head}).decode(), flush=True)
    if traced:
        for place in tracemalloc.take_snapshot().statistics("lineno")[:40]:
            print(place)
    ring.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), traced=len(sys.argv) > 3)
