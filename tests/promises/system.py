"""A whole collector with real processes, a simulated exchange, and the lake it leaves, for tests that break it.

Everything is told apart by what is in files and shared memory; nothing waits for time to pass, only for a state.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
import numpy as np
import pyarrow.parquet as pq

from ringcollect.errors import RingcollectError
from ringcollect.observe.process_table import read_table
from ringcollect.records import Flag
from ringcollect.ring.attach import Reader, attach

ROOT = Path(__file__).parents[2]
PATIENCE_S = 120.0


def until(
    condition: Callable[[], object], what: str, patience_s: float = PATIENCE_S, more: Callable[[], str] = str
) -> None:
    """Wait for a state, not for time; fails naming ``what`` never came."""
    deadline = time.monotonic() + patience_s
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {patience_s:g} s\n{more()}")
        time.sleep(0.01)


def command(*words: str) -> list[str]:
    """The command line of this package, run from the source tree."""
    return [sys.executable, "-m", "ringcollect.cli", *words]


def environment(**extra: str) -> dict[str, str]:
    """The test's environment, able to import the package."""
    return os.environ | {"PYTHONPATH": str(ROOT)} | extra


class Exchange:
    """A simulated Binance (spot and linear) that writes down everything it sends."""

    def __init__(self, folder: Path, rate: int = 400, seed: int = 7, faults: str = "") -> None:
        self.truth_path = folder / "truth.jsonl"
        words = [
            "sim",
            "--exchange",
            "binance",
            "--rate",
            str(rate),
            "--seed",
            str(seed),
            "--truth",
            str(self.truth_path),
        ]
        words += ["--faults", faults] if faults else []
        self.process = subprocess.Popen(command(*words), stdout=subprocess.PIPE, env=environment(), text=True)
        assert self.process.stdout is not None
        self.ready = json.loads(self.process.stdout.readline())

    def stop(self) -> None:
        """End it; the truth file is complete afterwards."""
        self.process.terminate()
        self.process.communicate(timeout=30)

    def trades(self) -> dict[tuple[str, str, int], tuple[float, float, int]]:
        """(market, symbol, id) -> (price, size, aggressor side) of every match, from the truth file so far."""
        found = {}
        written = self.truth_path.read_bytes()
        for raw in written[: written.rfind(b"\n") + 1].splitlines():
            line = msgspec.json.decode(raw)
            if line["k"] == "trade":
                side = line["side"]
                sign = side if isinstance(side, int) else {"buy": 1, "sell": -1}[side.lower()]
                found[line["m"], line["s"], line["id"]] = (float(line["p"]), float(line["q"]), sign)
        return found


class Collector:
    """``ringcollect start`` on that exchange, with its own runtime folder and lake."""

    def __init__(
        self,
        folder: Path,
        exchange: Exchange,
        *,
        websocket: dict[str, str] | None = None,
        data: Path | None = None,
        archive: dict[str, str] | None = None,
        **storage: str,
    ) -> None:
        self.data = data or folder / "data"
        self.runtime = Path(tempfile.mkdtemp(prefix="ringcollect-test-", dir=shm()))
        self.config = folder / "config.toml"
        self.log = folder / "log.txt"
        self.config.write_text(self._config(exchange.ready, storage, websocket or {}, archive or {}))
        self.process: subprocess.Popen[str] | None = None

    def _config(self, ready: dict, storage: dict[str, str], websocket: dict[str, str], archive: dict[str, str]) -> str:
        settings = {"rotate_time": '"3s"', "flush": '"100ms"'} | storage
        lines = [
            "[collector]", f'data = "{self.data}"', f'runtime_dir = "{self.runtime}"',
            "stop_writer_s = 55",  # a busy machine may need it, and what is not sealed would be missed in the lake
            "[storage]", *(f"{key} = {value}" for key, value in settings.items()),
            "[sync]", 'checkpoint_interval = "500ms"',
            "[websocket]", 'retry_first = "100ms"', 'open_interest_poll = "1s"',
            *(f"{key} = {value}" for key, value in websocket.items()),
            "[archive]", *(f"{key} = {value}" for key, value in archive.items()),
            "[http]", "enabled = false",
            "[log]", 'format = "json"',
        ]  # fmt: skip
        for market, channels in (
            ("spot", ["book", "trade", "bbo"]),
            (
                "linear",
                ["book", "trade", "bbo", "mark_price", "index_price", "funding", "liquidation", "open_interest"],
            ),
        ):
            lines += [
                "[[markets]]", 'exchange = "binance"', f'market = "{market}"', 'symbols = ["BTCUSDT", "ETHUSDT"]',
                f"channels = {json.dumps(channels)}",
                f'url = "{ready["ws"][market]}"', f'rest_url = "{ready["rest"][market]}"',
            ]  # fmt: skip
        return "\n".join(lines) + "\n"

    def start(self, **extra: str) -> None:
        """Start it and wait until trades of both markets are in the ring."""
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                command("--config", str(self.config), "start"),
                stdout=log, stderr=subprocess.STDOUT, env=environment(**extra), text=True,
            )  # fmt: skip

    def pid(self, name: str) -> int:
        """Process id of a child by its name in the process table, 0 while it does not run."""
        table = read_table(self.runtime)
        rows = table.processes if table is not None else ()
        return next((row.pid for row in rows if row.name == name), 0)

    def restarts(self, name: str) -> int:
        """How often the supervisor has restarted the child ``name``."""
        table = read_table(self.runtime)
        rows = table.processes if table is not None else ()
        return next((row.restarts for row in rows if row.name == name), 0)

    def head(self, ring: str = "binance.rec") -> int:
        """Newest position of a ring, 0 while it does not exist."""
        try:
            return self.reader(ring).head
        except RingcollectError:
            return 0

    def reader(self, ring: str = "binance.rec") -> Reader:
        """A plain reader of a ring."""
        return attach(ring, directory=self.runtime)

    def flowing(self, more: int = 500, ring: str = "binance.rec") -> None:
        """Wait until ``more`` records have been published from now on."""
        target = self.head(ring) + more
        until(lambda: self.head(ring) >= target, f"{more} more records in {ring}", more=self.tail_of_log)

    def kill(self, name: str, number: int = signal.SIGKILL) -> int:
        """Signal a running child by name (or ``supervisor``); returns its pid."""
        assert self.process is not None
        pid = self.process.pid if name == "supervisor" else self.pid(name)
        assert pid, f"{name} does not run"
        os.kill(pid, number)
        return pid

    def all_pids(self) -> list[int]:
        """The supervisor, its children and the forkserver: everything of this collector."""
        assert self.process is not None
        found = [self.process.pid]
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) not in found:
                try:
                    parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
                    if parent in found or str(self.runtime) in (entry / "environ").read_text(errors="replace"):
                        found.append(int(entry.name))
                except (OSError, IndexError):
                    continue
        table = read_table(self.runtime)
        return found + [row.pid for row in (table.processes if table else ()) if row.pid and row.pid not in found]

    def stop(self) -> int:
        """SIGTERM, as an operator would; returns the exit code."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(timeout=PATIENCE_S)

    def verify(self) -> tuple[int, str]:
        """Exit code and output of ``ringcollect verify`` on the lake."""
        done = subprocess.run(
            command("verify", str(self.data)), capture_output=True, text=True, env=environment(), timeout=PATIENCE_S
        )
        return done.returncode, done.stdout + done.stderr

    def tail_of_log(self) -> str:
        """The end of what the collector said, for messages."""
        return self.log.read_text()[-2000:] if self.log.exists() else "no log"

    def discard(self) -> None:
        """Kill what is left and remove the rings."""
        if self.process is not None and self.process.poll() is None:
            for pid in self.all_pids():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.process.wait()
        shutil.rmtree(self.runtime, ignore_errors=True)


@contextmanager
def system(
    folder: Path,
    rate: int = 400,
    faults: str = "",
    websocket: dict[str, str] | None = None,
    data: Path | None = None,
    archive: dict[str, str] | None = None,
    **storage: str,
) -> Iterator[tuple[Exchange, Collector]]:
    """An exchange and a collector (not yet started); both are gone afterwards. ``data`` is the lake."""
    exchange = Exchange(folder, rate, faults=faults)
    collector = Collector(folder, exchange, websocket=websocket, data=data, archive=archive, **storage)
    try:
        yield exchange, collector
    finally:
        collector.discard()
        exchange.stop()


def shm() -> str | None:
    """A tmpfs, where there is one."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


class Lake:
    """The Parquet files of a lake, read with plain pyarrow."""

    def __init__(self, data: Path) -> None:
        self.data = data

    def tables(self, pattern: str) -> Iterator[tuple[Path, object]]:
        """Every file below ``pattern`` with its table (no partition columns)."""
        for path in sorted(self.data.glob(pattern)):
            if any(part.startswith(".") for part in path.relative_to(self.data).parts):
                continue  # not in place yet: no reader looks at it
            yield path, pq.ParquetFile(path).read()

    def positions(self, *patterns: str) -> dict[int, np.ndarray]:
        """generation -> sorted positions of all rows; a bbo is two records in one row of ``quotes``."""
        found: dict[int, list[np.ndarray]] = {}
        for pattern in patterns:
            for path, table in self.tables(pattern):
                seqs = table["seq"].to_numpy()
                if "/quotes/" in str(path):
                    seqs = np.concatenate([seqs, seqs + 1])
                generations = table["generation"].to_numpy()
                for generation in np.unique(generations):
                    mask = generations == generation
                    if "/quotes/" in str(path):
                        mask = np.concatenate([mask, mask])[: len(seqs)]
                    found.setdefault(int(generation), []).append(seqs[np.resize(mask, len(seqs))])
        return {generation: np.sort(np.concatenate(parts)) for generation, parts in found.items()}

    def trades(self) -> list[tuple[tuple[str, str, int], tuple[float, float, int], int]]:
        """((market, symbol, id), (price, size, side), flags) of every trade in ``raw/``, in file order."""
        rows = []
        for path, table in self.tables("raw/trades/**/*.parquet"):
            parts = dict(part.split("=", 1) for part in path.parts if "=" in part)
            columns = [table[name].to_pylist() for name in ("id", "price", "size", "side", "flags")]
            for trade_id, price, size, side, flags in zip(*columns, strict=True):
                rows.append(((parts["market"], parts["symbol"], trade_id), (price, size, side), flags))
        return rows


def assert_each_record_exactly_once(collector: Collector, expected_heads: dict[int, int] | None = None) -> None:
    """The lake holds positions 0 .. n-1 of every generation once, and everything that had reached the ring."""
    positions = Lake(collector.data).positions("raw/**/*.parquet", "rest/**/*.parquet")
    assert positions, f"nothing was stored: {collector.tail_of_log()}"
    for generation, seqs in positions.items():
        missing = np.setdiff1d(np.arange(seqs[-1] + 1), seqs)
        doubled = len(seqs) - len(np.unique(seqs))
        assert not doubled, f"generation {generation}: {doubled} records stored twice"
        assert not len(missing), f"generation {generation}: {len(missing)} records missing, first {missing[:5]}"
    for generation, head in (expected_heads or {}).items():
        assert positions[generation][-1] + 1 >= head, f"{head} records had reached the ring"


def assert_rows_exactly_once(collector: Collector) -> None:
    """The feature rows of every generation are stored once, without a hole."""
    for generation, seqs in Lake(collector.data).positions("sync/features/**/*.parquet").items():
        assert np.array_equal(seqs, np.arange(len(seqs))), f"rows of generation {generation} are not 0 .. n-1"


def assert_trades_are_the_truth(exchange: Exchange, collector: Collector) -> None:
    """Every stored trade was sent, with these numbers, and none is stored twice without the DUPLICATE flag."""
    truth = exchange.trades()
    seen = set()
    for key, values, flags in Lake(collector.data).trades():
        assert truth[key] == values, key
        assert flags & Flag.DUPLICATE or key not in seen, f"{key} is stored twice"
        seen.add(key)
    assert seen
