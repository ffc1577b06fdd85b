"""One symbol of one Binance market: its order book model turned into the venue's streams.

Market events happen in virtual time; the wire's times are ``start_ns`` plus that. Ids start from the start time so
that a later simulator never goes back behind an earlier one.
"""

from __future__ import annotations

import math
from collections import deque
from functools import partial
from random import Random
from typing import NamedTuple

from ringcollect.sim.binance import texts
from ringcollect.sim.binance.day import TOPICS as DAY_TOPICS
from ringcollect.sim.binance.day import Day
from ringcollect.sim.binance.depth import DepthEvent, DepthWindow
from ringcollect.sim.binance.klines import Kline
from ringcollect.sim.binance.streams import depth_topic, kline_ns, topic_of
from ringcollect.sim.hub import Hub
from ringcollect.sim.market import SECOND, Event, SymbolMarket
from ringcollect.sim.scheduler import Scheduler
from ringcollect.sim.specs import SymbolSpec
from ringcollect.sim.truth import Truth

MILLISECOND = 1_000_000
_STEERING_S = 3.0  # how far behind or ahead of the target rate makes e times faster or slower
_DEPTH_TOPIC = "depth@100ms"
_TRADES_KEPT = 10_000  # that REST finds by id
_OLD_SNAPSHOTS = 5  # seconds a stale snapshot lags behind


class Trade(NamedTuple):
    """One print, as REST lists it. Time in ns of the wire clock."""

    number: int
    tick: int
    lots: int
    time_ns: int
    side: int


class AggTrade(NamedTuple):
    """Prints of one price and taker side merged."""

    number: int
    first: int
    last: int
    tick: int
    lots: int
    time_ns: int
    side: int


class Snapshot(NamedTuple):
    """The book as REST answers it: id of the last update in it, its time (wire ns), levels best first."""

    last_id: int
    time_ns: int
    bids: list[tuple[int, int]]
    asks: list[tuple[int, int]]


class SymbolFeed:
    """What both markets share. ``frames_per_s`` counts trade, bookTicker and depth@100ms frames."""

    market = "spot"
    contiguous_depth = True

    def __init__(
        self,
        spec: SymbolSpec,
        *,
        seed: int,
        start_ns: int,
        frames_per_s: float,
        hub: Hub,
        scheduler: Scheduler,
        truth: Truth,
        keeps_old_snapshots: bool,
    ) -> None:
        self.spec = spec
        self.start_ns = start_ns
        self.rng = Random(f"{seed}/{self.market}/{spec.symbol}/wire")
        moving = max(frames_per_s / 2, frames_per_s - self.steady_frames_per_s())
        self.model = SymbolMarket(spec, Random(f"{seed}/{self.market}/{spec.symbol}"), moving)
        self.update_id = start_ns // MILLISECOND * 100
        self.trade_id = start_ns // MILLISECOND
        self.agg_id = self.trade_id // 2
        self.trades: deque[Trade] = deque(maxlen=_TRADES_KEPT)
        self.aggregates: deque[AggTrade] = deque(maxlen=1000)
        self.frames = 0
        self._hub = hub
        self._truth = truth
        self._scheduler = scheduler
        self._target = frames_per_s
        self._stream = {topic: f"{spec.symbol.lower()}@{topic}" for topic in ("trade", "aggTrade", "bookTicker")}
        self._windows = {_DEPTH_TOPIC: DepthWindow(self.update_id, self.contiguous_depth)}
        self._running = {_DEPTH_TOPIC}
        self._klines: dict[str, Kline] = {}
        self._day = Day(spec, start_ns)
        self._pending: AggTrade | None = None
        self._old: deque[Snapshot] = deque(maxlen=_OLD_SNAPSHOTS)
        self.last_event_ns = start_ns
        scheduler.add(self.model.next_ns, self._order)
        self._every(100 * MILLISECOND, partial(self._flush_depth, _DEPTH_TOPIC))
        self._every(SECOND, self._steer)
        if keeps_old_snapshots:
            self._every(SECOND, self._keep_snapshot)

    def steady_frames_per_s(self) -> float:
        """Frames that come whatever the market does."""
        return 10.0

    def ensure(self, stream: str) -> None:
        """Begin what ``stream`` needs, if it is one of this symbol's and not yet begun."""
        _, topic = topic_of(stream)
        if topic in self._running:
            return
        depth = depth_topic(self.market, topic)
        length = kline_ns(topic)
        if depth is not None:
            self._running.add(topic)
            interval_ms, levels = depth
            if levels:
                self._every(max(interval_ms, 100) * MILLISECOND, partial(self._flush_partial, topic, levels))
                return
            self._windows[topic] = DepthWindow(self.update_id, self.contiguous_depth)
            if interval_ms:
                self._every(interval_ms * MILLISECOND, partial(self._flush_depth, topic))
        elif topic in DAY_TOPICS:
            self._running.add(topic)
            self._every((1 if self.market == "spot" else 2) * SECOND, partial(self._tell_day, topic))
        elif length is not None:
            self._running.add(topic)
            now = self.start_ns + self._scheduler.now_ns
            self._klines[topic] = Kline(self.spec, topic.removeprefix("kline_"), length, now)
            self._every(250 * MILLISECOND if self.market == "linear" else SECOND, partial(self._tell_kline, topic))

    def snapshot(self, limit: int) -> Snapshot:
        """The book now, ``limit`` levels a side."""
        return Snapshot(self.update_id, self.last_event_ns, self.model.bids.top(limit), self.model.asks.top(limit))

    def old_snapshot(self, limit: int) -> Snapshot:
        """A book of some seconds ago, if such were kept."""
        if not self._old:
            return self.snapshot(limit)
        old = self._old[0]
        return old._replace(bids=old.bids[:limit], asks=old.asks[:limit])

    def finish(self) -> None:
        """Send what is still held back, so that the final book is what the streams say."""
        now_ns = self.start_ns + self._scheduler.now_ns
        self._flush_aggregate(now_ns)
        for topic in self._windows:
            self._flush_depth(topic, now_ns)

    def _every(self, interval_ns: int, tell: partial[None] | object) -> None:
        """Call ``tell(wire_ns)`` at every multiple of ``interval_ns`` of the wire clock."""
        call = tell
        assert callable(call)

        def job(due_ns: int) -> int:
            call(self.start_ns + due_ns)
            return due_ns + interval_ns

        now_ns = self.start_ns + self._scheduler.now_ns
        self._scheduler.add((now_ns // interval_ns + 1) * interval_ns - self.start_ns, job)

    def _order(self, _due_ns: int) -> int:
        event = self.model.step()
        if event.changed:
            now_ns = self.start_ns + event.time_ns
            self.last_event_ns = now_ns
            self.update_id += self._id_step()
            for window in self._windows.values():
                window.add(self.update_id, event.changed)
            self._tell_trades(event, now_ns)
            if event.top_moved:
                self.frames += 1
                self.tell_ticker(self._stream["bookTicker"], now_ns)
            self._after_event(event, now_ns)
        return self.model.next_ns

    def _id_step(self) -> int:
        return 1

    def _after_event(self, event: Event, now_ns: int) -> None:
        """Spot merges only what one taker order did."""
        self._flush_aggregate(now_ns)

    def _tell_trades(self, event: Event, now_ns: int) -> None:
        for fill in event.fills:
            self.trade_id += 1
            self.frames += 1
            trade = Trade(self.trade_id, fill.tick, fill.lots, now_ns, fill.side)
            self.trades.append(trade)
            self._note_trade(trade, "")
            if self._hub.wanted(self._stream["trade"]):
                text = partial(self._trade_text, trade)
                self._hub.publish(self._stream["trade"], trade.number, self._event_ns(trade), text)
            self._aggregate(trade)
            self._day.add(trade.number, trade.side, trade.tick, trade.lots)
            for kline in self._klines.values():
                kline.add(trade.number, trade.side, trade.tick, trade.lots)

    def _event_ns(self, trade: Trade) -> int:
        """The venue publishes a little after it matches."""
        return trade.time_ns + trade.number % 3 * 300_000

    def _note_trade(self, trade: Trade, cause: str) -> None:
        if self._truth.wanted:
            more = {"x": cause} if cause else {}
            self._truth.line(
                "trade",
                t=trade.time_ns,
                m=self.market,
                s=self.spec.symbol,
                id=trade.number,
                p=self.spec.price(trade.tick),
                q=self.spec.size(trade.lots),
                side=trade.side,
                **more,
            )

    def _trade_text(self, trade: Trade, unit: int) -> str:
        return texts.spot_trade(
            self.spec, self._event_ns(trade), trade.time_ns, trade.number, trade.tick, trade.lots, trade.side, unit
        )

    def _aggregate(self, trade: Trade) -> None:
        held = self._pending
        if held is not None and (held.tick, held.side) == (trade.tick, trade.side):
            self._pending = held._replace(last=trade.number, lots=held.lots + trade.lots)
            return
        self._flush_aggregate(trade.time_ns)
        self.agg_id += 1
        self._pending = AggTrade(
            self.agg_id, trade.number, trade.number, trade.tick, trade.lots, trade.time_ns, trade.side
        )

    def _flush_aggregate(self, now_ns: int) -> None:
        held, self._pending = self._pending, None
        if held is None:
            return
        self.aggregates.append(held)
        stream = self._stream["aggTrade"]
        if self._hub.wanted(stream):
            self._hub.publish(stream, held.number, now_ns, partial(self._aggregate_text, held, now_ns))

    def _aggregate_text(self, held: AggTrade, now_ns: int, unit: int) -> str:
        return texts.agg_trade(
            self.spec, self.market, now_ns, held.time_ns, held.number, held.first, held.last,
            held.tick, held.lots, held.side, unit,
        )  # fmt: skip

    def tell_ticker(self, stream: str, now_ns: int) -> None:
        if self._hub.wanted(stream):
            self._hub.publish(stream, self.update_id, now_ns, self._ticker_text)

    def _ticker_text(self, _unit: int) -> str:
        return texts.spot_ticker(self.spec, self.update_id, self.model.bids.top(1)[0], self.model.asks.top(1)[0])

    def _flush_depth(self, topic: str, now_ns: int) -> None:
        event = self._windows[topic].take(self.model.bids, self.model.asks)
        if event is None:
            return
        self.frames += topic == _DEPTH_TOPIC
        stream = f"{self.spec.symbol.lower()}@{topic}"
        if self._hub.wanted(stream):
            self._hub.publish(stream, event.last, now_ns, partial(self._depth_text, event, now_ns))

    def _depth_text(self, event: DepthEvent, now_ns: int, unit: int) -> str:
        return texts.spot_depth(self.spec, now_ns, event.first, event.last, event.bids, event.asks, unit)

    def _flush_partial(self, topic: str, levels: int, now_ns: int) -> None:
        stream = f"{self.spec.symbol.lower()}@{topic}"
        if self._hub.wanted(stream):
            text = partial(self._partial_text, self.snapshot(levels), now_ns)
            self._hub.publish(stream, now_ns // MILLISECOND, now_ns, text)

    def _partial_text(self, book: Snapshot, _now_ns: int, _unit: int) -> str:
        return texts.spot_partial(self.spec, book.last_id, book.bids, book.asks)

    def _tell_kline(self, topic: str, now_ns: int) -> None:
        kline = self._klines[topic]
        closed = kline.due(now_ns)
        stream = f"{self.spec.symbol.lower()}@{topic}"
        if self._hub.wanted(stream):
            self._hub.publish(stream, now_ns // MILLISECOND, now_ns, lambda unit: kline.text(now_ns, closed, unit))
        if closed:
            kline.roll(now_ns)

    def _tell_day(self, topic: str, now_ns: int) -> None:
        stream = f"{self.spec.symbol.lower()}@{topic}"
        if not self._hub.wanted(stream) or self._day.last_lots == 0:
            return
        best = (self.model.bids.top(1)[0], self.model.asks.top(1)[0]) if self.market == "spot" else None
        day = self._day

        def text(unit: int) -> str:
            return day.full(now_ns, unit, best) if topic == "ticker" else day.mini(now_ns, unit)

        self._hub.publish(stream, now_ns // MILLISECOND, now_ns, text)

    def _keep_snapshot(self, _now_ns: int) -> None:
        self._old.append(self.snapshot(5000))

    def _steer(self, now_ns: int) -> None:
        """Follow the frame target over some seconds, leaving the clustering inside them alone."""
        due = self._target * (now_ns - self.start_ns) / SECOND
        self.model.pace = math.exp(max(-2.0, min(2.0, (due - self.frames) / (_STEERING_S * self._target))))
