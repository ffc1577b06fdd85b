"""The worker of Polars: rows of 100 ms from a lake's raw files, by expressions; the book in two ways.

``expressions``: every level that stands is unrolled into the rows it stands in, and each row is made of these.
``loop``: a Python loop over the changes keeps a sorted book and looks at it once a row; the rest are expressions.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl  # type: ignore[import-not-found, unused-ignore]
from sortedcontainers import SortedDict  # type: ignore[import-untyped, import-not-found, unused-ignore]

from benchmarks.serving import Subject, serve

GRID_NS = 100_000_000
UNSYNCED = 1 << 4
LEVEL = ["symbol", "side", "price"]


class Columns:
    """``rows``: the first and the last row of each symbol."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self._lake, self._result = Path(spec["lake"]), Path(spec["result"])
        self._rows: dict[str, tuple[int, int]] = spec.get("rows", {})
        self._columns: list[str] = spec["columns"]
        self._seen = {"expressions": self._unrolled, "loop": self._looped}[spec["book"]]

    def prepare(self) -> None:
        """No result yet."""
        self._result.unlink(missing_ok=True)

    def run(self) -> int:
        """From files to a file."""
        grid = pl.concat(
            pl.DataFrame({"row": pl.int_range(first, last + 1, eager=True)}).select(
                pl.lit(symbol).alias("symbol"), "row"
            )
            for symbol, (first, last) in sorted(self._rows.items())
        )
        rows = grid.join(self._trades(), on=["symbol", "row"], how="left").join(
            self._book(grid), on=["symbol", "row"], how="left"
        )
        done = _derived(rows.sort("symbol", "row"))
        done.select("symbol", (pl.col("row") * GRID_NS).alias("ts_ns"), *self._columns).write_parquet(self._result)
        return len(done)

    def evidence(self) -> str:
        """Where the rows are."""
        return str(self._result)

    def _read(self, table: str, columns: list[str]) -> pl.LazyFrame:
        files = [path for kind in ("raw", "rest") for path in (self._lake / kind / table).glob("**/*.parquet")]
        return pl.scan_parquet(files, hive_partitioning=True).select("symbol", *columns)

    def _bounds(self) -> pl.LazyFrame:
        return pl.LazyFrame(
            [(symbol, first, last) for symbol, (first, last) in self._rows.items()],
            schema={"symbol": pl.String, "first": pl.Int64, "last": pl.Int64},
            orient="row",
        )

    def _trades(self) -> pl.DataFrame:
        price, size, side = pl.col("price"), pl.col("size"), pl.col("side")
        bought, sold = side > 0, side < 0
        return (
            self._read("trades", ["seq", "ts_event", "price", "size", "side"])
            .with_columns(row=pl.col("ts_event") // GRID_NS + 1, notional=price * size)
            .sort("ts_event", "seq")
            .group_by("symbol", "row", maintain_order=True)
            .agg(
                trade_volume=size.sum(),
                trade_notional=pl.col("notional").sum(),
                trade_count=pl.len(),
                trade_buy_volume=size.filter(bought).sum(),
                trade_sell_volume=size.filter(sold).sum(),
                trade_px_last=price.last(),
            )
            .collect()
        )

    def _changes(self) -> pl.DataFrame:
        """What each level is from a row on (``size``), until which row, and what it was before (``before``)."""
        at = pl.when(pl.col("ts_event") > 0).then("ts_event").otherwise("ts_recv")
        return (
            self._read("orderbooks", ["seq", "ts_event", "ts_recv", "flags", "side", "price", "size"])
            .filter((pl.col("flags") & UNSYNCED == 0) & (pl.col("side") != 0))
            .sort("seq")
            .with_columns(row=at.cum_max().over("symbol") // GRID_NS + 1)
            .join(self._bounds(), on="symbol")
            .with_columns(row=pl.max_horizontal("row", "first"))
            .filter(pl.col("row") <= pl.col("last"))
            .group_by(*LEVEL, "row", maintain_order=True)
            .agg(pl.col("size", "last").last())
            .sort(*LEVEL, "row")
            .with_columns(
                until=pl.col("row").shift(-1).over(LEVEL).fill_null(pl.col("last") + 1),
                before=pl.col("size").shift(1).over(LEVEL).fill_null(0.0),
            )
            .collect()
        )

    def _book(self, grid: pl.DataFrame) -> pl.DataFrame:
        changes = self._changes()
        totals = (
            changes.group_by("symbol", "row")
            .agg(
                bids=(pl.col("size") - pl.col("before")).filter(pl.col("side") > 0).sum(),
                asks=(pl.col("size") - pl.col("before")).filter(pl.col("side") < 0).sum(),
            )
            .join(grid, on=["symbol", "row"], how="right")
            .sort("symbol", "row")
            .select("symbol", "row", pl.col("bids", "asks").fill_null(0.0).cum_sum().over("symbol"))
        )
        seen = self._seen(changes)
        for side, name in ((1, "bid"), (-1, "ask")):
            one = seen.filter(pl.col("side") == side).drop("side")
            named = one.rename({column: f"{name}_{column}" for column in one.columns[2:]})
            totals = totals.join(named, on=["symbol", "row"], how="left")
        return totals

    def _unrolled(self, changes: pl.DataFrame) -> pl.DataFrame:
        """A row of each side, from all levels that stand in it."""
        standing = changes.lazy().filter(pl.col("size") > 0)
        unrolled = {
            (symbol, side): standing.filter((pl.col("symbol") == symbol) & (pl.col("side") == side))
            .select("price", "size", row=pl.int_ranges("row", "until"))
            .explode("row")
            for symbol in self._rows
            for side in (1, -1)
        }
        parts = []
        for symbol in self._rows:
            bid, ask = (
                unrolled[symbol, side].group_by("row").agg(pl.col("price").max() if side > 0 else pl.col("price").min())
                for side in (1, -1)
            )
            mids = bid.join(ask, on="row", suffix="_ask").select("row", mid=(pl.col("price") + pl.col("price_ask")) / 2)
            mids = mids.collect().lazy()
            for side in (1, -1):
                away = (pl.col("price") - pl.col("mid")).abs() / pl.col("mid") * 1e4
                key, size = pl.col("price") * side, pl.col("size")
                part = (
                    unrolled[symbol, side]
                    .join(mids, on="row")
                    .group_by("row")
                    .agg(
                        price=key.max() * side,
                        size=size.top_k_by(key, 1).first(),
                        five=size.top_k_by(key, 5).sum(),
                        twenty=size.top_k_by(key, 20).sum(),
                        levels=pl.len(),
                        near=size.filter(away < 10).sum(),
                        wide=size.filter(away < 50).sum(),
                    )
                    .collect()
                )
                parts.append(
                    part.select(pl.lit(symbol).alias("symbol"), "row", pl.lit(side).alias("side"), pl.exclude("row"))
                )
        return pl.concat(parts)

    def _looped(self, changes: pl.DataFrame) -> pl.DataFrame:
        schema = {"symbol": pl.String, "row": pl.Int64, "side": pl.Int32} | dict.fromkeys(
            ("price", "size", "five", "twenty", "levels", "near", "wide"), pl.Float64
        )
        return pl.DataFrame(list(self._followed(changes)), schema=schema, orient="row")

    def _followed(self, changes: pl.DataFrame) -> Iterator[tuple[Any, ...]]:
        ordered = changes.sort("symbol", "row")
        for (symbol,), part in ordered.partition_by("symbol", as_dict=True).items():
            books = {1: SortedDict(), -1: SortedDict()}
            first, last = self._rows[symbol]
            row = first
            for at, side, price, size in part.select("row", "side", "price", "size").iter_rows():
                for one in range(row, at):
                    yield from _look(symbol, one, books)
                row = max(row, at)
                if size > 0:
                    books[side][side * price] = size
                else:
                    books[side].pop(side * price, None)
            for one in range(row, last + 1):
                yield from _look(symbol, one, books)


def _look(symbol: str, row: int, books: dict[int, Any]) -> Iterator[tuple[Any, ...]]:
    if not (books[1] and books[-1]):
        return
    mid = (books[1].peekitem(-1)[0] - books[-1].peekitem(-1)[0]) / 2
    for side, levels in books.items():
        key, size = levels.peekitem(-1)
        near = wide = five = twenty = 0.0
        for place, one in enumerate(reversed(levels)):
            away = abs(side * one - mid) / mid * 1e4
            if away >= 50 and place >= 20:
                break
            here = levels[one]
            near += here if away < 10 else 0.0
            wide += here if away < 50 else 0.0
            five += here if place < 5 else 0.0
            twenty += here if place < 20 else 0.0
        yield symbol, row, side, side * key, size, five, twenty, float(len(levels)), near, wide


def _derived(rows: pl.DataFrame) -> pl.DataFrame:
    """The columns, rows in order."""
    bid, ask, bids, asks = (pl.col(name) for name in ("bid_price", "ask_price", "bids", "asks"))
    bid_size, ask_size = pl.col("bid_size"), pl.col("ask_size")
    buy, sell, mid = pl.col("trade_buy_volume"), pl.col("trade_sell_volume"), pl.col("ob_mid_price")
    volume, notional = pl.col("trade_volume"), pl.col("trade_notional")

    def summed(value: pl.Expr, n: int) -> pl.Expr:
        return value.rolling_sum(n, min_samples=1).over("symbol")

    def balance(plus: pl.Expr, minus: pl.Expr) -> pl.Expr:
        return pl.when(plus + minus > 0).then((plus - minus) / (plus + minus)).otherwise(0.0)

    return (
        rows.with_columns(pl.col("^trade_.*$").fill_null(0))
        .with_columns(
            ob_mid_price=(bid + ask) / 2,
            ob_spread=ask - bid,
            ob_imbalance=balance(bids, asks),
            trade_vwap=pl.when(volume > 0).then(notional / volume).otherwise(0.0),
            trade_imbalance=balance(buy, sell),
            microprice=(bid * ask_size + ask * bid_size) / (ask_size + bid_size),
            bid_size_L0=bid_size,
            ask_size_L0=ask_size,
            imbalance_L5=balance(pl.col("bid_five"), pl.col("ask_five")),
            total_bid_volume=pl.col("bid_twenty"),
            total_ask_volume=pl.col("ask_twenty"),
            bid_depth_10bps=pl.col("bid_near"),
            ask_depth_10bps=pl.col("ask_near"),
            imb_50bps=balance(pl.col("bid_wide"), pl.col("ask_wide")),
        )
        .with_columns(
            spread_bps=1e4 * pl.col("ob_spread") / mid,
            log_return_step=(mid / mid.shift(1).over("symbol")).log(),
            trade_count_5s=summed(pl.col("trade_count"), 50),
            vwap_60s=pl.when(summed(volume, 600) > 0).then(summed(notional, 600) / summed(volume, 600)),
        )
        .with_columns(rv_60s=pl.col("log_return_step").rolling_std(600, min_samples=2).over("symbol"))
    )


def _open(spec: dict[str, Any]) -> Subject:
    return Columns(spec)


if __name__ == "__main__":
    serve(_open, {"polars": pl.__version__})
