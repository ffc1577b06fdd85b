"""Marks, indices, fundings, open interest and 24 h statistics of a ticker as records."""

from __future__ import annotations

from ringcollect.exchanges.deribit.messages import Statistics, Ticker
from ringcollect.exchanges.numbers import ms_to_ns, to_float
from ringcollect.exchanges.protocol import Batch
from ringcollect.exchanges.typed import NAN, Arrival, rows, statistics
from ringcollect.records import Channel, Kind, TickerField


def ticker_records(ticker: Ticker, arrival: Arrival, instrument: int) -> tuple[Batch, ...]:
    """Three batches, a fourth of a perpetual (funding is paid all the time, so that its ``aux`` is 0), and statistics.

    ``volume_usd`` is left out: the quote currency of linear contracts is USDC.
    """
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
    made.append(Batch(instrument, Channel.OPEN_INTEREST, records))
    stats = ticker.stats or Statistics()
    sent = {
        TickerField.LAST: ticker.last_price, TickerField.HIGH: stats.high, TickerField.LOW: stats.low,
        TickerField.BASE_VOLUME: stats.volume,
    }  # fmt: skip
    return (*made, *statistics(arrival, instrument, ts_event, sent))
