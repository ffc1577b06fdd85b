"""REST bodies as records: order books, flagged REST."""

from __future__ import annotations

import msgspec

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges.protocol import Decoded, Outcome, Purpose, RestMeaning
from ringcollect.exchanges.typed import MOST_REASON, Arrival, check_json
from ringcollect.exchanges.upbit import messages
from ringcollect.exchanges.upbit.books import book_records
from ringcollect.records import Flag

MAX_BODY_BYTES = 64 << 20

_books = msgspec.json.Decoder(list[messages.RestBook])


def decode_body(meaning: RestMeaning, body: bytes, arrival: Arrival) -> Decoded:
    """One REST answer. Raises RejectedFrame, nothing else."""
    if len(body) > MAX_BODY_BYTES:
        raise RejectedFrame(f"{len(body)} bytes are more than {MAX_BODY_BYTES}")
    check_json(body)
    instrument = arrival.find(meaning.symbol)
    if instrument < 0:
        return Decoded(Outcome.IGNORED, unknown=(meaning.symbol,))
    if meaning.purpose is not Purpose.SNAPSHOT:
        raise RejectedFrame(f"no records in an answer about {meaning.purpose}")
    try:
        books = _books.decode(body)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise RejectedFrame(str(error)[:MOST_REASON]) from error
    if len(books) != 1 or books[0].market != meaning.symbol:
        raise RejectedFrame(f"books of something else, asked for {meaning.symbol}")
    flags = int(Flag.SNAPSHOT | Flag.REST)
    book, _ = book_records(books[0].units, books[0].timestamp, arrival, instrument, flags)
    return Decoded(Outcome.DECODED, (book,))
