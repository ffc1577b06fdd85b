"""A lake in a bucket answers as the folder it was copied from, and rows can be written into one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import ringcollect
from ringcollect.cli import run
from ringcollect.store.inventory import inventory
from ringcollect.store.location import Lake
from ringcollect.store.query import query
from ringcollect.store.selection import select
from ringcollect.store.verify import verify
from tests import synthetic
from tests.store import lake as made

RECORDS = synthetic.stream(1500)


@pytest.fixture
def both(tmp_path: Path, bucket: str) -> tuple[Path, str]:
    """A folder and the address of its copy."""
    data = made.make_lake(tmp_path, RECORDS)
    remote = Lake.open(f"{bucket}/some/lake")
    for entry in Lake.open(data).files():
        if not entry.key.startswith("journal/"):
            remote.write(entry.key, (data / entry.key).read_bytes())
    return data, f"{bucket}/some/lake"


def test_a_bucket_is_scanned_counted_queried_and_rebuilt_as_a_folder_is(
    both: tuple[Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    data, uri = both
    start = int(RECORDS["ts_recv"][2000])
    for chosen in ({"type": "trades"}, {"type": "orderbooks", "mode": ("raw", "rest"), "symbol": "ETH-USDT"},
                   {"type": "quotes", "start": start, "columns": ["ts_recv", "bid_price", "symbol"]}):  # fmt: skip
        here, there = (ringcollect.scan(lake, **chosen).to_table() for lake in (data, uri))  # type: ignore[arg-type]
        assert here.num_rows > 0
        assert repr(here.to_pylist()) == repr(there.to_pylist())
    selection = select(start=start)
    assert inventory(Lake.open(uri), selection) == inventory(Lake.open(data), selection)
    sql = "select symbol, market, count(*), max(price) from trades group by all order by all"
    here, there = (list(query(sql, Lake.open(lake), selection).rows) for lake in (str(data), uri))
    assert here == there and here
    ts = int(RECORDS["ts_recv"][4000])
    one, other = (ringcollect.book_at(lake, "binance", "ETHUSDT", ts) for lake in (data, uri))
    assert one.is_whole and np.array_equal(one.bids, other.bids) and one.last_id == other.last_id
    names = [(o.type, o.mode, o.symbol, o.days, o.bytes) for o in ringcollect.datasets(uri)]
    assert names == [(o.type, o.mode, o.symbol, o.days, o.bytes) for o in ringcollect.datasets(data)]
    assert run(["stats", uri, "--type", "trades"]) == 0
    assert run(["query", "select count(*) as n from trades", "--data", uri, "--json"]) == 0
    rows = ringcollect.scan(data).count_rows()
    assert capsys.readouterr().out.splitlines()[-1] == f'{{"n": {rows}}}'


def test_rows_are_written_into_a_bucket_once(both: tuple[Path, str], bucket: str) -> None:
    data, _ = both
    target = f"{bucket}/written"
    trades = ringcollect.scan(data, symbol="BTCUSDT", market="spot")
    first = ringcollect.write(trades, target, type="trades")
    assert ringcollect.write(trades, target, type="trades") == first
    found = ringcollect.scan(target).to_table().drop_columns(["generation", "seq"])
    assert found.equals(trades.to_table().drop_columns(["generation", "seq"]))
    half = ringcollect.scan(data, symbol="BTCUSDT", market="spot", end=int(RECORDS["ts_recv"][3000]))
    ringcollect.write(half, target, type="trades")
    assert ringcollect.scan(target).count_rows() == trades.count_rows() + half.count_rows(), "others of the same start"
    assert verify(Lake.open(target), strict=True).exit_code == 0


def test_rows_are_built_from_a_folder_or_a_bucket_into_either(
    tmp_path: Path, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = made.make_lake(tmp_path, RECORDS)
    monkeypatch.chdir(tmp_path)
    config = tmp_path / "config.toml"
    config.write_text('[collector]\ndata = "own"\n')
    build = ["--config", str(config), "features", "build", "--data", str(data), "--grid", "100ms"]
    build += ["--features", "minimal"]
    assert run([*build, "--out", f"{bucket}/rows"]) in (0, 1)
    assert run([*build, "--out", str(tmp_path / "rows")]) in (0, 1)
    there, here = (ringcollect.scan(lake, "features").to_table() for lake in (f"{bucket}/rows", tmp_path / "rows"))
    assert here.num_rows > 0 and repr(there.to_pylist()) == repr(here.to_pylist())
    assert verify(Lake.open(f"{bucket}/rows"), strict=True).problems == []
    keys = [entry.key for entry in Lake.open(f"{bucket}/rows").files()]
    assert run([*build, "--out", f"{bucket}/rows"]) in (0, 1)
    assert [entry.key for entry in Lake.open(f"{bucket}/rows").files()] == keys, "built and sent once"
    raw = Lake.open(f"{bucket}/records")
    for entry in Lake.open(data).files():
        if not entry.key.startswith(("journal/", "state/")):
            raw.write(entry.key, (data / entry.key).read_bytes())
    build[build.index(str(data))] = raw.uri
    assert run([*build, "--out", str(tmp_path / "again")]) in (0, 1)
    again = ringcollect.scan(tmp_path / "again", "features").to_table()
    assert repr(again.to_pylist()) == repr(here.to_pylist()), "records of a bucket give the same rows"
    assert not list(tmp_path.rglob("state/inputs/*")), "what was fetched for it is gone again"
    assert run([*build, "--out", str(tmp_path / "x"), "--watch"]) == 2
    assert run([*build, "--out", str(tmp_path / "x"), "--start", "2031-01-01"]) == 3
