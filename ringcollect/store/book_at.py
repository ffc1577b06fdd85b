"""``ringcollect.book_at``: the book of an instrument at a moment, from the nearest whole book before it."""

from __future__ import annotations

import os

import msgspec
import numpy as np

from ringcollect.errors import ConfigError, NotFoundError
from ringcollect.store import files
from ringcollect.store.book_search import Search
from ringcollect.store.files import Owner
from ringcollect.store.location import Lake
from ringcollect.store.selection import Selection, Time, nanoseconds

TABLES = (("raw", "orderbooks"), ("rest", "orderbooks"), ("sync", "books"))
_TRIES = 4


class Book(msgspec.Struct, frozen=True, kw_only=True):
    """A book. ``bids`` and ``asks``: float64[levels, 2] of (price, size) in the venue's own numbers, best first.

    ``ts_event``, ``ts_recv`` (ns) and ``last_id`` are those of the last update in it. ``is_whole``: it is proven that
    nothing of the instrument's book is missing up to ``ts_ns``; else ``doubts`` say why not, and the book is the last
    one that was whole, as far as known. ``base_ns`` is when the whole book was received that it was rebuilt from
    (``is_derived``: made by the synchronizer), with ``updates`` behind it.
    """

    exchange: str
    market: str
    symbol: str
    ts_ns: int
    ts_event: int
    ts_recv: int
    last_id: int
    bids: np.ndarray
    asks: np.ndarray
    is_whole: bool
    doubts: tuple[str, ...]
    base_ns: int
    is_derived: bool
    updates: int


def book_at(
    data: str | os.PathLike[str] | Lake,
    exchange: str,
    symbol: str,
    ts: Time,
    *,
    market: str | None = None,
    sub: int = 0,
    use_derived: bool = True,
) -> Book:
    """The book as the collector had it at ``ts`` (ns, an ISO text or datetime, UTC): every update received until then.

    ``symbol`` is the venue's own or the unified name; ``market`` is needed where several have it. ``sub`` chooses
    another depth stream than the primary book. Built from the nearest snapshot before ``ts``, the venue's or, with
    ``use_derived``, the synchronizer's in ``sync/books``, and the updates behind it, in ring order.

    Raises NotFoundError for an instrument the lake does not have or a moment before its first book, ConfigError for a
    symbol of several markets.
    """
    lake = data if isinstance(data, Lake) else Lake.open(os.fspath(data))
    ts_ns = nanoseconds(ts, "ts", 0)
    owner = _owner(lake, exchange, market, symbol)
    search = Search(lake, owner, ts_ns, sub)
    for _ in range(_TRIES):
        try:
            found = search.book(use_derived=use_derived and sub == 0)
        except NotFoundError:
            continue  # a day was compacted since its files were listed
        if found is None:
            raise NotFoundError(f"{lake} has no whole book of {exchange} {owner.symbol} up to {ts_ns} ns")
        replay, doubts = found
        return Book(
            exchange=owner.exchange, market=owner.market, symbol=owner.symbol, ts_ns=ts_ns,
            ts_event=replay.at.ts_event, ts_recv=replay.at.ts_recv, last_id=int(replay.last_id or 0),
            bids=_side(replay.bids, highest_first=True), asks=_side(replay.asks, highest_first=False),
            is_whole=not doubts, doubts=doubts,
            base_ns=replay.base_ns, is_derived=replay.is_derived, updates=replay.batches,
        )  # fmt: skip
    raise NotFoundError(f"{lake}: files of {exchange} {owner.symbol} went away {_TRIES} times while they were read")


def _owner(lake: Lake, exchange: str, market: str | None, symbol: str) -> Owner:
    selection = Selection(exchanges=(exchange,), markets=(market,) if market else (), symbols=(symbol,))
    found = sorted({owner for place in TABLES for owner in files.owners(lake, selection, *place)})
    if not found:
        raise NotFoundError(f"{lake} has no books of {symbol} on {exchange}{f' {market}' if market else ''}")
    if len(found) > 1:
        names = ", ".join(f"{one.market} {one.symbol}" for one in found)
        raise ConfigError(f"market: {symbol} is {names}; name the market")
    return found[0]


def _side(levels: dict[float, float], *, highest_first: bool) -> np.ndarray:
    return np.array(sorted(levels.items(), reverse=highest_first), np.float64).reshape(-1, 2)
