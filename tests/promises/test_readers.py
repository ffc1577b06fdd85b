"""A reader slows nobody down, whatever it does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.promises.system import assert_each_record_exactly_once, environment, system, until

READER = """
import sys
from pathlib import Path
from ringcollect import attach
reader = attach("binance.rec", directory=Path(sys.argv[1]), register="stopped")
got = len(reader.read(100).records)
print(reader.cursor, flush=True)
sys.stdin.readline()
lost = 0
while reader.lag:
    read = reader.read()
    got += len(read.records)
    lost += read.lost[1] - read.lost[0]
print(got, lost, reader.cursor, flush=True)
"""


def test_a_reader_stopped_for_the_whole_run_loses_exactly_what_it_did_not_read_and_the_lake_does_not_notice(
    tmp_path: Path,
) -> None:
    with system(tmp_path, rate=800) as (exchange, collector):
        collector.config.write_text(collector.config.read_text() + "[ring]\ncapacity = 4096\n")
        collector.start()
        collector.flowing(500)
        reader = subprocess.Popen(
            [sys.executable, "-c", READER, str(collector.runtime)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment(),
        )  # fmt: skip
        assert reader.stdout is not None
        first = int(reader.stdout.readline())
        os.kill(reader.pid, signal.SIGSTOP)
        until(lambda: collector.head() > first + 12_000, "three laps of the ring")
        rows = {c.name: c for c in collector_consumers(collector.runtime)}
        assert rows["journal"].lost == 0 and rows["sync"].lost == 0
        assert collector.stop() == 0, collector.tail_of_log()
        exchange.stop()
        os.kill(reader.pid, signal.SIGCONT)
        output, _ = reader.communicate("go\n", timeout=30)
        got, lost, cursor = map(int, output.split())
        start = first - 100
        assert got + lost == cursor - start == collector.head() - start
        assert lost > 8000
        assert_each_record_exactly_once(collector)
        assert collector.verify()[0] == 0


def collector_consumers(runtime: Path):
    """The registered consumers of the record ring."""
    from ringcollect.ring.control import Control

    return Control(runtime / "binance.rec.ctl", writable=False).consumers()
