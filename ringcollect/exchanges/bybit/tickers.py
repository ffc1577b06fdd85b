"""Tickers: deltas merged into a state, from which marks, indices, fundings, open interest and 24 h statistics are read.

A delta has only what changed, so a rate without its time, interest without its value, or one statistic without the
others is completed from what came before on the same connection. A record is written for a channel when the frame has
news of it, and only then.
The state is shared with the kernel (``tabular.emit``, step MERGE): per instrument one word of bits, what is known, then
a word for each of the fields below, times and hours as int64, the others as the bits of a float64.
"""

from __future__ import annotations

import numpy as np

from ringcollect.exchanges.bybit.messages import Ticker
from ringcollect.exchanges.numbers import ms_to_ns, to_float, to_whole
from ringcollect.exchanges.protocol import Batch
from ringcollect.exchanges.tabular.layout import STATE_WORDS
from ringcollect.exchanges.typed import NAN, Arrival, rows, statistics
from ringcollect.instruments import MAX_INSTRUMENTS
from ringcollect.records import Channel, Flag, Kind, TickerField

HOUR = 3600 * 1_000_000_000
FIRST = 0
RATE, DUE, HOURS, INTEREST, INTEREST_VALUE, SINGLE, SINGLE_VALUE = range(FIRST, FIRST + 7)
STATISTICS = {field: SINGLE_VALUE + field for field in TickerField}
"""The fields of a state, and their slots in the kernel."""
assert max(STATISTICS.values()) == FIRST + STATE_WORDS - 2
_WHOLES = {DUE: ms_to_ns, HOURS: to_whole}

_KEYS = {
    TickerField.LAST: "lastPrice", TickerField.OPEN: "prevPrice24h", TickerField.HIGH: "highPrice24h",
    TickerField.LOW: "lowPrice24h",
}  # fmt: skip
_USUAL = _KEYS | {TickerField.BASE_VOLUME: "volume24h", TickerField.QUOTE_VOLUME: "turnover24h"}
_INVERSE = _KEYS | {TickerField.BASE_VOLUME: "turnover24h", TickerField.QUOTE_VOLUME: "volume24h"}

State = dict[int, float]
"""What is known of a ticker, by field; times in ns."""


def new_states() -> np.ndarray:
    """States of every instrument of one connection, nothing known (int64, shape (instruments, STATE_WORDS))."""
    return np.zeros((MAX_INSTRUMENTS, STATE_WORDS), np.int64)


def statistic_keys(market: str) -> dict[TickerField, str]:
    """Where a ticker says what: an inverse contract's volume is in dollars, and its turnover in coins."""
    return _INVERSE if market == "inverse" else _USUAL


def _said(news: Ticker, market: str) -> State:
    """What a frame says; an empty text says nothing, like a missing one."""
    base, quote = (news.turnover, news.volume) if market == "inverse" else (news.volume, news.turnover)
    day = (news.last, news.open, news.high, news.low, base, quote)
    texts = {
        RATE: news.rate, DUE: news.rate_time, HOURS: news.rate_hours, INTEREST: news.interest,
        INTEREST_VALUE: news.interest_value, SINGLE: news.single, SINGLE_VALUE: news.single_value,
    } | dict(zip(STATISTICS.values(), day, strict=True))  # fmt: skip
    return {field: _WHOLES.get(field, to_float)(text) for field, text in texts.items() if text}


def _known(row: np.ndarray) -> State:
    numbers = row[1:].view(np.float64)
    known = [field for field in range(FIRST, FIRST + STATE_WORDS - 1) if int(row[0]) >> (field - FIRST) & 1]
    return {f: int(row[1 + f - FIRST]) if f in _WHOLES else float(numbers[f - FIRST]) for f in known}


def _remember(row: np.ndarray, state: State) -> None:
    numbers = row[1:].view(np.float64)
    row[0] = sum(1 << (field - FIRST) for field in state)
    for field, value in state.items():
        (row[1:] if field in _WHOLES else numbers)[field - FIRST] = value


def read(
    news: Ticker, row: np.ndarray | None, arrival: Arrival, instrument: int, ts_event: int, *, anew: bool
) -> tuple[Batch, ...]:
    """The batches of one frame. ``row`` (the instrument's state, None without one) then knows what the frame said;
    ``anew``: and nothing else.
    """
    said = _said(news, arrival.market)
    state = said if anew or row is None else _known(row) | said
    made: list[Batch] = []
    if news.mark:
        records = rows(arrival, instrument, Kind.MARK_PRICE, ts_event, price=to_float(news.mark), size=NAN)
        made.append(Batch(instrument, Channel.MARK_PRICE, records))
    if news.index:
        records = rows(arrival, instrument, Kind.INDEX_PRICE, ts_event, price=to_float(news.index), size=NAN)
        made.append(Batch(instrument, Channel.INDEX_PRICE, records))
    if said.keys() & {RATE, DUE, HOURS}:
        made += _funding(state, arrival, instrument, ts_event)
    if said.keys() & {SINGLE, SINGLE_VALUE, INTEREST, INTEREST_VALUE}:
        made += _open_interest(said, state, arrival, instrument, ts_event)
    if said.keys() & STATISTICS.values():
        day = {field: state.get(slot) for field, slot in STATISTICS.items()}
        made += statistics(arrival, instrument, ts_event, day)
    if row is not None:
        _remember(row, state)
    return tuple(made)


def _funding(state: State, arrival: Arrival, instrument: int, ts_event: int) -> list[Batch]:
    """Dated contracts have no funding: an empty rate, or none due. Without the time the rate is worth nothing."""
    if RATE not in state or not state.get(DUE):
        return []
    hours = int(state.get(HOURS, 0))
    interval_ns = hours * HOUR if 0 < hours < 10_000 else arrival.funding_intervals.get(instrument, 0)
    due, rate = int(state[DUE]), state[RATE]
    records = rows(arrival, instrument, Kind.FUNDING, ts_event, price=rate, size=NAN, aux=due, id=interval_ns)
    return [Batch(instrument, Channel.FUNDING, records)]


def _open_interest(said: State, state: State, arrival: Arrival, instrument: int, ts_event: int) -> list[Batch]:
    """One-sided. ``openInterest`` counts both sides; where ``singleOpenInterest`` (2026-06-11) was never sent, half of
    it is ours, so it is DERIVED. Halving a float is exact.
    """
    if SINGLE in state:
        if not said.keys() & {SINGLE, SINGLE_VALUE}:
            return []  # the same thing twice
        value, size = state.get(SINGLE_VALUE, NAN), state[SINGLE]
        records = rows(arrival, instrument, Kind.OPEN_INTEREST, ts_event, price=value, size=size)
    elif INTEREST in state:
        value, size = state.get(INTEREST_VALUE, NAN) / 2, state[INTEREST] / 2
        records = rows(arrival, instrument, Kind.OPEN_INTEREST, ts_event, price=value, size=size)
        records["flags"] |= int(Flag.DERIVED)
    else:
        return []
    return [Batch(instrument, Channel.OPEN_INTEREST, records)]
