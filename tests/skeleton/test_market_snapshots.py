"""``ringcollect.snapshots``: what a lake and a ring give is what the rows say, number for number."""

from __future__ import annotations

import math
import shutil
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np
import pytest

import ringcollect
from ringcollect import MarketAggregate, MarketSnapshot
from ringcollect.config import Sync, SyncGrid, SyncOutput
from ringcollect.errors import ConfigError, NotFoundError
from ringcollect.instruments import Instrument
from ringcollect.records import RECORD, Kind
from ringcollect.ring.attach import attach
from ringcollect.ring.producer import Producer
from ringcollect.sync.settings import Parameters
from ringcollect.sync.snapshot_record import KINDS_OF_TABLE
from ringcollect.sync.worker import open_worker
from tests import synthetic
from tests.skeleton import ways
from tests.store.watching import watched

STREAM = synthetic.stream(3000)
LEVELS = 4
ALL = SyncOutput(orderbooks=True, trades=True, liquidations=True, fundings=True, open_interests=True, levels=LEVELS)
SYNC = Sync(grid=(SyncGrid(grid="500ms"), SyncGrid(grid="1s", mode="external")), output=ALL)
SCALARS = [field for field in MarketAggregate.__struct_fields__ if field != "ts_ns"]
Key = tuple[str, str, int]


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("replayed")
    ways.replayed(STREAM, folder / "lake", folder / "runtime", sync=SYNC)
    return folder


@pytest.fixture(scope="module")
def rows(replayed: Path) -> dict[Key, np.void]:
    """Every row of the 500 ms grid by instrument and stamp."""
    reader = attach("binance.500ms.row", directory=replayed / "runtime")
    return {name_of(reader.instrument(int(row["instrument"])), int(row["ts_ns"])): row for row in reader.last(1 << 20)}


def name_of(instrument: Instrument, ts_ns: int) -> Key:
    return instrument.market, instrument.symbol, ts_ns


def keys(found: list[MarketSnapshot]) -> list[Key]:
    return [name_of(one.instrument, one.ts_ns) for one in found]


def test_an_object_store_gives_the_snapshots_that_a_folder_gives(replayed: Path) -> None:
    choice = {"grid": "1s", "symbol": "ETH-USDT"}
    here, there = (ringcollect.snapshots(lake, **choice) for lake in (replayed / "lake", watched(replayed / "lake")))
    found = [(one.instrument, one.ts_ns, one.row_flags, one.trades) for one in here]
    assert found and found == [(one.instrument, one.ts_ns, one.row_flags, one.trades) for one in there]


def test_a_lake_gives_a_snapshot_for_every_row_with_the_rows_fifteen_numbers(
    replayed: Path, rows: dict[Key, np.void]
) -> None:
    found = list(ringcollect.snapshots(replayed / "lake", grid="500ms"))
    assert len(found) == len(rows) > 1000
    assert set(keys(found)) == set(rows)
    for one in found:
        row, aggregate = rows[name_of(one.instrument, one.ts_ns)], one.aggregate
        assert one.row_flags == row["row_flags"]
        assert {name: getattr(aggregate, name) for name in SCALARS} == {name: row[name] for name in SCALARS}
        assert (one.trade_count, one.trade_volume) == (row["trade_count"], row["trade_volume"])
        assert one.liquidation_notional == row["liq_notional"]
        assert (one.orderbook.ts_event if one.orderbook else 0) == row["ts_book_ns"]
    assert any(one.aggregate.liq_imbalance for one in found) and any(one.aggregate.oi_value for one in found)


def test_a_snapshot_holds_the_events_of_its_row_and_the_carried_states(replayed: Path) -> None:
    found = list(ringcollect.snapshots(replayed / "lake", grid="500ms", market="linear"))
    trades = [trade for one in found for trade in one.trades]
    raw = STREAM[(STREAM["kind"] == Kind.TRADE) & (STREAM["instrument"] == 2)]
    assert [trade.id for trade in trades] == raw["id"].tolist()[-len(trades) :]  # but for those before the first row
    for one in found:
        assert all(one.ts_ns - 500_000_000 <= trade.ts_event < one.ts_ns for trade in one.trades)
        if one.orderbook is not None:
            assert one.orderbook.ts_event < one.ts_ns
            assert len(one.orderbook.bids) <= LEVELS and np.all(np.diff(one.orderbook.bids[:, 0]) < 0)
            assert np.all(np.diff(one.orderbook.asks[:, 0]) > 0)
    known = [bool(one.funding_rate) for one in found]
    assert known == sorted(known) and known[-1]
    assert found[-1].funding_rate[0].rate == 1e-4


def test_a_ring_gives_what_the_lake_gives(replayed: Path) -> None:
    reader = attach("binance.500ms.sync", directory=replayed / "runtime")
    of_ring = {name_of(one.instrument, one.ts_ns): msgspec.to_builtins(one.aggregate) for one in
               ringcollect.snapshots(reader)}  # fmt: skip
    of_lake = {name_of(one.instrument, one.ts_ns): msgspec.to_builtins(one.aggregate) for one in
               ringcollect.snapshots(replayed / "lake", grid="500ms")}  # fmt: skip
    assert of_ring == of_lake
    follows = list(ringcollect.snapshots(replayed / "runtime/binance.500ms.sync.ring", follow=True))
    assert len(follows) == len(of_ring)  # the ring is closed: it ends by itself


def test_symbol_market_and_a_half_open_span_of_time_choose(replayed: Path) -> None:
    lake = replayed / "lake"
    every = keys(list(ringcollect.snapshots(lake, grid="500ms")))
    start, end = every[len(every) // 3][2], every[len(every) // 2][2]
    some = ringcollect.snapshots(lake, grid="0.5s", symbol="BTC-USDT", market="spot", start=start, end=end)
    assert sorted(keys(list(some))) == sorted(
        key for key in every if key[:2] == ("spot", "BTCUSDT") and start <= key[2] < end
    )
    when = datetime.fromtimestamp(start // 10**9, UTC)
    later = list(ringcollect.snapshots(lake, grid="500ms", symbol="BTCUSDT", start=when, end="2026-09-22"))
    assert {one.instrument.market for one in later} == {"spot", "linear"}
    assert all(start // 10**9 * 10**9 <= one.ts_ns < synthetic.MIDNIGHT_NS for one in later)


def test_what_cannot_be_chosen_or_is_not_there_is_said(replayed: Path, tmp_path: Path) -> None:
    lake = replayed / "lake"
    with pytest.raises(ConfigError, match="grids 1s, 500ms; name one"):
        ringcollect.snapshots(lake)
    with pytest.raises(NotFoundError, match=r"sync\.output"):
        ringcollect.snapshots(tmp_path)
    with pytest.raises(NotFoundError, match="on the grid 2s"):
        ringcollect.snapshots(lake, grid="2s")
    with pytest.raises(ConfigError, match="is no ring of snapshots"):
        ringcollect.snapshots(attach("binance.500ms.row", directory=replayed / "runtime"))
    with pytest.raises(ConfigError, match="follow"):
        ringcollect.snapshots(lake, grid="1s", follow=True)


def test_a_lake_that_lacks_a_segment_leaves_out_the_row_it_cuts_and_no_other(replayed: Path, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    shutil.copytree(replayed / "lake", lake)
    whole = list(ringcollect.snapshots(lake, grid="500ms", symbol="BTCUSDT", market="spot"))
    certificates = sorted(lake.glob("certificates/exchange=binance/date=*/binance.500ms.sync-*.json"))
    gone = msgspec.json.decode(certificates[1].read_bytes())
    for entry in gone["files"]:
        (lake / entry["path"]).unlink()
    certificates[1].unlink()
    left = list(ringcollect.snapshots(lake, grid="500ms", symbol="BTCUSDT", market="spot"))
    first, last = gone["stream_ns"]
    expected = {one.ts_ns: one for one in whole if not first <= one.ts_ns <= last}
    lost = sorted(set(expected) - {one.ts_ns for one in left})
    assert len(lost) <= 1 and all(ts == min(t for t in expected if t > last) for ts in lost)
    assert [one.trades for one in left] == [expected[one.ts_ns].trades for one in left]


def test_rows_cut_by_a_ring_that_came_round_are_left_out_and_the_others_are_whole(tmp_path: Path) -> None:
    ring = Producer.open(tmp_path, "test.rec", RECORD, 1 << 15, generation=1)
    for instrument in synthetic.instruments("test"):
        ring.instruments.put(instrument)
    ring.publish(STREAM)
    settings = Parameters(snapshots=tuple(KINDS_OF_TABLE), levels=2)
    small = open_worker(tmp_path, "test", "100ms", settings, ring_capacity=1024)
    while small.step():
        pass
    small.close()
    reader = attach("test.100ms.sync", directory=tmp_path)
    assert reader.head > 10 * reader.capacity
    found = list(ringcollect.snapshots(reader))
    (tmp_path / "other").mkdir()
    again = Producer.open(tmp_path / "other", "test.rec", RECORD, 1 << 15, generation=1)
    for instrument in synthetic.instruments("test"):
        again.instruments.put(instrument)
    again.publish(STREAM)
    large = open_worker(tmp_path / "other", "test", "100ms", settings, ring_capacity=1 << 17)
    while large.step():
        pass
    large.close()
    whole = {
        name_of(one.instrument, one.ts_ns): one
        for one in ringcollect.snapshots(attach("test.100ms.sync", directory=tmp_path / "other"))
    }
    assert len(found) > 20
    for one in found:
        expected = whole[name_of(one.instrument, one.ts_ns)]
        assert (one.trades, one.liquidations) == (expected.trades, expected.liquidations)


def test_an_empty_snapshot_has_no_data_and_its_numbers_are_zero() -> None:
    one = MarketSnapshot(instrument=synthetic.instruments()[0], ts_ns=100)
    assert not one.has_data
    assert (one.trade_volume, one.trade_count, one.liquidation_notional) == (0.0, 0, 0.0)
    assert one.aggregate == MarketAggregate(ts_ns=100)
    assert math.isnan(one.mark_price)
