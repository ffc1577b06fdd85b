"""The lake as an outsider sees it: plain pyarrow, and the one rule for books."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

LAST, CLEAR, SNAPSHOT, GAP, UNSYNCED, REPLAYED, BACKFILLED, REST = (1 << bit for bit in range(8))


def table(data: Path, tier: str, name: str, symbol: str, market: str) -> pa.Table | None:
    """All rows of one table of one instrument in (generation, seq) order; None where there is no file."""
    folder = data / tier / name
    if not folder.is_dir():
        return None
    rows = ds.dataset(folder, format="parquet", partitioning="hive").to_table(
        filter=(pc.field("symbol") == symbol) & (pc.field("market") == market)
    )
    return rows.sort_by([("generation", "ascending"), ("seq", "ascending")])


def both(data: Path, name: str, symbol: str, market: str) -> pa.Table:
    """raw and rest together, in (generation, seq) order."""
    parts = [t for tier in ("raw", "rest") if (t := table(data, tier, name, symbol, market)) is not None]
    merged = pa.concat_tables(parts, promote_options="default")
    return merged.sort_by([("generation", "ascending"), ("seq", "ascending")])


class Book:
    """Bids and asks as dictionaries: apply in order, skip UNSYNCED, honour CLEAR; there is no second rule."""

    def __init__(self) -> None:
        self.bids: dict[float, float] = {}
        self.asks: dict[float, float] = {}

    def apply(self, side: int, price: float, size: float, flags: int) -> None:
        """Apply one record."""
        if flags & UNSYNCED:
            return
        if flags & CLEAR:
            self.bids.clear()
            self.asks.clear()
        if side == 0:
            return
        levels = self.bids if side > 0 else self.asks
        if size == 0.0:
            levels.pop(price, None)
        else:
            levels[price] = size

    def best(self, n: int) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
        """The n best levels of each side, best first."""
        return sorted(self.bids.items(), reverse=True)[:n], sorted(self.asks.items())[:n]


def walk_books(rows: pa.Table, after_batch: Callable[[int, Book], None]) -> None:
    """Replay the book of one instrument; ``after_batch(id, book)`` is called after every applied batch."""
    book = Book()
    names = ("id", "side", "price", "size", "flags")
    for ident, side, price, size, flags in zip(*(rows[n].to_pylist() for n in names), strict=True):
        book.apply(side, price, size, flags)
        if flags & LAST and not flags & UNSYNCED:
            after_batch(ident, book)
