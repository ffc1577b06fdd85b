"""Live, replay and offline, in pieces of any size, write the same bytes, and every record once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.dataset as ds
import pytest

from ringcollect.store.verify import verify
from tests import synthetic
from tests.skeleton import ways

STREAM = synthetic.stream()
SIZES = {"1": 1, "7": 7, "1000": 1000, "all": ways.ALL}


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lake as one array at once makes it."""
    data = tmp_path_factory.mktemp("reference")
    ways.offline(STREAM, data, ways.ALL)
    return data


def test_the_stream_is_as_awkward_as_it_claims(reference: Path) -> None:
    """Several rotations, two UTC days, all tables, features."""
    paths = ways.parquet_hashes(reference)
    assert {path.split("/")[1] for path in paths} >= {
        "orderbooks", "trades", "quotes", "liquidations", "fundings", "open_interests", "mark_prices", "index_prices",
        "status", "features",
    }  # fmt: skip
    assert {part for path in paths for part in path.split("/") if part.startswith("date=")} == {
        "date=2026-09-21",
        "date=2026-09-22",
    }
    assert len(list((reference / "raw" / "trades").rglob("*BTCUSDT_trades*"))) >= 8


def test_every_record_is_in_the_lake_once(reference: Path) -> None:
    """Sequence numbers over all tables are the stream's, without hole and without double."""
    seqs = []
    for tier in ("raw", "rest"):
        for folder in (reference / tier).iterdir():
            table = ds.dataset(folder, partitioning=None).to_table(columns=["seq"])
            seq = table["seq"].to_numpy()
            seqs.append(seq)
            if folder.name == "quotes":
                seqs.append(seq + 1)  # a row is a bid and the ask that follows it
    assert np.array_equal(np.sort(np.concatenate(seqs)), STREAM["seq"])
    assert verify(reference, strict=True).problems == []


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES.keys())
def test_offline_in_pieces_of_any_size_writes_the_same_bytes(tmp_path: Path, reference: Path, size: int) -> None:
    ways.offline(STREAM, tmp_path, size)
    assert ways.parquet_hashes(tmp_path) == ways.parquet_hashes(reference)


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES.keys())
def test_replay_in_pieces_of_any_size_writes_the_same_bytes(
    tmp_path: Path, reference: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    ways.read_in_pieces(monkeypatch, lambda: size)
    ways.replayed(STREAM, tmp_path / "lake", tmp_path / "runtime")
    assert ways.parquet_hashes(tmp_path / "lake") == ways.parquet_hashes(reference)


@pytest.mark.parametrize("seed", [1, 2])
def test_live_processes_with_random_delays_write_the_same_bytes(tmp_path: Path, reference: Path, seed: int) -> None:
    ways.live(STREAM, tmp_path / "lake", tmp_path / "runtime", seed)
    assert ways.parquet_hashes(tmp_path / "lake") == ways.parquet_hashes(reference)
    assert verify(tmp_path / "lake", strict=True).problems == []


READER = """
import sys
import os
import signal
import subprocess
import sys
from pathlib import Path
from ringcollect import attach
reader = attach("binance.rec", directory=Path(sys.argv[1]), register="stopped")
reader.read(1)
print("ready", flush=True)
sys.stdin.read()
"""


def test_a_reader_stopped_for_the_whole_run_changes_no_byte(tmp_path: Path, reference: Path) -> None:
    """It attaches to the ring before the first record, registered, and is stopped until everything is over."""
    runtime = tmp_path / "runtime"
    config = ways.config_for(tmp_path / "lake", runtime)
    ways.empty_ring(runtime)
    command = [sys.executable, "-c", READER, str(config.runtime_path())]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as reader:
        assert reader.stdout is not None and reader.stdout.readline() == "ready\n"
        os.kill(reader.pid, signal.SIGSTOP)
        try:
            ways.live(STREAM, tmp_path / "lake", runtime, 3)
        finally:
            os.kill(reader.pid, signal.SIGKILL)
    assert ways.parquet_hashes(tmp_path / "lake") == ways.parquet_hashes(reference)
