"""Group L: derivatives."""

from __future__ import annotations

from ringcollect.sync.catalogue.feature import Family

FAMILIES = (
    Family(("mark_price",), "latest mark", "quote", "M", "carried", "NaN", "QuantLab, hedgegrid"),
    Family(("index_price",), "latest index", "quote", "M", "carried", "NaN", "QuantLab"),
    Family(("mark_minus_mid_bps",), "1e4·(mark−mid)/mid", "bps", "MB", "row close", "NaN", "common"),
    Family(("mark_index_bps",), "1e4·(mark−index)/index", "bps", "M", "carried", "NaN", "premium"),
    Family(
        ("basis_bps",),
        "1e4·(mid−index)/index",
        "bps",
        "MB",
        "row close",
        "NaN",
        "hftbacktest basis; He-Manela-Ross-von Wachter 2022",
    ),
    Family(("basis_mean_300s",), "mean of basis_bps", "bps", "R", "300 s", "NaN", "hftbacktest"),
    Family(("basis_z_300s",), "(basis−mean)/std", "σ", "R", "300 s", "NaN", "hftbacktest"),
    Family(
        ("funding_rate_8h",),
        "fr_rate·8/interval_hours",
        "fraction/8 h",
        "F",
        "carried",
        "NaN",
        "comparable across venues",
    ),
    Family(("fr_change",), "fr_rate − previous distinct value known", "fraction", "F", "carried", "0", "common"),
    Family(
        ("time_to_funding_s",),
        "(next_funding_ts − t_k)/1e9 (OKX: fundingTime)",
        "s",
        "FC",
        "row close",
        "NaN",
        "common",
    ),
    Family(("oi_change_pct",), "oi_change/previous oi", "fraction", "O", "row", "NaN if unknown", "common"),
    Family(("oi_change_60s", "oi_change_300s"), "oi_k − oi_{k−n}", "venue unit", "OR", "H", "NaN", "common"),
    Family(("liq_long_notional",), "Σ p·q, long position liquidated", "quote", "L", "bin", "0", "ours (unambiguous)"),
    Family(("liq_short_notional",), "Σ p·q, short position liquidated", "quote", "L", "bin", "0", "ours"),
    Family(("liq_volume",), "Σ q", "base", "L", "bin", "0", "common"),
    Family(("liq_max_notional",), "largest single", "quote", "L", "bin", "0", "common"),
    Family(("liq_notional_60s", "liq_notional_300s"), "Σ liq_notional", "quote", "R", "H", "0", "common"),
    Family(
        ("liq_imbalance_60s",), "(long−short)/(long+short); 0 if none", "[−1,1]", "R", "60 s", "0", "atelier, windowed"
    ),
    Family(("liq_to_trade_60s",), "liq_notional_60s/trade notional over 60 s", "ratio", "R", "60 s", "NaN", "common"),
    Family(
        ("price_oi_quadrant",),
        "u8 from signs of log_return_60s and oi_change_60s: 1 ++ 2 +− 3 −+ 4 −−, 0 if either is 0/NaN",
        "code",
        "R",
        "60 s",
        "0",
        "trader convention",
        core=False,
    ),
)
