"""Group B: the published vectors, and on a real capture against plain Python."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from ringcollect.sync import catalogue

from ..sync.streams import NAN, Stream, engine, instrument, run
from .comparing import assert_equal_columns, rows_of
from .plain import Row
from .vectors import B0

COLUMNS = tuple(f.name for f in catalogue.FEATURES if f.group == "B")


def test_published_vectors_of_the_book() -> None:
    stream = Stream().trade(10).book(20, *B0).trade(10**6)
    row = run(engine(mode="trade", max_gap_fill=1, columns=COLUMNS), stream.array(), finalize=False)[0]
    for name, value in (
        ("mid_price", 100.1), ("spread", 0.2), ("relative_spread", 0.001998001998), ("microprice", 100.1333333333),
        ("micro_minus_mid_bps", 3.33000333), ("wmid_same_side", 100.0666666667), ("vamp_5", 100.2675675676),
        ("vamp_eff_5", 100.2742209632),
    ):  # fmt: skip
        assert row[name] == pytest.approx(value, rel=1e-9), name


def test_spread_in_ticks_needs_the_tick() -> None:
    for tick, ticks in ((0.05, 4.0), (0.0, NAN)):
        stream = Stream().trade(10).book(20, *B0).trade(10**6)
        made = engine(mode="trade", max_gap_fill=1, columns=COLUMNS, instruments={0: instrument(0, tick_size=tick)})
        row = run(made, stream.array(), finalize=False)[0]
        np.testing.assert_equal(row["spread_ticks"], ticks)


def test_a_crossed_or_missing_book_has_no_price_but_the_last_trade_has_one() -> None:
    crossed = Stream().trade(10, 7.0).book(20, (1, 101.0, 1.0), (-1, 100.0, 1.0)).trade(10**6)
    for stream in (crossed, Stream().trade(10, 7.0).trade(10**6)):
        row = run(engine(mode="trade", max_gap_fill=1, columns=COLUMNS), stream.array(), finalize=False)[0]
        assert all(math.isnan(row[name]) for name in COLUMNS if name != "last_trade_price")
        assert row["last_trade_price"] == 7.0


def held(row: Row, before: Row, grid: int) -> tuple[float, float, float]:
    """(mean mid, mean spread in bps) over the time with a valid book, and that time, by summing over the pieces."""
    pieces = [(row.close - grid, before.book)] + [(u.time, u.book) for u in row.updates] + [(row.close, None)]
    mid = spread = total = 0.0
    for (start, book), (end, _) in pairwise(pieces):
        if book is not None and book.valid:
            length = end - start
            mid += length * book.mid
            spread += length * 1e4 * (book.asks[0][0] - book.bids[0][0]) / book.mid
            total += length
    return (mid / total, spread / total, total) if total else (NAN, NAN, 0.0)


def expected(rows: list[Row], grid: int) -> dict[str, list[float]]:
    """Every column of the group from the second row on."""
    out: dict[str, list[float]] = {name: [] for name in COLUMNS}
    seconds = grid / 1e9
    last_trade = NAN
    velocities = [NAN, NAN]
    for trade in rows[0].trades:
        last_trade = trade.price
    for before, row in pairwise(rows):
        book = row.book
        assert book is not None and book.valid
        (pb, qb), (pa, qa) = book.bids[0], book.asks[0]
        mid, spread = (pb + pa) / 2, pa - pb
        micro = (pb * qa + pa * qb) / (qb + qa)
        five = list(zip(book.bids[:5], book.asks[:5], strict=False))
        bids, asks = book.bids[:5], book.asks[:5]
        sum_b, sum_a = sum(q for _, q in bids), sum(q for _, q in asks)
        own_b, own_a = sum(p * q for p, q in bids), sum(p * q for p, q in asks)
        mids = [u.book.mid for u in row.updates if u.book.valid] or [before.mid]
        velocities.append((mid - before.mid) / seconds)
        for trade in sorted(row.trades, key=lambda t: t.time):
            last_trade = trade.price
        volume = sum(t.size for t in row.trades)
        vwap = sum(t.price * t.size for t in row.trades) / volume if volume else NAN
        twap, tw_spread, _ = held(row, before, grid)
        values = {
            "mid_price": mid, "spread": spread, "relative_spread": spread / mid, "spread_bps": 1e4 * spread / mid,
            "spread_ticks": NAN, "microprice": micro, "micro_minus_mid": micro - mid,
            "micro_minus_mid_bps": 1e4 * (micro - mid) / mid, "wmid_same_side": (pb * qb + pa * qa) / (qb + qa),
            "vamp_5": sum(b[0] * a[1] + a[0] * b[1] for b, a in five) / sum(b[1] + a[1] for b, a in five),
            "vamp_eff_5": (own_b / sum_b * sum_a + own_a / sum_a * sum_b) / (sum_a + sum_b),
            "wdp_5": (own_b + own_a) / (sum_b + sum_a),
            "mid_open": mids[0], "mid_high": max(mids), "mid_low": min(mids), "mid_change": mid - before.mid,
            "mid_velocity": velocities[-1], "mid_accel": (velocities[-1] - velocities[-2]) / seconds,
            "twap_mid": twap, "tw_spread_bps": tw_spread, "last_trade_price": last_trade,
            "last_minus_mid_bps": 1e4 * (last_trade - mid) / mid,
            "vwap_minus_mid_bps": 1e4 * (vwap - mids[0]) / mids[0],
        }  # fmt: skip
        for name, value in values.items():
            out[name].append(value)
    return out


def test_every_column_on_a_real_capture(spot_records: np.ndarray, spot_rows: list[list[Row]]) -> None:
    made = rows_of(spot_records, COLUMNS)
    for number, rows in enumerate(spot_rows):
        assert sum(len(r.trades) for r in rows) > 300
        # positions: differences of prices near 60,000 leave 1e-11 of rounding; over 0.1 s twice, 1e-8
        assert_equal_columns(made[number], rows[1:], expected(rows, 100_000_000), skip=30, atol={"mid_accel": 1e-7})
