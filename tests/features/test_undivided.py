"""A window that the grid does not divide has no value; what needs no window has one."""

from __future__ import annotations

import numpy as np

from ringcollect.sync import catalogue

from ..sync.streams import engine
from .wandering import MAX_GAP_FILL, SECOND

WINDOWED = {
    "obi_z_300s", "depth_0_5bps_sigma", "cog_momentum_mean_60s", "cog_momentum_std_60s", "bid_slope_mean_60s",
    "ask_slope_mean_60s", "bid_slope_std_60s", "ask_slope_std_60s", "spread_percentile", "spread_regime_tight_frac",
    "spread_regime_wide_frac", "vol_percentile", "activity_percentile", "efficiency_ratio_60s", "mid_zscore_60s",
}  # fmt: skip


def test_windows_that_the_grid_does_not_divide_are_undefined(wandering_records: np.ndarray) -> None:
    columns = tuple(f.name for f in catalogue.FEATURES if f.group in "CDEFJ")
    made = engine(grid=7 * SECOND, columns=columns, max_gap_fill=MAX_GAP_FILL, max_future_skew_ns=0)
    rows = made.collect(wandering_records)
    for name in columns:
        if name in WINDOWED:
            assert np.isnan(rows[name]).all(), name
        elif name == "spread_regime":
            assert (rows[name] == 255).all()
        elif name != "book_slope_ns" and "0k_" not in name:
            assert not np.isnan(rows[name]).all(), name
