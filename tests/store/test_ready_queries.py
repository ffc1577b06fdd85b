"""Every block of docs/queries.md runs as it stands there; DuckDB, Polars and pandas give what plain Python counts."""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest

from ringcollect.store.location import Lake
from ringcollect.store.query import query
from ringcollect.store.selection import Selection
from tests.house.tree import ROOT
from tests.store.frozen.reading import FROZEN

LAKE = max(path for path in FROZEN.iterdir() if path.is_dir() and path.name.startswith("v"))
TEXT = (ROOT / "docs/queries.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL))
Rows = list[tuple[Any, ...]]


def rows_of(table: str) -> list[dict[str, Any]]:
    """Every row of a table of the lake, one file after another, in ring order."""
    rows: list[dict[str, Any]] = []
    for path in sorted((LAKE / table).rglob("*.parquet")):
        folders = dict(part.split("=") for part in path.parts if "=" in part)
        values = {key: value.replace("%2F", "/") for key, value in folders.items()}
        rows += [row | values for row in pq.ParquetFile(path).read().to_pylist()]
    return sorted(rows, key=lambda row: (row["exchange"], row["generation"], row["seq"]))


def bybit(table: str) -> list[dict[str, Any]]:
    return [row for row in rows_of(table) if (row["exchange"], row["symbol"]) == ("bybit", "BTCUSDT")]


def grouped(rows: Iterable[dict[str, Any]], *names: str) -> dict[Any, list[dict[str, Any]]]:
    out: dict[Any, list[dict[str, Any]]] = {}
    for row in rows:
        out.setdefault(tuple(row[name] for name in names), []).append(row)
    return dict(sorted(out.items()))


def candles() -> Rows:
    seconds: dict[int, list[dict[str, Any]]] = {}
    for row in bybit("raw/trades"):
        if row["sub"] == 0:
            seconds.setdefault(row["ts_event"] // 10**9, []).append(row)
    out = []
    for second, rows in sorted(seconds.items()):
        prices = [row["price"] for row in rows]
        out.append((second, prices[0], max(prices), min(prices), prices[-1], math.fsum(row["size"] for row in rows)))
    return out


def buying() -> Rows:
    return [
        (*owner, *(math.fsum(row["size"] for row in rows if row["side"] == side) for side in (1, -1)))
        for owner, rows in grouped(rows_of("raw/trades"), "exchange", "symbol").items()
    ]


def spread() -> Rows:
    out = []
    for (exchange,), rows in grouped(rows_of("raw/quotes"), "exchange").items():
        pairs = [(row["bid_price"], row["ask_price"]) for row in rows]
        known = [(b, a) for b, a in pairs if None not in (b, a) and not math.isnan(b) and not math.isnan(a)]
        out.append((exchange, statistics.fmean((a - b) / ((a + b) / 2) * 1e4 for b, a in known), len(known)))
    return out


def paid() -> Rows:
    quotes = sorted(bybit("raw/quotes"), key=lambda row: row["ts_recv"])
    out = []
    for trade in bybit("raw/trades"):
        before = [quote for quote in quotes if quote["ts_recv"] <= trade["ts_recv"]]
        if before:
            mid = (before[-1]["bid_price"] + before[-1]["ask_price"]) / 2
            out.append((trade["seq"], trade["side"] * (trade["price"] - mid)))
    return out


def latency() -> Rows:
    out = []
    for (exchange,), rows in grouped(rows_of("raw/trades"), "exchange").items():
        late = [(row["ts_recv"] - row["ts_event"]) / 1e6 for row in rows if row["ts_event"]]
        if late:
            out.append((exchange, *np.quantile(late, [0.5, 0.99])))
    return out


def missing() -> Rows:
    found = [row for row in rows_of("raw/trades") if row["flags"] & 8]
    return [(row["exchange"], row["market"], row["symbol"], row["ts_recv"]) for row in found]


def coarser() -> Rows:
    halves: dict[int, list[dict[str, Any]]] = {}
    for row in bybit("sync/features"):
        halves.setdefault((row["ts_ns"] - 1) // 500_000_000, []).append(row)
    return [
        (half, rows[-1]["ob_mid_price"], math.fsum(row["trade_volume"] for row in rows))
        for half, rows in sorted(halves.items())
    ]


def without() -> Rows:
    kraken = [row["size"] for row in rows_of("raw/trades") if row["exchange"] == "kraken"]
    return [("BTC/USD", len(kraken), math.fsum(kraken))]


EXPECTED = {
    "Candles": candles, "Buying and selling": buying, "Spread": spread,
    "What a trade paid against the mid before it": paid, "Latency": latency, "Where something is missing": missing,
    "Rows of the synchronizer, coarser": coarser, "Without ringcollect": without,
}  # fmt: skip


def test_every_question_is_asked_and_answered_here() -> None:
    assert list(SECTIONS) == list(EXPECTED)


@pytest.mark.parametrize("title", EXPECTED)
def test_every_way_of_asking_gives_what_counting_gives(
    title: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").symlink_to(LAKE)
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```(sql|python)\n(.*?)```", SECTIONS[title], re.DOTALL)
    assert len(blocks) == 3
    expected = EXPECTED[title]()
    assert expected or title == "Where something is missing"
    for language, block in blocks:
        found = asked(block) if language == "sql" else computed(block)
        assert len(found) == len(expected), block
        for ours, theirs in zip(found, expected, strict=True):
            wanted = [value if isinstance(value, str) else pytest.approx(value, rel=1e-9) for value in theirs]
            assert list(ours) == wanted, block


def asked(sql: str) -> Rows:
    return list(query(sql, Lake.open("data"), Selection()).rows)


def computed(block: str) -> Rows:
    names: dict[str, Any] = {}
    exec(compile(block, "queries.md", "exec"), names)
    answer = names["answer"]
    if isinstance(answer, pl.DataFrame):
        return answer.rows()
    if isinstance(answer, pd.DataFrame):
        return [tuple(row) for row in answer.itertuples(index=False)]
    return list(answer)


def test_what_the_page_on_reading_shows_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "data").symlink_to(LAKE)
    monkeypatch.chdir(tmp_path)
    shown, written = re.findall(r"```python\n(.*?)```", (ROOT / "docs/reading.md").read_text(), re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(shown, "reading.md", "exec"), names)
    assert names["table"].num_rows == len(bybit("raw/trades"))
    assert names["book"].is_whole and len(names["book"].bids) > 3
    assert "bybit linear BTCUSDT" in capsys.readouterr().out
    exec(compile(written, "reading.md", "exec"), names)
    assert names["found"]["price"].to_pylist() == [64000.5]
