"""Group E: shape and concentration."""

from __future__ import annotations

from ringcollect.sync.catalogue.feature import Family

FAMILIES = (
    Family(
        ("bid_50pct_depth",),
        "smallest i with ΣQb[0..i] ≥ half of the side total (0-based)",
        "level",
        "B",
        "row close",
        "NaN",
        "Daedalus (bid_50pct_depth_levels)",
    ),
    Family(("ask_50pct_depth",), "same, asks", "level", "B", "row close", "NaN", "Daedalus"),
    Family(
        ("bid_50pct_depth_bps",), "distance of that level from mid", "bps", "B", "row close", "NaN", "ours", core=False
    ),
    Family(("ask_50pct_depth_bps",), "same, asks", "bps", "B", "row close", "NaN", "ours", core=False),
    Family(
        ("bid_concentration",), "Σ w_i², w_i = Qb_i/ΣQb (Herfindahl)", "[1/N,1]", "B", "row close", "NaN", "Daedalus"
    ),
    Family(("ask_concentration",), "same, asks", "[1/N,1]", "B", "row close", "NaN", "Daedalus"),
    Family(("concentration",), "mean of the two", "[1/N,1]", "B", "row close", "NaN", "Daedalus README (our reading)"),
    Family(("bid_entropy",), "−Σ w ln w / ln n", "[0,1]", "B", "row close", "NaN if n<2", "Shannon", core=False),
    Family(("ask_entropy",), "same, asks", "[0,1]", "B", "row close", "NaN if n<2", "Shannon", core=False),
    Family(
        ("center_of_gravity",),
        "(ΣPb·Qb+ΣPa·Qa)/(ΣQb+ΣQa), first min(20,n_b,n_a) levels of each side",
        "quote",
        "B",
        "row close",
        "NaN",
        "Daedalus",
    ),
    Family(("cog_vs_mid",), "1e4·(center_of_gravity−mid)/mid", "bps", "B", "row close", "NaN", "Daedalus"),
    Family(("cog_momentum_mean_60s",), "mean of cog_vs_mid", "bps", "R", "60 s", "NaN n<1", "Daedalus"),
    Family(("cog_momentum_std_60s",), "sample std of cog_vs_mid", "bps", "R", "60 s", "NaN n<2", "Daedalus"),
    Family(
        ("bid_slope_simple",),
        "|Pb4−Pb0|/Σ_{i<5}Qb_i (legacy name bid_slope)",
        "quote/base",
        "B",
        "row close",
        "NaN if <5 levels",
        "Daedalus",
    ),
    Family(("ask_slope_simple",), "same, asks", "quote/base", "B", "row close", "NaN if <5 levels", "Daedalus"),
    Family(
        ("bid_slope_regression",),
        "OLS slope of cumulative Qb on distance in bps, min(10,n_b,n_a) ≥ 3 levels",
        "base/bps",
        "B",
        "row close",
        "NaN",
        "Daedalus; Ghysels-Nguyen 2019",
    ),
    Family(("ask_slope_regression",), "same, asks", "base/bps", "B", "row close", "NaN", "Daedalus"),
    Family(("slope_asymmetry",), "bid/ask regression slope", "ratio", "B", "row close", "NaN if ask ≤ 0", "Daedalus"),
    Family(
        ("bid_slope_mean_60s", "ask_slope_mean_60s"),
        "mean of the regression slope",
        "base/bps",
        "R",
        "60 s",
        "NaN n<1",
        "Daedalus",
    ),
    Family(("bid_slope_std_60s", "ask_slope_std_60s"), "sample std", "base/bps", "R", "60 s", "NaN n<2", "Daedalus"),
    Family(
        ("book_slope_ns",),
        "Næs-Skjeltorp: per side mean over levels of (relative step of ln cumulative volume)/(relative step of "
        "price), first term ln v1/|P1/m−1|; volume in minimum lots; mean of the sides",
        "–",
        "B",
        "row close",
        "NaN",
        "Næs-Skjeltorp 2006",
        core=False,
    ),
    Family(("book_convexity",), "depth_0_5bps / Σ depth 0–50 bps", "[0,1]", "B", "row close", "NaN if 0", "Daedalus"),
    Family(("bid_depth_decay_5",), "Qb4/Qb0", "ratio", "B", "row close", "NaN", "Daedalus"),
    Family(("ask_depth_decay_5",), "Qa4/Qa0", "ratio", "B", "row close", "NaN", "Daedalus"),
    Family(("avg_depth_decay_5",), "mean of the two", "ratio", "B", "row close", "NaN", "Daedalus"),
    Family(
        ("bid_wall_ratio", "ask_wall_ratio"),
        "max Q / mean Q in top N",
        "ratio",
        "B",
        "row close",
        "NaN",
        "Daedalus notes on walls",
        core=False,
    ),
    Family(
        ("bid_wall_bps", "ask_wall_bps"), "distance of that level", "bps", "B", "row close", "NaN", "same", core=False
    ),
)
