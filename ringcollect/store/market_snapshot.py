"""What a grid row of an instrument was made of, and the fifteen numbers it comes to (atelier's names and meanings).

Sizes are base units; an open interest is in the venue's unit. Times are ns since the epoch, UTC.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import msgspec
import numpy as np

from ringcollect.instruments import Instrument, to_base

_EIGHT_HOURS_NS = 8 * 3600 * 10**9
_YEAR_NS = 8760 * 3600 * 10**9


class OrderBook(NamedTuple):
    """The best levels, best first: float64[levels, 2] of (price, size). ``ts_event``: effective time of the book.

    ``bid_total`` and ``ask_total`` are the sizes of all levels held, not only of those that are here.
    """

    ts_event: int
    bids: np.ndarray
    asks: np.ndarray
    bid_total: float
    ask_total: float


class Trade(NamedTuple):
    """One trade. ``side`` is the aggressor's (+1 buy, -1 sell, 0 unknown); ``id`` is text where the venue has UUIDs."""

    ts_event: int
    price: float
    size: float
    side: int
    id: int | str


class Liquidation(NamedTuple):
    """One liquidation. ``side`` is the forced order's, the position's is the opposite; ``price`` as features use it:
    the one that was sent, else the other (NaN if there is none)."""

    ts_event: int
    price: float
    size: float
    side: int
    id: int

    @property
    def notional(self) -> float:
        """Price times size, 0 without a price."""
        return self.price * self.size if self.price == self.price else 0.0


class Funding(NamedTuple):
    """The latest funding rate. ``predicted`` NaN, ``interval_ns`` and ``next_ts`` 0 where they are not known."""

    ts_event: int
    rate: float
    predicted: float
    interval_ns: int
    next_ts: int


class OpenInterest(NamedTuple):
    """The latest open interest, in the venue's unit; ``value`` in quote currency as reported, NaN if it was not."""

    ts_event: int
    contracts: float
    value: float


class MarketAggregate(msgspec.Struct, frozen=True, kw_only=True):
    """Fifteen numbers, 0 where their source is absent; the same as the columns of equal name in the row."""

    ts_ns: int
    ob_mid_price: float = 0.0
    ob_spread: float = 0.0
    ob_imbalance: float = 0.0
    trade_volume: float = 0.0
    trade_vwap: float = 0.0
    trade_count: int = 0
    liq_notional: float = 0.0
    liq_count: int = 0
    liq_imbalance: float = 0.0
    fr_rate: float = 0.0
    fr_annualized: float = 0.0
    fr_next_settlement_delta: int = 0
    oi_contracts: float = 0.0
    oi_value: float = 0.0
    oi_change: float = 0.0


class MarketSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """One grid row of one instrument. ``ts_ns`` is its closing boundary; trades and liquidations fell into it.

    Book, funding and open interest are carried: the latter two hold one record each, none before the first.

    ``row_flags`` are those of the row ring. A table that was off in ``[sync.output]`` is absent.
    """

    instrument: Instrument
    ts_ns: int
    row_flags: int = 0
    orderbook: OrderBook | None = None
    trades: tuple[Trade, ...] = ()
    liquidations: tuple[Liquidation, ...] = ()
    funding_rate: tuple[Funding, ...] = ()
    open_interest: tuple[OpenInterest, ...] = ()
    mark_price: float = math.nan
    previous_open_interest: float = math.nan

    @property
    def has_data(self) -> bool:
        """Whether there is anything in it."""
        events = self.trades or self.liquidations or self.funding_rate or self.open_interest
        return self.orderbook is not None or bool(events)

    @property
    def trade_volume(self) -> float:
        """Sum of sizes, base units."""
        return _sum(trade.size for trade in self.trades)

    @property
    def trade_count(self) -> int:
        """Number of trades."""
        return len(self.trades)

    @property
    def liquidation_notional(self) -> float:
        """Sum of price times size, quote currency."""
        return _sum(one.notional for one in self.liquidations)

    @property
    def aggregate(self) -> MarketAggregate:
        """The fifteen numbers."""
        mid, spread, imbalance = self._book()
        volume, notional = self.trade_volume, _sum(trade.price * trade.size for trade in self.trades)
        forced = self.liquidation_notional
        closed_longs = _sum(one.notional for one in self.liquidations if one.side < 0)
        closed_shorts = _sum(one.notional for one in self.liquidations if one.side > 0)
        rate, annual, delta = self._funding()
        contracts, value, change = self._interest()
        return MarketAggregate(
            ts_ns=self.ts_ns,
            ob_mid_price=mid,
            ob_spread=spread,
            ob_imbalance=imbalance,
            trade_volume=volume,
            trade_vwap=notional / volume if volume > 0 else 0.0,
            trade_count=len(self.trades),
            liq_notional=forced,
            liq_count=len(self.liquidations),
            liq_imbalance=(closed_longs - closed_shorts) / forced if forced > 0 else 0.0,
            fr_rate=rate,
            fr_annualized=annual,
            fr_next_settlement_delta=delta,
            oi_contracts=contracts,
            oi_value=value,
            oi_change=change,
        )

    def _book(self) -> tuple[float, float, float]:
        book = self.orderbook
        if book is None:
            return 0.0, 0.0, 0.0
        mid = spread = 0.0
        if len(book.bids) and len(book.asks):
            bid, ask = float(book.bids[0, 0]), float(book.asks[0, 0])
            if bid > 0 and ask > 0:
                mid, spread = (bid + ask) / 2.0, ask - bid
        total = book.bid_total + book.ask_total
        return mid, spread, (book.bid_total - book.ask_total) / total if total > 0 else 0.0

    def _funding(self) -> tuple[float, float, int]:
        if not self.funding_rate:
            return 0.0, 0.0, 0
        latest = self.funding_rate[-1]
        every = latest.interval_ns if latest.interval_ns > 0 else _EIGHT_HOURS_NS
        delta = latest.next_ts - latest.ts_event if latest.next_ts > 0 else 0
        return latest.rate, latest.rate * (float(_YEAR_NS) / float(every)), delta

    def _interest(self) -> tuple[float, float, float]:
        if not self.open_interest:
            return 0.0, 0.0, 0.0
        latest, mark = self.open_interest[-1], self.mark_price
        value = latest.value
        if math.isnan(value):
            value = float(to_base(latest.contracts, mark, self.instrument) * mark) if mark == mark else 0.0
        before = self.previous_open_interest
        return latest.contracts, value, 0.0 if math.isnan(before) else latest.contracts - before


def _sum(values: object) -> float:
    """In their order, as the synchronizer adds: ``sum`` of a newer Python compensates rounding errors."""
    total = 0.0
    for value in values:  # type: ignore[attr-defined]
        total += value
    return total
