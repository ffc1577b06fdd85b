"""The journal process as the supervisor runs it, but alone: ``python -m tests.store.journal_main RUNTIME DATA``."""

from __future__ import annotations

import signal
import sys

from ringcollect.config.schema import Collector, Config, Storage
from ringcollect.store.process import run


def main(runtime: str, data: str, budget_s: float, recycle: str = "") -> None:
    """Until SIGTERM, or until it is to be recycled."""
    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stopped.append(number))
    config = Config(
        collector=Collector(data=data, runtime_dir=runtime, stop_writer_s=budget_s),
        storage=Storage(flush="20ms", rotate_records=1000, fsync="flush", recycle=recycle),
    )
    run(config, ["binance"], lambda: bool(stopped))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]), *sys.argv[4:])
