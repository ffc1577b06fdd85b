"""Trades and every other channel that is not a book: holes, second copies, order. Ids never go back.

A copy that came by another connection of ours is dropped before the ring; a copy the venue sent twice on one
connection is kept once more with DUPLICATE, because it is what the venue sent.
"""

from __future__ import annotations

import numpy as np

from ringcollect.exchanges.protocol import Batch
from ringcollect.feed.core import Core
from ringcollect.feed.dense_ids import DenseIds, Seen
from ringcollect.feed.stream import ANY_CONN, Stream
from ringcollect.records import Flag, Status, TradeSub
from ringcollect.ring.layout import LEDGER_ROW

_NOTHING = -(2**63)


class Prints:
    """Every stream of a session that is not a book."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def trades(self, stream: Stream, batch: Batch, conn: int, now_ns: int) -> None:
        """A frame of prints that spends the dense ids ``first_id..last_id``; its records may be none.

        Ids the venue spends on something that is no trade are not missing.
        """
        stream = _of(stream, batch)
        before = stream.newest_by_conn.get(conn, _NOTHING)
        seen = self._arrive(stream, batch.first_id, batch.last_id, conn, now_ns)
        stream.conn = conn
        records = batch.records
        if not len(records):
            return
        sink = self._core.sink
        if seen is Seen.AGAIN:
            if batch.last_id > before:
                sink.count("dropped_duplicates")
                return
            sink.count("duplicates")
            stream.count_duplicate()
            records["flags"] |= int(Flag.DUPLICATE)
        elif seen is Seen.LATE:
            sink.count("out_of_order")
        self._publish(stream, records, now_ns)

    def _arrive(self, stream: Stream, low: int, high: int, conn: int, now_ns: int) -> Seen:
        assert stream.ids is not None
        expected = stream.ids.newest + 1
        seen, missing = stream.ids.arrive(low, high)
        stream.newest_by_conn[conn] = max(high, stream.newest_by_conn.get(conn, _NOTHING))
        if seen is Seen.AHEAD:
            sink = self._core.sink
            sink.count("trade_gaps")
            sink.count("trade_ids_missing", missing)
            stream.count_gap()
            stream.gap = True
            sink.status(
                Status.SEQ_GAP, now_ns, instrument=stream.instrument, channel=stream.channel,
                start=expected, end=low, ts_event=stream.last_data_ns, number=float(missing),
            )  # fmt: skip
        return seen

    def plain(self, stream: Stream, batch: np.ndarray, conn: int, now_ns: int, *, keyed_by_id: bool) -> None:
        """A frame without dense ids; ``keyed_by_id``: its id (a best price's update id) orders it, else its time."""
        key = int(batch["id" if keyed_by_id else "ts_event"][0])
        sink = self._core.sink
        if stream.conn not in (ANY_CONN, conn) and key and key <= stream.newest_key:
            sink.count("dropped_duplicates")
            return
        if keyed_by_id and key == 1:
            stream.newest_key = 0  # the venue's service began to count anew (Bybit)
        if keyed_by_id and key and key == stream.newest_key:
            batch["flags"] |= int(Flag.SNAPSHOT)  # best prices said once more, as Bybit does every 3 s: no news
        if key and key < stream.newest_key:
            sink.count("out_of_order")
        stream.newest_key = max(stream.newest_key, key)
        stream.conn = conn
        self._publish(stream, batch, now_ns)

    def _publish(self, stream: Stream, batch: np.ndarray, now_ns: int) -> None:
        stream.mark_gap(batch)
        self._core.sink.data(batch, now_ns)


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
