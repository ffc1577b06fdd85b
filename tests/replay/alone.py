"""A session that sees one frame and ends."""

from __future__ import annotations

from pathlib import Path

from ringcollect.exchanges import load
from ringcollect.feed.counters import FEED_COUNTERS
from ringcollect.feed.plan import MarketPlan, Options, Plan
from ringcollect.feed.session import Session
from ringcollect.instruments import Registry
from ringcollect.ring.producer import Producer

NOW = 1_700_000_000_000_000_000


def first_frame(payload: bytes, market: str, runtime: Path) -> dict[str, int]:
    """The counters of a passive session on ``market`` after ``payload``, timers included."""
    ring = Producer.open(
        runtime, "binance.rec", capacity=1 << 14, generation=NOW, counters=FEED_COUNTERS, ledger_rows=64
    )
    try:
        plan = Plan(exchange="binance", markets=(MarketPlan(market=market),), options=Options(discover=True))
        session = Session(plan, load("binance"), Registry(None, "binance"), ring)
        session.start(NOW)
        session.frame(0, payload, NOW + 1)
        for _ in range(20):
            session.timer(session.next_deadline())
        session.stop(session.next_deadline())
        return dict(ring.counters)
    finally:
        ring.close()
