"""Group P: bars."""

from __future__ import annotations

from ringcollect.sync.catalogue.feature import Family

FAMILIES = (
    Family(
        ("ts_open_ns", "ts_close_ns"),
        "start, start + d (half-open)",
        "ns",
        "R",
        "bar",
        "–",
        "Daedalus timestamp = start",
    ),
    Family(("duration_s",), "d", "s", "–", "bar", "–", "Daedalus duration"),
    Family(
        ("open", "high", "low", "close"), "of mid over the bar's book updates", "quote", "U", "bar", "NaN", "Daedalus"
    ),
    Family(("mean_spread",), "mean over updates of spread", "quote", "U", "bar", "NaN", "Daedalus"),
    Family(("mean_relative_spread",), "mean over updates", "fraction", "U", "bar", "NaN", "Daedalus"),
    Family(("min_spread", "max_spread"), "extremes", "quote", "U", "bar", "NaN", "Daedalus"),
    Family(("mean_l1_imbalance",), "mean over updates of imbalance_L1", "[−1,1]", "U", "bar", "NaN", "Daedalus"),
    Family(("sum_ofi",), "Σ ofi", "base", "U", "bar", "0", "Daedalus"),
    Family(
        ("sum_mlofi_decay",),
        "Σ mlofi_decay (Daedalus writes the last value only)",
        "base",
        "U",
        "bar",
        "0",
        "Daedalus, fixed",
    ),
    Family(("realized_variance",), "Σ r² of grid-row returns in the bar", "–", "R", "bar", "NaN", "README; ABDL 2003"),
    Family(("log_return_var",), "sample variance of the same returns", "–", "R", "bar", "NaN n<2", "Daedalus code"),
    Family(("count",), "book updates", "count", "U", "bar", "0", "Daedalus"),
    Family(
        ("trade_open", "trade_high", "trade_low", "trade_close"),
        "of trade prices",
        "quote",
        "T",
        "bar",
        "NaN",
        "tardis trade bars",
    ),
    Family(
        ("volume", "bar_buy_volume", "bar_sell_volume", "bar_trade_count", "vwap"),
        "trade totals of the bar",
        "base/count/quote",
        "T",
        "bar",
        "0; vwap NaN",
        "tardis trade bars; Daedalus volume bar",
    ),
    Family(
        ("corwin_schultz_spread",),
        "from two consecutive bars' high/low",
        "fraction",
        "R",
        "2 bars",
        "NaN; negatives 0",
        "Corwin-Schultz 2012",
        core=False,
    ),
)
