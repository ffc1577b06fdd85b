"""Group M: event counts and arrival times."""

from __future__ import annotations

from ringcollect.sync.catalogue.feature import Family

FAMILIES = (
    Family(("book_update_count",), "book updates applied", "count", "U", "bin", "0", "Daedalus bar count"),
    Family(("bbo_update_count",), "updates changing best price or size", "count", "U", "bin", "0", "common"),
    Family(("mid_change_count",), "updates changing mid", "count", "U", "bin", "0", "common"),
    Family(
        ("bid_up_count", "bid_down_count", "ask_up_count", "ask_down_count"),
        "updates moving that best price",
        "count",
        "U",
        "bin",
        "0",
        "common",
        core=False,
    ),
    Family(("msg_count",), "records of any kind", "count", "all", "bin", "0", "throughput"),
    Family(
        ("book_interarrival_mean_ms",),
        "mean event-time gap between updates, the first measured from the last one of an earlier bin",
        "ms",
        "U",
        "bin",
        "NaN",
        "atelier ancestor (obts)",
    ),
    Family(("trade_interarrival_mean_ms",), "same, trades", "ms", "T", "bin", "NaN", "common"),
    Family(("trade_interarrival_cv_60s",), "std/mean of gaps", "ratio", "TR", "60 s", "NaN n<10", "renewal theory"),
    Family(("burstiness_60s",), "(σ−μ)/(σ+μ) of trade gaps", "[−1,1]", "TR", "60 s", "NaN n<10", "Goh-Barabási 2008"),
    Family(("trade_rate_{H}s",), "trade_count_H/H", "1/s", "R", "H", "0", "common"),
    Family(
        ("hawkes_buy",),
        "β·Σ_j exp(−β(t_k−t_j)), β = ln2/1 s, taker buys",
        "1/s",
        "T",
        "decay",
        "0",
        "Hawkes 1971; Bacry-Mastromatteo-Muzy 2015",
    ),
    Family(("hawkes_sell",), "same, sells", "1/s", "T", "decay", "0", "same"),
    Family(("hawkes_imbalance",), "(buy−sell)/(buy+sell); 0 if < 1e-12", "[−1,1]", "T", "decay", "0", "same"),
    Family(
        ("branching_ratio_300s",),
        "1 − √(mean/variance of row trade counts), floor 0",
        "[0,1)",
        "R",
        "300 s",
        "NaN",
        "Hardiman-Bouchaud 2014",
        core=False,
    ),
    Family(
        ("fano_factor_60s",),
        "variance/mean of row trade counts",
        "ratio",
        "R",
        "60 s",
        "NaN",
        "count dispersion",
        core=False,
    ),
    Family(("order_to_trade_60s",), "Σ book_update_count / Σ trade_count", "ratio", "R", "60 s", "NaN", "common"),
)
