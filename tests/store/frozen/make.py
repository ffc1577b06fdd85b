"""Make the lake of a schema version that is kept for ever: ``python -m tests.store.frozen.make v2``.

A few seconds of simulated venues, which between them have every table; of v2 the last one alone has bars. Run once when
a version is frozen, and never again for it: what reads today must read what was written then.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.simulated import START_NS, Collecting
from ringcollect.config.loading import parse
from ringcollect.exchanges import load
from ringcollect.feed.plan import MarketPlan, Options, Plan, SymbolPlan
from ringcollect.feed.session import Session
from ringcollect.instruments import Registry
from ringcollect.ring.frames import Direction
from ringcollect.sim.together import stage_of
from ringcollect.sources.pipeline import Pipeline
from tests.store.frozen.reading import FROZEN, freeze

VENUES = {
    "binance": ("spot", "BTCUSDT"),
    "bybit": ("linear", "BTCUSDT"),
    "kraken": ("spot", "BTC/USD"),
    "upbit": ("spot", "KRW-BTC"),
}
SECONDS = 4.0
CONFIG = """
[storage]
fsync = "off"
[sync.features]
select = ["minimal"]
bar_durations = ["1s"]
[sync.output]
orderbooks = true
trades = true
liquidations = true
fundings = true
open_interests = true
levels = 3
books = true
bars = true
book_interval = "2s"
"""


def collect(data: Path, exchange: str, market: str, symbol: str) -> None:
    """Four seconds of one simulated venue into ``data``."""
    channels = tuple(channel.name.lower() for channel in load(exchange).channels(market))
    plan = Plan(
        exchange=exchange,
        markets=(MarketPlan(market=market, symbols=(SymbolPlan(symbol=symbol, channels=channels),)),),
        options=Options(open_interest_ns=1_000_000_000),
    )
    with TemporaryDirectory(prefix="ringcollect-frozen-") as folder:
        pipeline = Pipeline(data, Path(folder), exchange, START_NS, parse(CONFIG).config)
        session = Session(plan, load(exchange), Registry(None, exchange), pipeline.ring)
        Collecting(session, stage_of((exchange,), START_NS, rate=40.0), lambda told: None).run(SECONDS)
        pipeline.frames.publish(
            b'{"e":"depthUpd', ts_recv=START_NS, conn=0, direction=Direction.REJECT, reason="ends in a string"
        )
        pipeline.finish()
        pipeline.close()


def main(version: str) -> None:
    """Refuses to replace what is frozen."""
    data = FROZEN / version
    if data.exists():
        sys.exit(f"{data} is frozen")
    for exchange, (market, symbol) in VENUES.items():
        collect(data, exchange, market, symbol)
    shutil.rmtree(data / "journal")
    freeze(version)


if __name__ == "__main__":
    main(sys.argv[1])
