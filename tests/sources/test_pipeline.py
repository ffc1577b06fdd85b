"""A source waits for its consumers, whatever floods in, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pyarrow.dataset as ds
import pytest

from ringcollect.config import Config, Market, Override, Storage, Sync
from ringcollect.ring.producer import Producer
from ringcollect.sources import pipeline, runtime
from ringcollect.sources.replay import replay
from ringcollect.sources.stage import Settings
from ringcollect.store.verify import verify

SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND


def write(path: Path, payloads: list[str]) -> Path:
    with path.open("w") as file:
        for number, text in enumerate(payloads):
            file.write(json.dumps({"t": START + number * SECOND // 100, "c": 0, "d": "in", "f": text}) + "\n")
    return path


def settings(data: Path, **sync: object) -> Settings:
    config = Config(storage=Storage(fsync="off"), sync=Sync(**sync))  # type: ignore[arg-type]
    return Settings(data=data, config=config, exchange="binance", market="spot")


def test_a_flood_of_garbage_is_kept_frame_by_frame_and_none_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More rejected bytes than the frame ring holds: the source waits until they are stored."""
    monkeypatch.setattr(pipeline, "FRAME_ENTRIES", 256)
    monkeypatch.setattr(pipeline, "FRAME_BYTES", 256 << 10)
    garbage = [f"{number} is not JSON {'x' * (number % 5000)}" for number in range(2000)]
    report = replay(write(tmp_path / "c.jsonl", garbage), settings(tmp_path / "lake"))
    exchange = report.exchanges[0]
    assert exchange.counters["rejected"] == len(garbage)
    assert not any(exchange.lost.values())
    rows = ds.dataset(tmp_path / "lake" / "rejects").to_table(columns=["seq", "payload", "whole_length"])
    rows = rows.sort_by("seq")
    assert rows["payload"].to_pylist() == [text.encode()[:4096] for text in garbage]
    assert rows["whole_length"].to_pylist() == [len(text) for text in garbage]
    assert report.problems() == ["binance: 2000 frames rejected"]
    assert verify(tmp_path / "lake", strict=True).problems == []


@pytest.mark.parametrize("is_override", [False, True])
def test_a_long_silence_makes_more_rows_than_their_ring_holds_and_none_is_lost(
    tmp_path: Path, is_override: bool
) -> None:
    """Five minutes of silence on a 1 ms grid: 10,000 rows at once (the most a gap is filled with), five times."""
    levels = {"bids": [["1.00", "2.0"]], "asks": [["1.01", "2.0"]]}
    lines: list[dict[str, object]] = [
        {"t": START, "c": 0, "d": "out", "u": "wss://stream.binance.com:9443/ws/btcusdt@depth@100ms", "f": ""},
        {"t": START, "c": -1, "d": "rest", "u": "https://api.binance.com/api/v3/depth?symbol=BTCUSDT&limit=1000",
         "f": json.dumps({"lastUpdateId": 0} | levels)},
    ]  # fmt: skip
    for number in range(6):
        delta = {"e": "depthUpdate", "s": "BTCUSDT", "U": number + 1, "u": number + 1, "b": [["1.00", "3.0"]], "a": []}
        frame = json.dumps({"E": START // 1_000_000 + number * 300_000} | delta)
        lines.append({"t": START + number * 300 * SECOND, "c": 0, "d": "in", "f": frame})
    capture = tmp_path / "c.jsonl"
    capture.write_text("".join(json.dumps(line) + "\n" for line in lines))
    chosen = settings(tmp_path / "lake", grid="1s" if is_override else "1ms")
    if is_override:
        override = Override(symbols=("BTCUSDT",), grid="1ms")
        market = Market(exchange="binance", market="spot", symbols=("BTCUSDT",), override=(override,))
        chosen = msgspec.structs.replace(chosen, config=msgspec.structs.replace(chosen.config, markets=(market,)))
    report = replay(capture, chosen)
    exchange = report.exchanges[0]
    assert exchange.stored["binance.1ms.row"] >= 50_000
    assert not any(exchange.lost.values())
    seqs = ds.dataset(tmp_path / "lake" / "sync").to_table(columns=["seq"])["seq"].to_pylist()
    assert sorted(seqs) == list(range(exchange.stored["binance.1ms.row"]))


def test_the_private_folder_is_gone_afterwards_also_after_an_error() -> None:
    with runtime.private_runtime() as folder:
        assert folder.is_dir()
    assert not folder.exists()
    with pytest.raises(RuntimeError), runtime.private_runtime() as folder:
        raise RuntimeError
    assert not folder.exists()


def test_what_a_killed_source_left_behind_is_removed_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only folders whose rings nobody holds: a source that still runs keeps its own."""
    monkeypatch.setattr(runtime, "_base", lambda: tmp_path)
    killed = tmp_path / f"{runtime.PREFIX}killed"
    code = (
        "import os, pathlib, sys; from ringcollect.ring.producer import Producer; "
        "Producer.open(pathlib.Path(sys.argv[1]), 'binance.rec', capacity=1024, generation=1); os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", code, str(killed)], check=False, env=dict(os.environ))
    assert (killed / "binance.rec.ring").exists()
    alive = tmp_path / f"{runtime.PREFIX}alive"
    ring = Producer.open(alive, "binance.rec", capacity=1024, generation=1)
    try:
        with runtime.private_runtime():
            assert not killed.exists()
            assert alive.exists()
    finally:
        ring.close()
