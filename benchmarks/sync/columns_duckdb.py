"""The worker of DuckDB: rows of 100 ms from a lake's raw files in SQL; levels are unrolled into rows they stand in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

from benchmarks.serving import Subject, serve

CHANGES = """
CREATE TEMP TABLE changes AS
WITH placed AS (
    SELECT symbol, seq, side::INTEGER AS side, price, size,
        max(CASE WHEN ts_event > 0 THEN ts_event ELSE ts_recv END) OVER (PARTITION BY symbol ORDER BY seq)
            // 100000000 + 1 AS since
    FROM read_parquet($books, hive_partitioning = true) WHERE (flags & 16) = 0 AND side <> 0
), latest AS (
    SELECT symbol, side, price, greatest(since, low) AS row, arg_max(size, seq) AS size, any_value(high) AS high
    FROM placed JOIN bounds USING (symbol) WHERE since <= high GROUP BY symbol, side, price, greatest(since, low)
)
SELECT symbol, side, price, row, size, lead(row, 1, high + 1) OVER w AS until, lag(size, 1, 0.0) OVER w AS before
FROM latest WINDOW w AS (PARTITION BY symbol, side, price ORDER BY row)
"""
"""What each level is from a row on, until which row, and what it was before."""

ROWS = """
COPY (
WITH levels AS NOT MATERIALIZED (
    SELECT symbol, side, price, size, unnest(range(row, until)) AS row FROM changes WHERE size > 0
), mids AS MATERIALIZED (
    SELECT symbol, row, (max(price) FILTER (side > 0) + min(price) FILTER (side < 0)) / 2 AS mid
    FROM levels GROUP BY symbol, row
), sides AS MATERIALIZED (
    SELECT symbol, side, row, max(price * side) * side AS price, arg_max(size, price * side) AS size,
        list_sum(arg_max(size, price * side, 5)) AS five, list_sum(arg_max(size, price * side, 20)) AS twenty,
        count(*) AS levels,
        coalesce(sum(size) FILTER (abs(price - mid) / mid * 1e4 < 10), 0) AS near,
        coalesce(sum(size) FILTER (abs(price - mid) / mid * 1e4 < 50), 0) AS wide
    FROM levels JOIN mids USING (symbol, row) GROUP BY symbol, side, row
), grid AS (
    SELECT symbol, unnest(range(low, high + 1)) AS row FROM bounds
), moved AS (
    SELECT symbol, row, sum(size - before) FILTER (side > 0) AS bids, sum(size - before) FILTER (side < 0) AS asks
    FROM changes GROUP BY symbol, row
), totals AS (
    SELECT symbol, row, coalesce(sum(bids) OVER w, 0) AS bids, coalesce(sum(asks) OVER w, 0) AS asks
    FROM grid LEFT JOIN moved USING (symbol, row) WINDOW w AS (PARTITION BY symbol ORDER BY row)
), traded AS (
    SELECT symbol, ts_event // 100000000 + 1 AS row, sum(size) AS volume, sum(price * size) AS notional,
        count(*) AS number, sum(size) FILTER (side > 0) AS buy, sum(size) FILTER (side < 0) AS sell,
        last(price ORDER BY ts_event, seq) AS px
    FROM read_parquet($trades, hive_partitioning = true) GROUP BY ALL
), joined AS (
    SELECT symbol, row, (b.price + a.price) / 2 AS mid, a.price - b.price AS spread, t.bids, t.asks,
        coalesce(volume, 0) AS volume, coalesce(notional, 0) AS notional, coalesce(number, 0) AS number,
        coalesce(buy, 0) AS buy, coalesce(sell, 0) AS sell, coalesce(px, 0) AS px,
        b.price AS bid, a.price AS ask, b.size AS bid_size, a.size AS ask_size, b.five AS bid_five, a.five AS ask_five,
        b.twenty AS bid_twenty, a.twenty AS ask_twenty, b.levels AS bid_levels, b.near AS bid_near, a.near AS ask_near,
        b.wide AS bid_wide, a.wide AS ask_wide
    FROM grid JOIN totals t USING (symbol, row) LEFT JOIN traded USING (symbol, row)
        LEFT JOIN (FROM sides WHERE side = 1) b USING (symbol, row)
        LEFT JOIN (FROM sides WHERE side = -1) a USING (symbol, row)
), returned AS (
    SELECT *, ln(mid / lag(mid) OVER (PARTITION BY symbol ORDER BY row)) AS r FROM joined
)
SELECT symbol, row * 100000000 AS ts_ns, mid AS ob_mid_price, spread AS ob_spread,
    CASE WHEN bids + asks > 0 THEN (bids - asks) / (bids + asks) ELSE 0 END AS ob_imbalance,
    volume AS trade_volume, CASE WHEN volume > 0 THEN notional / volume ELSE 0 END AS trade_vwap,
    number AS trade_count, buy AS trade_buy_volume, sell AS trade_sell_volume,
    CASE WHEN buy + sell > 0 THEN (buy - sell) / (buy + sell) ELSE 0 END AS trade_imbalance, px AS trade_px_last,
    1e4 * spread / mid AS spread_bps, (bid * ask_size + ask * bid_size) / (ask_size + bid_size) AS microprice,
    bid_size AS bid_size_L0, ask_size AS ask_size_L0,
    CASE WHEN bid_five + ask_five > 0 THEN (bid_five - ask_five) / (bid_five + ask_five) ELSE 0 END AS imbalance_L5,
    bid_twenty AS total_bid_volume, ask_twenty AS total_ask_volume, bid_levels,
    bid_near AS bid_depth_10bps, ask_near AS ask_depth_10bps,
    CASE WHEN bid_wide + ask_wide > 0 THEN (bid_wide - ask_wide) / (bid_wide + ask_wide) ELSE 0 END AS imb_50bps,
    sum(number) OVER five AS trade_count_5s,
    CASE WHEN sum(volume) OVER minute > 0 THEN sum(notional) OVER minute / sum(volume) OVER minute END AS vwap_60s,
    r AS log_return_step, stddev_samp(r) OVER minute AS rv_60s
FROM returned
WINDOW five AS (PARTITION BY symbol ORDER BY row ROWS 49 PRECEDING),
    minute AS (PARTITION BY symbol ORDER BY row ROWS 599 PRECEDING)
ORDER BY symbol, row
) TO '{result}' (FORMAT parquet)
"""


class Columns:
    """``rows``: the first and the last row of each symbol."""

    def __init__(self, spec: dict[str, Any]) -> None:
        lake = Path(spec["lake"])
        self._files = {
            name: [str(path) for kind in ("raw", "rest") for path in (lake / kind / table).glob("**/*.parquet")]
            for name, table in (("books", "orderbooks"), ("trades", "trades"))
        }
        self._bounds = [(symbol, first, last) for symbol, (first, last) in spec["rows"].items()]
        self._result = Path(spec["result"])

    def prepare(self) -> None:
        """No result yet, no table."""
        self._result.unlink(missing_ok=True)

    def run(self) -> int:
        """From files to a file."""
        with duckdb.connect() as con:
            con.execute("CREATE TEMP TABLE bounds(symbol VARCHAR, low BIGINT, high BIGINT)")
            con.executemany("INSERT INTO bounds VALUES (?, ?, ?)", self._bounds)
            con.execute(CHANGES, {"books": self._files["books"]})
            con.execute(ROWS.format(result=self._result), {"trades": self._files["trades"]})
        return sum(last + 1 - first for _, first, last in self._bounds)

    def evidence(self) -> str:
        """Where the rows are."""
        return str(self._result)


def _open(spec: dict[str, Any]) -> Subject:
    return Columns(spec)


if __name__ == "__main__":
    serve(_open, {"duckdb": duckdb.__version__})
