"""After a reconnect, one REST read says how far the venue is: the newest trade's id, kept in memory and nowhere else.

The stream itself says exactly what was missed, by the ids of its next trade; until that comes, which in a quiet market
takes a while, the ledger knows from here how many trades the stream is behind. Nothing of an answer gets into a ring or
a file, and no record, flag or status depends on it: a replay gives the same bytes without.
"""

from __future__ import annotations

from ringcollect.feed.core import Core
from ringcollect.feed.requests import Requests
from ringcollect.feed.stream import Stream


class Alignment:
    """Asks once per stream and reconnect; not at all where trades have no dense ids, or none was ever seen."""

    def __init__(self, core: Core, requests: Requests) -> None:
        self._core = core
        self._requests = requests

    def expect(self, stream: Stream, now_ns: int) -> None:
        """The stream is subscribed on a new connection."""
        core = self._core
        if not stream.reconnected or stream.ids is None or not stream.ids.first or stream.align_request:
            return
        if core.passive or not core.options.align:
            return
        plan = core.market(stream.market)
        call = core.exchange.last_trade_call(stream.market, stream.symbol, plan.rest_url)
        if call is not None:
            core.sink.count("snapshot_fetches")
            stream.align_request = self._requests.of_stream(call, stream, now_ns)

    def overtaken(self, stream: Stream) -> None:
        """Trades flow again: they say more than any answer."""
        self._requests.forget(stream.align_request)
        stream.align_request = 0
        stream.set_behind(0)

    def answered(self, stream: Stream, request: int, newest_id: int) -> None:
        """The newest id the venue has; -1: it did not say."""
        if request != stream.align_request or stream.ids is None:
            return
        stream.align_request = 0
        stream.take_back()
        behind = newest_id - stream.ids.newest
        if newest_id >= 0 and behind > 0:
            self._core.sink.count("alignment_corrections")
            stream.set_behind(behind)
