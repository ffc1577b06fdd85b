"""``datasets``: what a lake has, as its folders say, and each of it can be scanned."""

from __future__ import annotations

from pathlib import Path

import pytest

import ringcollect
from ringcollect.errors import ConfigError
from tests import synthetic
from tests.store import lake as lakes
from tests.store.watching import Watch, watched


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = lakes.make_lake(tmp_path_factory.mktemp("datasets"), lakes.over_midnight(600))
    row = {"ts_ns": synthetic.MIDNIGHT_NS, "price": 1.0, "size": 1.0, "side": 1}
    owner = {"exchange": "kraken", "market": "spot", "symbol": "BTC/USD"}
    ringcollect.write([row], folder, type="trades", mode="sync", grid="1s", **owner)
    return folder


def test_every_file_belongs_to_one_of_them_and_none_is_opened(data: Path) -> None:
    watch = Watch()
    found = ringcollect.datasets(watched(data, watch))
    assert watch.opened == []
    paths = list(data.rglob("*.parquet"))
    assert sum(one.files for one in found) == len(paths)
    assert sum(one.bytes for one in found) == sum(path.stat().st_size for path in paths)
    trades = next(one for one in found if (one.type, one.market, one.symbol) == ("trades", "spot", "ETHUSDT"))
    assert (trades.mode, trades.exchange, trades.days) == ("raw", "binance", ("2026-09-21", "2026-09-22"))
    synced = found[-1]
    assert (synced.mode, synced.type, synced.symbol, synced.grid) == ("sync", "trades", "BTC/USD", "1s")


def test_each_is_scanned_with_what_it_says_of_itself(data: Path) -> None:
    for one in ringcollect.datasets(data, ["trades", "rest/orderbooks"]):
        table = one.scan(columns=["exchange", "market", "symbol", "date"]).to_table()
        assert table.num_rows > 0
        rows = set(zip(*(table[name].to_pylist() for name in ("exchange", "market", "symbol")), strict=True))
        assert rows == {(one.exchange, one.market, one.symbol)}
        assert sorted(set(table["date"].to_pylist())) == list(one.days)


def test_a_part_can_be_asked_for(data: Path) -> None:
    assert {one.type for one in ringcollect.datasets(data, "rest/orderbooks")} == {"orderbooks"}
    assert [one.symbol for one in ringcollect.datasets(data, "trades", exchange="binance", symbol="ETH-USDT")] == [
        "ETHUSDT"
    ]
    assert ringcollect.datasets(data, exchange="okx") == []
    with pytest.raises(ConfigError):
        ringcollect.datasets(data, "prints")
