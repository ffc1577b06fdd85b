"""A simulation of one venue that is a world of its own: every exchange but Binance."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from ringcollect.errors import ConfigError
from ringcollect.sim.bybit import venue as bybit
from ringcollect.sim.coinbase import venue as coinbase
from ringcollect.sim.deribit import venue as deribit
from ringcollect.sim.faults import FaultPlan, dice
from ringcollect.sim.kraken import venue as kraken
from ringcollect.sim.kraken_futures import venue as kraken_futures
from ringcollect.sim.listing import named_too, plan_listings
from ringcollect.sim.okx import venue as okx
from ringcollect.sim.peer import Peer
from ringcollect.sim.scene import Answer, Scene
from ringcollect.sim.scheduler import Scheduler
from ringcollect.sim.stage import Host
from ringcollect.sim.truth import Truth
from ringcollect.sim.upbit import venue as upbit


class Kind(msgspec.Struct, frozen=True):
    """What is known of a venue before it is built. Not serialised."""

    make: Callable[[tuple[str, ...], float, Scene], Any]
    paths: tuple[str, ...]
    markets: tuple[str, ...]
    symbols: tuple[str, ...]


KINDS = {
    "bybit": Kind(bybit.of_symbols, bybit.PATHS, bybit.MARKETS, ("BTCUSDT", "ETHUSDT", "BTCPERP", "BTCUSD")),
    "coinbase": Kind(coinbase.CoinbaseVenue, coinbase.PATHS, ("spot",), ("BTC-USD", "ETH-USD")),
    "deribit": Kind(
        deribit.DeribitVenue, (deribit.PATH,), ("linear", "inverse"),
        ("BTC_USDC-PERPETUAL", "BTC-PERPETUAL", "ETH-PERPETUAL"),
    ),
    "kraken": Kind(kraken.KrakenVenue, (kraken.PATH,), ("spot",), ("BTC/USD", "ETH/USD")),
    "kraken_futures": Kind(
        kraken_futures.KrakenFuturesVenue, (kraken_futures.PATH,), ("linear", "inverse"),
        ("PF_XBTUSD", "PF_ETHUSD", "PI_XBTUSD", "FI_XBTUSD_261225"),
    ),
    "okx": Kind(
        okx.OkxVenue, okx.PATHS, ("spot", "linear", "inverse"),
        ("BTC-USDT", "ETH-USDT", "BTC-USDT-SWAP", "BTC-USD-SWAP"),
    ),
    "upbit": Kind(upbit.UpbitVenue, (upbit.PATH,), ("spot",), ("KRW-BTC", "KRW-ETH")),
}  # fmt: skip
"""Every exchange that is one world, with the symbols it has unless others are named."""


class SoloStage:
    """``now_ns`` at construction is the wire time at which virtual time is 0. Raises ConfigError for bad options.

    ``truth`` and ``numbers`` (of connections) may be shared with others.
    """

    patient = False

    def __init__(
        self, exchange: str, now_ns: int, *, symbols: tuple[str, ...] = (), rate: float = 1000.0, seed: int = 1,
        faults: FaultPlan | None = None, truth: Truth | Path | None = None, numbers: Iterator[int] | None = None,
    ) -> None:  # fmt: skip
        if not 0.1 <= rate <= 100_000:
            raise ConfigError(f"simulator: rate {rate} is not between 0.1 and 100000 frames/s")
        kind = KINDS[exchange]
        self.markets = kind.markets
        self.truth = truth if isinstance(truth, Truth) else Truth(truth)
        self._paths = kind.paths
        self._start_ns = now_ns
        self._scheduler = Scheduler()
        self._numbers = numbers or count()
        scene = Scene(seed, now_ns, faults or FaultPlan(), dice(seed), self.truth, self._scheduler)
        named = named_too(symbols or kind.symbols, scene)
        self.truth.line("start", seed=seed, rate=rate, exchange=exchange, symbols=named, start_ns=now_ns)
        self.venue: Any = kind.make(named, rate, scene)
        plan_listings(self.venue.feeds, self.venue.hub, scene)

    def wire_ns(self, now_ns: int) -> int:
        """The wire clock is the local one."""
        return now_ns

    def advance(self, wire_ns: int, most: int = 5_000) -> bool:
        """Let the market run up to ``wire_ns``, at most ``most`` jobs; False when it has not caught up yet."""
        done = self._scheduler.run_until(wire_ns - self._start_ns, most)
        for peer in self.venue.peers:
            peer.timer(wire_ns)
        return done

    def has(self, target: str) -> bool:
        """Whether ``target`` is a path of the venue."""
        return urlsplit(target).path in self._paths

    def connect(self, target: str, wire_ns: int) -> tuple[Host, Peer] | None:
        """A client opens ``target``; None when there is no such path."""
        if not self.has(target):
            return None
        return self.venue, self.venue.open(next(self._numbers), target, wire_ns)

    def get(self, target: str, wire_ns: int) -> Answer | None:
        """The answer to a REST request, None when there is no such path."""
        answer: Answer | None = self.venue.get(target, wire_ns)
        return answer

    def finish(self) -> None:
        """End of the run: what is held back goes out and the final books are written down."""
        self.venue.finish()

    def frames_made(self) -> int:
        """Frames so far, whether anybody listened or not."""
        return int(sum(feed.frames for feed in self.venue.feeds.values()))

    def finished(self) -> bool:
        """A generated market never ends."""
        return False
