"""What a feed of so many simulated symbols is told, written to a file for a process that has no simulator in it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, islice, product
from pathlib import Path
from string import ascii_uppercase
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

import msgspec
import orjson

from benchmarks.simulated import START_NS, Collecting, Told, new_session, ring_of, tell
from ringcollect.exchanges.recent import CAPACITY, MOST_AT_ONCE
from ringcollect.feed.ledger import State
from ringcollect.feed.plan import MarketPlan, Plan, SymbolPlan
from ringcollect.feed.session import Session
from ringcollect.records import Channel
from ringcollect.sim.bybit.specs import bybit_spec
from ringcollect.sim.together import stage_of

EXCHANGE, MARKET = "bybit", "linear"
"""Ids of its prints are not dense: each stream keeps a window of them, the largest thing a stream keeps."""
CHANNELS = ("book", "trade", "bbo")
"""The default channels; books of the exchange's usual depth."""
RATE_PER_SYMBOL = 0.5
MILLISECOND = 1_000_000
DEAR_TICKS = 400_000
_TOPIC = '{"topic":"publicTrade.'


def names(number: int) -> tuple[str, ...]:
    """Symbols the simulated venue lists on this market only: dear ones, on whose fine grid a first book is drawn
    quickly.
    """
    every = (f"{''.join(letters)}XPERP" for letters in product(ascii_uppercase, repeat=3))
    dear = (name for name in every if bybit_spec(MARKET, name).start_tick >= DEAR_TICKS)
    return tuple(islice(dear, number))


def plan_of(number: int) -> Plan:
    """Every one of ``number`` symbols with the default channels."""
    symbols = tuple(SymbolPlan(symbol=name, channels=CHANNELS) for name in names(number))
    return Plan(exchange=EXCHANGE, markets=(MarketPlan(market=MARKET, symbols=symbols),))


def write(path: Path, number: int, seconds: float) -> dict[str, int]:
    """Write the script of ``number`` symbols: ``seconds`` of a simulated venue, then so many prints of each symbol
    that its window of ids is full. Says how many streams flow at its end, of how many, and records.
    """
    stage = stage_of((EXCHANGE,), START_NS, symbols=names(number), rate=max(20.0, RATE_PER_SYMBOL * number))
    prints: list[str] = []
    with TemporaryDirectory(prefix="ringcollect-bench-") as folder, path.open("wb") as file:

        def keep(told: Told) -> None:
            file.write(orjson.dumps(told) + b"\n")
            if told[0] == "frame" and told[1][1].startswith(_TOPIC):
                prints[:] = [told[1][1]]

        file.write(msgspec.json.encode(plan_of(number)) + b"\n")
        ring = ring_of(plan_of(number), Path(folder))
        session = new_session(plan_of(number), ring)
        collecting = Collecting(session, stage, keep)
        collecting.run(seconds)
        for told in _many_prints(session, prints[0], collecting.now):
            keep(told)
            tell(session, told)
        streams = session.core.streams.values()
        said = {
            "streams": len(streams),
            "flowing": sum(stream.state == State.FLOWING for stream in streams),
            "records": ring.head,
        }
        ring.close()
    return said


def _many_prints(session: Session, frame: str, now_ns: int) -> Iterator[Told]:
    """Frames of new prints, made of one the venue sent, for every stream of trades."""
    message: dict[str, Any] = orjson.loads(frame)
    ids = count(1 << 126)
    for conn, socket in session.connections.sockets.items():
        for stream in session.connections.carried_by(socket):
            if stream.channel is not Channel.TRADE:
                continue
            for number in range(-(-CAPACITY // MOST_AT_ONCE) + 1):
                time_ns = now_ns + number * MILLISECOND
                first = message["data"][0] | {"s": stream.symbol, "T": time_ns // MILLISECOND}
                told = message | {"topic": f"publicTrade.{stream.symbol}", "ts": time_ns // MILLISECOND}
                told["data"] = [first | {"i": str(UUID(int=next(ids)))} for _ in range(MOST_AT_ONCE)]
                yield "frame", [conn, orjson.dumps(told).decode(), time_ns, 1]
