"""Group O, the columns across venues, against plain Python, in any order and cut in any way."""

from __future__ import annotations

import math
import random
import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringcollect.sync.across import FOREVER, MAX_WAITING, Join, across
from ringcollect.sync.rows import RowFlag, row_dtype

COLUMNS = ("xv_mid_dev_bps", "xv_dispersion_bps", "xv_lead_return_1s", "xv_ofi_norm_5s")
INPUTS = ("mid_price", "log_return_1s", "ofi_norm_5s")
DTYPE = row_dtype(INPUTS)
NAN = math.nan
GRID, DELAY = 100, 250
NAMES = ({0: "BTC-USDT", 1: "ETH-USDT", 2: ""}, {0: "ETH-USDT", 1: "BTC-USDT"}, {0: "BTC-USDT", 1: "BTC-USDT-PERP"})


def rows(*given: tuple[int, int, int, float], **more: float) -> np.ndarray:
    """(stamp, receive time, instrument, mid) each; the other inputs NaN unless named."""
    out = np.zeros(len(given), DTYPE)
    out["ts_ns"], out["ts_recv"], out["instrument"], out["mid_price"] = zip(*given, strict=True)
    out["log_return_1s"] = more.get("log_return_1s", NAN)
    out["ofi_norm_5s"] = more.get("ofi_norm_5s", NAN)
    return out


def join(**more: object) -> Join:
    return Join(len(NAMES), COLUMNS, DELAY, lambda exchange, number: NAMES[exchange][number])


def plain(venues: list[tuple[float, float, float]], own: int) -> tuple[float, float, float, float, int]:
    """The four columns of one venue and how many have a mid, from (mid, return, flow) of each: features.md group O."""

    def others(which: int) -> list[float]:
        return [v[which] for i, v in enumerate(venues) if i != own and not math.isnan(v[which])]

    mids = [mid for mid, _, _ in venues if not math.isnan(mid)]
    deviation = dispersion = lead = flow = NAN
    if len(mids) >= 2:
        median = statistics.median(mids)
        deviation = 1e4 * (venues[own][0] - median) / median
        dispersion = 1e4 * (max(mids) - min(mids)) / median
    if others(1):
        lead = statistics.fmean(others(1)) - venues[own][1]
    if others(2):
        flow = statistics.fmean(others(2))
    return deviation, dispersion, lead, flow, len(mids)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(*[st.one_of(st.just(NAN), st.floats(low, high)) for low, high in ((1.0, 2e5), (-0.1, 0.1), (-9, 9))]),
        min_size=1,
        max_size=7,
    )
)
def test_the_formulas_equal_plain_python(venues: list[tuple[float, float, float]]) -> None:
    found = across(*(np.array([[venue[i] for venue in venues]]) for i in range(3)))
    for own in range(len(venues)):
        expected = plain(venues, own)
        values = [float(column[0, own]) for column in found]
        np.testing.assert_allclose(values, expected, rtol=1e-9, atol=1e-15)


def test_below_two_venues_nothing_is_defined() -> None:
    found = across(np.array([[100.0], [NAN]]), np.array([[0.1], [0.1]]), np.array([[1.0], [1.0]]))
    assert all(np.isnan(column).all() for column in found[:4])
    assert found.venues.tolist() == [[1], [0]]


def test_rows_of_one_name_and_stamp_are_compared_and_no_others() -> None:
    made = join()
    made.add(0, rows((100, 300, 0, 100.0), (100, 300, 1, 7.0), (100, 300, 2, 1.0), (200, 400, 0, 101.0)))
    made.add(1, rows((100, 310, 1, 102.0), (100, 310, 0, 7.0)))
    made.add(2, rows((100, 310, 0, 104.0), (100, 310, 1, 500.0)))
    first, second, third = made.done((FOREVER,) * 3)
    assert first[["ts_ns", "instrument", "venues"]].tolist() == [(100, 0, 3), (100, 1, 2), (200, 0, 1)]
    assert second[["ts_ns", "instrument", "venues"]].tolist() == [(100, 0, 2), (100, 1, 3)]
    assert third[["ts_ns", "instrument", "venues"]].tolist() == [(100, 0, 3), (100, 1, 1)]
    median = 102.0
    assert first["xv_mid_dev_bps"][0] == 1e4 * (100.0 - median) / median
    assert first["xv_dispersion_bps"][:2].tolist() == [1e4 * 4.0 / median, 0.0]
    assert math.isnan(first["xv_dispersion_bps"][2])


@pytest.mark.parametrize("behind", [DELAY, DELAY + 1])
def test_a_venue_that_lags_counts_up_to_the_delay_and_not_behind_it(behind: int) -> None:
    made = join()
    made.add(0, rows((100, 150, 0, 100.0)))
    made.add(1, rows((100, 100 + behind, 1, 102.0)))
    first, second, _ = made.done((FOREVER,) * 3)
    counts = behind <= DELAY
    assert first["venues"].tolist() == [2 if counts else 1]
    assert math.isnan(first["xv_dispersion_bps"][0]) is not counts
    assert (len(second), made.late) == ((1, 0) if counts else (0, 1))


def test_a_stamp_waits_until_every_exchange_is_known_to_be_further() -> None:
    made = join()
    made.add(0, rows((100, 150, 0, 100.0)))
    assert [len(part) for part in made.done((FOREVER, 100 + DELAY, FOREVER))] == [0, 0, 0]
    made.add(1, rows((100, 100 + DELAY, 1, 102.0)))  # the very last moment
    assert [len(part) for part in made.done((FOREVER, 101 + DELAY, FOREVER))] == [1, 1, 0]
    assert [len(part) for part in made.done((0, 0, 0))] == [0, 0, 0]


def test_flags_of_all_rows_compared_stand_in_each_and_a_row_cut_short_counts_nowhere() -> None:
    made = join()
    crossed, partial = rows((100, 150, 0, 100.0)), rows((200, 250, 0, 100.0))
    crossed["row_flags"], partial["row_flags"] = RowFlag.CROSSED | RowFlag.HAS_BOOK, RowFlag.PARTIAL
    made.add(0, np.concatenate([crossed, partial]))
    stale = rows((100, 150, 1, 101.0), (200, 250, 1, 101.0))
    stale["row_flags"] = RowFlag.STALE
    made.add(1, stale)
    first, second, _ = made.done((FOREVER,) * 3)
    every = RowFlag.CROSSED | RowFlag.HAS_BOOK | RowFlag.STALE
    assert first["row_flags"].tolist() == [every]
    assert second["row_flags"].tolist() == [every, RowFlag.STALE]


def test_rows_that_were_lost_are_told_of_in_all_that_may_lack_them() -> None:
    made = join()
    made.add(0, rows((100, 150, 0, 100.0), (200, 250, 0, 100.0), (300, 350, 0, 100.0)))
    made.lose(1)
    made.add(1, rows((200, 250, 1, 101.0), (300, 350, 1, 101.0)))
    first, second, _ = made.done((FOREVER,) * 3)
    lost = [bool(flags & RowFlag.LOST) for flags in first["row_flags"]]
    assert lost == [True, True, False]
    assert [bool(flags & RowFlag.LOST) for flags in second["row_flags"]] == [True, False]


def test_more_rows_than_may_wait_are_not_kept_for_an_exchange_that_hangs() -> None:
    made = join()
    many = np.zeros(MAX_WAITING + 1, DTYPE)
    many["ts_ns"] = np.arange(1, len(many) + 1) * GRID
    many["ts_recv"] = many["ts_ns"] + 1
    many["mid_price"] = 100.0
    made.add(0, many)
    first = made.done((int(many["ts_recv"][-1]), 5, FOREVER))[0]
    assert len(first) >= MAX_WAITING - DELAY // GRID
    assert (first["row_flags"] & RowFlag.OVERRUN != 0).all()


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_any_order_and_any_cut_gives_the_same_rows(seed: int) -> None:
    """As live readers see it: rows in their own ring's order, each exchange read as far as it happens to be."""
    rng = random.Random(seed)
    streams = []
    for names in NAMES:
        stream, now = [], 0
        for k in range(1, 30):
            if rng.random() < 0.1:
                now += rng.choice((300, 1500))  # it stalls, and what it owes comes in a burst
            for number in names:
                if rng.random() < 0.9:
                    now = max(now, k * GRID + rng.randrange(0, 240))
                    stream.append((k * GRID, now, number, rng.choice((NAN, 100.0 + rng.random()))))
        made = rows(*stream)
        made["log_return_1s"] = [rng.choice((NAN, rng.gauss(0, 1e-4))) for _ in stream]
        made["ofi_norm_5s"] = [rng.choice((NAN, rng.gauss(0, 1))) for _ in stream]
        made["row_flags"] = [1 << rng.randrange(8) for _ in stream]
        streams.append(made)
    whole = join()
    for exchange, stream in enumerate(streams):
        whole.add(exchange, stream)
    expected = whole.done((FOREVER,) * len(NAMES))
    check_against_plain(streams, expected)
    piecewise, parts = join(), [[] for _ in NAMES]
    at = [0] * len(NAMES)
    while any(at[e] < len(streams[e]) for e in range(len(NAMES))):
        e = rng.randrange(len(NAMES))
        n = rng.randrange(1, 6)
        piecewise.add(e, streams[e][at[e] : at[e] + n])
        at[e] += n
        known = [
            int(s["ts_recv"][i]) if i < len(s) else FOREVER for s, i in zip(streams, at, strict=True)
        ]  # what comes next comes no earlier
        for kept, fresh in zip(parts, piecewise.done(known), strict=True):
            kept.append(fresh)
    for kept, fresh in zip(parts, piecewise.done((FOREVER,) * len(NAMES)), strict=True):
        kept.append(fresh)
    for kept, all_at_once in zip(parts, expected, strict=True):
        assert np.concatenate(kept).tobytes() == all_at_once.tobytes()
    assert piecewise.late == whole.late


def check_against_plain(streams: list[np.ndarray], found: list[np.ndarray]) -> None:
    """Every row by name and stamp, from the formulas."""
    there: dict[tuple[str, int], list[tuple[int, np.void]]] = {}
    for exchange, stream in enumerate(streams):
        for row in stream:
            name = NAMES[exchange][int(row["instrument"])]
            if name and int(row["ts_recv"]) <= int(row["ts_ns"]) + DELAY and not row["row_flags"] & RowFlag.PARTIAL:
                there.setdefault((name, int(row["ts_ns"])), []).append((exchange, row))
    seen = 0
    for exchange, stream in enumerate(found):
        assert stream[["ts_ns", "instrument"]].tolist() == sorted(stream[["ts_ns", "instrument"]].tolist())
        for row in stream:
            group = there[NAMES[exchange][int(row["instrument"])], int(row["ts_ns"])]
            own = next(i for i, (e, r) in enumerate(group) if e == exchange and r["instrument"] == row["instrument"])
            expected = plain([tuple(float(r[name]) for name in INPUTS) for _, r in group], own)
            values = [float(row[name]) for name in (*COLUMNS, "venues")]
            np.testing.assert_allclose(values, expected, rtol=1e-9, atol=1e-15)
            assert row["row_flags"] == np.bitwise_or.reduce([r["row_flags"] for _, r in group])
            seen += 1
    assert seen == sum(map(len, there.values()))
