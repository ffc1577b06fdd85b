"""The README's Python runs as it stands there, on a lake and a ring that hold what it asks for."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from ringcollect.config import Config
from ringcollect.instruments import Registry
from ringcollect.records import RECORD, Flag, Kind
from ringcollect.ring.producer import Producer
from ringcollect.sources.replay import Settings, replay
from tests.house.tree import ROOT

START_NS = 1_763_700_000_000_000_000  # 2025-11-21 04:40:00 UTC
TRADES = [("100.5", "2", True), ("101.5", "1", False), ("99.25", "4", False)]  # price, size, buyer is the maker


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``data/``: three trades and a quote of BTCUSDT, replayed from a capture."""
    folder = tmp_path_factory.mktemp("readme")
    frames: list[dict[str, Any]] = [
        {
            "e": "trade", "E": _ms(number), "s": "BTCUSDT", "t": 7 + number, "p": price, "q": size,
            "T": _ms(number), "m": maker, "M": True,
        }
        for number, (price, size, maker) in enumerate(TRADES)
    ]  # fmt: skip
    frames.append({"u": 5, "s": "BTCUSDT", "b": "100.0", "B": "1.5", "a": "101.0", "A": "2.5"})
    lines = [
        {"t": START_NS + number * 1_000_000, "c": 0, "d": "in", "f": json.dumps(frame)}
        for number, frame in enumerate(frames)
    ]
    capture = folder / "capture.jsonl"
    capture.write_text("".join(json.dumps(line) + "\n" for line in lines))
    replay(capture, Settings(data=folder / "data", config=Config(), exchange="binance", market="spot"))
    return folder


def _ms(number: int) -> int:
    return START_NS // 1_000_000 + number


def run_block(importing: str) -> dict[str, Any]:
    """Run the one Python block of the README that has the line ``importing``; its names afterwards."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    (block,) = [block for block in blocks if importing in block.splitlines()]
    names: dict[str, Any] = {}
    exec(compile(block, "README.md", "exec"), names)
    return names


def test_the_duckdb_query_gives_the_minutes_trades(lake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(lake)
    ((minute, trades, vwap),) = run_block("import duckdb")["minutes"]
    assert (minute.replace(tzinfo=UTC), trades) == (datetime(2025, 11, 21, 4, 40, tzinfo=UTC), 3)
    assert vwap == pytest.approx((100.5 * 2 + 101.5 + 99.25 * 4) / 7)


def test_the_polars_scan_gives_the_buys(lake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(lake)
    buys = run_block("import polars as pl")["buys"]
    assert isinstance(buys, pl.DataFrame)
    assert buys.select("price", "size").rows() == [(101.5, 1.0), (99.25, 4.0)]


def test_the_pandas_read_gives_the_quotes(lake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(lake)
    quotes = run_block("import pandas as pd")["quotes"]
    assert isinstance(quotes, pd.DataFrame)
    assert quotes[["bid_price", "ask_price"]].to_numpy().tolist() == [[100.0, 101.0]]
    assert quotes.index[0] == pd.Timestamp(START_NS + 3_000_000, tz="UTC")


def test_the_live_reader_gives_the_trades_and_its_loss(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RINGCOLLECT_RUNTIME", str(tmp_path))
    producer = Producer.open(tmp_path, "binance.rec", RECORD, 1024, generation=START_NS)
    instrument, _, _ = Registry(None, "binance").register("spot", "BTCUSDT", START_NS)
    producer.instruments.put(instrument)
    batch = np.zeros(1, RECORD)
    batch["kind"], batch["flags"], batch["instrument"] = Kind.TRADE, Flag.LAST, instrument.number
    batch["price"], batch["size"] = 100.5, 2.0
    producer.publish(batch)
    run_block("import ringcollect")
    producer.close()
    assert capsys.readouterr().out == "[100.5] [2.] 0\n"
