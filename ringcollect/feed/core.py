"""What the parts of a session share: the exchange, the way out, the timers, and one source of chance."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from ringcollect.exchanges.protocol import Decoder, Exchange
from ringcollect.feed.actions import Action
from ringcollect.feed.plan import MarketPlan, Options, Plan
from ringcollect.feed.sink import Sink
from ringcollect.feed.stream import Stream, StreamKey
from ringcollect.feed.timers import Timers


@dataclass
class Core:
    """Owned by one session; nothing in it is shared between sessions."""

    plan: Plan
    exchange: Exchange
    decoder: Decoder
    sink: Sink
    rng: random.Random
    timers: Timers = field(default_factory=Timers)
    actions: list[Action] = field(default_factory=list)
    streams: dict[StreamKey, Stream] = field(default_factory=dict)

    @property
    def options(self) -> Options:
        return self.plan.options

    @property
    def passive(self) -> bool:
        """True in replay of a capture: the connections are the capture's, the session only looks on."""
        return self.plan.options.discover

    def market(self, market: str) -> MarketPlan:
        """What is planned for ``market``; an empty plan where nothing is (discovered from frames)."""
        return next((plan for plan in self.plan.markets if plan.market == market), MarketPlan(market=market))

    def act(self, action: Action) -> None:
        """Ask for something to be done in the world."""
        self.actions.append(action)
