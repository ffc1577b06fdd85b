"""A made-up day as a lake: status records and rows at times one can count on one's fingers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from ringcollect.records import RECORD, WHOLE_EXCHANGE, Channel, Flag, Kind, Side, Status
from ringcollect.store.drain import RingJournal
from ringcollect.store.location import Lake
from ringcollect.store.quality.day import days_of
from ringcollect.store.quality.facts import DayFacts, StreamFacts
from ringcollect.store.rotation import Policy
from ringcollect.store.seal import seal_all
from ringcollect.store.selection import Selection
from tests import synthetic
from tests.store.lake import producer, publish, reader

DAY_NS = 86_400_000_000_000
TODAY = synthetic.MIDNIGHT_NS  # 2026-09-22
DATE = "2026-09-22"
SECOND = 1_000_000_000
_CALM = Policy(time_ns=3600 * SECOND, records=1_000_000)


class Script:
    """One ring's records, written down in order; times are seconds into :data:`TODAY`."""

    def __init__(self) -> None:
        self._rows: list[np.ndarray] = []

    def status(
        self, at: float, code: Status, *, stream: tuple[int, Channel] | None = None, conn: int = 0, last: float = 0,
        start: int = 0, end: int = 0, number: float = 0.0, second: float = 0.0,
    ) -> None:  # fmt: skip
        instrument, channel = stream or (WHOLE_EXCHANGE, Channel.NONE)
        self._add(
            at, kind=Kind.STATUS, sub=code, instrument=instrument, side=channel, conn=conn, id=start, aux=end,
            price=number, size=second, ts_event=ns(last) if last else 0,
        )  # fmt: skip

    def begin(self, at: float, *streams: tuple[int, Channel]) -> None:
        """A run starts, connects at once, and every stream flows at once."""
        self.status(at, Status.START)
        self.status(at, Status.CONNECTED)
        for stream in streams:
            self.status(at, Status.REQUESTED, stream=stream)
            self.status(at, Status.FLOWING, stream=stream)

    def trade(self, at: float, *, instrument: int = 0, late: float = 0.003, flags: int = 0, number: int = 0) -> None:
        self._add(
            at, kind=Kind.TRADE, instrument=instrument, ts_event=ns(at - late), price=100.0, size=1.0, side=Side.BUY,
            id=number, aux=number, flags=flags | Flag.LAST,
        )  # fmt: skip

    def quote(self, at: float, bid: float, ask: float, number: int) -> None:
        for side, price, flag in ((Side.BUY, bid, 0), (Side.SELL, ask, Flag.LAST)):
            self._add(
                at, kind=Kind.BBO, ts_event=ns(at - 0.001), price=price, size=1.0, side=side, id=number, flags=flag
            )

    def _add(self, at: float, **fields: object) -> None:
        row = np.zeros(1, RECORD)
        row["ts_recv"] = ns(at)
        row["flags"] = Flag.LAST
        for name, value in fields.items():
            row[name] = value
        self._rows.append(row)

    def records(self) -> np.ndarray:
        return np.concatenate(self._rows)


def ns(at: float) -> int:
    """Seconds into the day as ns since the epoch."""
    return TODAY + round(at * 1000) * 1_000_000


def make_lake(folder: Path, *scripts: Script) -> Lake:
    """Each script as a ring (generation) of its own, in the order they are given."""
    for number, script in enumerate(scripts):
        records = script.records()
        ring = producer(folder / f"run{number}", generation=int(records["ts_recv"][0]))
        journal = RingJournal(folder / "data", reader(ring), _CALM, resume=False)
        publish(ring, records)
        journal.drain()
        seal_all(journal.close(final=True), folder / "data", sync=False)
        ring.close()
    return Lake.open(folder / "data")


def facts(
    folder: Path, write: Callable[[Script], None], *, now: float = 86_400, selection: Selection | None = None
) -> DayFacts:
    """The one day of a lake that ``write`` fills."""
    script = Script()
    write(script)
    (day,) = days_of(make_lake(folder, script), selection or Selection(start_ns=TODAY, end_ns=TODAY + DAY_NS), ns(now))
    return day


def stream_of(day: DayFacts, channel: str, symbol: str = "BTCUSDT") -> StreamFacts:
    (found,) = [s for s in day.streams if (s.market, s.symbol, s.channel) == ("spot", symbol, channel)]
    return found


def spans(windows: list) -> list[tuple[float, float, str]]:
    """Seconds into the day, and the cause."""
    return [((w.from_ns - TODAY) / 1e9, (w.to_ns - TODAY) / 1e9, w.cause) for w in windows]
