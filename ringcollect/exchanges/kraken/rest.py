"""REST bodies as records: order books, flagged REST."""

from __future__ import annotations

import msgspec

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges.kraken import messages
from ringcollect.exchanges.kraken.books import book_batches
from ringcollect.exchanges.protocol import Decoded, Outcome, Purpose, RestMeaning
from ringcollect.exchanges.typed import MOST_REASON, Arrival, check_json
from ringcollect.records import Flag

MAX_BODY_BYTES = 64 << 20

_books = msgspec.json.Decoder(messages.RestBooks)


def _levels(rows: list[list[object]]) -> list[messages.Level]:
    if any(len(row) < 2 for row in rows):
        raise RejectedFrame("a level is no price and size")
    try:
        return [msgspec.convert({"price": row[0], "qty": row[1]}, messages.Level) for row in rows]
    except msgspec.ValidationError as error:
        raise RejectedFrame(str(error)[:MOST_REASON]) from error


def decode_body(meaning: RestMeaning, body: bytes, arrival: Arrival) -> Decoded:
    """One REST answer, which has neither time nor checksum. Raises RejectedFrame, nothing else."""
    if len(body) > MAX_BODY_BYTES:
        raise RejectedFrame(f"{len(body)} bytes are more than {MAX_BODY_BYTES}")
    check_json(body)
    instrument = arrival.find(meaning.symbol)
    if instrument < 0:
        return Decoded(Outcome.IGNORED, unknown=(meaning.symbol,))
    if meaning.purpose is not Purpose.SNAPSHOT:
        raise RejectedFrame(f"no records in an answer about {meaning.purpose}")
    try:
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
