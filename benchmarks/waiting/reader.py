"""The waiting process: ``python -m benchmarks.waiting.reader RING STRATEGY SHORTEST_S LONGEST_S CPU``.

Prints "ready", then what it used in the silence before the first record, then, when the ring is closed, what it used
while records came and how late each was in its hands.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from benchmarks.harness import pin
from benchmarks.waiting.usage import own
from ringcollect.ring import protocol
from ringcollect.ring.attach import attach
from ringcollect.ring.waiting import Adaptive, Waiting, Watch, heads, strategy

LOOK_S = 0.1


def main(path: str, name: str, shortest_s: float, longest_s: float, cpu: int) -> None:
    """Wait and read until the ring is closed."""
    import time

    import numpy as np

    waiting = make(path, name, shortest_s, longest_s)
    heads.warm()
    protocol.warm()
    pin(cpu)
    reader, watch = attach(Path(path)), Watch()
    late: list[np.ndarray] = []
    print("ready", flush=True)
    begun = own()
    silent: dict[str, float] | None = None
    while True:
        read = reader.read()
        if len(read.records):
            now_ns = time.monotonic_ns()
            if silent is None:  # the first record only ends the silence
                used = own()
                silent, begun = used.since(begun), used
            else:
                late.append(now_ns - read.records["ts_recv"])
        elif reader.state == "closed":
            break
        else:
            watch.set([(reader.words, reader.cursor)])
            waiting.wait(watch, LOOK_S, lambda: False)
    streaming = own().since(begun)
    us = np.concatenate(late) / 1e3
    p50, p99, p999 = np.percentile(us, (50, 99, 99.9))
    print(json.dumps({"silent": silent, "streaming": streaming | {"p50": p50, "p99": p99, "p999": p999}}), flush=True)


def make(path: str, name: str, shortest_s: float, longest_s: float) -> Waiting:
    """The strategy; ``futex`` is the prototype."""
    if name == "futex":
        from benchmarks.waiting.futex import Bell, bell_at

        return Bell(bell_at(Path(path).with_suffix(".bell")))
    return Adaptive(shortest_s, longest_s) if name == "adaptive" else strategy(name)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5]))
