"""REST bodies as records: order books and trades that were missed, flagged REST."""

from __future__ import annotations

import msgspec
import numpy as np

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges.kraken import messages
from ringcollect.exchanges.kraken.books import book_batches
from ringcollect.exchanges.numbers import to_float
from ringcollect.exchanges.protocol import Batch, Decoded, Outcome, Purpose, RestMeaning
from ringcollect.exchanges.typed import MOST_REASON, Arrival, check_json, rows
from ringcollect.records import RECORD, Channel, Flag, Kind

MAX_BODY_BYTES = 64 << 20

_SIDES = {"b": 1, "s": -1}

_books = msgspec.json.Decoder(messages.RestBooks)
_trades = msgspec.json.Decoder(messages.RestTrades)
_trade_rows = msgspec.json.Decoder(list[messages.OldTrade])


def _levels(rows: list[list[object]]) -> list[messages.Level]:
    if any(len(row) < 2 for row in rows):
        raise RejectedFrame("a level is no price and size")
    try:
        return [msgspec.convert({"price": row[0], "qty": row[1]}, messages.Level) for row in rows]
    except msgspec.ValidationError as error:
        raise RejectedFrame(str(error)[:MOST_REASON]) from error


def _old_trades(body: bytes, arrival: Arrival, instrument: int) -> Batch:
    """Trades fetched later, oldest first: ``[price, volume, s since the epoch, b or s, m or l, …, trade id]``."""
    answer = _trades.decode(body)
    found = [listed for name, listed in answer.result.items() if name != "last"]
    if answer.error or len(found) != 1:
        raise RejectedFrame(f"not one list of trades: {'; '.join(answer.error)[:MOST_REASON]}")
    trades = _trade_rows.decode(found[0])
    if any(side not in _SIDES for _, _, _, side, _, _, _ in trades):
        raise RejectedFrame("trade of unknown side")
    if not trades:
        return Batch(instrument, Channel.TRADE, np.zeros(0, RECORD))
    ids = [identity for *_, identity in trades]
    records = rows(
        arrival, instrument, Kind.TRADE, [int(time.scaleb(9)) for _, _, time, *_ in trades], len(trades),
        price=[to_float(price) for price, *_ in trades],
        size=[to_float(volume) for _, volume, *_ in trades],
        id=ids,
        aux=ids,
        side=[_SIDES[side] for _, _, _, side, *_ in trades],
    )  # fmt: skip
    records["flags"] |= int(Flag.REST | Flag.BACKFILLED)
    return Batch(instrument, Channel.TRADE, records, min(ids), max(ids))


def decode_body(meaning: RestMeaning, body: bytes, arrival: Arrival) -> Decoded:
    """One REST answer, which has neither time nor checksum. Raises RejectedFrame, nothing else."""
    if len(body) > MAX_BODY_BYTES:
        raise RejectedFrame(f"{len(body)} bytes are more than {MAX_BODY_BYTES}")
    check_json(body)
    instrument = arrival.find(meaning.symbol)
    if instrument < 0:
        return Decoded(Outcome.IGNORED, unknown=(meaning.symbol,))
    if meaning.purpose not in (Purpose.SNAPSHOT, Purpose.TRADES, Purpose.LAST_TRADE):
        raise RejectedFrame(f"no records in an answer about {meaning.purpose}")
    try:
        if meaning.purpose is not Purpose.SNAPSHOT:
            batch = _old_trades(body, arrival, instrument)
            if meaning.purpose is Purpose.LAST_TRADE:
                batch = Batch(instrument, Channel.TRADE, np.zeros(0, RECORD), -1, batch.last_id)
            return Decoded(Outcome.DECODED, (batch,))
        answer = _books.decode(body)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise RejectedFrame(str(error)[:MOST_REASON]) from error
    if answer.error or len(answer.result) != 1:
        raise RejectedFrame(f"not one book: {'; '.join(answer.error)[:MOST_REASON]}")
    (found,) = answer.result.values()
    book = messages.Book(meaning.symbol, _levels(found.bids), _levels(found.asks))
    batches = book_batches(book, arrival, instrument, delta=False)
    for batch in batches:
        batch.records["flags"] |= int(Flag.REST)
    return Decoded(Outcome.DECODED, batches)
