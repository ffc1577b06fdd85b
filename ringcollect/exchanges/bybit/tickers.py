"""Tickers of derivatives: deltas merged into a state, from which mark, index, funding and open interest are read.

A delta has only what changed, so a rate without its time, or interest without its value, is completed from what came
before on the same connection. A record is written for a channel when the frame has news of it, and only then.
"""

from __future__ import annotations

import msgspec

from ringcollect.exchanges.bybit.messages import Ticker
from ringcollect.exchanges.numbers import ms_to_ns, to_float, to_whole
from ringcollect.exchanges.protocol import Batch
from ringcollect.exchanges.typed import NAN, Arrival, rows
from ringcollect.records import Channel, Flag, Kind

HOUR = 3600 * 1_000_000_000


def merged(known: Ticker | None, news: Ticker) -> Ticker:
    """What is known after ``news``; an empty text says nothing, like a missing one."""
    if known is None:
        return news
    fields = {name: value for name in Ticker.__struct_fields__ if (value := getattr(news, name))}
    return msgspec.structs.replace(known, **fields)


def records_of(news: Ticker, state: Ticker, arrival: Arrival, instrument: int, ts_event: int) -> tuple[Batch, ...]:
    """The batches of one frame; ``state`` is what is known with it."""
    made: list[Batch] = []
    if news.mark:
        records = rows(arrival, instrument, Kind.MARK_PRICE, ts_event, price=to_float(news.mark), size=NAN)
        made.append(Batch(instrument, Channel.MARK_PRICE, records))
    if news.index:
        records = rows(arrival, instrument, Kind.INDEX_PRICE, ts_event, price=to_float(news.index), size=NAN)
        made.append(Batch(instrument, Channel.INDEX_PRICE, records))
    if news.rate or news.rate_time or news.rate_hours:
        made += _funding(state, arrival, instrument, ts_event)
    if news.single or news.single_value or news.interest or news.interest_value:
        made += _open_interest(news, state, arrival, instrument, ts_event)
    return tuple(made)


def _funding(state: Ticker, arrival: Arrival, instrument: int, ts_event: int) -> list[Batch]:
    """Dated contracts have no funding: an empty rate, or none due. Without the time the rate is worth nothing."""
    time_ns = ms_to_ns(state.rate_time or "0")
    if not state.rate or not time_ns:
        return []
    hours = to_whole(state.rate_hours or "0")
    interval_ns = hours * HOUR if 0 < hours < 10_000 else arrival.funding_intervals.get(instrument, 0)
    rate = to_float(state.rate)
    records = rows(arrival, instrument, Kind.FUNDING, ts_event, price=rate, size=NAN, aux=time_ns, id=interval_ns)
    return [Batch(instrument, Channel.FUNDING, records)]


def _open_interest(news: Ticker, state: Ticker, arrival: Arrival, instrument: int, ts_event: int) -> list[Batch]:
    """One-sided. ``openInterest`` counts both sides; where ``singleOpenInterest`` (2026-06-11) was never sent, half of
    it is ours, so it is DERIVED. Halving a float is exact.
    """
    if state.single:
        if not news.single and not news.single_value:
            return []  # the same thing twice
        size = to_float(state.single)
        value = to_float(state.single_value) if state.single_value else NAN
        records = rows(arrival, instrument, Kind.OPEN_INTEREST, ts_event, price=value, size=size)
    elif state.interest:
        value = to_float(state.interest_value) / 2 if state.interest_value else NAN
        size = to_float(state.interest) / 2
        records = rows(arrival, instrument, Kind.OPEN_INTEREST, ts_event, price=value, size=size)
        records["flags"] |= int(Flag.DERIVED)
    else:
        return []
    return [Batch(instrument, Channel.OPEN_INTEREST, records)]
