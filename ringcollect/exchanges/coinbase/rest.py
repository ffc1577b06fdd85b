"""REST bodies as records: trades that were missed, flagged REST and BACKFILLED. Nothing else is asked for."""

from __future__ import annotations

import msgspec
import numpy as np

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges.coinbase import messages
from ringcollect.exchanges.coinbase.records import time_of, trade_batch
from ringcollect.exchanges.protocol import Batch, Decoded, Outcome, Purpose, RestMeaning
from ringcollect.exchanges.typed import MOST_REASON, Arrival, check_json
from ringcollect.records import RECORD, Channel, Flag

MAX_BODY_BYTES = 16 << 20

_trades = msgspec.json.Decoder(list[messages.OldTrade])


def _batch(body: bytes, arrival: Arrival, instrument: int) -> Batch:
    """Newest first, as sent; ``side`` is the maker's here too."""
    rows = [(t.trade_id, t.price, t.size, t.side, time_of(t.time)) for t in _trades.decode(body)]
    if not rows:
        return Batch(instrument, Channel.TRADE, np.zeros(0, RECORD))
    [batch] = trade_batch(rows, arrival, instrument, int(Flag.REST | Flag.BACKFILLED))
    return batch


def decode_body(meaning: RestMeaning, body: bytes, arrival: Arrival) -> Decoded:
    """One REST answer. Raises RejectedFrame, nothing else."""
    if meaning.purpose not in (Purpose.TRADES, Purpose.LAST_TRADE):
        raise RejectedFrame(f"no records in an answer about {meaning.purpose}")
    if len(body) > MAX_BODY_BYTES:
        raise RejectedFrame(f"{len(body)} bytes are more than {MAX_BODY_BYTES}")
    check_json(body)
    instrument = arrival.find(meaning.symbol)
    if instrument < 0:
        return Decoded(Outcome.IGNORED, unknown=(meaning.symbol,))
    try:
        batch = _batch(body, arrival, instrument)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise RejectedFrame(str(error)[:MOST_REASON]) from error
    if meaning.purpose is Purpose.LAST_TRADE:
        batch = Batch(instrument, Channel.TRADE, np.zeros(0, RECORD), -1, batch.last_id)
    return Decoded(Outcome.DECODED, (batch,))
