"""Tickers as records: best prices, and 24 h statistics."""

from __future__ import annotations

from ringcollect.exchanges.kraken.books import time_of
from ringcollect.exchanges.kraken.messages import Ticker
from ringcollect.exchanges.numbers import Number, to_float
from ringcollect.exchanges.protocol import Batch
from ringcollect.exchanges.typed import NAN, Arrival, rows, statistics
from ringcollect.records import Channel, Kind, TickerField


def ticker_batches(ticker: Ticker, arrival: Arrival, instrument: int, extra: int) -> tuple[Batch, ...]:
    """Both batches of one ticker; an open price and a volume in quote currency are not sent."""
    sent = {
        TickerField.LAST: ticker.last, TickerField.HIGH: ticker.high, TickerField.LOW: ticker.low,
        TickerField.BASE_VOLUME: ticker.volume,
    }  # fmt: skip
    ts_event = time_of(ticker.timestamp)
    return (_best(ticker, arrival, instrument, extra), *statistics(arrival, instrument, ts_event, sent, extra))


def _best(ticker: Ticker, arrival: Arrival, instrument: int, extra: int) -> Batch:
    """Best bid and best ask; a price of 0 is a side without orders: NaN."""
    records = rows(arrival, instrument, Kind.BBO, time_of(ticker.timestamp), 2)
    records["side"] = 1, -1
    sides: tuple[tuple[Number, Number], ...] = ((ticker.bid, ticker.bid_qty), (ticker.ask, ticker.ask_qty))
    for row, (price, size) in enumerate(sides):
        records["price"][row] = to_float(price) or NAN
        records["size"][row] = to_float(size)
    records["flags"] |= extra
    return Batch(instrument, Channel.BBO, records)
