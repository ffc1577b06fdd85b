"""Group J: regime and time."""

from __future__ import annotations

from ringcollect.sync.catalogue.feature import Family

FAMILIES = (
    Family(
        ("spread_percentile",),
        "share of window values of relative_spread strictly below the current (current included in the window)",
        "[0,1]",
        "R",
        "300 s",
        "NaN",
        "Daedalus",
    ),
    Family(
        ("spread_regime",),
        "u8: 0 tight if ≤ 0.2, 2 wide if ≥ 0.8, else 1; if window min = max: 1 (Daedalus: 0); 255 unknown; with "
        "dynamic_spread_regime off: 0 if relative_spread ≤ tight_spread_threshold, else 1",
        "code",
        "R",
        "300 s",
        "255",
        "Daedalus (strings tight/normal/wide)",
    ),
    Family(("spread_regime_tight_frac",), "share of window time in tight", "[0,1]", "R", "300 s", "NaN", "Daedalus"),
    Family(("spread_regime_wide_frac",), "share of window time in wide", "[0,1]", "R", "300 s", "NaN", "Daedalus"),
    Family(
        ("vol_percentile",), "rank of realized_volatility_60s", "[0,1]", "R", "900 s", "NaN", "same idea", core=False
    ),
    Family(("activity_percentile",), "rank of trade_count_5s", "[0,1]", "R", "900 s", "NaN", "same idea", core=False),
    Family(("efficiency_ratio_60s",), "|m_k−m_{k−n}|/Σ|Δm|", "[0,1]", "R", "60 s", "NaN if 0", "Kaufman 1995"),
    Family(("mid_zscore_60s",), "(m_k−mean)/std", "σ", "R", "60 s", "NaN", "common"),
    Family(("hour_of_day",), "0–23", "h", "C", "–", "–", "Daedalus"),
    Family(("minute_of_hour",), "0–59", "min", "C", "–", "–", "Daedalus"),
    Family(("day_of_week",), "Monday 0", "–", "C", "–", "–", "Daedalus"),
    Family(("is_weekend",), "day_of_week ≥ 5", "0/1", "C", "–", "–", "Daedalus"),
)
