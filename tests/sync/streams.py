"""Small record streams for the synchronizer's tests: one line of test per record."""

from __future__ import annotations

import math

import numpy as np

from ringcollect.instruments import Instrument
from ringcollect.records import RECORD, WHOLE_EXCHANGE, Channel, Flag, Kind, Status
from ringcollect.sync.engine import Engine
from ringcollect.sync.rows import RowFlag
from ringcollect.sync.settings import Parameters

NAN = math.nan


class Stream:
    """Builds a RECORD array in ring order; books get their chain by themselves."""

    def __init__(self) -> None:
        self.rows: list[tuple] = []
        self.last_id: dict[int, int] = {}
        self.recv = 0  # receive time of records that name none

    def add(
        self, kind: int, *, ts: int = 0, recv: int | None = None, price: float = 0.0, size: float = 0.0, id: int = 0,
        aux: int = 0, instrument: int = 0, sub: int = 0, side: int = 0, flags: int = Flag.LAST,
    ) -> Stream:  # fmt: skip
        """One record, every field."""
        recv = (ts if ts > 0 else self.recv) if recv is None else recv
        self.rows.append((len(self.rows), ts, recv, price, size, id, aux, instrument, 0, sub, kind, side, int(flags)))
        return self

    def trade(self, ts: int, price: float = 100.0, size: float = 1.0, side: int = 1, **more: object) -> Stream:
        """One trade."""
        return self.add(Kind.TRADE, ts=ts, price=price, size=size, side=side, id=ts, aux=ts, **more)

    def liquidation(self, ts: int, price: float = 100.0, size: float = 1.0, side: int = -1, **more: object) -> Stream:
        """One forced order."""
        return self.add(Kind.LIQUIDATION, ts=ts, price=price, size=size, side=side, **more)

    def book(
        self, ts: int, *levels: tuple[int, float, float], kind: int = Kind.BOOK_DELTA, flags: int = 0,
        instrument: int = 0, aux: int | None = None, id: int | None = None, **more: object,
    ) -> Stream:  # fmt: skip
        """One batch of (side, price, size); the first of an instrument clears. Without levels: an empty frame."""
        before = self.last_id.get(instrument)
        if before is None and not flags & Flag.UNSYNCED:
            flags |= Flag.CLEAR
        number = id if id is not None else (before or 0) + 1
        chain = aux if aux is not None else (-1 if before is None else before)
        if not flags & Flag.UNSYNCED:
            self.last_id[instrument] = number
        rows = list(levels) or [(0, NAN, 0.0)]
        for i, (side, price, size) in enumerate(rows):
            own = flags if i == 0 else flags & ~Flag.CLEAR
            if i == len(rows) - 1:
                own |= Flag.LAST
            self.add(
                kind, ts=ts, price=price, size=size, side=side, id=number, aux=chain, instrument=instrument,
                flags=own, **more,
            )  # fmt: skip
        return self

    def time(self, now: int) -> Stream:
        """An explicit ``on_time``: a TICK received at ``now``."""
        return self.status(Status.TICK, recv=now)

    def status(
        self, code: int, *, instrument: int = WHOLE_EXCHANGE, channel: int = Channel.NONE, **more: object
    ) -> Stream:
        """One status record."""
        return self.add(Kind.STATUS, sub=code, instrument=instrument, side=channel, **more)

    def array(self) -> np.ndarray:
        """The stream so far."""
        return np.array(self.rows, RECORD)


def instrument(number: int, **more: object) -> Instrument:
    """An instrument whose sizes are base units unless said otherwise."""
    return Instrument(number=number, exchange="test", market="spot", symbol=f"S{number}", **more)


def engine(
    grid: int = 100, hold_back: int = 0, instruments: dict[int, Instrument] | None = None, **more: object
) -> Engine:
    """An engine with a small grid and, unless named, the defaults."""
    table = instruments or {}
    parameters = Parameters(grid_ns=grid, hold_back_ns=hold_back, **more)
    return Engine(parameters, lambda number: table.get(number) or instrument(number))


def run(engine: Engine, records: np.ndarray, chunk: int | None = None, finalize: bool = True) -> np.ndarray:
    """All rows of ``records`` fed in pieces of ``chunk``."""
    parts = [
        engine.collect(records[i : i + (chunk or len(records))])
        for i in range(0, len(records), chunk or len(records) or 1)
    ]
    if finalize:
        parts.append(engine.collect_rest())
    return np.concatenate(parts) if parts else np.zeros(0, engine.dtype)


def flags(row: np.void) -> RowFlag:
    """The row's flags as an enum."""
    return RowFlag(int(row["row_flags"]))


def stamps(rows: np.ndarray) -> list[int]:
    """Closing boundaries."""
    return [int(t) for t in rows["ts_ns"]]
