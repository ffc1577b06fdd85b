"""The longest horizon there is, 4 h: its columns against numpy over every row."""

from __future__ import annotations

import numpy as np

from ringcollect.sync import catalogue
from ringcollect.sync.catalogue import Options

from ..sync.streams import Stream, engine

SECOND = 10**9
N = 14_400
ROWS = N + 600
"""Long enough that the rings of rows come round."""


def test_windows_of_four_hours_are_those_of_all_their_rows() -> None:
    rng = np.random.default_rng(7)
    bids = np.round(100.0 + np.cumsum(rng.choice((-0.01, 0.0, 0.01), ROWS)), 2)
    sizes = rng.integers(1, 50, ROWS) / 8.0
    sides = rng.choice((1, -1), ROWS)
    trades = rng.random(ROWS) < 0.7
    stream, before = Stream(), None
    for k in range(ROWS):
        ts = k * SECOND + 5
        gone = [] if before is None or before == bids[k] else [(1, before, 0.0), (-1, before + 1.0, 0.0)]
        stream.book(ts, *gone, (1, float(bids[k]), 1.0), (-1, float(bids[k]) + 1.0, 1.0))
        if trades[k]:
            stream.trade(ts + 1, price=float(bids[k]), size=float(sizes[k]), side=int(sides[k]))
        before = float(bids[k])
    options = Options(horizons_ns=(SECOND, N * SECOND))
    names = tuple(f.name for f in catalogue.features_with(options) if f.name.endswith(f"_{N}s") and f.group in "HI")
    assert len(names) == 9
    rows = engine(grid=SECOND, columns=names, options=options).collect(stream.array())
    assert len(rows) == ROWS - 1

    mids = bids[: len(rows)] + 0.5
    returns = np.diff(np.log(mids), prepend=np.nan)
    bought = np.where(trades & (sides > 0), sizes, 0.0)[: len(rows)]
    sold = np.where(trades & (sides < 0), sizes, 0.0)[: len(rows)]
    count = trades[: len(rows)].astype(float)
    for k in (N, N + 1, N + 2, N + 3, N + 300, len(rows) - 1):
        window = slice(k - N + 1, k + 1)
        r = returns[window]
        expected = {
            "buy_volume": bought[window].sum(),
            "sell_volume": sold[window].sum(),
            "trade_vol": bought[window].sum() + sold[window].sum(),
            "tfi": (bought[window].sum() - sold[window].sum()) / (bought[window].sum() + sold[window].sum()),
            "trade_count": count[window].sum(),
            "log_return": np.log(mids[k] / mids[k - N]),
            "realized_variance": (r**2).sum(),
            "realized_volatility": np.sqrt((r**2).sum()),
            "rv": r.std(ddof=1),
        }
        for name, value in expected.items():
            np.testing.assert_allclose(rows[k][f"{name}_{N}s"], value, rtol=1e-9, atol=1e-12, err_msg=f"{name} {k}")
    assert np.isnan(rows["rv_14400s"][0]) and np.isnan(rows["log_return_14400s"][N - 1])
