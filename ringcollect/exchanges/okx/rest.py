"""REST bodies as records: book snapshots, open interest and trades that were missed, flagged REST."""

from __future__ import annotations

import msgspec
import numpy as np

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges.okx import messages
from ringcollect.exchanges.okx.books import book_batches
from ringcollect.exchanges.okx.derivatives import open_interest
from ringcollect.exchanges.okx.trades import print_records
from ringcollect.exchanges.protocol import Batch, Decoded, Outcome, Purpose, RestMeaning
from ringcollect.exchanges.typed import MOST_REASON, Arrival, check_json
from ringcollect.records import RECORD, Channel, Flag

MAX_BODY_BYTES = 64 << 20

_body = msgspec.json.Decoder(messages.Body)
_books = msgspec.json.Decoder(list[messages.Book])
_interests = msgspec.json.Decoder(list[messages.OpenInterest])
_prints = msgspec.json.Decoder(list[messages.Trade])


def data_of(body: bytes) -> msgspec.Raw:
    """The ``data`` of an answer. Raises RejectedFrame for an error, msgspec's errors for what is none of theirs."""
    if len(body) > MAX_BODY_BYTES:
        raise RejectedFrame(f"{len(body)} bytes are more than {MAX_BODY_BYTES}")
    check_json(body)
    answer = _body.decode(body)
    if answer.code != "0":
        raise RejectedFrame(f"{answer.code[:20]}: {answer.msg[:80]}")
    return answer.data


def _snapshot(data: msgspec.Raw, arrival: Arrival, instrument: int) -> Batch:
    rows = _books.decode(data)
    if len(rows) != 1:
        raise RejectedFrame(f"{len(rows)} books, asked for one")
    return book_batches(rows[0], arrival, instrument, delta=False, extra=int(Flag.SNAPSHOT | Flag.REST))[0]


def _interest(data: msgspec.Raw, arrival: Arrival, symbol: str, instrument: int) -> Batch:
    rows = _interests.decode(data)
    if len(rows) != 1 or rows[0].inst_id != symbol:
        raise RejectedFrame(f"open interest of something else, asked for {symbol}")
    batch = open_interest(rows[0], arrival, instrument)
    batch.records["flags"] |= int(Flag.REST)
    return batch


def _old_trades(data: msgspec.Raw, arrival: Arrival, symbol: str, instrument: int) -> Batch:
    """Single fills, newest first."""
    trades = _prints.decode(data)
    if any(trade.inst_id != symbol for trade in trades):
        raise RejectedFrame(f"trades of something else, asked for {symbol}")
    if not trades:
        return Batch(instrument, Channel.TRADE, np.zeros(0, RECORD))
    batch = print_records(trades, arrival, instrument)
    batch.records["flags"] |= int(Flag.REST | Flag.BACKFILLED)
    return batch


def decode_body(meaning: RestMeaning, body: bytes, arrival: Arrival) -> Decoded:
    """One REST answer. Raises RejectedFrame, nothing else."""
    instrument = arrival.find(meaning.symbol)
    if instrument < 0:
        return Decoded(Outcome.IGNORED, unknown=(meaning.symbol,))
    try:
        data = data_of(body)
        if meaning.purpose is Purpose.SNAPSHOT:
            batch = _snapshot(data, arrival, instrument)
        elif meaning.purpose is Purpose.OPEN_INTEREST:
            batch = _interest(data, arrival, meaning.symbol, instrument)
        elif meaning.purpose is Purpose.TRADES:
            batch = _old_trades(data, arrival, meaning.symbol, instrument)
        elif meaning.purpose is Purpose.LAST_TRADE:
            last_id = _old_trades(data, arrival, meaning.symbol, instrument).last_id
            batch = Batch(instrument, Channel.TRADE, np.zeros(0, RECORD), -1, last_id)
        else:
            raise RejectedFrame(f"no records in an answer about {meaning.purpose}")
    except (msgspec.DecodeError, UnicodeError) as error:
        raise RejectedFrame(str(error)[:MOST_REASON]) from error
    return Decoded(Outcome.DECODED, (batch,))
