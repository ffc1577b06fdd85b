"""Trades and every other channel that is not a book: holes, second copies, order. Ids never go back.

A copy that came by another connection of ours is dropped before the ring; a copy the venue sent twice on one
connection is kept once more with DUPLICATE (unless ``[storage] duplicates = "drop"``), because it is what the venue
sent. History that the venue sends again on subscribing says so itself, by SNAPSHOT, and is no duplicate.
"""

from __future__ import annotations

import enum

import numpy as np

from ringcollect.exchanges.protocol import Batch
from ringcollect.feed.alignment import Alignment
from ringcollect.feed.backfill import Backfill
from ringcollect.feed.copies import Copies
from ringcollect.feed.core import Core
from ringcollect.feed.dense_ids import DenseIds, Seen
from ringcollect.feed.recent_ids import NOT_SEEN
from ringcollect.feed.stream import ANY_CONN, Stream
from ringcollect.records import Flag, Status, TradeSub
from ringcollect.ring.layout import LEDGER_ROW

_HISTORY, _DUPLICATE, _GAP, _LAST = int(Flag.SNAPSHOT), int(Flag.DUPLICATE), int(Flag.GAP), int(Flag.LAST)


class Fate(enum.IntEnum):
    """What a print is."""

    NEWS = 0
    BEHIND_A_HOLE = 1
    LATE = 2  # older than the newest, not seen before
    AGAIN = 3  # the venue sent it twice on this connection
    COPY = 4  # it came before by another connection of ours


_OF_SEEN = {Seen.FIRST: Fate.NEWS, Seen.NEXT: Fate.NEWS, Seen.AHEAD: Fate.BEHIND_A_HOLE, Seen.LATE: Fate.LATE}


class Prints:
    """Every stream of a session that is not a book."""

    def __init__(self, core: Core, alignment: Alignment, backfill: Backfill) -> None:
        self._core = core
        self._alignment = alignment
        self._backfill = backfill

    def trades(self, stream: Stream, batch: Batch, carriers: tuple[int, ...], now_ns: int) -> None:
        """A frame of prints that spends the dense ids ``first_id..last_id``; its records may be none.

        It came by the first of ``carriers``; what is missing before it may still come by another one of them. Ids the
        venue spends on something that is no trade are not missing.
        """
        stream = _of(stream, batch)
        records = batch.records
        ids = stream.ids
        assert ids is not None
        stream.conn = carriers[0]
        if stream.align_request or stream.reconnected:
            self._alignment.overtaken(stream)
        follows = batch.first_id > ids.newest and _whole(batch)
        if len(records) < 2 or follows:
            fate = self._arrive(stream, batch.first_id, batch.last_id, carriers, now_ns)
            if fate is Fate.BEHIND_A_HOLE:
                stream.gap = True  # also when there is no record: the next one says it
            self._deliver(stream, records, [fate] * len(records), now_ns)
            return
        fates = [Fate.NEWS] * len(records)
        for at in np.lexsort((records["aux"], records["id"])).tolist():
            fates[at] = self._arrive(stream, int(records["aux"][at]), int(records["id"][at]), carriers, now_ns)
            if fates[at] is Fate.BEHIND_A_HOLE:
                records["flags"][at] |= _GAP
        self._deliver(stream, records, fates, now_ns)

    def unnumbered(self, stream: Stream, records: np.ndarray, conn: int, now_ns: int) -> None:
        """A frame of prints whose ids are unique, but neither dense nor in order."""
        assert stream.recent is not None
        stream.conn = conn
        before = stream.recent.arrive(records, conn)
        fates = [Fate.NEWS if by == NOT_SEEN else Fate.AGAIN if by == conn & 0xFF else Fate.COPY for by in before]
        for at in np.flatnonzero((records["id"] == 0) & (records["aux"] == 0)).tolist():
            fates[at] = Fate.NEWS  # the venue sends no id at all: nothing says that two of them are one
        self._deliver(stream, records, fates, now_ns)

    def _arrive(self, stream: Stream, low: int, high: int, carriers: tuple[int, ...], now_ns: int) -> Fate:
        ids, conn = stream.ids, carriers[0]
        assert ids is not None
        expected = ids.newest + 1
        if stream.ids_by_conn is None:
            stream.ids_by_conn = {}
        by_conn = stream.ids_by_conn.setdefault(conn, DenseIds())
        known_here = by_conn.knows(low, high)
        by_conn.arrive(low, high)
        seen, missing = ids.arrive(low, high)
        if seen is Seen.AGAIN:
            return Fate.AGAIN if known_here else Fate.COPY
        if seen is Seen.AHEAD and len(carriers) > 1 and not stream.reconnected:
            stream.holes += ((expected, low, now_ns + self._core.options.leg_wait_ns),)
            self._core.timers.set(("holes", stream.key), stream.holes[0][2])
            return Fate.NEWS
        if seen is Seen.AHEAD:
            self._missing(stream, expected, low, missing, now_ns)
            if stream.reconnected:
                self._backfill.missed(stream, expected, low - 1, now_ns)
        stream.reconnected = False
        return _OF_SEEN[seen]

    def not_filled(self, stream: Stream, now_ns: int, *, at_once: bool = False) -> None:
        """Another connection had its time (``at_once``: there is no more of it): what it did not bring is missing."""
        assert stream.ids is not None
        over = [hole for hole in stream.holes if at_once or hole[2] <= now_ns]
        stream.holes = stream.holes[len(over) :]
        for start, end, _ in over:
            missing = stream.ids.missing(start, end)
            if missing:
                stream.gap = True
                self._missing(stream, start, end, missing, now_ns)
        if stream.holes:
            self._core.timers.set(("holes", stream.key), stream.holes[0][2])

    def _missing(self, stream: Stream, start: int, end: int, missing: int, now_ns: int) -> None:
        """Of the ids from ``start`` to before ``end`` so many did not come."""
        sink = self._core.sink
        sink.count("trade_gaps")
        sink.count("trade_ids_missing", missing)
        stream.count_gap(missing)
        sink.status(
            Status.SEQ_GAP, now_ns, instrument=stream.instrument, channel=stream.channel,
            start=start, end=end, ts_event=stream.last_data_ns, number=float(missing),
        )  # fmt: skip

    def _deliver(self, stream: Stream, records: np.ndarray, fates: list[Fate], now_ns: int) -> None:
        """Publish what is to be kept, flagged by what it is; count the rest."""
        sink = self._core.sink
        keep = np.ones(len(records), bool)
        for at, fate in enumerate(fates):
            if fate is Fate.COPY:
                keep[at] = False
                sink.count("dropped_duplicates")
                stream.count_dropped()
            elif fate is Fate.LATE:
                sink.count("out_of_order")
                stream.count_out_of_order()
            elif fate is Fate.AGAIN:
                if records["flags"][at] & _HISTORY:
                    sink.count("resent_history")
                    continue
                sink.count("duplicates")
                stream.count_duplicate()
                records["flags"][at] |= _DUPLICATE
                keep[at] = self._core.options.keep_duplicates
        if len(records):
            stream.newest_ts = max(stream.newest_ts, int(records["ts_event"].max()))
        kept = records if keep.all() else records[keep]
        if len(kept):
            kept["flags"][-1] |= _LAST
            self._publish(stream, kept, now_ns)

    def plain(
        self, stream: Stream, batch: np.ndarray, carriers: tuple[int, ...], now_ns: int, *, keyed_by_id: bool
    ) -> None:
        """A frame that is no trade; ``keyed_by_id``: its id (a best price's update id), if it has one, orders it, else
        its time. While several connections bring the stream, what one of them lost may come late by another.
        """
        conn = carriers[0]
        key = int(batch["id"][0]) if keyed_by_id else 0
        time = int(batch["ts_event"][0])
        sink = self._core.sink
        # The venue counts anew: Bybit from 1, OKX from any lower number. What is only late has an older time as well.
        is_anew = key == 1 or (0 < key < stream.newest_key and time > stream.newest_ts)
        if self._is_copy(stream, batch, carriers, 0 if is_anew else key, time):
            sink.count("dropped_duplicates")
            stream.count_dropped()
            return
        if is_anew:
            stream.newest_key = 0
        if key and key == stream.newest_key:
            batch["flags"] |= _HISTORY  # best prices said once more, as Bybit does every 3 s: no news
        if key < stream.newest_key if key else 0 < time < stream.newest_ts:
            if int(batch["flags"][0]) & _HISTORY:
                sink.count("resent_history")
            else:
                sink.count("out_of_order")
                stream.count_out_of_order()
        stream.newest_key = max(stream.newest_key, key)
        stream.newest_ts = max(stream.newest_ts, time)
        stream.conn = conn
        self._publish(stream, batch, now_ns)

    @staticmethod
    def _is_copy(stream: Stream, batch: np.ndarray, carriers: tuple[int, ...], key: int, time: int) -> bool:
        if len(carriers) == 1 and stream.conn in (ANY_CONN, carriers[0]):
            stream.copies = None
            return False
        if len(carriers) == 1 and stream.copies is None:  # the first one after the other's end
            return bool(key or time) and (key <= stream.newest_key if key else time <= stream.newest_ts)
        if stream.copies is None:
            stream.copies = Copies(stream.conn, stream.newest_key, stream.newest_ts)
        return stream.copies.is_copy(batch, carriers[0], key, time)

    def _publish(self, stream: Stream, batch: np.ndarray, now_ns: int) -> None:
        stream.mark_gap(batch)
        self._core.sink.data(batch, now_ns)


def _whole(batch: Batch) -> bool:
    """The frame's prints fill its ids: whatever is missing is missing before it."""
    records = batch.records
    return int((records["id"] - records["aux"] + 1).sum()) == batch.last_id - batch.first_id + 1


def _of(stream: Stream, batch: Batch) -> Stream:
    """``stream``, or its twin: raw and aggregated prints of one instrument count their ids apart."""
    if not len(batch.records):
        return stream
    aggregated = bool(batch.records["sub"][0] & int(TradeSub.AGGREGATED))
    if stream.aggregated is None:
        stream.aggregated = aggregated
    if aggregated == stream.aggregated:
        return stream
    if stream.twin is None:
        row = np.zeros(1, LEDGER_ROW)  # the ledger knows one trade stream; what the twin carries is in the records
        stream.twin = Stream(
            stream.market, stream.symbol, stream.instrument, stream.channel, row, ids=DenseIds(), aggregated=aggregated
        )
    return stream.twin
