"""The worker of pandas: rows of 100 ms from a lake's raw files; levels are unrolled into the rows they stand in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped, import-not-found, unused-ignore]

from benchmarks.serving import Subject, serve

GRID_NS = 100_000_000
UNSYNCED = 1 << 4
LEVEL = ["symbol", "side", "price"]


class Columns:
    """``rows``: the first and the last row of each symbol."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self._lake, self._result = Path(spec["lake"]), Path(spec["result"])
        self._rows: dict[str, tuple[int, int]] = spec["rows"]
        self._columns: list[str] = spec["columns"]

    def prepare(self) -> None:
        """No result yet."""
        self._result.unlink(missing_ok=True)

    def run(self) -> int:
        """From files to a file."""
        trades, changes = self._trades(), self._changes()
        parts = []
        for symbol, (first, last) in sorted(self._rows.items()):
            rows = pd.DataFrame(index=pd.RangeIndex(first, last + 1, name="row"))
            rows = rows.join(trades[trades["symbol"] == symbol].set_index("row").drop(columns="symbol")).fillna(0.0)
            parts.append(
                _derived(rows.join(_book(changes[changes["symbol"] == symbol], rows.index))).assign(symbol=symbol)
            )
        done = pd.concat(parts).reset_index()
        done["ts_ns"] = done["row"] * GRID_NS
        done[["symbol", "ts_ns", *self._columns]].to_parquet(self._result)
        return len(done)

    def evidence(self) -> str:
        """Where the rows are."""
        return str(self._result)

    def _read(self, table: str, columns: list[str]) -> Any:
        folders = [self._lake / kind / table for kind in ("raw", "rest")]
        parts = [pd.read_parquet(folder, columns=["symbol", *columns]) for folder in folders if folder.is_dir()]
        return pd.concat([part.astype({"symbol": str}) for part in parts], ignore_index=True)

    def _trades(self) -> Any:
        trades = self._read("trades", ["seq", "ts_event", "price", "size", "side"])
        trades["row"] = trades["ts_event"] // GRID_NS + 1
        trades["notional"] = trades["price"] * trades["size"]
        trades["buy"] = trades["size"].where(trades["side"] > 0, 0.0)
        trades["sell"] = trades["size"].where(trades["side"] < 0, 0.0)
        grouped = trades.sort_values(["ts_event", "seq"]).groupby(["symbol", "row"])
        return grouped.agg(
            trade_volume=("size", "sum"),
            trade_notional=("notional", "sum"),
            trade_count=("size", "size"),
            trade_buy_volume=("buy", "sum"),
            trade_sell_volume=("sell", "sum"),
            trade_px_last=("price", "last"),
        ).reset_index()

    def _changes(self) -> Any:
        """What each level is from a row on, until which row, and what it was before."""
        books = self._read("orderbooks", ["seq", "ts_event", "ts_recv", "flags", "side", "price", "size"])
        books = books[((books["flags"] & UNSYNCED) == 0) & (books["side"] != 0)].sort_values("seq")
        books["at"] = books["ts_event"].where(books["ts_event"] > 0, books["ts_recv"])
        books["row"] = books.groupby("symbol")["at"].cummax() // GRID_NS + 1
        first = books["symbol"].map({symbol: bounds[0] for symbol, bounds in self._rows.items()})
        books["last"] = books["symbol"].map({symbol: bounds[1] for symbol, bounds in self._rows.items()})
        books["row"] = np.maximum(books["row"], first)
        books = books[books["row"] <= books["last"]].drop_duplicates([*LEVEL, "row"], keep="last")
        books = books.sort_values([*LEVEL, "row"])
        levels = books.groupby(LEVEL)
        books["until"] = levels["row"].shift(-1).fillna(books["last"] + 1).astype(np.int64)
        books["before"] = levels["size"].shift(1).fillna(0.0)
        return books


def _book(changes: Any, rows: Any) -> Any:
    """A row of the book from all levels that stand in it."""
    moved = (changes["size"] - changes["before"]).groupby([changes["side"], changes["row"]]).sum()
    book = pd.DataFrame(index=rows)
    for side, name in ((1, "bids"), (-1, "asks")):
        book[name] = moved.loc[side].reindex(rows, fill_value=0.0).cumsum()
    sides = {side: _unrolled(changes[(changes["side"] == side) & (changes["size"] > 0)], side) for side in (1, -1)}
    best = {side: levels.groupby("row")["price"].first() for side, levels in sides.items()}
    mid = (best[1] + best[-1]) / 2
    for side, name in ((1, "bid"), (-1, "ask")):
        levels = sides[side]
        of = levels.groupby("row")
        place, middle = of.cumcount(), levels["row"].map(mid)
        away = (levels["price"] - middle).abs() / middle * 1e4
        book[f"{name}_price"], book[f"{name}_size"] = best[side], of["size"].first()
        book[f"{name}_levels"] = of.size()
        for column, chosen in (("five", place < 5), ("twenty", place < 20), ("near", away < 10), ("wide", away < 50)):
            some = levels[chosen]
            book[f"{name}_{column}"] = some.groupby("row")["size"].sum().reindex(rows, fill_value=0.0)
    return book


def _unrolled(levels: Any, side: int) -> Any:
    """A line for each level of each row, best first."""
    lengths = (levels["until"] - levels["row"]).to_numpy()
    begins = np.repeat(levels["row"].to_numpy() - (np.cumsum(lengths) - lengths), lengths)
    frame = pd.DataFrame(
        {
            "row": begins + np.arange(lengths.sum()),
            "price": np.repeat(levels["price"].to_numpy(), lengths),
            "size": np.repeat(levels["size"].to_numpy(), lengths),
        }
    )
    return frame.sort_values(["row", "price"], ascending=[True, side < 0])


def _balance(plus: Any, minus: Any) -> Any:
    both = plus + minus
    return ((plus - minus) / both.where(both > 0)).fillna(0.0)


def _derived(rows: Any) -> Any:
    """The columns of one symbol, rows in order."""
    bid, ask, bid_size, ask_size = (rows[name] for name in ("bid_price", "ask_price", "bid_size", "ask_size"))
    volume, notional = rows["trade_volume"], rows["trade_notional"]
    mid = (bid + ask) / 2
    r = np.log(mid / mid.shift(1))
    minute = volume.rolling(600, min_periods=1).sum()
    return rows.assign(
        ob_mid_price=mid,
        ob_spread=ask - bid,
        ob_imbalance=_balance(rows["bids"], rows["asks"]),
        trade_vwap=(notional / volume.where(volume > 0)).fillna(0.0),
        trade_imbalance=_balance(rows["trade_buy_volume"], rows["trade_sell_volume"]),
        spread_bps=1e4 * (ask - bid) / mid,
        microprice=(bid * ask_size + ask * bid_size) / (ask_size + bid_size),
        bid_size_L0=bid_size,
        ask_size_L0=ask_size,
        imbalance_L5=_balance(rows["bid_five"], rows["ask_five"]),
        total_bid_volume=rows["bid_twenty"],
        total_ask_volume=rows["ask_twenty"],
        bid_depth_10bps=rows["bid_near"],
        ask_depth_10bps=rows["ask_near"],
        imb_50bps=_balance(rows["bid_wide"], rows["ask_wide"]),
        trade_count_5s=rows["trade_count"].rolling(50, min_periods=1).sum(),
        vwap_60s=notional.rolling(600, min_periods=1).sum() / minute.where(minute > 0),
        log_return_step=r,
        rv_60s=r.rolling(600, min_periods=2).std(),
    )


def _open(spec: dict[str, Any]) -> Subject:
    return Columns(spec)


if __name__ == "__main__":
    serve(_open, {"pandas": pd.__version__})
