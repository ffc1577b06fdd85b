"""REST requests of a session: queued by urgency, paced by the exchange's weight budget, a few at a time."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

from ringcollect.exchanges.protocol import Purpose, RestCall
from ringcollect.feed.actions import Rest
from ringcollect.feed.core import Core
from ringcollect.feed.rest_budget import Window, pause_ns, retry_after_ns
from ringcollect.feed.stream import Stream

SECOND = 1_000_000_000
_URGENCY = {
    Purpose.INSTRUMENTS: 0,
    Purpose.VOLUMES: 0,
    Purpose.SNAPSHOT: 1,
    Purpose.OPEN_INTEREST: 2,
    Purpose.LAST_TRADE: 3,
    Purpose.TRADES: 4,
}
_NO_HURRY = 3


@dataclass(frozen=True)
class Wanted:
    """A request that waits or is under way; ``stream`` is None for a market's metadata."""

    action: Rest
    stream: Stream | None


class Requests:
    """Numbers requests from 1; what is dropped from the queue is simply never answered."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._count = 0
        self._queue: list[tuple[int, int, Wanted]] = []
        self._open: dict[int, Wanted] = {}
        self._budgets: dict[str, Window] = {}
        self._errors_in_a_row = 0

    def instruments(self, call: RestCall, now_ns: int, *, urgent: bool = True) -> int:
        """Ask for a part of a market's instrument list; returns the request's number."""
        return self._add(call, None, now_ns, _URGENCY[call.purpose] if urgent else _NO_HURRY)

    def snapshot(self, stream: Stream, now_ns: int) -> int:
        """Ask for a book snapshot of ``stream``."""
        plan = self._core.market(stream.market)
        call = self._core.exchange.snapshot_call(stream.market, stream.symbol, stream.depth, plan.rest_url)
        return self._add(call, stream, now_ns)

    def open_interest(self, stream: Stream, now_ns: int) -> int:
        """Ask for the open interest of ``stream``'s instrument."""
        plan = self._core.market(stream.market)
        call = self._core.exchange.open_interest_call(stream.market, stream.symbol, plan.rest_url)
        return self._add(call, stream, now_ns)

    def of_stream(self, call: RestCall, stream: Stream, now_ns: int) -> int:
        """Ask ``call`` about ``stream``."""
        return self._add(call, stream, now_ns)

    def find(self, number: int) -> Wanted | None:
        """The open request ``number``; None for one we never made, or that is answered."""
        return self._open.get(number)

    def seen_headers(self, wanted: Wanted, headers: dict[str, str]) -> dict[str, str]:
        """Those headers of an answer that a session looks at, names in lower case."""
        names = ("retry-after", self._core.exchange.limits(wanted.action.market).rest_used_header)
        return {name.lower(): value for name, value in headers.items() if name.lower() in names}

    def take(self, number: int) -> Wanted | None:
        """The request that ``number`` answers, once; None for one we never made."""
        return self._open.pop(number, None)

    def answered(self, wanted: Wanted, status: int, headers: dict[str, str], now_ns: int) -> bool:
        """Book-keeping for an answer; True if it is a good one (2xx)."""
        core = self._core
        budget = self._budget(wanted.action)
        used = headers.get(core.exchange.limits(wanted.action.market).rest_used_header, "")
        if used.isascii() and used.isdigit():
            budget.observe(now_ns, int(used))
        good = 200 <= status < 300
        if good:
            self._errors_in_a_row = 0
        else:
            core.sink.count("rest_errors")
            self._errors_in_a_row += 1
        fallback = SECOND << min(self._errors_in_a_row, 6)
        forbidden_ns = core.exchange.limits(wanted.action.market).forbidden_pause_ns
        wait_ns = pause_ns(status, headers, fallback, forbidden_ns)
        if wait_ns:
            core.sink.count("rest_blocks")
            budget.block_until(now_ns + wait_ns)
        elif status == 503:
            budget.block_until(now_ns + retry_after_ns(status, headers, fallback))
        self.pump(now_ns)
        return good

    def forget(self, number: int) -> None:
        """Nobody waits for ``number`` any more; it is not sent if it was not yet."""
        self._queue = [entry for entry in self._queue if entry[2].action.request != number]
        heapq.heapify(self._queue)

    def pump(self, now_ns: int) -> None:
        """Send what the budget allows; otherwise a timer comes back here."""
        core = self._core
        put_back: list[tuple[int, int, Wanted]] = []
        waits: dict[str, int] = {}  # per closed budget: one market's ban must not hold up another's requests
        while self._queue and len(self._open) < core.options.rest_in_flight:
            entry = heapq.heappop(self._queue)
            action = entry[2].action
            if action.budget not in waits:
                wait_ns = self._budget(action).wait_ns(now_ns, action.weight)
                if not wait_ns:
                    self._open[action.request] = entry[2]
                    core.sink.count("rest_requests")
                    core.act(action)
                    continue
                waits[action.budget] = wait_ns
            put_back.append(entry)
        for entry in put_back:
            heapq.heappush(self._queue, entry)
        if waits:
            core.timers.set(("rest",), now_ns + min(waits.values()))

    def shift(self, step_ns: int) -> None:
        """The wall clock was set."""
        for budget in self._budgets.values():
            budget.shift(step_ns)

    def _add(self, call: RestCall, stream: Stream | None, now_ns: int, urgency: int | None = None) -> int:
        self._count += 1
        budget = self._core.exchange.limits(call.market).rest_budget
        instrument = -1 if stream is None else stream.instrument
        action = Rest(self._count, call.url, call.weight, budget, call.purpose, call.market, instrument)
        rank = _URGENCY[call.purpose] if urgency is None else urgency
        heapq.heappush(self._queue, (rank, self._count, Wanted(action, stream)))
        self.pump(now_ns)
        return action.request

    def _budget(self, action: Rest) -> Window:
        budget = self._budgets.get(action.budget)
        if budget is None:
            limits = self._core.exchange.limits(action.market)
            share = self._core.options.rest_share
            budget = self._budgets[action.budget] = Window(int(limits.rest_weight * share), limits.rest_window_ns)
        return budget
