"""Marks, indices, fundings and open interest of a ticker as records."""

from __future__ import annotations

from ringcollect.exchanges.deribit.messages import Ticker
from ringcollect.exchanges.numbers import ms_to_ns, to_float
from ringcollect.exchanges.protocol import Batch
from ringcollect.exchanges.typed import NAN, Arrival, rows
from ringcollect.records import Channel, Kind


def ticker_records(ticker: Ticker, arrival: Arrival, instrument: int) -> tuple[Batch, ...]:
    """Three batches, and a fourth of a perpetual: funding is paid all the time, so that its ``aux`` is 0."""
    ts_event = ms_to_ns(ticker.timestamp)
    made: list[Batch] = []
    for channel, kind, value in (
        (Channel.MARK_PRICE, Kind.MARK_PRICE, ticker.mark_price),
        (Channel.INDEX_PRICE, Kind.INDEX_PRICE, ticker.index_price),
    ):
        made.append(
            Batch(instrument, channel, rows(arrival, instrument, kind, ts_event, price=to_float(value), size=NAN))
        )
    if ticker.current_funding is not None:
        rate, interval = to_float(ticker.current_funding), arrival.funding_intervals.get(instrument, 0)
        records = rows(arrival, instrument, Kind.FUNDING, ts_event, price=rate, size=NAN, id=interval)
        made.append(Batch(instrument, Channel.FUNDING, records))
    interest = to_float(ticker.open_interest)
    records = rows(arrival, instrument, Kind.OPEN_INTEREST, ts_event, price=NAN, size=interest)
    return (*made, Batch(instrument, Channel.OPEN_INTEREST, records))
