"""After more than 300 s without a book windows know nothing of before: they are those of a stream that begins there.

What is carried by trades alone (the last price, side and time, decaying sums) reaches over the gap and is left out
until it has passed out of every window.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from ringcollect.sync import catalogue
from ringcollect.sync.catalogue import Options
from ringcollect.sync.rows import RowFlag

from ..sync.streams import engine, run
from . import test_arrivals, test_liquidity, test_order_flow, test_trade_flow, test_volatility
from .comparing import assert_equal_columns
from .plain import Row
from .wandering import CROSSED, FIRST, MAX_GAP_FILL, SECOND, wandering_rows

Reference = Callable[[list[Row], int], dict[str, list[float]]]
AGAIN = FIRST + CROSSED[-1] + 2
"""The first row whose book is valid again."""
REFERENCES: dict[str, Reference] = {
    "G": lambda rows, first: test_order_flow.expected(rows, first, SECOND, Options()),
    "H": lambda rows, first: test_trade_flow.expected(
        [row for row in rows if row.number >= first], SECOND, Options(vpin_bucket_volume=1e9)
    ),
    "I": lambda rows, first: test_volatility.expected([row for row in rows if row.number >= first], SECOND, Options()),
    "K": lambda rows, first: test_liquidity.expected(rows, first, SECOND, Options()),
    "M": lambda rows, first: test_arrivals.expected(rows, first, SECOND, Options()),
}
CARRIED = {"large_trade_count", "trade_sign_autocorr_60s", "roll_spread_60s", "roll_spread_60s_bps", "hawkes_buy",
           "hawkes_sell", "hawkes_imbalance", "book_interarrival_mean_ms", "trade_interarrival_mean_ms",
           "trade_interarrival_cv_60s", "burstiness_60s"}  # fmt: skip
ALWAYS = {"trade_run_length"}  # all trades of that market are buys: one run


@pytest.mark.parametrize("letter", REFERENCES)
def test_windows_begin_anew(wandering_records: np.ndarray, letter: str) -> None:
    columns = tuple(f.name for f in catalogue.FEATURES if f.group == letter)
    made = run(engine(grid=SECOND, columns=columns, max_gap_fill=MAX_GAP_FILL, max_future_skew_ns=0),
               wandering_records, finalize=False)  # fmt: skip
    crossed = made[(made["ts_ns"] < AGAIN * SECOND) & (made["ts_ns"] >= (AGAIN - len(CROSSED)) * SECOND)]
    assert len(crossed) == len(CROSSED) and not (crossed["row_flags"] & RowFlag.CROSSED == 0).any()
    rows = [row for row in wandering_rows(wandering_records) if row.number >= AGAIN - 1]
    assert rows[0].book is not None and not rows[0].book.valid
    assert rows[1].book is not None and rows[1].book.valid
    expected = REFERENCES[letter](rows, AGAIN)
    for names, skip in ((set(expected) - CARRIED - ALWAYS, 0), (set(expected) & CARRIED, 70)):
        some = {name: expected[name] for name in names}
        # of a mid that moved in its last bit alone, a sum of squares keeps only what rounding left
        small = test_volatility.SMALL | test_liquidity.SMALL | {"vol_ratio_5s_60s": 1e-7}
        assert_equal_columns(made, rows[1:], some, skip=skip, atol=small)
