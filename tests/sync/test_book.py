"""The book against a dict: the one rule, exact prices, bounded levels, side totals."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from ringcollect.records import Flag, Kind, Status
from ringcollect.sync import layout as at
from ringcollect.sync.rows import RowFlag

from .streams import Stream, engine, flags, instrument, run


def by_the_rule(records: np.ndarray, depth: int = 0) -> tuple[dict[float, float], dict[float, float]]:
    """Ring order, skip UNSYNCED, honour CLEAR, forget levels beyond depth after each batch."""
    sides: dict[int, dict[float, float]] = {1: {}, -1: {}}
    for r in records:
        if r["kind"] not in (Kind.BOOK_SNAPSHOT, Kind.BOOK_DELTA) or r["flags"] & Flag.UNSYNCED or r["sub"]:
            continue
        if r["flags"] & Flag.CLEAR:
            sides = {1: {}, -1: {}}
        if r["side"]:
            level = sides[int(r["side"])]
            level.pop(float(r["price"]), None)
            if r["size"]:
                level[float(r["price"])] = float(r["size"])
        if r["flags"] & Flag.LAST and depth:
            for side, level in sides.items():
                for price in sorted(level, reverse=side > 0)[depth:]:
                    del level[price]
    return sides[1], sides[-1]


def assert_same(made, records: np.ndarray, depth: int = 0, number: int = 0) -> None:
    bids, asks = made.book(number)
    expected_bids, expected_asks = by_the_rule(records, depth)
    assert [tuple(level) for level in bids] == sorted(expected_bids.items(), reverse=True)
    assert [tuple(level) for level in asks] == sorted(expected_asks.items())


def random_book(seed: int, n: int, *, spread: int = 400, instrument: int = 0) -> Stream:
    rng = random.Random(seed)
    stream = Stream()
    ts = 1000
    for i in range(n):
        ts += rng.choice((0, 10, 30))
        count = rng.randrange(0, 8)
        flags = 0
        kind = Kind.BOOK_DELTA
        if i == 0 or rng.random() < 0.01:
            count, flags, kind = rng.randrange(0, 300), Flag.CLEAR | Flag.SNAPSHOT, Kind.BOOK_SNAPSHOT
        elif rng.random() < 0.05:
            flags = rng.choice((Flag.UNSYNCED, Flag.REPLAYED))
        levels = []
        for _ in range(count):
            side = rng.choice((1, -1))
            # Off any tick grid: the exact float must come back.
            price = 100.0 - side * rng.randrange(1, spread) / 7.0
            levels.append((side, price, 0.0 if rng.random() < 0.4 else rng.random() * 10 ** rng.randrange(-6, 7)))
        stream.book(ts, *levels, flags=flags, kind=kind, instrument=instrument)
    return stream


@pytest.mark.parametrize("depth", [0, 1, 10])
@pytest.mark.parametrize("seed", range(4))
def test_the_book_is_that_of_a_dict(seed: int, depth: int) -> None:
    stream = random_book(seed, 150).array()
    made = engine(mode="external", instruments={0: instrument(0, book_depth=depth)})
    ends = np.flatnonzero(stream["flags"] & Flag.LAST) + 1
    before = 0
    made.collect(Stream().time(10**9).array())  # far ahead: every update is due at once
    for end in [*ends[::7], ends[-1]]:
        made.collect(stream[before:end])
        before = end
        assert_same(made, stream[:end], depth)


def test_a_deep_snapshot_in_any_order_and_its_removal() -> None:
    rng = random.Random(5)
    prices = [round(0.01 * k, 2) for k in range(1, 10_001)]
    made = engine(mode="external")
    made.collect(Stream().time(10**9).array())
    for order in ("best first", "worst first", "random"):
        if order == "random":
            rng.shuffle(prices)
        else:
            prices.sort(reverse=order == "best first")
        stream = Stream().book(1000, *[(1, p, p * 2) for p in prices], kind=Kind.BOOK_SNAPSHOT)
        made.collect(stream.array())
        bids, _ = made.book(0)
        assert len(bids) == 10_000 and np.all(np.diff(bids[:, 0]) < 0)
        assert np.array_equal(bids[:, 1], bids[:, 0] * 2)
        rng.shuffle(prices)
        stream.book(1001, *[(1, p, 0.0) for p in prices[:9_999]])
        made.collect(stream.array()[10_000:])
        assert made.book(0)[0][:, 0].tolist() == [prices[9_999]]


def test_beyond_book_levels_the_worst_level_goes_and_is_counted() -> None:
    made = engine(mode="external", book_levels=4)
    made.collect(Stream().time(10**9).array())
    levels = [(side, 100.0 - side * k, float(k)) for k in (5, 3, 9, 1, 7, 2) for side in (1, -1)]
    made.collect(Stream().book(1000, *levels).array())
    bids, asks = made.book(0)
    assert bids[:, 0].tolist() == [99.0, 98.0, 97.0, 95.0]
    assert asks[:, 0].tolist() == [101.0, 102.0, 103.0, 105.0]
    assert made.counters()["book_levels_dropped"] == 4


def test_removing_a_level_that_is_not_held_is_normal() -> None:
    made = engine(mode="external")
    made.collect(Stream().time(10**9).array())
    made.collect(Stream().book(1000, (1, 10.0, 1.0), (1, 9.0, 0.0), (-1, 11.0, 0.0)).array())
    assert made.book(0)[0].tolist() == [[10.0, 1.0]]
    assert made.is_trusted(0)


def test_a_crossed_book_is_flagged_and_not_repaired() -> None:
    stream = (
        Stream()
        .book(1000, (1, 10.0, 1.0), (-1, 11.0, 1.0))
        .book(1100, (1, 11.0, 2.0))
        .book(1200, (1, 11.0, 0.0))
        .book(1300)
    )
    rows = run(engine(), stream.array(), finalize=False)
    assert [bool(flags(r) & RowFlag.CROSSED) for r in rows] == [False, True, False]
    assert [r["ob_spread"] for r in rows] == [1.0, 0.0, 1.0]


def test_side_totals_stay_exact_over_a_long_life_of_wild_sizes() -> None:
    stream = random_book(3, 1500).array()
    made = engine(mode="external")
    made.collect(Stream().time(10**9).array())
    made.collect(stream)
    bids, asks = made.book(0)
    values = made.dump()["floats"][0]
    for levels, total in ((bids, at.F_BID_TOTAL), (asks, at.F_ASK_TOTAL)):
        assert values[total] + values[total + 1] == pytest.approx(math.fsum(levels[:, 1]), rel=1e-15)


def test_other_depth_streams_are_never_mixed_with_the_primary_one() -> None:
    stream = Stream().book(1000, (1, 10.0, 1.0), (-1, 12.0, 1.0))
    stream.add(Kind.BOOK_DELTA, ts=1010, price=11.0, size=5.0, side=1, id=99, aux=98, sub=1)
    stream.book(1020, (1, 10.0, 2.0)).book(1100)
    made = engine()
    row = made.collect(stream.array())[0]
    assert row["ob_mid_price"] == 11.0
    assert made.resyncs() == []


def test_a_stale_book_channel_is_said_until_its_next_record() -> None:
    stream = (
        Stream()
        .book(1000, (1, 10.0, 1.0), (-1, 12.0, 1.0))
        .status(Status.DISCONNECTED, instrument=0, channel=1, recv=1050)
    )
    stream.time(1100).time(1200)
    made = engine(mode="external")
    rows = made.collect(stream.array())
    assert [bool(flags(r) & RowFlag.STALE) for r in rows] == [True, True]
    rows = made.collect(stream.book(1210, (1, 10.0, 2.0), recv=1210).time(1300).array()[len(stream.rows) - 2 :])
    assert not flags(rows[-1]) & RowFlag.STALE
