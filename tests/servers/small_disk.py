"""A whole collector on a small disk that fails: ``unshare -rm python -m tests.servers.small_disk ACCIDENT FOLDER``.

Runs in namespaces of its own, where it may mount a tmpfs of a few MB that nobody else sees, and take rights away from
itself. It drives an accident and its end, and checks the lake against what the simulated exchange sent; what it found
is printed as JSON.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ringcollect.store.cursor import left_behind
from ringcollect.store.seal import seal
from ringcollect.store.verify import verify
from ringcollect.store.writer_state import STATE_FILE
from tests.promises.system import (
    Collector,
    Exchange,
    Lake,
    assert_trades_are_the_truth,
    command,
    environment,
    system,
    until,
)

SIZE = "12m"
CAPACITY = 4096
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 24, 1, 2


def mount(*words: str) -> bool:
    """``mount``; False if the kernel refuses."""
    return subprocess.run(["mount", *words], capture_output=True).returncode == 0


class Accident:
    """What happens to the disk, and how it is undone."""

    def __init__(self, disk: Path, collector: Collector) -> None:
        self.disk, self.collector = disk, collector
        self.data = collector.data

    def full(self) -> Callable[[], object]:
        """Something else takes all of its space."""
        ballast = self.disk / "ballast"
        with suppress(OSError), open(ballast, "wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        return ballast.unlink

    def read_only(self) -> Callable[[], object]:
        """It turns read-only: under a writer that was just killed, as the kernel wants no file open for writing."""

        def refused() -> bool:
            with suppress(AssertionError, ProcessLookupError):
                self.collector.kill("journal")
            return not mount("-o", "remount,ro", str(self.disk))

        until(lambda: not refused(), "remount read-only")
        return lambda: mount("-o", "remount,rw", str(self.disk))

    def forbidden(self) -> Callable[[], object]:
        """Nobody may make or replace files any more."""
        folders = [path for path in (self.data, *self.data.rglob("*")) if path.is_dir()]
        for folder in folders:
            folder.chmod(0o500)
        return lambda: [folder.chmod(0o750) for folder in folders]

    def stuck(self) -> Callable[[], object]:
        """It does not answer: the journal process hangs in the middle of whatever it does."""
        pid = self.collector.kill("journal", signal.SIGSTOP)
        return lambda: os.kill(pid, signal.SIGCONT)

    def vanished(self) -> Callable[[], object]:
        """The folder is moved away and something else takes its place."""
        elsewhere = self.disk / "elsewhere"
        self.data.rename(elsewhere)
        self.data.write_bytes(b"not a folder")

        def undo() -> None:
            self.data.unlink()
            elsewhere.rename(self.data)

        return undo


def writer_state(collector: Collector) -> dict[str, Any]:
    """What the journal process last said; empty before it said anything."""
    try:
        return json.loads((collector.runtime / STATE_FILE).read_bytes())
    except FileNotFoundError:
        return {}


def checked(collector: Collector) -> tuple[int, str]:
    """Exit code of ``ringcollect status --check``, and what it says."""
    words = command("--config", str(collector.config), "status", "--check")
    done = subprocess.run(words, capture_output=True, env=environment(), text=True)
    return done.returncode, done.stdout


def cursor(collector: Collector) -> int:
    """Position up to which the records of the exchange are in journals."""
    return writer_state(collector).get("rings", {}).get("binance.rec", {}).get("cursor", 0)


def suffer(exchange: Exchange, collector: Collector, accident: str, disk: Path) -> dict[str, Any]:
    """The collector's life with the accident in the middle."""
    collector.start(RINGCOLLECT__RING__CAPACITY=str(CAPACITY))
    collector.flowing(3000)
    until(lambda: writer_state(collector).get("sealed", {}).get("files"), "first files", more=collector.tail_of_log)
    feed, stored = collector.pid("feed-binance"), collector.head()
    undo = getattr(Accident(disk, collector), accident)()
    if accident != "stuck":  # then it says nothing
        until(lambda: writer_state(collector).get("error"), "an error", more=collector.tail_of_log)
    until(lambda: checked(collector)[0] == 3, "status ERROR", more=collector.tail_of_log)
    said = writer_state(collector)["error"] or checked(collector)[1]
    until(
        lambda: collector.head() > max(stored, cursor(collector)) + 2 * CAPACITY,
        "rings go on", more=collector.tail_of_log,
    )  # fmt: skip
    undo()
    until(
        lambda: not writer_state(collector).get("error") and cursor(collector) > collector.head() - CAPACITY // 2,
        "writing resumes", more=lambda: f"{writer_state(collector)}\n{collector.tail_of_log()}",
    )  # fmt: skip
    collector.flowing(2000)
    until(lambda: checked(collector)[0] != 3, "no ERROR any more", more=collector.tail_of_log)
    assert (collector.pid("feed-binance"), collector.restarts("feed-binance")) == (feed, 0), "the feed noticed"
    head = collector.head()
    code = collector.stop()
    assert code in (0, 1), f"exit code {code}: {collector.tail_of_log()}"
    exchange.stop()
    return {"error": said, "head": head}


def judged(exchange: Exchange, collector: Collector, head: int) -> dict[str, Any]:
    """The lake against its certificates and against what was sent."""
    for journal in left_behind(collector.data, set()):  # a busy machine left it to the next start
        seal(journal, collector.data)
    report = verify(collector.data, strict=True)
    assert report.problems == [], report.problems[:5]
    assert report.unsealed_journals == 0
    lost = [(one.seq_from, one.seq_to) for one in report.lost if one.ring == "binance.rec"]
    stored = positions(collector.data)
    missing = np.setdiff1d(np.arange(stored[-1] + 1), stored)
    said = np.concatenate([np.arange(*one) for one in lost]) if lost else np.empty(0, np.int64)
    assert np.array_equal(missing, said), "what is missing is exactly what is certified as lost"
    assert len(np.unique(stored)) == len(stored), "stored twice"
    end = max([int(stored[-1]) + 1, *(to for _, to in lost)])
    assert end >= head, f"stored or lost are {end} of {head}: {report.lost} {collector.tail_of_log()}"
    assert_trades_are_the_truth(exchange, collector)
    holes = list(holes_of(exchange, collector))
    unexplained = [hole for hole in holes if not any(a < hole[2] and b > hole[1] for a, b in lost)]
    assert unexplained == [], f"trades that were sent are missing outside of what was lost: {unexplained[:3]}"
    return {"lost": len(said), "ranges": lost, "trades_lost": len(holes), "records": len(stored)}


def positions(data: Path) -> np.ndarray:
    """Positions of all stored records, sorted. A row of ``quotes`` is two records, or one where a loss cut the pair."""
    found = []
    for path, table in Lake(data).tables("r*/*/**/*.parquet"):
        if path.relative_to(data).parts[0] not in ("raw", "rest"):
            continue
        found.append(table["seq"].to_numpy())
        if "/quotes/" in str(path):
            both = pc.and_(pc.is_valid(table["bid_price"]), pc.is_valid(table["ask_price"]))
            found.append(table["seq"].filter(both).to_numpy() + 1)
    return np.sort(np.concatenate(found))


def holes_of(exchange: Exchange, collector: Collector) -> Iterator[tuple[tuple[str, str, int], int, int]]:
    """Trades that were sent between two stored ones and are not stored, with the positions of those two.

    Prints of nothing (type NA) are none.
    """
    seqs: dict[tuple[str, str], dict[int, int]] = {}
    for path in sorted(collector.data.glob("raw/trades/**/*.parquet")):
        parts = dict(part.split("=", 1) for part in path.parts if "=" in part)
        table = pq.ParquetFile(path).read(["id", "seq"])
        seqs.setdefault((parts["market"], parts["symbol"]), {}).update(
            zip(table["id"].to_pylist(), table["seq"].to_pylist(), strict=True)
        )
    for (market, symbol, trade), (_, size, _) in sorted(exchange.trades().items()):
        stored = seqs[market, symbol]
        if size and trade not in stored and min(stored) < trade < max(stored):
            before = stored[max(i for i in stored if i < trade)]
            after = stored[min(i for i in stored if i > trade)]
            yield (market, symbol, trade), before, after


def main(accident: str, folder: Path) -> None:
    """Everything, in the namespaces this process was started in."""
    disk = folder / "disk"
    disk.mkdir()
    assert mount("-t", "tmpfs", "-o", f"size={SIZE},mode=0750", "tmpfs", str(disk)), "no tmpfs can be mounted"
    for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):  # root would overlook every permission
        assert ctypes.CDLL(None, use_errno=True).prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0, os.strerror(
            ctypes.get_errno()
        )
    with system(folder, data=disk / "data") as (exchange, collector):
        facts = suffer(exchange, collector, accident, disk)
        facts |= judged(exchange, collector, facts["head"])
    print(json.dumps(facts))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
