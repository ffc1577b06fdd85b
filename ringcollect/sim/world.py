"""The whole simulation in virtual time, without sockets: markets, clients, REST, faults, truth.

``advance(now)`` lets everything happen that is due at the wire time ``now``. The stream of events is a pure function
of seed, symbols, rate and start time; who is connected only decides which frames are spelled out and to whom.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import msgspec

from ringcollect.errors import ConfigError
from ringcollect.sim.binance.paths import Route, route
from ringcollect.sim.binance.rest import Rest
from ringcollect.sim.binance.venue import Venue
from ringcollect.sim.faults import FaultPlan, dice
from ringcollect.sim.listing import named_too, plan_listings
from ringcollect.sim.peer import Peer
from ringcollect.sim.scene import Answer, Scene
from ringcollect.sim.scheduler import Scheduler
from ringcollect.sim.truth import Truth

DEFAULT_SYMBOLS = ("BTCUSDT", "ETHUSDT")


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What to simulate. ``rate`` is frames per second over all default streams of all symbols together."""

    spot: tuple[str, ...] = DEFAULT_SYMBOLS
    linear: tuple[str, ...] = DEFAULT_SYMBOLS
    rate: float = 1000.0
    seed: int = 1
    faults: FaultPlan = FaultPlan()
    truth: Path | None = None
    start_ns: int = 0  # 0 = the wire clock's time when it starts
    spot_weight_per_minute: int = 0  # 0 = the venue's
    linear_weight_per_minute: int = 0

    def check(self) -> None:
        """Raises ConfigError for what cannot be simulated."""
        if not 0.1 <= self.rate <= 100_000:
            raise ConfigError(f"simulator: rate {self.rate} is not between 0.1 and 100000 frames/s")
        if not self.spot and not self.linear:
            raise ConfigError("simulator: no symbols")


class World:
    """``now_ns`` at construction is the wire time at which virtual time is 0 (unless ``start_ns`` is given)."""

    markets: tuple[str, ...] = ("spot", "linear")
    patient = False

    def __init__(
        self, options: Options, now_ns: int, truth: Truth | None = None, numbers: Iterator[int] | None = None
    ) -> None:
        options.check()
        self.options = options
        self.start_ns = options.start_ns or now_ns
        self.truth = truth or Truth(options.truth)
        self._scheduler = Scheduler()
        self._skew_ns = self.start_ns - now_ns
        self._numbers = numbers or count()
        scene = Scene(options.seed, self.start_ns, options.faults, dice(options.seed), self.truth, self._scheduler)
        markets = {"spot": named_too(options.spot, scene), "linear": named_too(options.linear, scene)}
        per_symbol = options.rate / sum(map(len, markets.values()))
        self.truth.line("start", seed=options.seed, rate=options.rate, **markets, start_ns=self.start_ns)
        self.venues = {market: Venue(market, symbols, per_symbol, scene) for market, symbols in markets.items()}
        for venue in self.venues.values():
            plan_listings(venue.feeds, venue.hub, scene)
        weights = {"spot": options.spot_weight_per_minute, "linear": options.linear_weight_per_minute}
        self.rest = {market: Rest(venue, weights[market]) for market, venue in self.venues.items()}

    def wire_ns(self, now_ns: int) -> int:
        """The wire clock at local time ``now_ns``: the same, unless a start time was given."""
        return now_ns + self._skew_ns

    def advance(self, wire_ns: int, most: int = 5_000) -> bool:
        """Let the markets run up to ``wire_ns``, at most ``most`` jobs; False when it has not caught up yet."""
        done = self._scheduler.run_until(wire_ns - self.start_ns, most)
        for venue in self.venues.values():
            for peer in venue.peers:
                peer.timer(wire_ns)
        return done

    def has(self, target: str) -> bool:
        """Whether ``target`` is a path of the venue."""
        return route(target) is not None

    def connect(self, target: str, wire_ns: int) -> tuple[Venue, Peer] | None:
        """A client opens ``target``; None when there is no such path."""
        where: Route | None = route(target)
        if where is None:
            return None
        venue = self.venues[where.market]
        return venue, venue.open(next(self._numbers), target, where, wire_ns)

    def get(self, target: str, wire_ns: int) -> Answer | None:
        """The answer to a REST request, or None when neither market has such a path."""
        for rest in self.rest.values():
            if target.startswith(rest.prefix + "/"):
                return rest.answer(target, wire_ns)
        return None

    def finish(self) -> None:
        """End of the run: the last depth events go out and the final books are written down."""
        for venue in self.venues.values():
            for feed in venue.feeds.values():
                feed.finish()
                book, spec = feed.snapshot(1 << 30), feed.spec
                self.truth.line(
                    "book",
                    m=venue.market,
                    s=spec.symbol,
                    u=book.last_id,
                    bids=[(spec.price(tick), spec.size(lots)) for tick, lots in book.bids],
                    asks=[(spec.price(tick), spec.size(lots)) for tick, lots in book.asks],
                )

    def frames_made(self) -> int:
        """Frames the default streams had so far, whether anybody listened or not."""
        return sum(feed.frames for venue in self.venues.values() for feed in venue.feeds.values())

    def finished(self) -> bool:
        """A generated market never ends."""
        return False
