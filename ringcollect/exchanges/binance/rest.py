"""REST bodies as records: depth snapshots, open interest and trades that were missed, flagged REST."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges.binance import messages
from ringcollect.exchanges.binance.times import first_ns
from ringcollect.exchanges.numbers import epoch_to_ns, to_float, to_floats
from ringcollect.exchanges.protocol import Batch, Decoded, Outcome, Purpose, RestMeaning
from ringcollect.exchanges.typed import NAN, Arrival, check_json, levels_into, rows
from ringcollect.records import RECORD, Channel, Flag, Kind, TradeSub

MAX_BODY_BYTES = 64 << 20

_snapshot = msgspec.json.Decoder(messages.Snapshot)
_open_interest = msgspec.json.Decoder(messages.OpenInterest)
_trades = msgspec.json.Decoder(list[messages.OldTrade])
_newest = msgspec.json.Decoder(list[messages.OldAggregate])


def snapshot_records(body: bytes, arrival: Arrival, instrument: int) -> Batch:
    """A depth snapshot: bids then asks, CLEAR on the first record; of an empty book one record that clears it."""
    snapshot = _snapshot.decode(body)
    n = len(snapshot.bids) + len(snapshot.asks)
    ts_event = first_ns(snapshot.T, snapshot.E)
    records = rows(arrival, instrument, Kind.BOOK_SNAPSHOT, ts_event, max(1, n), id=snapshot.last_update_id, aux=-1)
    levels_into(records, _columns(snapshot.bids), _columns(snapshot.asks))
    records["flags"] |= int(Flag.SNAPSHOT | Flag.REST)
    records["flags"][0] |= int(Flag.CLEAR)
    return Batch(instrument, Channel.BOOK, records, -1, snapshot.last_update_id)


def _columns(levels: list[messages.Level]) -> tuple[Any, Any]:
    return to_floats([price for price, _ in levels]), to_floats([size for _, size in levels])


def open_interest_records(body: bytes, arrival: Arrival, symbol: str, instrument: int) -> Batch:
    """Open interest in base units; the venue reports no quote value."""
    answer = _open_interest.decode(body)
    if answer.symbol != symbol:
        raise RejectedFrame(f"open interest of {answer.symbol[:40]!r}, asked for {symbol}")
    records = rows(
        arrival,
        instrument,
        Kind.OPEN_INTEREST,
        epoch_to_ns(answer.time),
        price=NAN,
        size=to_float(answer.open_interest),
    )
    records["flags"] |= int(Flag.REST)
    return Batch(instrument, Channel.OPEN_INTEREST, records)


def trade_records(body: bytes, arrival: Arrival, instrument: int) -> Batch:
    """Trades fetched later. One of nothing (zero price or size) is none, as on the stream."""
    trades = [trade for trade in _trades.decode(body) if to_float(trade.price) and to_float(trade.qty)]
    ids = [trade.id for trade in trades]
    if not ids:
        return Batch(instrument, Channel.TRADE, np.zeros(0, RECORD))
    records = rows(
        arrival, instrument, Kind.TRADE, [epoch_to_ns(trade.time) for trade in trades], len(trades),
        price=to_floats([trade.price for trade in trades]),
        size=to_floats([trade.qty for trade in trades]),
        id=ids,
        aux=ids,
        side=[-1 if trade.is_buyer_maker else 1 for trade in trades],
        sub=[TradeSub.RPI if trade.is_rpi else TradeSub.ORDINARY for trade in trades],
    )  # fmt: skip
    records["flags"] |= int(Flag.REST | Flag.BACKFILLED)
    return Batch(instrument, Channel.TRADE, records, min(ids), max(ids))


def last_trade(body: bytes, instrument: int) -> Batch:
    """The newest trade's id, of an aggregate or of a trade."""
    newest = max((max(row.last, row.id) for row in _newest.decode(body)), default=-1)
    return Batch(instrument, Channel.TRADE, np.zeros(0, RECORD), -1, newest)


def decode_body(meaning: RestMeaning, body: bytes, arrival: Arrival) -> Decoded:
    """One REST answer. Raises RejectedFrame, nothing else."""
    if len(body) > MAX_BODY_BYTES:
        raise RejectedFrame(f"{len(body)} bytes are more than {MAX_BODY_BYTES}")
    check_json(body)
    instrument = arrival.find(meaning.symbol)
    if instrument < 0:
        return Decoded(Outcome.IGNORED, unknown=(meaning.symbol,))
    try:
        if meaning.purpose is Purpose.SNAPSHOT:
            batch = snapshot_records(body, arrival, instrument)
        elif meaning.purpose is Purpose.OPEN_INTEREST:
            batch = open_interest_records(body, arrival, meaning.symbol, instrument)
        elif meaning.purpose is Purpose.TRADES:
            batch = trade_records(body, arrival, instrument)
        elif meaning.purpose is Purpose.LAST_TRADE:
            batch = last_trade(body, instrument)
        else:
            raise RejectedFrame(f"no records in an answer about {meaning.purpose}")
    except (msgspec.DecodeError, UnicodeError) as error:
        raise RejectedFrame(str(error)[:120]) from error
    return Decoded(Outcome.DECODED, (batch,))
