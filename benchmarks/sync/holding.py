"""What an engine holds: ``python -m benchmarks.sync.holding RECORDS TICKS FEATURES``, in a process of its own.

Prints bytes in no file that the engine took, from before it was made until it has seen everything.
"""

from __future__ import annotations

import gc
import json
import sys
from pathlib import Path

import numpy as np

from benchmarks.memory.feed import private_bytes
from benchmarks.sync import feeding
from ringcollect.instruments import Instrument


def main(records: Path, ticks: list[float | None], features: tuple[str, ...]) -> None:
    """One engine."""
    stream = np.asarray(np.load(records, mmap_mode="r"))

    def instrument(number: int) -> Instrument:
        return Instrument(number=number, exchange="x", market="spot", symbol=f"I{number}", tick_size=ticks[number])

    feeding.feed(feeding.engine_of(features, instrument), stream[:100])  # what the first engine of a process loads
    gc.collect()
    before = private_bytes()
    engine = feeding.engine_of(features, instrument)
    feeding.feed(engine, stream)
    gc.collect()
    print(private_bytes() - before)


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]), tuple(sys.argv[3].split(",")))
