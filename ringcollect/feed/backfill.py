"""Trades that a reconnect made us miss, fetched by their ids over REST: BACKFILLED, with the time they came at.

Off unless configured. One hole per stream at a time, a bounded number of pages each, behind everything else that waits
for the exchange's REST budget. The hole stays a hole: GAP and SEQ_GAP were written when it was found, and the ledger
says how many of its ids were filled.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ringcollect.exchanges.protocol import Batch, Missing
from ringcollect.feed.core import Core
from ringcollect.feed.requests import Requests
from ringcollect.feed.stream import Stream, StreamKey
from ringcollect.records import Flag

_LAST = int(Flag.LAST)


@dataclass
class _Hole:
    """Ids ``next_id..last_id`` are still to be asked for; ``pages`` more requests may be made."""

    stream: Stream
    next_id: int
    last_id: int
    after_ns: int
    pages: int
    request: int = 0


class Backfill:
    """Every hole that is being filled."""

    def __init__(self, core: Core, requests: Requests) -> None:
        self._core = core
        self._requests = requests
        self._holes: dict[StreamKey, _Hole] = {}

    def missed(self, stream: Stream, first_id: int, last_id: int, now_ns: int) -> None:
        """Trades ``first_id..last_id`` did not come, and the stream was reconnected before that was found."""
        core = self._core
        if core.passive or not core.options.backfill:
            return
        older = self._holes.get(stream.key)
        if older is not None and older.stream is stream:
            core.sink.count("backfills_skipped")  # reconnect upon reconnect: the older hole goes first
            return
        self._holes[stream.key] = _Hole(stream, first_id, last_id, stream.newest_ts, core.options.backfill_pages)
        self._ask(stream, self._holes[stream.key], now_ns)

    def answered(self, stream: Stream, request: int, batch: Batch | None, now_ns: int) -> None:
        """One page; None: it did not come, or cannot be read."""
        hole = self._holes.get(stream.key)
        if hole is None or hole.stream is not stream or hole.request != request:
            return
        if self._core.streams.get(stream.key) is not stream:  # it is not collected any more
            del self._holes[stream.key]
            return
        if batch is not None:
            stream.take_back()
            before = hole.next_id
            self._publish(stream, hole, batch.records, now_ns)
            if hole.next_id == before:  # the exchange does not have them
                del self._holes[stream.key]
                return
        self._ask(stream, hole, now_ns)

    def _ask(self, stream: Stream, hole: _Hole, now_ns: int) -> None:
        core = self._core
        call = None
        if hole.next_id <= hole.last_id and hole.pages:
            missing = Missing(hole.next_id, hole.last_id, hole.after_ns)
            call = core.exchange.trades_call(stream.market, stream.symbol, missing, core.market(stream.market).rest_url)
        if call is None:
            del self._holes[stream.key]
            return
        hole.pages -= 1
        core.sink.count("backfill_fetches")
        hole.request = self._requests.of_stream(call, stream, now_ns)

    def _publish(self, stream: Stream, hole: _Hole, records: np.ndarray, now_ns: int) -> None:
        """The page's trades that are still missing, in the order of their ids, each once."""
        ids = stream.ids
        assert ids is not None
        wanted = records[(records["id"] >= hole.next_id) & (records["id"] <= hole.last_id)]
        if not len(wanted):
            return
        wanted = wanted[np.unique(wanted["id"], return_index=True)[1]]
        hole.next_id = int(wanted["id"][-1]) + 1
        hole.after_ns = int(wanted["ts_event"][-1])
        kept = wanted[[not ids.knows(int(one), int(one)) for one in wanted["id"]]]
        if not len(kept):
            return
        kept["flags"] &= ~np.uint16(_LAST)
        kept["flags"][-1] |= _LAST
        sink = self._core.sink
        sink.data(kept, now_ns)
        sink.count("trade_ids_backfilled", len(kept))
        stream.count_records(len(kept))
        stream.count_backfilled(len(kept))
