"""Group H: trade flow."""

from __future__ import annotations

from ringcollect.sync.catalogue.feature import Family

FAMILIES = (
    Family(("buy_volume",), "= trade_buy_volume", "base", "T", "bin", "0", "Daedalus README"),
    Family(("sell_volume",), "= trade_sell_volume", "base", "T", "bin", "0", "Daedalus README"),
    Family(("trade_flow_imbalance",), "(buy−sell)/(buy+sell); 0 if none", "[−1,1]", "T", "bin", "0", "Daedalus README"),
    Family(("signed_volume",), "buy−sell", "base", "T", "bin", "0", "common"),
    Family(("signed_notional",), "Σ s·p·q", "quote", "T", "bin", "0", "common"),
    Family(("buy_volume_{H}s",), "Σ", "base", "R", "H", "0", "Daedalus"),
    Family(("sell_volume_{H}s",), "Σ", "base", "R", "H", "0", "Daedalus"),
    Family(("trade_vol_{H}s",), "buy + sell", "base", "R", "H", "0", "Daedalus"),
    Family(
        ("tfi_{H}s",),
        "(buy−sell)/(buy+sell); 0 if none (= trade_flow_imbalance over H)",
        "[−1,1]",
        "R",
        "H",
        "0",
        "Daedalus",
    ),
    Family(("trade_count_{H}s",), "Σ trade_count", "count", "R", "H", "0", "common"),
    Family(("vwap_60s",), "Σ p·q/Σ q", "quote", "R", "60 s", "NaN", "common"),
    Family(("vwap_60s_dev_bps",), "1e4·(mid−vwap_60s)/vwap_60s", "bps", "R", "60 s", "NaN", "common"),
    Family(("avg_trade_size",), "trade_volume/trade_count", "base", "T", "bin", "NaN", "common"),
    Family(("max_trade_size",), "max q", "base", "T", "bin", "0", "common"),
    Family(
        ("large_trade_count",),
        "count q > 10 × mean size of previous 300 s",
        "count",
        "T",
        "bin",
        "0",
        "block-trade flag; ours",
    ),
    Family(("trade_px_high",), "max p", "quote", "T", "bin", "NaN", "tardis trade bars"),
    Family(("trade_px_low",), "min p", "quote", "T", "bin", "NaN", "tardis trade bars"),
    Family(
        ("trade_run_length",),
        "signed length of the current same-side run at row close",
        "count",
        "T",
        "running",
        "0",
        "Lillo-Farmer 2004 (sign memory)",
        core=False,
    ),
    Family(
        ("trade_sign_autocorr_60s",),
        "mean of s_j·s_{j−1}",
        "[−1,1]",
        "R",
        "60 s",
        "NaN n<10",
        "Lillo-Farmer 2004",
        core=False,
    ),
    Family(
        ("vpin",),
        "mean over last 50 full buckets of |Vb−Vs|/V; V = daily volume/50 or fixed; a trade spanning buckets is "
        "split pro rata",
        "[0,1]",
        "T",
        "50 buckets",
        "NaN until 50 full",
        "Easley-López de Prado-O'Hara 2012; Daedalus HEAD",
    ),
)
