"""Tickers as records: best prices, marks, indices, funding, open interest and 24 h statistics."""

from __future__ import annotations

from ringcollect.exchanges.kraken_futures.books import MS, best_records
from ringcollect.exchanges.kraken_futures.messages import Ticker
from ringcollect.exchanges.numbers import to_float
from ringcollect.exchanges.protocol import Batch
from ringcollect.exchanges.typed import NAN, Arrival, rows, statistics
from ringcollect.records import Channel, Kind, TickerField

HOUR = 3600 * 1_000_000_000
FUNDING_INTERVAL = HOUR
"""Of every perpetual; the instrument list does not say it."""


def ticker_batches(ticker: Ticker, arrival: Arrival, instrument: int) -> tuple[Batch, ...]:
    """Best prices first; then a batch for each value that is there."""
    ts_event = ticker.time * MS
    made = [best_records(ticker, arrival, instrument)]
    if ticker.mark is not None:
        mark = rows(arrival, instrument, Kind.MARK_PRICE, ts_event, price=to_float(ticker.mark), size=NAN)
        made.append(Batch(instrument, Channel.MARK_PRICE, mark))
    if ticker.index is not None:
        index = rows(arrival, instrument, Kind.INDEX_PRICE, ts_event, price=to_float(ticker.index), size=NAN)
        made.append(Batch(instrument, Channel.INDEX_PRICE, index))
    if ticker.rate is not None and ticker.next_due:  # dated contracts have none, or none due
        predicted = NAN if ticker.predicted is None else to_float(ticker.predicted)
        funding = rows(
            arrival, instrument, Kind.FUNDING, ts_event, price=to_float(ticker.rate), size=predicted,
            id=arrival.funding_intervals.get(instrument, 0), aux=ticker.next_due * MS,
        )  # fmt: skip
        made.append(Batch(instrument, Channel.FUNDING, funding))
    if ticker.interest is not None:
        interest = rows(arrival, instrument, Kind.OPEN_INTEREST, ts_event, price=NAN, size=to_float(ticker.interest))
        made.append(Batch(instrument, Channel.OPEN_INTEREST, interest))
    sent = (ticker.last, ticker.open, ticker.high, ticker.low, ticker.volume, ticker.volume_quote)
    return (*made, *statistics(arrival, instrument, ts_event, dict(zip(TickerField, sent, strict=True))))
