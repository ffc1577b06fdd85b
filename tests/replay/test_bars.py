"""Bars of a replayed capture beside the trades that independent decoders read from its frames."""

from __future__ import annotations

import math
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from ringcollect.config import Config, Storage, Sync, SyncFeatures, SyncOutput
from ringcollect.sync.rows import RowFlag
from tests.replay import lake, oracle
from tests.replay.run import replayed

pytestmark = pytest.mark.usefixtures("sealed_here")
SECOND = 1_000_000_000
CONFIG = Config(
    storage=Storage(fsync="off"),
    sync=Sync(
        mode="external", features=SyncFeatures(bar_durations=("1s", "5s")), output=SyncOutput(features=False, bars=True)
    ),
)


def sums(trades: list[dict[str, Any]]) -> dict[str, float]:
    prices, sizes = [t["price"] for t in trades], [t["amount"] for t in trades]
    return {
        "trade_open": prices[0], "trade_high": max(prices), "trade_low": min(prices), "trade_close": prices[-1],
        "volume": math.fsum(sizes), "bar_trade_count": len(trades),
        "bar_buy_volume": math.fsum(t["amount"] for t in trades if t["side"] == "buy"),
        "bar_sell_volume": math.fsum(t["amount"] for t in trades if t["side"] == "sell"),
        "vwap": math.fsum(p * s for p, s in zip(prices, sizes, strict=True)) / math.fsum(sizes),
    }  # fmt: skip


def test_bars_of_bybits_capture_are_made_of_the_trades_others_read(captures: Path, tmp_path: Path) -> None:
    report = replayed(captures / "bybit_v5_2026.jsonl.gz", tmp_path, config=CONFIG)
    assert report.problems() == []
    trades: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for line in oracle.json_lines(captures / "oracle" / "bybit_v5_2026.jsonl.gz"):
        for message in line["out"]:
            if message["type"] == "trade":
                market = "spot" if message["exchange"] == "bybit-spot" else "linear"
                trades[market, message["symbol"]].append(message)
    compared = 0
    for (market, symbol), own in trades.items():
        bars = lake.table(tmp_path, "sync", "bars", symbol, market)
        assert bars is not None
        for seconds in (1, 5):
            length = seconds * SECOND
            groups: dict[int, list[dict[str, Any]]] = defaultdict(list)
            for trade in own:
                groups[oracle.nanoseconds(trade["timestamp"]) // length * length].append(trade)
            mine = [bar for bar in bars.to_pylist() if bar["duration_s"] == seconds]
            whole = [bar for bar in mine if not bar["row_flags"] & RowFlag.PARTIAL]
            span = range(whole[0]["ts_open_ns"], whole[-1]["ts_close_ns"])
            assert {start for start in groups if start in span} <= {bar["ts_open_ns"] for bar in mine}
            for bar in whole:
                group = groups.get(bar["ts_open_ns"], [])
                assert bar["bar_trade_count"] == len(group)
                for name, value in sums(group).items() if group else ():
                    assert bar[name] == pytest.approx(value, rel=1e-12), (symbol, bar["ts_open_ns"], name)
                compared += len(group)
    assert compared > 200, compared
