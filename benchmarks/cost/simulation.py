"""What a feed is told by a simulated venue: everything it subscribes to, every channel of every market."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.cost.labels import Labelling, Watched
from benchmarks.cost.script import Script
from benchmarks.simulated import START_NS, Collecting, ring_of
from ringcollect.exchanges import load
from ringcollect.feed.plan import MarketPlan, Options, Plan, RulePlan
from ringcollect.instruments import Registry
from ringcollect.sim.together import stage_of

RATE = 150.0
"""Frames a second: few enough that a channel of one frame a second has its share."""
SIMULATED = "simulated"
POLL_NS = 1_000_000_000
WARM_UP_S = 11.0
"""Untimed: for ten seconds after subscribing a feed looks at prints that may be history (``exchanges.okx.history``)."""


def simulated(exchange: str, seconds: float, most: int) -> Script:
    """The script of ``seconds`` of virtual time, and of some before them."""
    stage = stage_of((exchange,), START_NS, rate=RATE)
    venue = load(exchange)
    markets = tuple(
        MarketPlan(
            market=market,
            rules=(RulePlan(rules=("*",), channels=tuple(channel.name.lower() for channel in venue.channels(market))),),
        )
        for market in venue.markets
        if market in stage.markets
    )
    plan = Plan(exchange=exchange, markets=markets, options=Options(open_interest_ns=POLL_NS))
    with TemporaryDirectory(prefix="ringcollect-bench-") as folder:
        ring = ring_of(plan, Path(folder))
        session = Watched(plan, load(plan.exchange), Registry(None, plan.exchange), ring)
        labelling = Labelling(Script(SIMULATED, plan), session, ring, most, START_NS + int(WARM_UP_S * 1e9))
        Collecting(session, stage, labelling.keep).run(WARM_UP_S + seconds)
        labelling.finish()
        ring.close()
    return labelling.script
