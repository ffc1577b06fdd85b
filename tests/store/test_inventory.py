"""``stats``: what is counted from footers is what counting every row gives, for the whole lake and for a part."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ringcollect
from ringcollect.cli import run
from ringcollect.records import Flag
from ringcollect.store.inventory import PRICES, inventory
from ringcollect.store.location import Lake
from ringcollect.store.selection import Selection, select
from tests import synthetic
from tests.store import lake as lakes


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    records = synthetic.stream(1500)
    trades = np.flatnonzero(records["kind"] == 4)
    records["flags"][trades[[10, 500]]] |= int(Flag.GAP)
    return lakes.make_lake(tmp_path_factory.mktemp("stats"), records)


def counted(data: Path, **chosen: Any) -> dict[tuple[str, ...], tuple[Any, ...]]:
    """The slow obvious way: every row of every table."""
    out: dict[tuple[str, ...], tuple[Any, ...]] = {}
    for tier in ("raw", "rest"):
        for folder in sorted((data / tier).iterdir()):
            table = ringcollect.scan(data, folder.name, mode=tier, **chosen).to_table().to_pylist()
            owners = sorted({(row["exchange"], row["market"], row["symbol"]) for row in table})
            for owner in owners:
                rows = [row for row in table if (row["exchange"], row["market"], row["symbol"]) == owner]
                times = [row["ts_recv"] for row in rows]
                name = PRICES.get(folder.name, "")
                prices = [row[name] for row in rows if name and row[name] is not None and row[name] == row[name]]
                ends = (prices[0], prices[-1]) if prices else (None, None)
                gaps = sum(bool(row["flags"] & Flag.GAP) for row in rows)
                out[(f"{tier}/{folder.name}", *owner)] = (len(rows), min(times), max(times), *ends, gaps)
    return out


def found(data: Path, selection: Selection) -> dict[tuple[str, ...], tuple[Any, ...]]:
    return {
        (one.type, one.exchange, one.market, one.symbol): (
            one.rows, one.first_ns, one.last_ns, one.first_price, one.last_price, one.gaps,
        )
        for one in inventory(Lake.open(data), selection)
    }  # fmt: skip


def test_everything_is_counted_as_row_by_row(data: Path) -> None:
    ours = found(data, Selection())
    assert ours == counted(data)
    assert sum(row[-1] for row in ours.values()) == 2
    sizes = {one.type: one.bytes for one in inventory(Lake.open(data), select(symbols=("ETHUSDT",), types=("trades",)))}
    files = (data / "raw/trades").rglob("symbol=ETHUSDT/**/*.parquet")
    assert sizes == {"raw/trades": sum(path.stat().st_size for path in files)}


def test_a_part_of_the_time_is_counted_exactly(data: Path) -> None:
    start, end = synthetic.START_NS + 20_123_456_789, synthetic.START_NS + 95_000_000_001
    assert found(data, Selection(start_ns=start, end_ns=end)) == counted(data, start=start, end=end)


def test_the_command_prints_a_line_per_stream_and_the_same_as_json(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["stats", str(data), "--type", "trades"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + 3 + 1
    assert lines[0].split()[:5] == ["type", "exchange", "market", "symbol", "rows"]
    assert run(["stats", "--data", str(data), "--type", "trades", "--json"]) == 0
    plain = json.loads(capsys.readouterr().out)
    assert sum(one["rows"] for one in plain) == ringcollect.scan(data).count_rows()
    assert f"{sum(one['rows'] for one in plain):,}" in lines[-1]


def test_nothing_of_a_selection_ends_with_exit_3(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["stats", str(data), "--symbol", "DOGEUSDT"]) == 3
    assert run(["stats", str(data), "--start", "2027-01-01"]) == 3
    assert "nothing" in capsys.readouterr().err
