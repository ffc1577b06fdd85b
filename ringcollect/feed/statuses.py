"""Status records: the data itself says what happened to it."""

from __future__ import annotations

import numpy as np

from ringcollect.records import RECORD, WHOLE_EXCHANGE, Channel, Flag, Kind, Status


def status_record(
    code: Status,
    ts_recv: int,
    *,
    instrument: int = WHOLE_EXCHANGE,
    channel: int = Channel.NONE,
    conn: int = 0,
    ts_event: int = 0,
    start: int = 0,
    end: int = 0,
    number: float = 0.0,
    second: float = 0.0,
) -> np.ndarray:
    """A batch of one status record: ``start``/``end`` become id/aux, ``number``/``second`` price/size (see Status)."""
    batch = np.zeros(1, RECORD)
    batch["ts_event"] = ts_event
    batch["ts_recv"] = ts_recv
    batch["price"] = number
    batch["size"] = second
    batch["id"] = start
    batch["aux"] = end
    batch["instrument"] = instrument
    batch["conn"] = conn
    batch["sub"] = code
    batch["kind"] = Kind.STATUS
    batch["side"] = channel
    batch["flags"] = Flag.LAST
    return batch
