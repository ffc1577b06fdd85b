"""What the typed paths of all exchanges share: records from values, and the test that a text is JSON at all."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np

from ringcollect.decode.skip import is_json
from ringcollect.errors import RejectedFrame
from ringcollect.exchanges.numbers import Number, to_float
from ringcollect.exchanges.protocol import Batch, Decoded
from ringcollect.records import RECORD, Channel, Flag, Kind, TickerField

NAN = math.nan
MOST_REASON = 120
"""Characters of a parser's complaint that a reject keeps."""


_RECORD = struct.Struct("<qqqddqqHBBBbH")
assert _RECORD.size == RECORD.itemsize
_PACKED = frozenset(("price", "size", "id", "aux", "sub", "side"))
_LAST, _LAST_BAD_TS = int(Flag.LAST), int(Flag.LAST | Flag.BAD_TS)


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a message does not say itself; ``numbers`` are the instruments by native symbol.

    ``funding_intervals``: ns by instrument number, where the instrument list says it.
    """

    numbers: Mapping[str, int]
    market: str
    conn: int
    ts_recv: int
    max_past_ns: int
    max_future_skew_ns: int
    funding_intervals: Mapping[int, int] = field(default_factory=dict)
    whole_books: Set[str] = frozenset()  # symbols whose book is a stream that is complete each time
    variant: int = 0  # what the connection's streams change about a message; the exchange says how

    def find(self, symbol: str) -> int:
        """The symbol's instrument number, -1 for an unknown one."""
        return self.numbers.get(symbol, -1)


def rows(
    arrival: Arrival, instrument: int, kind: Kind, ts_event: int | list[int], n: int = 1, **fields: Any
) -> np.ndarray:
    """``n`` records of one batch: common fields filled, LAST on the last, BAD_TS where it belongs.

    ``ts_event`` is the time of all of them, or one each.
    """
    if n == 1 and isinstance(ts_event, int) and _PACKED.issuperset(fields):
        return _one(arrival, instrument, kind, ts_event, **fields)
    records = np.zeros(n, RECORD)
    records["ts_event"] = ts_event
    records["ts_recv"] = arrival.ts_recv
    records["instrument"] = instrument
    records["conn"] = arrival.conn
    records["kind"] = kind
    early, late = arrival.ts_recv - arrival.max_past_ns, arrival.ts_recv + arrival.max_future_skew_ns
    times = records["ts_event"]
    records["flags"][(times != 0) & ((times < early) | (times > late))] = Flag.BAD_TS
    records["flags"][-1] |= Flag.LAST
    for name, value in fields.items():
        records[name] = value
    return records


def _one(
    arrival: Arrival, instrument: int, kind: Kind, ts_event: int, *,
    price: float = 0.0, size: float = 0.0, id: int = 0, aux: int = 0, sub: int = 0, side: int = 0,
) -> np.ndarray:  # fmt: skip
    """One record in one go: ten assignments to fields cost ten times as much as the message's parsing."""
    early, late = arrival.ts_recv - arrival.max_past_ns, arrival.ts_recv + arrival.max_future_skew_ns
    flags = _LAST_BAD_TS if ts_event != 0 and not early <= ts_event <= late else _LAST
    tail = (instrument, arrival.conn, sub, kind, side, flags)
    try:
        raw = _RECORD.pack(0, ts_event, arrival.ts_recv, price, size, id, aux, *tail)
    except struct.error as error:  # as numpy says it
        raise OverflowError(f"a number of the message fits no field of a record: {error}") from error
    return np.frombuffer(bytearray(raw), RECORD)


def statistics(
    arrival: Arrival, instrument: int, ts_event: int, sent: Mapping[TickerField, Number | None], flags: int = 0
) -> tuple[Batch, ...]:
    """The fields of 24 h statistics that were sent, in the order of their codes: one batch, or none.

    None and an empty text say nothing. ``flags`` are on all records. RejectedFrame for what is no number.
    """
    known = [(field, value) for field in TickerField if (value := sent.get(field)) is not None and value != ""]
    if not known:
        return ()
    records = rows(arrival, instrument, Kind.TICKER, ts_event, len(known), size=NAN)
    records["price"] = [to_float(value) for _, value in known]
    records["sub"] = records["aux"] = [int(field) for field, _ in known]
    records["flags"] |= flags
    return (Batch(instrument, Channel.TICKER, records),)


def levels_into(records: np.ndarray, bids: Any, asks: Any) -> None:
    """Bids, then asks (pairs of prices and sizes); without any, the one record that says so."""
    (bid_prices, bid_sizes), (ask_prices, ask_sizes) = bids, asks
    n = len(bid_prices)
    if n + len(ask_prices) == 0:
        records["price"] = NAN
        return
    records["price"][:n], records["price"][n:] = bid_prices, ask_prices
    records["size"][:n], records["size"][n:] = bid_sizes, ask_sizes
    records["side"][:n], records["side"][n:] = 1, -1


def check_json(payload: bytes) -> None:
    """RejectedFrame unless ``payload`` is strict JSON of bounded nesting (the kernel's own scanner: no recursion)."""
    if is_json(payload):
        return
    try:
        msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RejectedFrame(str(error)[:MOST_REASON]) from error
    raise RejectedFrame("not strict JSON, or nested too deep")


def of_frame(payload: bytes, max_bytes: int, read: Callable[[], Decoded]) -> Decoded:
    """What ``read`` makes of a frame that is short enough and JSON. RejectedFrame, and nothing else, for any other."""
    if len(payload) > max_bytes:
        raise RejectedFrame(f"{len(payload)} bytes are more than {max_bytes}")
    check_json(payload)
    try:
        return read()
    except (msgspec.DecodeError, UnicodeError) as error:
        raise RejectedFrame(str(error)[:MOST_REASON]) from error
