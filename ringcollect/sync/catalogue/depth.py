"""Group C: depth by level."""

from __future__ import annotations

from ringcollect.sync.catalogue.feature import Family

FAMILIES = (
    Family(("bid_price_L{L}",), "Pb_i", "quote", "B", "row close", "NaN", "Daedalus"),
    Family(("ask_price_L{L}",), "Pa_i", "quote", "B", "row close", "NaN", "Daedalus"),
    Family(("bid_size_L{L}",), "Qb_i", "base", "B", "row close", "0 if level missing; NaN if no book", "Daedalus"),
    Family(("ask_size_L{L}",), "Qa_i", "base", "B", "row close", "0 if level missing; NaN if no book", "Daedalus"),
    Family(
        ("imbalance_L1",),
        "(Qb0−Qa0)/(Qb0+Qa0); 0 if both 0",
        "[−1,1]",
        "B",
        "row close",
        "NaN",
        "Daedalus; Lipton et al. 2013; Gould-Bonart 2016",
    ),
    Family(
        ("imbalance_L3", "imbalance_L5", "imbalance_L10"),
        "same with Σ over the first n levels",
        "[−1,1]",
        "B",
        "row close",
        "NaN",
        "Daedalus HEAD; static OBI of hftbacktest",
    ),
    Family(("tw_imbalance_L1",), "∫imbalance_L1 dt / valid time", "[−1,1]", "U", "bin", "NaN", "common"),
    Family(
        ("bbo_size_ratio",),
        "min(Qb0,Qa0)/max(Qb0,Qa0)",
        "[0,1]",
        "B",
        "row close",
        "NaN",
        "nautilus BookImbalanceRatio",
    ),
    Family(("log_size_ratio",), "ln(Qb0/Qa0)", "–", "B", "row close", "NaN if a size is 0", "common", core=False),
    Family(("total_bid_volume",), "ΣQb over top N", "base", "B", "row close", "NaN", "Daedalus"),
    Family(("total_ask_volume",), "ΣQa over top N", "base", "B", "row close", "NaN", "Daedalus"),
    Family(("total_bid_notional",), "ΣPb·Qb over top N", "quote", "B", "row close", "NaN", "common"),
    Family(("total_ask_notional",), "ΣPa·Qa over top N", "quote", "B", "row close", "NaN", "common"),
    Family(
        ("book_pressure",), "(total_bid−total_ask)/(sum), top N; 0 if 0", "[−1,1]", "B", "row close", "NaN", "Daedalus"
    ),
    Family(("bid_levels",), "levels held on the bid side (u16)", "count", "B", "row close", "0", "common"),
    Family(("ask_levels",), "levels held on the ask side (u16)", "count", "B", "row close", "0", "common"),
    Family(("bid_reach_bps",), "distance of the deepest held bid", "bps", "B", "row close", "NaN", "coverage of bands"),
    Family(("ask_reach_bps",), "distance of the deepest held ask", "bps", "B", "row close", "NaN", "coverage of bands"),
    Family(
        ("bid_gap_L1_bps",), "1e4·(Pb0−Pb1)/mid", "bps", "B", "row close", "NaN", "Biais-Hillion-Spatt 1995", core=False
    ),
    Family(
        ("ask_gap_L1_bps",), "1e4·(Pa1−Pa0)/mid", "bps", "B", "row close", "NaN", "Biais-Hillion-Spatt 1995", core=False
    ),
    Family(
        ("obi_z_300s",),
        "(x−mean)/std of x = ΣQb−ΣQa within 10 bps",
        "σ",
        "R",
        "300 s",
        "NaN if < 30 rows or std 0",
        "hftbacktest standardised OBI",
        core=False,
    ),
)
