"""The feed process of one exchange: rings, registry, session and shell put together. The child's main is ``run``."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path

import uvloop

from ringcollect.config import Config
from ringcollect.config.unified import is_unified
from ringcollect.exchanges import load
from ringcollect.exchanges.protocol import Exchange
from ringcollect.feed.counters import FEED_COUNTERS
from ringcollect.feed.desk import Desk
from ringcollect.feed.plan import Plan, plan_from_config
from ringcollect.feed.rest import Gets, RestClient
from ringcollect.feed.route import route
from ringcollect.feed.session import Session
from ringcollect.feed.shared_budget import SharedBudget
from ringcollect.feed.shell import Shell
from ringcollect.feed.transport import Opener, opener
from ringcollect.instruments import Registry
from ringcollect.records import RECORD
from ringcollect.ring.frames import FrameProducer
from ringcollect.ring.paths import runtime_dir
from ringcollect.ring.producer import Producer

LEDGER_ROWS = 8192
"""Subscriptions a ring has room for; part of its layout, so it is not taken from the configuration."""


def registry_path(data: Path, exchange: str) -> Path:
    """Where the instrument numbers of ``exchange`` are kept."""
    return data / "state" / "instruments" / f"{exchange}.jsonl"


def open_rings(config: Config, plan: Plan, registry: Registry, now_ns: int) -> tuple[Producer, FrameProducer]:
    """``<exchange>.rec`` and ``<exchange>.frm``: taken over from a dead feed, or new with ``now_ns`` as generation.

    A ring whose instrument numbers contradict ``registry`` (the lake was moved while the ring stayed) is replaced.

    Raises EnvironmentRefused if another feed of this exchange lives, or the runtime folder has no room.
    """
    folder = config.runtime_path()
    rows = max(LEDGER_ROWS, 1 << (plan.streams() * 2).bit_length())
    ring = Producer.open(
        folder, f"{plan.exchange}.rec", RECORD, config.ring.capacity,
        generation=now_ns, counters=FEED_COUNTERS, meta={"kind": "records", "exchange": plan.exchange},
        ledger_rows=rows, start_ns=now_ns, accept=registry.adopt,
    )  # fmt: skip
    try:
        frames = FrameProducer.open(
            folder, f"{plan.exchange}.frm", entries=config.ring.frame_entries,
            data_bytes=config.frame_ring_bytes, generation=now_ns, start_ns=now_ns,
        )  # fmt: skip
    except Exception:
        ring.close()
        raise
    return ring, frames


def _ways(config: Config, exchange: str, venue: Exchange, plan: Plan) -> tuple[Opener, Callable[..., Gets]]:
    """How connections are opened and REST is asked."""
    if is_unified(exchange):
        from ringcollect.feed.unified import link  # ccxt: half a second and 100 MB that only its own feeds pay

        unified = link(config, exchange)
        return unified.open, unified.lists
    deflate = any(venue.limits(market.market).deflate for market in plan.markets)
    return opener(config.websocket.of(exchange).transport, deflate=deflate), RestClient


def run(config: Config, exchange: str, stop: Callable[[], bool]) -> None:
    """Collect from ``exchange`` until ``stop()``. Needs the disk only at the start, for the registry."""
    now_ns = time.time_ns()
    plan = plan_from_config(config, exchange, seed=secrets.randbits(62))
    venue = load(exchange)
    transport, rest = _ways(config, exchange, venue, plan)
    way = route(config.websocket.of(exchange), os.environ)
    registry = Registry(registry_path(config.data_path(), exchange), exchange)
    ring, frames = open_rings(config, plan, registry, now_ns)
    try:
        session = Session(plan, venue, registry, ring, frames)
        shared = SharedBudget(runtime_dir() / "budget")
        desk = Desk(config.runtime_path(), exchange)
        desk.open()
        shell = Shell(session, venue, ring, frames, shared, stop, opener=transport, desk=desk, way=way, rest=rest)
        uvloop.run(shell.run(now_ns))
    finally:
        ring.close()
        frames.close()
