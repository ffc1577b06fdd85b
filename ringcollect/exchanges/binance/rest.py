"""REST bodies as records: depth snapshots and open interest, flagged REST."""

from __future__ import annotations

from typing import Any

import msgspec

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges.binance import messages
from ringcollect.exchanges.binance.times import first_ns
from ringcollect.exchanges.numbers import epoch_to_ns, to_float, to_floats
from ringcollect.exchanges.protocol import Batch, Decoded, Outcome, Purpose, RestMeaning
from ringcollect.exchanges.typed import NAN, Arrival, check_json, levels_into, rows
from ringcollect.records import Channel, Flag, Kind

MAX_BODY_BYTES = 64 << 20

_snapshot = msgspec.json.Decoder(messages.Snapshot)
_open_interest = msgspec.json.Decoder(messages.OpenInterest)


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
        else:
            raise RejectedFrame(f"no records in an answer about {meaning.purpose}")
    except (msgspec.DecodeError, UnicodeError) as error:
        raise RejectedFrame(str(error)[:120]) from error
    return Decoded(Outcome.DECODED, (batch,))
