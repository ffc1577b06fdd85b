"""A feed as it runs live, without its sockets: a captured exchange answers what the session asks, and accidents happen.

Everything is recorded into ``frames/``; timers come late, as they do on a busy host.
"""

from __future__ import annotations

import random
from pathlib import Path

import msgspec

from ringcollect.exchanges import load
from ringcollect.feed.actions import Close, Connect, Rest, Send
from ringcollect.feed.plan import MarketPlan, Options, Plan, SymbolPlan
from ringcollect.feed.session import Session
from ringcollect.instruments import Registry
from ringcollect.sources.capture import CaptureReader
from ringcollect.sources.events import EventKind
from ringcollect.sources.pipeline import Pipeline
from tests.replay.run import CONFIG

MS = 1_000_000
SYMBOLS = ("NKNUSDT", "BLZETH", "LRCBTC", "RUNEEUR")


class Exchange:
    """What the session's actions lead to, with the capture as the exchange behind them."""

    def __init__(self, session: Session, bodies: dict[str, list[bytes]]) -> None:
        self.session = session
        self.conns: list[int] = []
        self._bodies = bodies
        self._waiting: list[Rest] = []
        self._rng = random.Random(3)

    def settle(self, now: int) -> None:
        """Do what the session asks until it asks no more."""
        while actions := self.session.actions():
            for action in actions:
                now += self._rng.randrange(MS)
                if isinstance(action, Connect):
                    self.conns.append(action.conn)
                    self.session.open(action.conn, action.url, now)
                elif isinstance(action, Send):
                    request = msgspec.json.decode(action.text)["id"]
                    self.session.frame(action.conn, b'{"result":null,"id":%d}' % request, now)
                elif isinstance(action, Close) and action.conn in self.conns:
                    self.conns.remove(action.conn)
                elif isinstance(action, Rest):
                    self._waiting.append(action)

    def answer(self, now: int) -> None:
        """Answer what was asked over REST, as far as the capture has an answer; one in ten is refused first."""
        waiting, self._waiting = self._waiting, []
        for request in waiting:
            symbol = request.url.partition("symbol=")[2].partition("&")[0]
            bodies = self._bodies.get(symbol, [])
            if self._rng.random() < 0.1:
                self.session.rest(request.request, 429, {"retry-after": "1"}, b"slow down", now)
            elif bodies:
                headers = {"x-mbx-used-weight-1m": "60", "server": "nginx"}
                self.session.rest(request.request, 200, headers, bodies[0], now)
            else:
                self._waiting.append(request)
            self.settle(now)


def record(capture: Path, data: Path, runtime: Path) -> dict[str, int]:
    """Run a session over ``capture`` and record it into the lake ``data``; returns the feed's counters."""
    events = list(CaptureReader(capture))
    listing = next(event.payload for event in events if event.kind is EventKind.REST and "exchangeInfo" in event.url)
    symbols = tuple(SymbolPlan(symbol=symbol, channels=("book", "trade", "bbo")) for symbol in SYMBOLS)
    plan = Plan(
        exchange="binance",
        markets=(MarketPlan(market="spot", symbols=symbols),),
        options=Options(record_frames=True, seed=11, stale_ns=5_000 * MS),
    )
    begin = events[0].ts
    pipeline = Pipeline(data, runtime, "binance", begin, CONFIG, raw_only=True)
    registry = Registry(None, "binance")
    registry.register("spot", "OLDCOIN", begin - 10**15)  # known from an earlier run, with two versions
    registry.register("spot", "OLDCOIN", begin - 10**14, tick_size=0.5)
    session = Session(plan, load("binance"), registry, pipeline.ring, pipeline.frames)
    bodies: dict[str, list[bytes]] = {"": [listing]}
    exchange = Exchange(session, bodies)
    rng = random.Random(5)
    try:
        session.start(begin)
        for count, event in enumerate(events):
            while session.next_deadline() <= event.ts:
                session.timer(min(event.ts, session.next_deadline() + rng.randrange(3 * MS)))
                exchange.settle(event.ts)
            if event.kind is EventKind.REST:
                symbol = event.url.partition("symbol=")[2].partition("&")[0]
                bodies[symbol] = [event.payload]
            elif event.kind is EventKind.IN and exchange.conns:
                pipeline.make_room()
                session.frame(exchange.conns[-1], event.payload, event.ts)
            exchange.answer(event.ts)
            exchange.settle(event.ts)
            _accident(count, session, exchange, event.ts)
            exchange.settle(event.ts)
        session.stop(events[-1].ts + MS)
        pipeline.finish()
        return dict(pipeline.ring.counters)
    finally:
        pipeline.close()


def _accident(count: int, session: Session, exchange: Exchange, now: int) -> None:
    if not exchange.conns:
        return
    if count == 40:
        session.frame(exchange.conns[-1], b'{"stream":"nknusdt@trade","data":', now)
    elif count == 60:
        session.frame(exchange.conns[-1], bytes(range(128, 256)), now, 2)
    elif count == 90:
        session.close(exchange.conns.pop(), 1006, "connection reset by peer", now)
    elif count == 150:
        session.clock_step(250 * MS, now)
    elif count == 170:
        session.resync(1, now)
    elif count % 50 == 0:
        session.alive(exchange.conns[-1], now)
