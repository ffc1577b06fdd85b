"""Group A: the published vectors, and on a real capture against plain pandas and dicts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ringcollect.records import Kind
from ringcollect.sync import catalogue
from ringcollect.sync.rows import RowFlag, row_dtype

from ..sync.streams import NAN, Stream, engine, flags, instrument, run
from .captured import SYMBOLS, decoded
from .vectors import B0

HOUR = 3600 * 10**9


def one_row(stream: Stream, **settings: object) -> np.void:
    stream.trade(10**6 * 100)
    return run(engine(mode="trade", max_gap_fill=1, **settings), stream.array(), finalize=False)[0]


def test_the_columns_are_the_catalogues_and_fifteen_plus_ten() -> None:
    names = catalogue.select(["minimal"])
    assert len(names) == 25
    assert list(row_dtype(names).names[7:]) == names == [f.name for f in catalogue.FEATURES if f.group == "A"]
    assert names[:3] == ["ob_mid_price", "ob_spread", "ob_imbalance"]
    assert names[15] == "trade_notional" and names[24] == "trade_px_last"


def test_published_vector_of_the_book() -> None:
    row = one_row(Stream().trade(10).book(20, *B0))
    assert row["ob_mid_price"] == pytest.approx(100.1, rel=1e-9)
    assert row["ob_spread"] == pytest.approx(0.2, rel=1e-9)
    assert row["ob_imbalance"] == pytest.approx(0.0810810811, rel=1e-9)


def test_published_vector_of_the_trades() -> None:
    row = one_row(Stream().trade(10, 100.2, 0.5, 1).trade(20, 100.2, 0.1, 1).trade(30, 100.0, 0.3, -1))
    assert row["trade_volume"] == pytest.approx(0.9, rel=1e-9)
    assert row["trade_vwap"] == pytest.approx(100.1333333333, rel=1e-9)
    assert row["trade_imbalance"] == pytest.approx(0.3333333333, rel=1e-9)
    assert (row["trade_count"], row["trade_buy_count"], row["trade_sell_count"]) == (3, 2, 1)


def test_first_and_last_price_go_by_time_and_then_by_sequence() -> None:
    stream = Stream().trade(30, 3.0).trade(20, 2.0).trade(20, 2.5).trade(40, 4.0).trade(40, 4.5)
    row = one_row(stream)
    assert (row["trade_px_first"], row["trade_px_last"]) == (2.0, 4.5)


def test_a_trade_without_a_side_takes_the_tick_rules_and_the_row_says_so() -> None:
    stream = Stream().trade(10, 5.0, 1.0, 0).trade(11, 6.0, 1.0, 0).trade(12, 6.0, 1.0, 0).trade(13, 5.0, 1.0, 0)
    row = one_row(stream)
    assert (row["trade_count"], row["trade_buy_count"], row["trade_sell_count"]) == (4, 2, 1)
    assert flags(row) & RowFlag.TICK_RULE_SIDE


def test_sizes_become_base_units_and_the_records_keep_the_venues() -> None:
    linear = instrument(0, size_unit="contract", multiplier=0.01)
    inverse = instrument(0, size_unit="contract", multiplier=10.0, inverse=True)
    quote = instrument(0, size_unit="quote")
    for table, base in ((linear, 2.0), (inverse, 10.0 * 200 / 50), (quote, 200 / 50)):
        row = one_row(Stream().trade(10, 50.0, 200.0), instruments={0: table})
        assert (row["trade_volume"], row["trade_notional"]) == (base, base * 50)


def test_an_inverse_books_imbalance_is_that_of_base_units() -> None:
    table = {0: instrument(0, size_unit="contract", multiplier=10.0, inverse=True)}
    row = one_row(Stream().trade(10).book(20, (1, 40.0, 8.0), (-1, 50.0, 5.0)), instruments=table)
    assert row["ob_imbalance"] == (2.0 - 1.0) / (2.0 + 1.0)


def test_liquidation_imbalance_is_on_the_positions_side() -> None:
    stream = Stream().trade(5).liquidation(10, 10.0, 3.0, side=-1).liquidation(20, 10.0, 1.0, side=1)
    row = one_row(stream)
    assert (row["liq_notional"], row["liq_count"], row["liq_imbalance"]) == (40.0, 2, 0.5)  # mostly longs closed


@pytest.mark.parametrize(
    ("interval", "table", "hours"), [(0, 0, 8), (4 * HOUR, 0, 4), (0, 1 * HOUR, 1), (4 * HOUR, 1 * HOUR, 4)]
)
def test_funding_is_annualized_with_its_own_interval(interval: int, table: int, hours: int) -> None:
    stream = Stream().trade(5).add(Kind.FUNDING, ts=10, price=0.0001, size=NAN, id=interval, aux=0)
    row = one_row(stream, instruments={0: instrument(0, funding_interval_ns=table)})
    assert row["fr_annualized"] == pytest.approx(0.0001 * 8760 / hours, rel=1e-15)
    assert row["fr_next_settlement_delta"] == 0


def test_oi_change_is_zero_at_first_zero_when_carried_and_against_the_last_known() -> None:
    stream = Stream().trade(5)
    for ts, interest in ((110, 100.0), (310, 130.0), (320, 140.0)):
        stream.add(Kind.OPEN_INTEREST, ts=ts, price=NAN, size=interest)
    rows = run(engine(mode="trade"), stream.trade(600).array(), finalize=False)
    assert [r["oi_change"] for r in rows] == [0, 0, 0, 40, 0, 0]


def test_oi_value_is_the_reported_one_or_else_from_contract_size_and_mark() -> None:
    table = {0: instrument(0, size_unit="contract", multiplier=0.5)}
    stream = Stream().trade(5).add(Kind.OPEN_INTEREST, ts=10, price=NAN, size=100.0)
    assert one_row(stream, instruments=table)["oi_value"] == 0  # no mark yet
    stream = Stream().trade(5).add(Kind.OPEN_INTEREST, ts=10, price=NAN, size=100.0)
    stream.add(Kind.MARK_PRICE, ts=20, price=8.0, size=NAN)
    assert one_row(stream, instruments=table)["oi_value"] == 400.0
    stream = Stream().trade(5).add(Kind.OPEN_INTEREST, ts=10, price=777.0, size=100.0)
    stream.add(Kind.MARK_PRICE, ts=20, price=8.0, size=NAN)
    assert one_row(stream, instruments=table)["oi_value"] == 777.0


def test_a_choice_of_columns_gives_the_same_numbers_under_the_same_code() -> None:
    stream = Stream().trade(10, 100.2, 0.5).book(20, *B0).trade(1000).array()
    whole = run(engine(mode="trade"), stream)
    names = tuple(catalogue.select(["trade_{volume,vwap,count}", "ob_spread"]))
    part = run(engine(mode="trade", columns=names), stream)
    assert part.dtype.names[7:] == names
    assert all(np.array_equal(part[name], whole[name]) for name in names)


def test_a_group_that_is_off_is_not_called_and_flags_stay() -> None:
    stream = Stream().trade(10).book(20, *B0).trade(1000).array()
    rows = run(engine(mode="trade", columns=()), stream)
    assert rows.dtype.itemsize == 40
    assert np.array_equal(rows["row_flags"], run(engine(mode="trade"), stream)["row_flags"])


# --- a real capture -------------------------------------------------------------------------------------------------

GRID = 100_000_000


def expected_books(entries: list, first: int, last: int) -> pd.DataFrame:
    """Mid, spread and imbalance as of every close, from dicts and the running maximum of the stamps."""
    sides: dict[int, dict[float, float]] = {1: {}, -1: {}}
    found = []
    updates = [entry for entry in entries if entry[0] == "book"]
    effective = np.maximum.accumulate([entry[1] for entry in updates])
    position = 0
    for k in range(first, last + 1):
        while position < len(updates) and effective[position] < k * GRID:
            if updates[position][3] and len(updates[position][2]) > 500:
                sides = {1: {}, -1: {}}
            for side, price, size in updates[position][2]:
                if side and size:
                    sides[side][price] = size
                elif side:
                    sides[side].pop(price, None)
            position += 1
        bids, asks = sides[1], sides[-1]
        b, a = sum(bids.values()), sum(asks.values())
        found.append((k * GRID, (max(bids) + min(asks)) / 2, min(asks) - max(bids), (b - a) / (b + a)))
    return pd.DataFrame(found, columns=["ts_ns", "ob_mid_price", "ob_spread", "ob_imbalance"]).set_index("ts_ns")


def expected_trades(entries: list) -> pd.DataFrame:
    frame = pd.DataFrame([e[1:] for e in entries if e[0] == "trade"], columns=["ts", "side", "price", "size"])
    frame["ts_ns"] = (frame.ts // GRID + 1) * GRID
    frame["notional"] = frame.price * frame["size"]
    out = pd.DataFrame()
    rows = frame.groupby("ts_ns")
    out["trade_volume"], out["trade_notional"], out["trade_count"] = (
        rows["size"].sum(),
        rows.notional.sum(),
        rows.size(),
    )
    for name, side in (("buy", 1), ("sell", -1)):
        part = frame[frame.side == side].groupby("ts_ns")
        out[f"trade_{name}_volume"], out[f"trade_{name}_count"] = part["size"].sum(), part.size()
        out[f"trade_{name}_notional"] = part.notional.sum()
    ordered = frame.sort_values("ts", kind="stable").groupby("ts_ns").price
    out["trade_px_first"], out["trade_px_last"] = ordered.first(), ordered.last()
    out = out.fillna(0.0)
    out["trade_vwap"] = out.trade_notional / out.trade_volume
    out["trade_imbalance"] = (out.trade_buy_volume - out.trade_sell_volume) / out.trade_volume
    return out


def test_group_a_on_a_real_capture_equals_pandas_and_dicts(captures: Path) -> None:
    records, plain = decoded(captures / "binance_spot_2024.jsonl.gz", 12_000)
    made = engine(grid=GRID, hold_back=250_000_000, max_future_skew_ns=0)
    rows = made.collect(records)
    for number, symbol in enumerate(SYMBOLS):
        own = rows[rows["instrument"] == number]
        own = own[(own["row_flags"] & RowFlag.HAS_BOOK) != 0]
        assert len(own) > 300
        stamps = own["ts_ns"]
        assert np.all(np.diff(stamps) == GRID)
        books = expected_books(plain[symbol], int(stamps[0]) // GRID, int(stamps[-1]) // GRID)
        trades = expected_trades(plain[symbol]).reindex(stamps, fill_value=0.0)
        assert trades.trade_count.sum() > 500
        for name in books:
            np.testing.assert_allclose(own[name], books[name], rtol=1e-9, atol=1e-12, err_msg=f"{symbol} {name}")
        for name in trades:
            np.testing.assert_allclose(own[name], trades[name], rtol=1e-9, atol=1e-12, err_msg=f"{symbol} {name}")
    assert made.resyncs() == []


def test_a_quarter_of_a_second_of_hold_back_loses_no_trade_of_a_real_capture(captures: Path) -> None:
    """The published table for this capture says 0 late trades of 34,419 at 250 ms and 4.35 % without hold-back."""
    records, _ = decoded(captures / "binance_spot_2024.jsonl.gz", 12_000)
    late = {}
    for hold_back in (0, 250_000_000):
        made = engine(grid=GRID, hold_back=hold_back, max_future_skew_ns=0)
        rows = made.collect(records)
        first = {int(n): int(rows["ts_ns"][rows["instrument"] == n].min()) - GRID for n in (0, 1)}
        early = sum(
            int(r["ts_event"]) < first[int(r["instrument"])] for r in records[records["kind"] == Kind.TRADE]
        )  # fmt: skip
        late[hold_back] = made.counters()["late_events_dropped"] - early
    assert late[250_000_000] == 0
    assert late[0] > 0
