"""What derivatives have beside books and trades, as records."""

from __future__ import annotations

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges.numbers import Number, ms_to_ns, to_float
from ringcollect.exchanges.okx.messages import FundingRate, IndexTicker, Liquidation, MarkPrice, OpenInterest, Ticker
from ringcollect.exchanges.okx.trades import SIDES
from ringcollect.exchanges.protocol import Batch
from ringcollect.exchanges.typed import NAN, Arrival, rows, statistics
from ringcollect.records import Channel, Kind, LiquidationSub, TickerField, aux_f


def _optional(value: Number) -> float:
    """The venue writes "" for what it does not have."""
    return NAN if value == "" else to_float(value)


TICKER_KEYS = {
    TickerField.LAST: "last", TickerField.OPEN: "open24h", TickerField.HIGH: "high24h", TickerField.LOW: "low24h",
    TickerField.BASE_VOLUME: "vol24h", TickerField.QUOTE_VOLUME: "volCcy24h",
}  # fmt: skip
"""Where ``tickers`` says what. ``volCcy24h`` is quote currency on spot only, else the base coin."""


def ticker(row: Ticker, arrival: Arrival, instrument: int) -> tuple[Batch, ...]:
    """Statistics of the last 24 h; volumes of derivatives are contracts."""
    quote = row.currency_volume if row.inst_type == "SPOT" else None
    sent = (row.last, row.open, row.high, row.low, row.volume, quote)
    return statistics(arrival, instrument, ms_to_ns(row.ts), dict(zip(TICKER_KEYS, sent, strict=True)))


def mark_price(row: MarkPrice, arrival: Arrival, instrument: int) -> Batch:
    """The mark price."""
    records = rows(arrival, instrument, Kind.MARK_PRICE, ms_to_ns(row.ts), price=to_float(row.mark_px), size=NAN)
    return Batch(instrument, Channel.MARK_PRICE, records)


def index_price(row: IndexTicker, arrival: Arrival, instrument: int) -> Batch:
    """The index that ``instrument`` follows."""
    records = rows(arrival, instrument, Kind.INDEX_PRICE, ms_to_ns(row.ts), price=to_float(row.idx_px), size=NAN)
    return Batch(instrument, Channel.INDEX_PRICE, records)


def funding(row: FundingRate, arrival: Arrival, instrument: int) -> Batch:
    """The rate that applies at ``fundingTime``, the coming settlement; ``nextFundingTime`` is the one after it.

    Their difference is the interval: 0, unknown, where only one of them is sent (before 2023).
    """
    when = ms_to_ns(row.funding_time)
    after = 0 if row.next_funding_time in ("", "0", 0) else ms_to_ns(row.next_funding_time)
    records = rows(
        arrival, instrument, Kind.FUNDING, 0 if row.ts == "" else ms_to_ns(row.ts),
        price=_optional(row.funding_rate), size=_optional(row.next_funding_rate),
        id=max(0, after - when) if after else 0, aux=when,
    )  # fmt: skip
    return Batch(instrument, Channel.FUNDING, records)


def open_interest(row: OpenInterest, arrival: Arrival, instrument: int) -> Batch:
    """Open contracts, counted once, and their value in USD where it is sent."""
    records = rows(
        arrival, instrument, Kind.OPEN_INTEREST, ms_to_ns(row.ts), price=_optional(row.oi_usd), size=to_float(row.oi)
    )
    return Batch(instrument, Channel.OPEN_INTEREST, records)


def liquidations(row: Liquidation, arrival: Arrival, instrument: int) -> Batch:
    """Forced orders of one instrument: the venue tells the bankruptcy price, never the fill.

    ``side`` is the order's: buy means that a short was liquidated. At most one a second per contract: a sample.
    """
    details = row.details
    if any(order.side not in SIDES for order in details):
        raise RejectedFrame("liquidation of unknown side")
    records = rows(
        arrival, instrument, Kind.LIQUIDATION, [ms_to_ns(order.ts) for order in details], len(details),
        price=[to_float(order.bk_px) for order in details],
        size=[to_float(order.sz) for order in details],
        side=[SIDES[order.side] for order in details],
        sub=LiquidationSub.BANKRUPTCY,
    )  # fmt: skip
    aux_f(records)[:] = NAN
    return Batch(instrument, Channel.LIQUIDATION, records)
