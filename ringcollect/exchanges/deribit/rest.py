"""REST bodies as records: order books and trades that were missed, flagged REST."""

from __future__ import annotations

import msgspec
import numpy as np

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges.deribit import messages
from ringcollect.exchanges.deribit.books import book_records
from ringcollect.exchanges.deribit.trades import print_records
from ringcollect.exchanges.protocol import Batch, Decoded, Outcome, Purpose, RestMeaning
from ringcollect.exchanges.typed import MOST_REASON, Arrival, check_json
from ringcollect.records import RECORD, Channel, Flag

_book = msgspec.json.Decoder(messages.RestBookAnswer)
_trades = msgspec.json.Decoder(messages.RestTradesAnswer)


def _snapshot(body: bytes, symbol: str, arrival: Arrival, instrument: int) -> Batch:
    found = _book.decode(body).result
    bids, asks = ([("new", price, amount) for price, amount in side] for side in (found.bids, found.asks))
    book = messages.Book("snapshot", found.timestamp, symbol, found.change_id, bids, asks)  # type: ignore[arg-type]
    batch = book_records(book, arrival, instrument)
    batch.records["flags"] |= int(Flag.REST)
    return batch


def _old_trades(body: bytes, symbol: str, arrival: Arrival, instrument: int) -> Batch:
    trades = _trades.decode(body).result.trades
    if any(trade.instrument_name != symbol for trade in trades):
        raise RejectedFrame("trades of another instrument")
    if not trades:
        return Batch(instrument, Channel.TRADE, np.zeros(0, RECORD))
    batch = print_records(trades, arrival, instrument)
    batch.records["flags"] |= int(Flag.REST | Flag.BACKFILLED)
    return batch


def decode_body(meaning: RestMeaning, body: bytes, arrival: Arrival, max_bytes: int) -> Decoded:
    """One REST answer. Raises RejectedFrame, nothing else."""
    if len(body) > max_bytes:
        raise RejectedFrame(f"{len(body)} bytes are more than {max_bytes}")
    check_json(body)
    symbol = meaning.symbol
    instrument = arrival.find(symbol)
    if instrument < 0:
        return Decoded(Outcome.IGNORED, unknown=(symbol,))
    try:
        if meaning.purpose is Purpose.SNAPSHOT:
            return Decoded(Outcome.DECODED, (_snapshot(body, symbol, arrival, instrument),))
        if meaning.purpose not in (Purpose.TRADES, Purpose.LAST_TRADE):
            raise RejectedFrame(f"no records in an answer about {meaning.purpose}")
        batch = _old_trades(body, symbol, arrival, instrument)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise RejectedFrame(str(error)[:MOST_REASON]) from error
    if meaning.purpose is Purpose.LAST_TRADE:
        batch = Batch(instrument, Channel.TRADE, np.zeros(0, RECORD), -1, batch.last_id)
    return Decoded(Outcome.DECODED, (batch,))
