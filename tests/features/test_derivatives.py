"""Group L against plain Python: on a real capture with mark, index, funding and open interest, and by cases."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from ringcollect.records import Flag, Kind
from ringcollect.sync import catalogue

from ..sync.streams import NAN, Stream, engine, run
from .comparing import assert_equal_columns, rows_of
from .plain import Row

COLUMNS = tuple(f.name for f in catalogue.FEATURES if f.group == "L")
SECOND = 10**9


def price_of(row: Row, kind: Kind) -> float:
    return float(row.states[kind][1]["price"]) if kind in row.states else NAN


def interest_of(row: Row) -> float:
    return float(row.states[Kind.OPEN_INTEREST][1]["size"]) if Kind.OPEN_INTEREST in row.states else NAN


def sign(x: float) -> int:
    return 0 if math.isnan(x) or x == 0 else (1 if x > 0 else -1)


def expected(rows: list[Row]) -> dict[str, list[float]]:
    """Every column of every row from the rows up to it, but those that look back to before the first of them."""
    out: dict[str, list[float]] = {}
    for i, row in enumerate(rows):
        mid, mark, index = row.mid, price_of(row, Kind.MARK_PRICE), price_of(row, Kind.INDEX_PRICE)
        interest, before = interest_of(row), interest_of(rows[i - 1]) if i else NAN
        funding = row.states[Kind.FUNDING][1]
        change = [interest - interest_of(rows[i - n]) if i >= n else NAN for n in (600, 3000)]
        move = mid - rows[i - 600].mid if i >= 600 else NAN
        values = {
            "mark_price": mark, "index_price": index, "mark_minus_mid_bps": 1e4 * (mark - mid) / mid,
            "mark_index_bps": 1e4 * (mark - index) / index, "basis_bps": 1e4 * (mid - index) / index,
            "funding_rate_8h": float(funding["price"]) * 8 * 3600 * SECOND / int(funding["id"]),
            "time_to_funding_s": (int(funding["aux"]) - row.close) / SECOND,
            "oi_change_pct": (interest - before) / before, "oi_change_60s": change[0], "oi_change_300s": change[1],
            "liq_long_notional": 0.0, "liq_short_notional": 0.0, "liq_volume": 0.0, "liq_max_notional": 0.0,
            "liq_notional_60s": 0.0, "liq_notional_300s": 0.0, "liq_imbalance_60s": 0.0,
            "price_oi_quadrant": {(1, 1): 1, (1, -1): 2, (-1, 1): 3, (-1, -1): 4}.get((sign(move), sign(change[0])), 0),
        }  # fmt: skip
        for name, value in values.items():
            out.setdefault(name, []).append(value)
    return out


def test_every_column_on_a_real_capture(linear_records: np.ndarray, linear_rows: list[list[Row]]) -> None:
    made = rows_of(linear_records, COLUMNS)
    for number, rows in enumerate(linear_rows):
        assert_equal_columns(made[number], rows, expected(rows), skip=2)


def test_change_of_funding_is_against_the_rate_before_it_on_a_real_capture(linear_records: np.ndarray) -> None:
    made = rows_of(linear_records, COLUMNS)
    changes = 0
    for number, rows in enumerate(made):
        told = linear_records[(linear_records["instrument"] == number) & (linear_records["kind"] == Kind.FUNDING)]
        for i in range(20, len(rows) - 5, 25):
            rates = told["price"][told["ts_event"] < rows["ts_ns"][i]]
            distinct = [rates[0], *(b for a, b in pairwise(rates) if a != b)]
            assert rows["fr_change"][i] == (distinct[-1] - distinct[-2] if len(distinct) > 1 else 0.0)
            changes += len(distinct) > 1
    assert changes


def test_windows_of_the_basis_are_those_of_all_rows_so_far(linear_records: np.ndarray) -> None:
    made = rows_of(linear_records, COLUMNS)[0]
    basis = made["basis_bps"]
    for i in (0, 10, 100, len(made) - 1):
        there = basis[: i + 1][~np.isnan(basis[: i + 1])]
        if len(there) > 2:
            assert made["basis_mean_300s"][i] == pytest.approx(there.mean(), rel=1e-9)
            score = (basis[i] - there.mean()) / there.std(ddof=1)
            np.testing.assert_allclose(made["basis_z_300s"][i], score, rtol=1e-6, equal_nan=True)


def liquidations(seed: int, rows: int) -> tuple[Stream, list[list[tuple[float, float, int]]]]:
    rng = np.random.default_rng(seed)
    stream, told = Stream(), []
    for k in range(rows):
        stream.trade(k * SECOND, 100.0 + k % 3, 2.0)
        events = []
        for j in range(int(rng.integers(0, 3))):
            price, size, side = 90.0 + float(rng.integers(0, 20)), float(rng.integers(1, 5)), int(rng.choice([-1, 1]))
            stream.liquidation(k * SECOND + j + 1, price, size, side)
            events.append((price, size, side))
        told.append(events)
    return stream, told


def test_liquidations_by_side_of_the_position_and_their_windows() -> None:
    stream, told = liquidations(5, 400)
    made = run(engine(grid=SECOND, mode="trade", columns=COLUMNS), stream.array(), finalize=False)
    assert len(made) == 399
    for i, row in enumerate(made):
        own = told[i]
        long = math.fsum(p * q for p, q, s in own if s < 0)
        short = math.fsum(p * q for p, q, s in own if s > 0)
        assert (row["liq_long_notional"], row["liq_short_notional"]) == (long, short)
        assert row["liq_volume"] == sum(q for _, q, _ in own)
        assert row["liq_max_notional"] == max([p * q for p, q, _ in own], default=0.0)
        minute = [e for events in told[max(0, i - 59) : i + 1] for e in events]
        longs = math.fsum(p * q for p, q, s in minute if s < 0)
        total = math.fsum(p * q for p, q, _ in minute)
        traded = math.fsum((100.0 + k % 3) * 2.0 for k in range(max(0, i - 59), i + 1))
        assert row["liq_notional_60s"] == pytest.approx(total)
        five = [p * q for events in told[max(0, i - 299) : i + 1] for p, q, _ in events]
        assert row["liq_notional_300s"] == pytest.approx(math.fsum(five))
        assert row["liq_imbalance_60s"] == pytest.approx((2 * longs - total) / total if total else 0.0)
        assert row["liq_to_trade_60s"] == pytest.approx(total / traded)


def test_funding_changes_against_the_rate_before_and_without_records_all_is_undefined() -> None:
    stream = Stream().trade(5)
    for second, rate in ((1.1, 1e-4), (2.1, 1e-4), (3.1, 3e-4), (4.1, 3e-4), (5.1, 2e-4)):
        stream.add(Kind.FUNDING, ts=int(second * SECOND), price=rate, size=NAN, id=4 * 3600 * SECOND, aux=SECOND)
    made = run(engine(grid=SECOND, mode="trade", columns=COLUMNS), stream.trade(7 * SECOND).array(), finalize=False)
    np.testing.assert_allclose(made["fr_change"], [0, 0, 0, 2e-4, 2e-4, -1e-4, -1e-4], rtol=1e-12)
    np.testing.assert_allclose(made["funding_rate_8h"][1:4], [2e-4, 2e-4, 6e-4])
    undefined = {f.name for f in catalogue.FEATURES if f.group == "L" and f.undefined.startswith("NaN")}
    first = made[0]
    assert {name for name in COLUMNS if math.isnan(first[name])} == undefined - {"liq_to_trade_60s"}


@pytest.mark.parametrize(
    ("move", "change", "code"), [(1, 1, 1), (1, -1, 2), (-1, 1, 3), (-1, -1, 4), (0, 1, 0), (1, 0, 0)]
)
def test_quadrant_of_price_and_open_interest(move: int, change: int, code: int) -> None:
    stream = Stream()
    for k in range(70):
        late = k > 40
        price = 100.0 + late * move
        stream.book(k * SECOND + 1, (1, price - 1, 1.0), (-1, price + 1, 1.0), flags=Flag.CLEAR)
        stream.add(Kind.OPEN_INTEREST, ts=k * SECOND + 3, price=NAN, size=100.0 + late * change)
    made = run(engine(grid=SECOND, columns=COLUMNS), stream.array(), finalize=False)
    assert made["price_oi_quadrant"][-1] == code and made["price_oi_quadrant"][50] == 0
