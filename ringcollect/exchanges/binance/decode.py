"""Frame to records in one kernel call: depthUpdate, trade, aggTrade and bookTicker, both markets.

``decode_hot(frame, ctx, ts_recv)`` writes the private batch of the context and answers the number of records (0: known,
nothing to record) or a negative :class:`~ringcollect.exchanges.protocol.Code`. ``on_hot_frames`` goes on: it tests
the venue's continuity rule against the stream's hot row, publishes and counts.
"""

from __future__ import annotations

import math

import numpy as np

from ringcollect.decode.levels import levels, put_level
from ringcollect.decode.memory import bits_float, put_word, word_at
from ringcollect.decode.times import epoch_ns
from ringcollect.exchanges import entries, hot
from ringcollect.exchanges.binance import events as ev
from ringcollect.exchanges.binance.continuity import FITS, GAP, STALE, linear_code, spot_code
from ringcollect.exchanges.binance.scan import frame as frame_fields
from ringcollect.exchanges.entries import kernel_entry
from ringcollect.exchanges.protocol import Code
from ringcollect.jit import inlined, njit
from ringcollect.records import Channel, Kind, TradeSub

_SLOW, _UNKNOWN_SYMBOL, _NOT_OPEN = int(Code.SLOW), int(Code.UNKNOWN_SYMBOL), int(Code.NOT_OPEN)
_BOOK, _TRADE, _BBO = int(Channel.BOOK), int(Channel.TRADE), int(Channel.BBO)
_BOOK_DELTA, _TRADE_KIND, _BBO_KIND = int(Kind.BOOK_DELTA), int(Kind.TRADE), int(Kind.BBO)
_AGGREGATED = int(TradeSub.AGGREGATED)
_NAN = math.nan

_DEPTH_KEYS = ev.bits(ev.K_EVENT_TIME, ev.K_FIRST, ev.K_LAST, ev.K_SYMBOL, ev.K_BIDS, ev.K_ASKS)
_TRADE_KEYS = ev.bits(ev.K_TIME, ev.K_TRADE, ev.K_PRICE, ev.K_SIZE, ev.K_MAKER, ev.K_SYMBOL)
_AGGREGATE_KEYS = ev.bits(ev.K_TIME, ev.K_FROM, ev.K_TO, ev.K_PRICE, ev.K_SIZE, ev.K_MAKER, ev.K_SYMBOL)
_PREV, _TIME, _EVENT_TIME, _A, _ASK, _TYPE, _SYMBOL, _EVENT = (
    1 << key
    for key in (
        ev.K_PREV, ev.K_TIME, ev.K_EVENT_TIME, ev.K_A, ev.K_ASK, ev.K_TYPE, ev.K_SYMBOL, ev.K_EVENT,
    )
)  # fmt: skip
_ZERO = np.uint64(0)
_TICKER_KEYS = ev.bits(ev.K_LAST, ev.K_BID, ev.K_BID_SIZE, ev.K_ASK, ev.K_ASK_SIZE, ev.K_SYMBOL)

_spot_code = njit(spot_code)
_linear_code = njit(linear_code)


@njit
def _announce(ctx: int, channel: int, first_id: int, last_id: int, prev_id: int) -> None:
    """What was decoded, for the feed. (An id is never negative: -1 means there is none.)"""
    put_word(ctx, hot.C_CHANNEL, channel)
    put_word(ctx, hot.C_FIRST_ID, first_id)
    put_word(ctx, hot.C_LAST_ID, last_id)
    put_word(ctx, hot.C_PREV_ID, prev_id)


@inlined
def _value(ctx: int, key: int) -> int:
    return word_at(ctx, ev.F_VALUE + key)


@inlined
def _amount(ctx: int, key: int) -> float:
    return bits_float(word_at(ctx, ev.F_VALUE + key))


@njit
def _depth(ctx: int, seen: int, a: int, n: int, ts_recv: int) -> int:
    if seen & _DEPTH_KEYS != _DEPTH_KEYS or (word_at(ctx, hot.C_MARKET) == ev.LINEAR and seen & _PREV == 0):
        return _SLOW
    ts_event = epoch_ns(_value(ctx, ev.K_TIME) if seen & _TIME else _value(ctx, ev.K_EVENT_TIME))
    if ts_event < 0:
        return _SLOW
    batch = word_at(ctx, hot.C_BATCH)
    count = word_at(ctx, ev.F_LEVELS)
    asks_at = word_at(ctx, ev.F_ASKS_AT)
    if asks_at >= 0:
        side = -1
        end, count = levels(a, asks_at, n, batch, word_at(ctx, hot.C_CAPACITY), count, side, 0)
        if end < 0:
            return _SLOW
    if count == 0:  # one record all the same, so that chain and frame counts close
        put_level(batch, 0, _NAN, 0.0, 0)
        count = 1
    last_id = _value(ctx, ev.K_LAST)
    _announce(ctx, _BOOK, _value(ctx, ev.K_FIRST), last_id, _value(ctx, ev.K_PREV) if seen & _PREV else -1)
    hot.fill(ctx, count, ts_event, ts_recv, last_id, 0, _BOOK_DELTA, 0)
    return count


@njit
def _trade(ctx: int, seen: int, ts_recv: int, aggregated: bool) -> int:
    """A print, single or aggregated; one of nothing (zero price or size, type NA) is none, but its id counts."""
    keys = _AGGREGATE_KEYS if aggregated else _TRADE_KEYS
    ts_event = epoch_ns(_value(ctx, ev.K_TIME))
    if seen & keys != keys or ts_event < 0:
        return _SLOW
    sub = _AGGREGATED
    void = False
    first_id = _value(ctx, ev.K_FROM)
    last_id = _value(ctx, ev.K_TO)
    dense = -1
    if aggregated:
        if seen & _A:
            dense = _value(ctx, ev.K_AGGREGATE)
            if seen & _ASK == 0 or dense < 0:
                return _SLOW
    else:
        sub = 0
        dense = first_id = last_id = _value(ctx, ev.K_TRADE)
        if seen & _TYPE:
            low, high = np.uint64(word_at(ctx, ev.F_TYPE_LOW)), np.uint64(word_at(ctx, ev.F_TYPE_HIGH))
            sub = -1
            for k in range(len(ev.TYPES)):
                if low == ev.TYPES[k][0] and high == ev.TYPES[k][1]:
                    sub = ev.SUBS[k]
            if sub < 0:
                return _SLOW
            void = sub == ev.NO_TRADE
    _announce(ctx, _TRADE, dense, dense, -1)
    price, size = _amount(ctx, ev.K_PRICE), _amount(ctx, ev.K_SIZE)
    n = 0 if void or price == 0.0 or size == 0.0 else 1
    side = -1 if _value(ctx, ev.K_MAKER) else 1  # buyer is maker: the taker sold
    put_level(word_at(ctx, hot.C_BATCH), 0, price, size, side)
    hot.fill(ctx, n, ts_event, ts_recv, last_id, first_id, _TRADE_KIND, sub)
    return n


@njit
def _ticker(ctx: int, seen: int, ts_recv: int) -> int:
    if seen & _TICKER_KEYS != _TICKER_KEYS:
        return _SLOW
    ts_event = 0
    if seen & (_TIME | _EVENT_TIME):
        ts_event = epoch_ns(_value(ctx, ev.K_TIME) if seen & _TIME else _value(ctx, ev.K_EVENT_TIME))
        if ts_event < 0:
            return _SLOW
    batch = word_at(ctx, hot.C_BATCH)
    bid, ask = _amount(ctx, ev.K_BID), _amount(ctx, ev.K_ASK)
    put_level(batch, 0, bid if bid != 0.0 else _NAN, _amount(ctx, ev.K_BID_SIZE), 1)
    put_level(batch, 1, ask if ask != 0.0 else _NAN, _amount(ctx, ev.K_ASK_SIZE), -1)
    last_id = _value(ctx, ev.K_LAST)
    _announce(ctx, _BBO, last_id, last_id, -1)
    hot.fill(ctx, 2, ts_event, ts_recv, last_id, 0, _BBO_KIND, 0)
    return 2


@njit
def _decode(ctx: int, a: int, n: int, ts_recv: int) -> int:
    """Decode the frame of ``n`` bytes at ``a``; ``ctx`` is the context's address."""
    if n > word_at(ctx, hot.C_MAX_FRAME) or not frame_fields(ctx, a, n):
        return _SLOW
    seen = word_at(ctx, ev.F_SEEN)
    if seen & _SYMBOL == 0:
        return _SLOW
    low = np.uint64(word_at(ctx, ev.F_EVENT_LOW)) if seen & _EVENT else ev.TICKER[0]
    high = np.uint64(word_at(ctx, ev.F_EVENT_HIGH)) if seen & _EVENT else ev.TICKER[1]
    instrument = word_at(ctx, ev.F_INSTRUMENT)
    put_word(ctx, hot.C_INSTRUMENT, max(instrument, 0))
    if low == ev.TICKER[0] and high == ev.TICKER[1]:
        answer = _ticker(ctx, seen, ts_recv)
    elif low == ev.DEPTH[0] and high == ev.DEPTH[1]:
        stream = word_at(ctx, ev.F_STREAM)
        if stream != ev.STREAM_DEPTH and not (stream == ev.STREAM_NONE and word_at(ctx, hot.C_VARIANT) == ev.RAW_DEPTH):
            return _SLOW  # partial depth looks just the same
        answer = _depth(ctx, seen, a, n, ts_recv)
    elif high == _ZERO and (low == ev.TRADE[0] or low == ev.AGGREGATE[0]):
        answer = _trade(ctx, seen, ts_recv, low == ev.AGGREGATE[0])
    else:
        return _SLOW
    return _UNKNOWN_SYMBOL if instrument < 0 and answer != _SLOW else answer


@njit
def _verdict(ctx: int, known_id: int) -> int:
    """The venue's rule for the decoded frame against the last accepted id."""
    channel = word_at(ctx, hot.C_CHANNEL)
    first_id = word_at(ctx, hot.C_FIRST_ID)
    last_id = word_at(ctx, hot.C_LAST_ID)
    if channel == _BOOK:
        if word_at(ctx, hot.C_MARKET) == ev.SPOT:
            return _spot_code(known_id, first_id, last_id, word_at(ctx, hot.C_PREV_ID))
        return _linear_code(known_id, first_id, last_id, word_at(ctx, hot.C_PREV_ID))
    if known_id < 0 or last_id < 0:
        return FITS
    if last_id <= known_id:
        return STALE
    return FITS if channel == _BBO or first_id == known_id + 1 else GAP


@njit
def kernel(ctx: int, a: int, n: int, ts_recv: int, publish: int) -> int:
    """See :mod:`ringcollect.exchanges.entries`."""
    answer = _decode(ctx, a, n, ts_recv)
    if answer < 0 or publish == 0:
        return answer
    row = hot.open_row(ctx)
    if row == 0:
        return _NOT_OPEN
    return hot.settle_by_address(ctx, row, _verdict(ctx, word_at(row, hot.LAST_ID)), n, ts_recv)


KERNEL = kernel_entry(kernel)


def warm() -> None:
    """Compile everything a feed of this exchange calls, the ways in included."""
    entries.warm()
    assert KERNEL.address
