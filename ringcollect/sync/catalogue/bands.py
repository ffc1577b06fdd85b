"""Group D: depth bands from mid."""

from __future__ import annotations

from ringcollect.sync.catalogue.feature import Family

FAMILIES = (
    Family(
        ("bid_vol_band_{a}_{b}bps",),
        "ΣQb in band, over all levels held",
        "base",
        "B",
        "row close",
        "NaN no book (Daedalus 0); 0 if empty",
        "Daedalus",
    ),
    Family(
        ("ask_vol_band_{a}_{b}bps",),
        "ΣQa in band, over all levels held",
        "base",
        "B",
        "row close",
        "as above",
        "Daedalus",
    ),
    Family(
        ("imb_band_{a}_{b}bps",),
        "(bid−ask)/(bid+ask); 0 if both 0",
        "[−1,1]",
        "B",
        "row close",
        "NaN no book",
        "Daedalus",
    ),
    Family(
        ("depth_{a}_{b}bps",),
        "bid + ask volume in band: depth_0_5bps, depth_5_10bps, depth_10_25bps, depth_25_50bps, depth_50_100bps",
        "base",
        "B",
        "row close",
        "NaN no book",
        "Daedalus README",
    ),
    Family(
        ("bid_depth_{x}bps",), "ΣQb with d < x, x in 5,10,25,50,100", "base", "B", "row close", "NaN no book", "common"
    ),
    Family(("ask_depth_{x}bps",), "ΣQa with d < x", "base", "B", "row close", "NaN no book", "common"),
    Family(
        ("imb_{x}bps",),
        "(bid_depth−ask_depth)/(sum); 0 if both 0",
        "[−1,1]",
        "B",
        "row close",
        "NaN no book",
        "hftbacktest OBI by distance",
    ),
    Family(("depth_notional_10bps",), "ΣP·Q both sides, d < 10", "quote", "B", "row close", "NaN no book", "common"),
    Family(
        ("band_coverage_bps",),
        "largest edge ≤ min(bid_reach, ask_reach), else 0: bands beyond it are incomplete",
        "bps",
        "B",
        "row close",
        "0",
        "ours",
    ),
    Family(
        ("depth_0_5bps_sigma",), "sample std of depth_0_5bps", "base", "R", "300 s", "NaN n<2 (Daedalus 0)", "Daedalus"
    ),
)
