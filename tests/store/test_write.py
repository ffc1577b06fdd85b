"""``write`` and ``scan`` are each other's opposite: what was written is read back, and every claim about it holds."""

from __future__ import annotations

import math
import shutil
import tempfile
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings

import ringcollect
from ringcollect.errors import ConfigError, EnvironmentRefused, LakeError, RingcollectError
from ringcollect.instruments import Instrument
from ringcollect.records import Flag, Kind
from ringcollect.store.location import Lake
from ringcollect.store.verify import verify
from tests import synthetic
from tests.store import lake as lakes

DAY_NS = 86_400 * 10**9
START = synthetic.MIDNIGHT_NS - 5 * 10**9
IDENTITY = ("generation", "seq")

FEW = settings(
    max_examples=2, deadline=None, suppress_health_check=list(HealthCheck), phases=(Phase.explicit, Phase.generate)
)
"""Each example is some lakes written, verified and read."""

whole = st.integers(-(2**63), 2**63 - 1)
number = st.floats(allow_nan=True, allow_infinity=True, width=64)
side = st.integers(-1, 1)
flag = st.integers(0, 2**16 - 1).map(
    lambda bits: (bits | Flag.LAST) & ~(Flag.REST | Flag.BACKFILLED | Flag.REPLAYED | Flag.UUID)
)
trade_id = st.one_of(
    st.tuples(whole, whole, st.none()), st.uuids().map(lambda one: (0, 0, str(one)))
)  # fmt: skip
owner = st.sampled_from([
    ("binance", "spot", "BTCUSDT"), ("binance", "linear", "BTCUSDT"), ("kraken", "spot", "BTC/USD"),
    ("okx", "option", "BTC-USD-220527-40000-C"), ("upbit", "spot", "../..%2e\u00e9"),
])  # fmt: skip


def common(**own: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    recv, conn = st.integers(START, START + 10 * 10**9), st.integers(0, 255)
    return st.fixed_dictionaries({"ts_event": whole, "ts_recv": recv, "conn": conn, "flags": flag} | own)


RAW = {
    "orderbooks": common(
        id=whole, prev_id=whole, side=side, price=number, size=number, is_snapshot=st.booleans(),
        sub=st.integers(0, 255),
    ),
    "trades": common(ids=trade_id, price=number, size=number, side=side, sub=st.integers(0, 255)),
    "liquidations": common(
        id=whole, side=side, price=number, size=number, other_price=number, sub=st.integers(0, 255)
    ),
    "fundings": common(funding_rate=number, predicted_rate=number, interval_ns=whole, funding_time=whole),
    "open_interests": common(open_interest=number, open_interest_value=number),
}  # fmt: skip


def of_grid(**own: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {"ts_ns": st.integers(0, 100).map(lambda k: START + k * 10**8), "ts_event": whole} | own
    )


SYNC = {
    "orderbooks": of_grid(side=side, level=st.integers(0, 2**16 - 1), price=number, size=number),
    "trades": of_grid(ids=trade_id, price=number, size=number, side=side, sub=st.integers(0, 2**16 - 1), flags=flag),
    "liquidations": of_grid(
        id=whole, side=side, price=number, size=number, other_price=number, sub=st.integers(0, 2**16 - 1), flags=flag
    ),
    "fundings": of_grid(funding_rate=number, predicted_rate=number, interval_ns=whole, funding_time=whole),
    "open_interests": of_grid(open_interest=number, open_interest_value=number),
}  # fmt: skip


def flat(rows: list[tuple[dict[str, Any], tuple[str, str, str]]]) -> list[dict[str, Any]]:
    out = []
    for row, (exchange, market, symbol) in rows:
        row = dict(row)
        if "ids" in row:
            row["id"], row["first_id"], row["uuid"] = row.pop("ids")
        out.append(row | {"exchange": exchange, "market": market, "symbol": symbol})
    return out


def content(table: pa.Table, names: list[str]) -> list[tuple[str, ...]]:
    """Rows in an order of their own, each value to the last bit (all NaN alike)."""
    return sorted(in_order(table, names))


def in_order(table: pa.Table, names: list[str]) -> list[tuple[str, ...]]:
    return [tuple(map(_text, row)) for row in zip(*(table[name].to_pylist() for name in names), strict=True)]


def _text(value: Any) -> str:
    return "nan" if isinstance(value, float) and math.isnan(value) else repr(value)


def check(mode: str, type: str, rows: list[dict[str, Any]]) -> None:
    folder = Path(tempfile.mkdtemp(prefix="write-"))
    try:
        written = ringcollect.write(rows, folder, type=type, mode=mode, grid="100ms" if mode == "sync" else "")
        assert written.rows == len(rows)
        found = ringcollect.scan(folder, type, mode=mode).to_table()
        names = list(rows[0])
        expected = pa.Table.from_pylist(
            rows, schema=pa.schema([(n, _plain(found.schema.field(n).type)) for n in names])
        )
        if "uuid" in names:
            flags = np.array([row["flags"] | (Flag.UUID if row["uuid"] else 0) for row in rows], np.uint16)
            expected = expected.set_column(names.index("flags"), "flags", pa.array(flags))
        assert content(found, names) == content(expected, names)
        report = verify(folder, strict=True)
        assert (report.problems, report.exit_code) == ([], 0)
        again = ringcollect.write(rows, folder, type=type, mode=mode, grid="100ms" if mode == "sync" else "")
        assert again == written
        repeated = ringcollect.scan(folder, type, mode=mode).to_table()
        assert in_order(repeated, repeated.column_names) == in_order(found, repeated.column_names)
    finally:
        shutil.rmtree(folder)


def _plain(type: pa.DataType) -> pa.DataType:
    return type.value_type if pa.types.is_dictionary(type) else type


@pytest.mark.parametrize("type", RAW)
@given(data=st.data())
@FEW
def test_raw_rows_are_read_back_as_they_were_written(type: str, data: st.DataObject) -> None:
    check("raw", type, flat(data.draw(st.lists(st.tuples(RAW[type], owner), min_size=1, max_size=20))))


@pytest.mark.parametrize("type", SYNC)
@given(data=st.data())
@FEW
def test_rows_on_a_grid_are_read_back_as_they_were_written(type: str, data: st.DataObject) -> None:
    check("sync", type, flat(data.draw(st.lists(st.tuples(SYNC[type], owner), min_size=1, max_size=20))))


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lakes.make_lake(tmp_path_factory.mktemp("live"), synthetic.stream(1200))


@pytest.mark.parametrize("type", ["orderbooks", "trades"])
def test_a_scan_of_one_lake_can_be_written_into_another(live: Path, tmp_path: Path, type: str) -> None:
    scan = ringcollect.scan(live, type, mode=("raw", "rest"))
    ringcollect.write(scan, tmp_path, type=type)
    found, known = (ringcollect.scan(lake, type, mode=("raw", "rest")).to_table() for lake in (tmp_path, live))
    names = [name for name in known.column_names if name not in IDENTITY]
    assert content(found, names) == content(known, names)
    shown = [name for name in names if name != "tier"]
    for symbol, market in (("BTCUSDT", "spot"), ("ETHUSDT", "spot"), ("BTCUSDT", "linear")):
        ours, theirs = (
            in_order(ringcollect.scan(lake, type, symbol=symbol, market=market).to_table(), shown)
            for lake in (tmp_path, live)
        )
        assert ours == theirs, "in the same order, too"
    if type == "orderbooks":
        ts = int(np.sort(known["ts_recv"].to_numpy())[-200])
        ours, theirs = (ringcollect.book_at(lake, "binance", "ETHUSDT", ts) for lake in (tmp_path, live))
        assert ours.bids.tolist() == theirs.bids.tolist() and ours.asks.tolist() == theirs.asks.tolist()
    assert verify(tmp_path, strict=True).problems == []


def test_rows_that_have_their_place_in_a_ring_keep_it(tmp_path: Path) -> None:
    first = lakes.make_lake(tmp_path / "first", lakes.trades(50, seq=0))
    table = ringcollect.scan(first).to_table()
    ringcollect.write(table, tmp_path / "second", type="trades")
    assert ringcollect.scan(tmp_path / "second").to_table().equals(table)
    changed = table.set_column(table.column_names.index("price"), "price", pa.array(np.ones(50)))
    with pytest.raises(LakeError, match="other records"):
        ringcollect.write(changed, tmp_path / "second", type="trades")
    ringcollect.write(changed.drop_columns(list(IDENTITY)), tmp_path / "second", type="trades")
    assert ringcollect.scan(tmp_path / "second").count_rows() == 100
    assert verify(tmp_path / "second", strict=True).problems == []


def test_records_go_to_the_folders_of_their_instruments_and_what_came_from_rest_to_rest(tmp_path: Path) -> None:
    records = synthetic.stream(900)
    interests = records[records["kind"] == Kind.OPEN_INTEREST]
    assert len(interests) and (interests["flags"] & Flag.REST).all()
    ringcollect.write(interests, tmp_path, type="open_interests", instruments=synthetic.instruments())
    found = ringcollect.scan(tmp_path, "open_interests", mode="rest").to_table()
    assert found["open_interest"].to_pylist() == interests["size"].tolist()
    assert set(found["market"].to_pylist()) == {"linear"}
    trades = records[records["kind"] == Kind.TRADE]
    ringcollect.write(trades, tmp_path, type="trades", instruments=synthetic.instruments())
    assert ringcollect.scan(tmp_path, symbol="ETH-USDT").count_rows() == np.count_nonzero(trades["instrument"] == 1)
    assert verify(tmp_path, strict=True).exit_code == 0
    with pytest.raises(ConfigError, match="type"):
        ringcollect.write(trades, tmp_path, type="orderbooks", instruments=synthetic.instruments())
    with pytest.raises(ConfigError, match="instruments"):
        ringcollect.write(trades, tmp_path, type="trades", instruments=synthetic.instruments()[:1])


def test_little_is_needed_and_frames_of_pandas_and_polars_do(tmp_path: Path) -> None:
    times = [START + i * 10**9 for i in range(8)]
    trades = {"ts_event": times, "price": [1.5] * 8, "size": [2.0] * 8, "side": [1, -1] * 4}
    named = {"exchange": "kraken", "market": "spot", "symbol": "BTC/USD"}
    for number, rows in enumerate((pd.DataFrame(trades), pl.DataFrame(trades), trades, pa.table(trades))):
        ringcollect.write(rows, tmp_path / str(number), type="trades", **named)
        table = ringcollect.scan(tmp_path / str(number), symbol="BTC/USD").to_table()
        assert table["ts_recv"].to_pylist() == times and table["side"].to_pylist() == [1, -1] * 4
        assert sorted(set(table["date"].to_pylist())) == ["2026-09-21", "2026-09-22"]
        assert verify(tmp_path / str(number), strict=True).exit_code == 0


def test_a_book_of_snapshots_and_changes_is_chained_when_nobody_says_how(tmp_path: Path) -> None:
    levels = [(1, 100.0, 1.0, True), (-1, 101.0, 2.0, True), (1, 100.0, 0.0, False), (1, 99.5, 4.0, False)]
    rows = [
        {"ts_event": START + max(i - 1, 0) * 10**9, "side": s, "price": p, "size": q, "is_snapshot": whole}
        for i, (s, p, q, whole) in enumerate(levels)
    ]
    extra = {"ts_event": START + 5 * 10**9, "side": 1, "price": 99.0, "size": 1.0, "is_snapshot": False}
    ringcollect.write([*rows, extra], tmp_path, type="orderbooks", exchange="okx", market="spot", symbol="BTC-USDT")
    book = ringcollect.book_at(tmp_path, "okx", "BTC-USDT", START + 2 * 10**9)
    assert (book.bids.tolist(), book.asks.tolist(), book.is_whole) == ([[99.5, 4.0]], [[101.0, 2.0]], True)


def test_a_write_that_was_cut_short_is_completed_by_writing_the_same_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owners = [("spot", "BTCUSDT"), ("spot", "ETHUSDT"), ("linear", "BTCUSDT")]
    rows = [
        {"ts_event": START + i, "price": 1.0 + i, "size": 1.0, "side": 1, "market": m, "symbol": s}
        for i, (m, s) in enumerate(owners * 5)
    ]
    done: list[str] = []

    def fail_on_the_second(lake: Lake, key: str, pieces: Iterable[bytes]) -> int:
        done.append(key)
        if len(done) == 2:
            raise EnvironmentRefused("the disk is full")
        return real(lake, key, pieces)

    real = Lake.write_pieces
    monkeypatch.setattr(Lake, "write_pieces", fail_on_the_second)
    with pytest.raises(EnvironmentRefused):
        ringcollect.write(rows, tmp_path, type="trades", exchange="okx")
    assert not list(tmp_path.rglob("*.json")), "what vouches for the rows comes last"
    monkeypatch.undo()
    ringcollect.write(rows, tmp_path, type="trades", exchange="okx")
    assert ringcollect.scan(tmp_path).count_rows() == 15
    assert verify(tmp_path, strict=True).exit_code == 0
    assert not list(tmp_path.glob(".write-*"))


@pytest.mark.parametrize(("change", "words"), [
    ({"price": None}, "price"), ({"colour": "red"}, "colour"), ({"side": 300}, "side"), ({"side": "buy"}, "side"),
    ({"exchange": "Binance!"}, "exchange"), ({"market": "swap"}, "market"), ({"symbol": ""}, "symbol"),
    ({"id": 5, "uuid": str(uuid.UUID(int=5))}, "uuid"), ({"ts_event": 1.5}, "ts_event"),
])  # fmt: skip
def test_what_cannot_be_stored_exactly_is_refused_by_name(change: dict[str, Any], words: str, tmp_path: Path) -> None:
    row = {"ts_event": START, "price": 1.0, "size": 1.0, "side": 1}
    row |= {"exchange": "binance", "market": "spot", "symbol": "BTCUSDT"}
    with pytest.raises(RingcollectError, match=words):
        ringcollect.write([row | change], tmp_path, type="trades")
    assert not list(tmp_path.rglob("*.parquet"))


def test_types_and_modes_that_cannot_be_written_are_refused(tmp_path: Path) -> None:
    for choice in ({"type": "quotes"}, {"type": "trades", "mode": "rest"}, {"type": "trades", "mode": "sync"}):
        with pytest.raises(ConfigError):
            ringcollect.write([], tmp_path, **choice)  # type: ignore[arg-type]


def test_facts_of_the_instrument_are_kept(tmp_path: Path) -> None:
    fact = Instrument(number=9, exchange="okx", market="linear", symbol="BTC-USDT-SWAP", unified="BTC-USDT-PERP",
                      size_unit="contract", multiplier=0.01)  # fmt: skip
    row = {"ts_event": START, "price": 1.0, "size": 1.0, "side": 1}
    named = {"exchange": "okx", "market": "linear", "symbol": "BTC-USDT-SWAP"}
    ringcollect.write([row], tmp_path, type="trades", instruments=[fact], **named)
    assert ringcollect.scan(tmp_path, symbol="BTC-USDT-PERP").count_rows() == 1
