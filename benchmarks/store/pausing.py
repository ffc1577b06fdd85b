"""The journal process's loop, alone in a process: ``python -m benchmarks.store.pausing DATA RUNTIME RECORDS``.

Fills one segment, which then is sealed by a child while records go on coming; prints as JSON the longest time between
the ends of two rounds while that child was at work, in ms, and how many records were drained meanwhile.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np

from ringcollect.config.schema import Collector, Config, Storage
from ringcollect.records import RECORD
from ringcollect.ring.producer import Producer
from ringcollect.store.process import JournalProcess

GENERATION = 1_790_000_000_000_000_000
BATCH = 20
EVERY_S = 0.002
GIVE_UP_S = 300.0


def records(count: int, seq: int) -> np.ndarray:
    """Trades, as a busy minute has them."""
    steps = np.arange(seq, seq + count)
    made = np.zeros(count, RECORD)
    made["ts_recv"] = GENERATION + steps * 1000
    made["ts_event"] = made["ts_recv"] - 1_000_000 + steps % 977
    made["price"] = 60_000 + np.cumsum((steps * 2_654_435_761 >> 7) % 3 - 1) * 0.01
    made["size"] = (steps * 40_503 % 9973) / 1000
    made["id"] = made["aux"] = steps + 1
    made["kind"], made["side"], made["flags"] = 4, 1, 1
    return made


def main(data: str, runtime: str, count: int) -> None:
    """See above."""
    storage = Storage(flush="10ms", fsync="flush", rotate_records=count)
    process = JournalProcess(Config(collector=Collector(data=data, runtime_dir=runtime), storage=storage), ["binance"])
    ring = Producer.open(Path(runtime), "binance.rec", capacity=1 << 20, generation=GENERATION)
    published = 0
    while published < count:
        published += _publish(ring, min(50_000, count - published), published)
        process.step(time.monotonic())
    longest_s, drained, seen = 0.0, 0, False
    give_up_s = time.monotonic() + GIVE_UP_S
    ended_s = time.monotonic()
    next_s = ended_s
    while time.monotonic() < give_up_s:
        now_s = time.monotonic()
        if now_s >= next_s:
            published += _publish(ring, BATCH, published)
            next_s = now_s + EVERY_S
        moved = process.step(time.monotonic())
        end_s = time.monotonic()
        if process.sealers.running:
            seen = True
            longest_s, drained = max(longest_s, end_s - ended_s), drained + moved
        elif seen:
            break
        ended_s = end_s
        time.sleep(0.0005)
    process.sealers.hurry()
    process.syncer.close()
    ring.close()
    state = process.sealers
    print(json.dumps({"ms": longest_s * 1000, "drained": drained, "sealed": state.rows, "error": state.error}))


def _publish(ring: Producer, count: int, seq: int) -> int:
    ring.publish(records(count, seq))
    return count


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
