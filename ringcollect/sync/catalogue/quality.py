"""Group N: staleness and data quality."""

from __future__ import annotations

from ringcollect.sync.catalogue.feature import Family

FAMILIES = (
    Family(
        ("book_age_ms",),
        "(t_k − ts of the embedded book)/1e6",
        "ms",
        "BC",
        "row close",
        "NaN",
        "atelier (true book time)",
    ),
    Family(("trade_age_ms",), "since last trade", "ms", "TC", "row close", "NaN", "waifu last-message metric"),
    Family(("funding_age_ms",), "since last funding record", "ms", "FC", "row close", "NaN", "ours"),
    Family(("oi_age_ms",), "since last OI record", "ms", "OC", "row close", "NaN", "ours"),
    Family(("mark_age_ms",), "since last mark", "ms", "MC", "row close", "NaN", "ours"),
    Family(
        ("latency_book_mean_ms", "latency_book_max_ms"),
        "ts_recv − ts_event of the bin's updates (negatives kept)",
        "ms",
        "U",
        "bin",
        "NaN",
        "waifu latency histogram",
    ),
    Family(("latency_trade_mean_ms", "latency_trade_max_ms"), "same, trades", "ms", "T", "bin", "NaN", "waifu"),
    Family(
        ("book_valid",),
        "1 if the embedded book is synced and bid < ask",
        "0/1",
        "B",
        "row close",
        "0",
        "atelier successor states",
    ),
    Family(("crossed_count",), "updates that left bid ≥ ask", "count", "U", "bin", "0", "atelier successor"),
    Family(("seq_gap_count",), "continuity breaks the feed found", "count", "all", "since previous row", "0", "waifu"),
    Family(("resync_count",), "book resets", "count", "U", "since previous row", "0", "atelier successor"),
    Family(
        ("silence_gap_count",),
        "silences above the topic threshold",
        "count",
        "all",
        "since previous row",
        "0",
        "atelier, QuantLab",
    ),
    Family(("late_count",), "records dropped as late", "count", "all", "since previous row", "0", "atelier successor"),
    Family(
        ("ring_drop_count",),
        "records lost to a full ring of this venue",
        "count",
        "all",
        "since previous row",
        "0",
        "QuantLab, waifu",
    ),
    Family(
        ("row_flags",),
        "u32 bits: 0 has_book 1 has_trade 2 has_liq 3 has_funding 4 has_oi 5 has_mark 6 book_carried 7 gap_fill 8 "
        "partial 9 clock_jump 10 crossed 11 tick_rule_side 12 recv_time_used 13 seeded_by_rest",
        "bits",
        "all",
        "row",
        "0",
        "ours",
    ),
)
