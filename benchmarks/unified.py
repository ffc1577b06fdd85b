"""Processor time of one update through ccxt, as a multiple of the same update through our own exchange.

``python -m benchmarks.unified``, with ``ringcollect[ccxt]`` installed. Frames of the simulated Binance go, one by one,
into ccxt's own client and from there the whole way to a ring; the same frames go into the session of our Binance. No
sockets: what both pay for those is not in it. Both ways in turn, the least of several rounds; only ratios are printed.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from ringcollect.config.schema import Ccxt
from ringcollect.exchanges import load
from ringcollect.exchanges.protocol import Exchange
from ringcollect.feed.actions import Connect, Rest, Send
from ringcollect.feed.counters import FEED_COUNTERS
from ringcollect.feed.plan import MarketPlan, Options, Plan, SymbolPlan
from ringcollect.feed.session import Session
from ringcollect.feed.transport import Callbacks
from ringcollect.feed.unified.connection import UnifiedConnection
from ringcollect.feed.unified.library import Library
from ringcollect.instruments import Registry
from ringcollect.ring.producer import Producer
from ringcollect.sim.world import Options as WorldOptions
from ringcollect.sim.world import World

ROUNDS = 5
SECONDS = 60
STREAMS = {"trade": "btcusdt@trade", "bbo": "btcusdt@bookTicker", "book": "btcusdt@depth@100ms"}
DEPTH = 20
_URL = "wss://stream.binance.com:9443/ws/0"


class Material:
    """Frames of one channel, and the REST answers that go with them."""

    def __init__(self, channel: str) -> None:
        now = time.time_ns()
        world = World(WorldOptions(spot=("BTCUSDT",), linear=(), rate=400.0, seed=2), now)
        found = world.connect(f"/ws/{STREAMS[channel]}", now)
        assert found is not None
        self.listing = _body(world, "/api/v3/exchangeInfo", now)
        self.snapshot = _body(world, "/api/v3/depth?symbol=BTCUSDT&limit=1000", now)
        self.frames: list[bytes] = []
        for tenth in range(SECONDS * 10):
            at = now + tenth * 100_000_000
            while not world.advance(at):
                pass
            self.frames += [frame[1] for frame in found[1].drain(at) if frame[0] == "text"]


def _body(world: World, target: str, now: int) -> bytes:
    answer = world.get(target, now)
    assert answer is not None
    return answer.body.encode()


def _session(folder: Path, exchange: Exchange, symbol: str, channel: str) -> tuple[Session, Producer]:
    planned = SymbolPlan(symbol=symbol, channels=(channel,), depth=DEPTH if exchange.name != "binance" else 0)
    plan = Plan(
        exchange=exchange.name, markets=(MarketPlan(market="spot", symbols=(planned,)),),
        options=Options(max_future_skew_ns=10**15),
    )  # fmt: skip
    ring = Producer.open(
        folder, f"{exchange.name}.rec", capacity=1 << 14, generation=1, counters=FEED_COUNTERS, ledger_rows=64
    )
    return Session(plan, exchange, Registry(None, exchange.name), ring, None), ring


def through_ours(folder: Path, material: Material, channel: str) -> tuple[float, int]:
    """(seconds of all frames, records published)."""
    session, ring = _session(folder, load("binance"), "BTCUSDT", channel)
    now = time.time_ns()
    _settle(session, now, lambda action: _answer(session, material, action, now))
    before = ring.counters["records"]
    begin = time.process_time()
    for frame in material.frames:
        session.frames(0, [frame], now)
    spent = time.process_time() - begin
    records = ring.counters["records"] - before
    ring.close()
    return spent, records


def _settle(session: Session, now: int, do: Callable[[Any], None]) -> None:
    session.start(now)
    while actions := session.actions():
        for action in actions:
            do(action)


def _answer(session: Session, material: Material, action: Any, now: int) -> None:
    if isinstance(action, Rest):
        body = material.listing if "exchangeInfo" in action.url else material.snapshot
        session.rest(action.request, 200, {}, body, now)
    elif isinstance(action, Connect):
        session.open(action.conn, action.url, now)
    elif isinstance(action, Send):
        session.frame(action.conn, msgspec.json.encode({"result": None, "id": _number(action.text)}), now)


def _number(text: str) -> int:
    return int(msgspec.json.decode(text)["id"])


async def through_ccxt(folder: Path, material: Material, channel: str) -> tuple[float, int]:
    """As :func:`through_ours`; ccxt's client takes each frame as text, and whoever waits for it wakes."""
    library = Library(Ccxt(id="binance"), {})
    client = _unconnected(library, material)
    session, ring = _session(folder, load("ccxt_binance"), "BTC/USDT", channel)
    now = time.time_ns()
    listed = msgspec.json.encode([{"s": "BTC/USDT", "base": "BTC", "quote": "USDT", "tick": 0.01, "lot": 0.00001}])
    connections: list[UnifiedConnection] = []
    callbacks = Callbacks(
        lambda conn, payloads, opcode, ts: session.frames(conn, payloads, ts),
        lambda conn, ts: None, lambda conn, code, reason, ts: print("ended:", reason),
    )  # fmt: skip

    def do(action: Any) -> None:
        if isinstance(action, Rest):
            session.rest(action.request, 200, {}, listed, now)
        elif isinstance(action, Connect):
            connections.append(UnifiedConnection(action.conn, library, callbacks, 1.0))
            session.open(action.conn, action.url, now)
        elif isinstance(action, Send):
            connections[0].send_text(action.text)

    _settle(session, now, do)
    await _wake(20)
    for number in list(client.subscriptions.values()):  # the venue's answer to SUBSCRIBE
        if isinstance(number, dict):
            client.handle_text_or_binary_message(f'{{"result":null,"id":{number["id"]}}}')
    await _wake(20)
    texts = [frame.decode() for frame in material.frames]
    before = ring.counters["records"]
    begin = time.process_time()
    for text in texts:
        client.handle_text_or_binary_message(text)
        await _wake(2)
    spent = time.process_time() - begin
    records = ring.counters["records"] - before
    for connection in connections:
        connection.drop()
    ring.close()
    await library.close()
    return spent, records


def _unconnected(library: Library, material: Material) -> Any:
    """One client for every stream, which never connects; REST is answered from ``material``."""
    exchange = library.exchange
    exchange.open()
    exchange.options |= {"crossMarginPairsData": [], "isolatedMarginPairsData": []}
    exchange.set_markets(exchange.parse_markets(msgspec.json.decode(material.listing)["symbols"]))
    client = exchange.client(_URL)
    client.connected.resolve(_URL)

    async def nothing(*args: Any) -> None:
        return None

    async def snapshot(symbol: str, limit: int | None = None, params: Any = None) -> Any:
        body = msgspec.json.decode(material.snapshot)
        return exchange.parse_order_book(body, symbol, None) | {"nonce": body["lastUpdateId"]}

    client.send = nothing
    exchange.client = lambda url: client
    exchange.throttle = nothing
    exchange.fetch_rest_order_book_safe = snapshot
    return client


async def _wake(times: int) -> None:
    for _ in range(times):
        await asyncio.sleep(0)


def main() -> None:
    """Print one line per channel."""
    for channel in STREAMS:
        material = Material(channel)
        ours: list[float] = []
        theirs: list[float] = []
        records = (0, 0)
        with tempfile.TemporaryDirectory() as folder:
            for number in range(ROUNDS):
                mine, here = through_ours(Path(folder) / f"a{number}", material, channel)
                other, there = asyncio.run(through_ccxt(Path(folder) / f"b{number}", material, channel))
                ours.append(mine)
                theirs.append(other)
                records = here, there
        print(
            f"{channel:<6} {len(material.frames):>7} frames, {records[0]:>8} records ours, {records[1]:>8} ccxt's: "
            f"{min(theirs) / min(ours):.0f} x the processor time"
        )


if __name__ == "__main__":
    main()
