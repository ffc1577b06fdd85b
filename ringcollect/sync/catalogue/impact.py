"""Group F: impact of taking liquidity."""

from __future__ import annotations

from ringcollect.sync.catalogue.feature import Family

FAMILIES = (
    Family(("vwap_bid_5",), "ΣPb·Qb/ΣQb, first 5 (or fewer) bids", "quote", "B", "row close", "NaN", "Daedalus"),
    Family(("vwap_ask_5",), "same, asks", "quote", "B", "row close", "NaN", "Daedalus"),
    Family(("vwap_spread",), "vwap_ask_5−vwap_bid_5", "quote", "B", "row close", "NaN", "Daedalus"),
    Family(
        ("smart_bid_depth",),
        "ΣQb·exp(−κ·(m−Pb)/m), κ=100, first 50 levels",
        "base",
        "B",
        "row close",
        "NaN (Daedalus 0)",
        "Daedalus",
    ),
    Family(("smart_ask_depth",), "same, asks", "base", "B", "row close", "NaN (Daedalus 0)", "Daedalus"),
    Family(("smart_depth",), "sum of the two", "base", "B", "row close", "NaN", "Daedalus README"),
    Family(("smart_depth_imbalance",), "(bid−ask)/(bid+ask); 0 if 0", "[−1,1]", "B", "row close", "NaN", "Daedalus"),
    Family(("lambda_like",), "spread/depth_0_5bps", "quote/base", "B", "row close", "NaN if depth 0", "Daedalus"),
    Family(
        ("amihud_like",), "spread/depth within 10 bps", "quote/base", "B", "row close", "NaN if depth 0", "Daedalus"
    ),
    Family(
        ("buy_impact_10k_bps", "buy_impact_100k_bps"),
        "1e4·(average price of a market buy of that quote notional / mid − 1)",
        "bps",
        "B",
        "row close",
        "NaN if held book too small",
        "Irvine-Benston-Kandel 2000",
    ),
    Family(
        ("sell_impact_10k_bps", "sell_impact_100k_bps"),
        "1e4·(1 − average sell price/mid)",
        "bps",
        "B",
        "row close",
        "NaN",
        "same",
    ),
    Family(
        ("roundtrip_cost_10k_bps", "roundtrip_cost_100k_bps"),
        "buy + sell impact",
        "bps",
        "B",
        "row close",
        "NaN",
        "XLM: Gomber-Schweickert-Theissen 2015",
    ),
)
