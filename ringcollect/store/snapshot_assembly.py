"""Records of a ``.sync`` ring, from wherever they come, put together to snapshots."""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable, Iterator

import numpy as np

from ringcollect.instruments import Instrument
from ringcollect.records import Flag, Kind
from ringcollect.store.market_snapshot import Funding, Liquidation, MarketSnapshot, OpenInterest, OrderBook, Trade
from ringcollect.sync.rows import RowFlag
from ringcollect.sync.snapshot_record import ROW_KIND

_WORD = 1 << 64


class Assembler:
    """Takes records of one ring in order, gives a snapshot for each row record.

    With ``whole`` the first record given is the first of the ring; otherwise, and after :meth:`torn`, the first run of
    each instrument may lack its beginning and is left out. Memory: the open rows.
    """

    def __init__(self, instrument_of: Callable[[int], Instrument], *, whole: bool) -> None:
        self._instrument_of = instrument_of
        self._open: dict[int, list[np.ndarray]] = {}
        self._interest: dict[int, float] = {}
        self._trusts_new = whole
        self._whole: set[int] = set()

    def torn(self) -> None:
        """Records are missing here."""
        self._open.clear()
        self._whole.clear()
        self._trusts_new = False

    def take(self, records: np.ndarray) -> Iterator[MarketSnapshot]:
        """The snapshots that ``records`` (dtype SNAPSHOT) close, in the order in which they do."""
        start: dict[int, int] = {}
        by_number: dict[int, np.ndarray] = {}
        for number in np.unique(records["instrument"]).tolist():
            by_number[number] = np.flatnonzero(records["instrument"] == number)
            start[number] = 0
        ends = np.flatnonzero(records["kind"] == ROW_KIND)
        for end in ends.tolist():
            number = int(records["instrument"][end])
            own = by_number[number]
            stop = int(np.searchsorted(own, end)) + 1
            run = [*self._open.pop(number, []), records[own[start[number] : stop]]]
            start[number] = stop
            if self._trusts_new or number in self._whole:
                yield self._snapshot(number, np.concatenate(run))
            self._whole.add(number)
        for number, own in by_number.items():
            if start[number] < len(own):
                self._open.setdefault(number, []).append(records[own[start[number] :]])

    def _snapshot(self, number: int, run: np.ndarray) -> MarketSnapshot:
        row, kinds = run[-1], run["kind"]
        flags = int(row["id"])
        book = None
        if flags & RowFlag.HAS_BOOK and (kinds == Kind.BOOK_SNAPSHOT).any():
            levels = run[kinds == Kind.BOOK_SNAPSHOT]
            book = OrderBook(
                int(row["ts_event"]),
                _levels(levels, 1),
                _levels(levels, -1),
                float(row["price"]),
                float(row["size"]),
            )
        interest = tuple(
            OpenInterest(int(one["ts_event"]), float(one["size"]), float(one["price"]))
            for one in run[kinds == Kind.OPEN_INTEREST]
        )
        before = self._interest.get(number, math.nan)
        if interest:
            self._interest[number] = interest[-1].contracts
        return MarketSnapshot(
            instrument=self._instrument_of(number),
            ts_ns=int(row["ts_ns"]),
            row_flags=flags,
            orderbook=book,
            trades=tuple(_trade(one) for one in run[kinds == Kind.TRADE]),
            liquidations=tuple(_liquidation(one) for one in run[kinds == Kind.LIQUIDATION]),
            funding_rate=tuple(
                Funding(int(one["ts_event"]), float(one["price"]), float(one["size"]), int(one["id"]), int(one["aux"]))
                for one in run[kinds == Kind.FUNDING]
            ),
            open_interest=interest,
            mark_price=_float(row["aux"]),
            previous_open_interest=before,
        )


def _levels(levels: np.ndarray, side: int) -> np.ndarray:
    own = levels[levels["side"] == side]
    return np.column_stack((own["price"], own["size"]))


def _trade(one: np.void) -> Trade:
    ident: int | str = int(one["id"])
    if one["flags"] & Flag.UUID:
        ident = str(uuid.UUID(int=(int(one["id"]) % _WORD) << 64 | int(one["aux"]) % _WORD))
    return Trade(int(one["ts_event"]), float(one["price"]), float(one["size"]), int(one["side"]), ident)


def _liquidation(one: np.void) -> Liquidation:
    price = float(one["price"])
    if math.isnan(price):
        price = _float(one["aux"])
    return Liquidation(int(one["ts_event"]), price, float(one["size"]), int(one["side"]), int(one["id"]))


def _float(word: np.int64) -> float:
    return float(np.array([word]).view("<f8")[0])
