"""What a feed of so many simulated symbols is told, written to a file for a process that has no simulator in it."""

from __future__ import annotations

from itertools import islice, product
from pathlib import Path
from string import ascii_uppercase
from tempfile import TemporaryDirectory

import msgspec
import orjson

from benchmarks.simulated import START_NS, Collecting, Told, new_session, ring_of
from ringcollect.feed.ledger import State
from ringcollect.feed.plan import MarketPlan, Plan, SymbolPlan
from ringcollect.sim.specs import spot_spec
from ringcollect.sim.together import stage_of

EXCHANGE, MARKET = "bybit", "spot"
CHANNELS = ("book", "trade", "bbo")
"""The default channels; books of the exchange's usual depth."""
RATE_PER_SYMBOL = 2.0
DEAR_TICKS = 400_000


def names(count: int) -> tuple[str, ...]:
    """Symbols the simulated venue lists: dear ones, on whose fine grid its first book is drawn quickly."""
    every = (f"{''.join(letters)}XUSDT" for letters in product(ascii_uppercase, repeat=3))
    dear = (name for name in every if spot_spec(name).start_tick >= DEAR_TICKS)
    return tuple(islice(dear, count))


def plan_of(count: int) -> Plan:
    """Every one of ``count`` symbols with the default channels."""
    symbols = tuple(SymbolPlan(symbol=name, channels=CHANNELS) for name in names(count))
    return Plan(exchange=EXCHANGE, markets=(MarketPlan(market=MARKET, symbols=symbols),))


def write(path: Path, count: int, seconds: float) -> dict[str, int]:
    """Write the script of ``count`` symbols; how many of their streams flow at its end, of how many, and records."""
    stage = stage_of((EXCHANGE,), START_NS, symbols=names(count), rate=RATE_PER_SYMBOL * count)
    with TemporaryDirectory(prefix="ringcollect-bench-") as folder, path.open("wb") as file:

        def keep(told: Told) -> None:
            file.write(orjson.dumps(told) + b"\n")

        file.write(msgspec.json.encode(plan_of(count)) + b"\n")
        ring = ring_of(plan_of(count), Path(folder))
        session = new_session(plan_of(count), ring)
        Collecting(session, stage, keep).run(seconds)
        streams = session.core.streams.values()
        said = {
            "streams": len(streams),
            "flowing": sum(stream.state == State.FLOWING for stream in streams),
            "records": ring.head,
        }
        ring.close()
    return said
