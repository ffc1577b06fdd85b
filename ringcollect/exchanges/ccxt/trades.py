"""Trades as records: ids of any form, history, and what ccxt says the wrong way round."""

from __future__ import annotations

import dataclasses
import re
import uuid
from itertools import groupby

import numpy as np

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges.ccxt.messages import Trade, Trades
from ringcollect.exchanges.numbers import ms_to_ns
from ringcollect.exchanges.protocol import Batch
from ringcollect.exchanges.typed import Arrival, rows
from ringcollect.records import RECORD, Channel, Flag, Kind

DENSE = frozenset({"ccxt_binance", "ccxt_binanceus", "ccxt_binanceusdm", "ccxt_binancecoinm", "ccxt_kraken"})
"""Exchanges whose trade ids count without holes, per instrument, also as ccxt hands them on."""
MAKER_SIDE = frozenset({"ccxt_coinbase"})
"""Exchanges that send the maker's side, and of which ccxt (4.5.90) hands it on as if it were the taker's."""

_SIDES = {"buy": 1, "sell": -1, None: 0}
_WHOLE = re.compile(r"[0-9]{1,19}", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_MOST = (1 << 63) - 1


def identity_of(text: str | int | None) -> tuple[int, int, int]:
    """(id, aux, flags): a number as it is, the halves of a UUID, of any other text those of its name-based UUID
    (version 5, name space OID); 0 where there is no id.
    """
    if text is None or text == "":
        return 0, 0, 0
    word = str(text)
    if _WHOLE.fullmatch(word) and int(word) <= _MOST:
        return int(word), int(word), 0
    value = (uuid.UUID(word) if _UUID.fullmatch(word) else uuid.uuid5(uuid.NAMESPACE_OID, word)).int
    return _signed(value >> 64), _signed(value & (1 << 64) - 1), int(Flag.UUID)


def trade_batches(exchange: str, trades: Trades, arrival: Arrival, instrument: int) -> tuple[Batch, ...]:
    """Runs of prints. One of no size (Binance's ``X`` "NA") is no trade, but spends its id where ids are dense."""
    runs = [(real, list(run)) for real, run in groupby(trades.d, lambda one: one.price > 0 and one.size > 0)]
    batches = [_batch(exchange, run, trades.since, arrival, instrument, real) for real, run in runs]
    if trades.lost and batches and batches[0].first_id < 0:
        batches[0] = dataclasses.replace(batches[0], lossy=True)
    return tuple(batches)


def _batch(exchange: str, some: list[Trade], since: int, arrival: Arrival, instrument: int, real: bool) -> Batch:
    """One run. Where ids are dense, they say what is missing; elsewhere only ccxt's own cache does."""
    identities = [identity_of(one.id) for one in some]
    first = last = -1
    if exchange in DENSE and all(aux and not flags for _, aux, flags in identities):
        first, last = min(one[0] for one in identities), max(one[0] for one in identities)
    if not real:
        return Batch(instrument, Channel.TRADE, np.zeros(0, RECORD), first, last)
    times = [ms_to_ns(one.t) if one.t is not None and one.t > 0 else 0 for one in some]
    records = rows(arrival, instrument, Kind.TRADE, times, len(some))
    records["price"] = [one.price for one in some]
    records["size"] = [one.size for one in some]
    records["side"] = [_side(exchange, one) for one in some]
    records["id"], records["aux"] = [one[0] for one in identities], [one[1] for one in identities]
    old = [int(Flag.SNAPSHOT) if since and 0 < time < since * 1_000_000 else 0 for time in times]
    records["flags"] |= np.array([one[2] for one in identities], np.uint16) | np.array(old, np.uint16)
    return Batch(instrument, Channel.TRADE, records, first, last)


def _signed(word: int) -> int:
    return word - (1 << 64) if word >> 63 else word


def _side(exchange: str, trade: Trade) -> int:
    if trade.side not in _SIDES:
        raise RejectedFrame(f"trade of unknown side {str(trade.side)[:40]!r}")
    side = _SIDES[trade.side]
    return -side if exchange in MAKER_SIDE else side
