"""Frame to records in one kernel call: depthUpdate, trade, aggTrade and bookTicker, both markets.

``decode_hot(frame, ctx, ts_recv)`` writes the private batch of the context and answers the number of records (0: known,
nothing to record) or a negative :class:`~ringcollect.exchanges.protocol.Code`. ``on_hot_frame`` goes on: it tests
the venue's continuity rule against the stream's hot row, publishes and counts.
"""

from __future__ import annotations

import math

import numpy as np

from ringcollect.decode import memory, number, skip, symbols
from ringcollect.decode.levels import levels, put_level
from ringcollect.decode.members import key_at
from ringcollect.decode.memory import address_of, bits_float, byte_at, word_at
from ringcollect.decode.text import space
from ringcollect.decode.times import epoch_ns
from ringcollect.exchanges import hot
from ringcollect.exchanges.binance import events as ev
from ringcollect.exchanges.binance.continuity import FITS, GAP, STALE, linear_code, spot_code
from ringcollect.exchanges.binance.scan import envelope, event
from ringcollect.exchanges.protocol import Code
from ringcollect.jit import njit
from ringcollect.records import Channel, Kind, TradeSub

_SLOW, _UNKNOWN_SYMBOL, _NOT_OPEN = int(Code.SLOW), int(Code.UNKNOWN_SYMBOL), int(Code.NOT_OPEN)
_BOOK, _TRADE, _BBO = int(Channel.BOOK), int(Channel.TRADE), int(Channel.BBO)
_BOOK_DELTA, _TRADE_KIND, _BBO_KIND = int(Kind.BOOK_DELTA), int(Kind.TRADE), int(Kind.BBO)
_ADL_SUB, _AGGREGATED = int(TradeSub.ADL_INSURANCE), int(TradeSub.AGGREGATED)
_NAN = math.nan

_DEPTH_KEYS = ev.bits(ev.K_EVENT_TIME, ev.K_FIRST, ev.K_LAST, ev.K_SYMBOL, ev.K_BIDS, ev.K_ASKS)
_TRADE_KEYS = ev.bits(ev.K_TIME, ev.K_TRADE, ev.K_PRICE, ev.K_SIZE, ev.K_MAKER, ev.K_SYMBOL)
_AGGREGATE_KEYS = ev.bits(ev.K_TIME, ev.K_FROM, ev.K_TO, ev.K_PRICE, ev.K_SIZE, ev.K_MAKER, ev.K_SYMBOL)
_TICKER_KEYS = ev.bits(ev.K_LAST, ev.K_BID, ev.K_BID_SIZE, ev.K_ASK, ev.K_ASK_SIZE, ev.K_SYMBOL)

_spot_code = njit(spot_code)
_linear_code = njit(linear_code)


@njit
def _seen(ctx: np.ndarray, mask: int) -> bool:
    return ctx[ev.F_SEEN] & mask == mask


@njit
def _is(low: int, high: int, name: tuple[np.uint64, np.uint64]) -> bool:
    return np.uint64(low) == name[0] and np.uint64(high) == name[1]


@njit
def _announce(ctx: np.ndarray, channel: int, first_id: int, last_id: int, prev_id: int) -> None:
    """What was decoded, for the feed. (An id is never negative: -1 means there is none.)"""
    ctx[hot.C_CHANNEL] = channel
    ctx[hot.C_FIRST_ID] = first_id
    ctx[hot.C_LAST_ID] = last_id
    ctx[hot.C_PREV_ID] = prev_id


@njit
def _depth(ctx: np.ndarray, a: int, n: int, ts_recv: int) -> int:
    if not _seen(ctx, _DEPTH_KEYS) or (ctx[hot.C_MARKET] == ev.LINEAR and not _seen(ctx, 1 << ev.K_PREV)):
        return _SLOW
    ts_event = epoch_ns(ctx[ev.F_VALUE + (ev.K_TIME if _seen(ctx, 1 << ev.K_TIME) else ev.K_EVENT_TIME)])
    if ts_event < 0:
        return _SLOW
    count = ctx[ev.F_LEVELS]
    if ctx[ev.F_ASKS_AT] >= 0:
        end, count = levels(a, ctx[ev.F_ASKS_AT], n, ctx[hot.C_BATCH], ctx[hot.C_CAPACITY], count, -1, 0)
        if end < 0:
            return _SLOW
    if count == 0:  # one record all the same, so that chain and frame counts close
        put_level(ctx[hot.C_BATCH], 0, _NAN, 0.0, 0)
        count = 1
    prev_id = ctx[ev.F_VALUE + ev.K_PREV] if _seen(ctx, 1 << ev.K_PREV) else -1
    _announce(ctx, _BOOK, ctx[ev.F_VALUE + ev.K_FIRST], ctx[ev.F_VALUE + ev.K_LAST], prev_id)
    hot.fill(ctx, count, ts_event, ts_recv, ctx[ev.F_VALUE + ev.K_LAST], 0, _BOOK_DELTA, 0)
    return count


@njit
def _print(ctx: np.ndarray, ts_recv: int, first_id: int, last_id: int, sub: int) -> int:
    """One trade record; a print of nothing (zero price or size) is none, but its id counts."""
    price = bits_float(ctx[ev.F_VALUE + ev.K_PRICE])
    size = bits_float(ctx[ev.F_VALUE + ev.K_SIZE])
    ts_event = epoch_ns(ctx[ev.F_VALUE + ev.K_TIME])
    if ts_event < 0:
        return _SLOW
    if price == 0.0 or size == 0.0:
        ctx[hot.C_N] = 0
        return 0
    put_level(
        ctx[hot.C_BATCH], 0, price, size, -1 if ctx[ev.F_VALUE + ev.K_MAKER] else 1
    )  # buyer is maker: the taker sold
    hot.fill(ctx, 1, ts_event, ts_recv, last_id, first_id, _TRADE_KIND, sub)
    return 1


@njit
def _trade(ctx: np.ndarray, ts_recv: int) -> int:
    if not _seen(ctx, _TRADE_KEYS):
        return _SLOW
    sub = 0
    void = False
    if _seen(ctx, 1 << ev.K_TYPE):
        low, high = ctx[ev.F_TYPE_LOW], ctx[ev.F_TYPE_HIGH]
        if _is(low, high, ev.ADL) or _is(low, high, ev.INSURANCE):
            sub = _ADL_SUB
        elif _is(low, high, ev.NOT_A_TRADE):
            void = True
        elif not _is(low, high, ev.MARKET):
            return _SLOW
    identity = ctx[ev.F_VALUE + ev.K_TRADE]
    _announce(ctx, _TRADE, identity, identity, -1)
    n = _print(ctx, ts_recv, identity, identity, sub)
    if void and n > 0:
        ctx[hot.C_N] = 0
        return 0
    return n


@njit
def _aggregate(ctx: np.ndarray, ts_recv: int) -> int:
    if not _seen(ctx, _AGGREGATE_KEYS):
        return _SLOW
    dense = -1
    if _seen(ctx, 1 << ev.K_A):
        dense = ctx[ev.F_VALUE + ev.K_AGGREGATE]
        if not _seen(ctx, 1 << ev.K_AGGREGATE) or dense < 0:
            return _SLOW
    _announce(ctx, _TRADE, dense, dense, -1)
    return _print(ctx, ts_recv, ctx[ev.F_VALUE + ev.K_FROM], ctx[ev.F_VALUE + ev.K_TO], _AGGREGATED)


@njit
def _ticker(ctx: np.ndarray, ts_recv: int) -> int:
    if not _seen(ctx, _TICKER_KEYS):
        return _SLOW
    ts_event = 0
    if _seen(ctx, 1 << ev.K_TIME):
        ts_event = epoch_ns(ctx[ev.F_VALUE + ev.K_TIME])
    elif _seen(ctx, 1 << ev.K_EVENT_TIME):
        ts_event = epoch_ns(ctx[ev.F_VALUE + ev.K_EVENT_TIME])
    if ts_event < 0:
        return _SLOW
    bid, ask = bits_float(ctx[ev.F_VALUE + ev.K_BID]), bits_float(ctx[ev.F_VALUE + ev.K_ASK])
    put_level(ctx[hot.C_BATCH], 0, bid if bid != 0.0 else _NAN, bits_float(ctx[ev.F_VALUE + ev.K_BID_SIZE]), 1)
    put_level(ctx[hot.C_BATCH], 1, ask if ask != 0.0 else _NAN, bits_float(ctx[ev.F_VALUE + ev.K_ASK_SIZE]), -1)
    _announce(ctx, _BBO, ctx[ev.F_VALUE + ev.K_LAST], ctx[ev.F_VALUE + ev.K_LAST], -1)
    hot.fill(ctx, 2, ts_event, ts_recv, ctx[ev.F_VALUE + ev.K_LAST], 0, _BBO_KIND, 0)
    return 2


@njit
def _scan(ctx: np.ndarray, a: int, n: int) -> bool:
    """The whole frame into the context's fields; False when it is not one for the kernel."""
    start = space(a, 0, n)
    if n > ctx[hot.C_MAX_FRAME] or start >= n or byte_at(a, start) != 123:
        return False
    ctx[ev.F_STREAM] = ev.STREAM_NONE
    i, low, high = key_at(a, space(a, start + 1, n), n)
    if i < 0:
        return False
    if high == np.uint64(0) and (low == ev.STREAM[0] or low == ev.DATA[0]):
        i = envelope(ctx, a, start, n)
    else:
        i = event(ctx, a, start, n)
    return i >= 0 and space(a, i, n) == n


@njit
def decode_hot(frame: bytes, ctx: np.ndarray, ts_recv: int) -> int:
    """Decode ``frame`` into the private batch; publishes nothing. See the module."""
    a = address_of(frame)
    n = len(frame)
    if not _scan(ctx, a, n) or not _seen(ctx, 1 << ev.K_SYMBOL):
        return _SLOW
    named = _seen(ctx, 1 << ev.K_EVENT)
    low, high = ctx[ev.F_EVENT_LOW], ctx[ev.F_EVENT_HIGH]
    is_depth = named and _is(low, high, ev.DEPTH)
    if is_depth:
        stream = ctx[ev.F_STREAM]
        if stream != ev.STREAM_DEPTH and not (stream == ev.STREAM_NONE and ctx[hot.C_VARIANT] == ev.RAW_DEPTH):
            return _SLOW  # partial depth looks just the same
    instrument = ctx[ev.F_INSTRUMENT]
    ctx[hot.C_INSTRUMENT] = max(instrument, 0)
    if is_depth:
        answer = _depth(ctx, a, n, ts_recv)
    elif not named or _is(low, high, ev.TICKER):
        answer = _ticker(ctx, ts_recv)
    elif _is(low, high, ev.TRADE):
        answer = _trade(ctx, ts_recv)
    elif _is(low, high, ev.AGGREGATE):
        answer = _aggregate(ctx, ts_recv)
    else:
        return _SLOW
    return _UNKNOWN_SYMBOL if instrument < 0 and answer != _SLOW else answer


@njit
def _verdict(ctx: np.ndarray, known_id: int) -> int:
    """The venue's rule for the decoded frame against the last accepted id."""
    channel = ctx[hot.C_CHANNEL]
    first_id = ctx[hot.C_FIRST_ID]
    last_id = ctx[hot.C_LAST_ID]
    if channel == _BOOK:
        if ctx[hot.C_MARKET] == ev.SPOT:
            return _spot_code(known_id, first_id, last_id, ctx[hot.C_PREV_ID])
        return _linear_code(known_id, first_id, last_id, ctx[hot.C_PREV_ID])
    if known_id < 0 or last_id < 0:
        return FITS
    if last_id <= known_id:
        return STALE
    return FITS if channel == _BBO or first_id == known_id + 1 else GAP


@njit
def on_hot_frame(frame: bytes, ctx: np.ndarray, ts_recv: int) -> int:
    """Decode, test, publish and count in one call: records published, 0, or a negative Code. See the module."""
    answer = decode_hot(frame, ctx, ts_recv)
    if answer < 0:
        return answer
    row = hot.open_row(ctx)
    if row == 0:
        return _NOT_OPEN
    return hot.settle(ctx, row, _verdict(ctx, word_at(row, hot.LAST_ID)), len(frame), ts_recv)


def warm() -> None:
    """Compile everything a feed of this exchange calls, the decoder's primitives included."""
    for primitives in (memory, number, skip, symbols):
        primitives.warm()
    ctx = np.zeros(hot.CONTEXT_WORDS, np.int64)
    decode_hot(b"{}", ctx, 0)
    on_hot_frame(b"{}", ctx, 0)
