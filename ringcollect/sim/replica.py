"""The venue that stands behind a capture: it takes subscriptions as in life and has no market of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol
from urllib.parse import urlsplit

import msgspec

from ringcollect.errors import ConfigError
from ringcollect.sim.binance.recorded import BinanceReplica, BinanceSorter
from ringcollect.sim.bybit import recorded as bybit
from ringcollect.sim.bybit import venue as bybit_venue
from ringcollect.sim.coinbase import recorded as coinbase
from ringcollect.sim.coinbase import venue as coinbase_venue
from ringcollect.sim.hub import Hub
from ringcollect.sim.kraken import recorded as kraken
from ringcollect.sim.kraken import venue as kraken_venue
from ringcollect.sim.kraken_futures import recorded as kraken_futures
from ringcollect.sim.kraken_futures import venue as kraken_futures_venue
from ringcollect.sim.okx import recorded as okx
from ringcollect.sim.okx import venue as okx_venue
from ringcollect.sim.peer import Peer
from ringcollect.sim.recording import Sorter
from ringcollect.sim.scene import Answer, Scene
from ringcollect.sim.solo import KINDS
from ringcollect.sim.stage import Host
from ringcollect.sim.upbit import recorded as upbit
from ringcollect.sim.upbit import venue as upbit_venue


class Replica(Protocol):
    """What a capture needs of the venue it was recorded of."""

    markets: tuple[str, ...]

    def peers(self) -> list[Peer]:
        """Everybody who is connected."""

    def hub(self, market: str) -> Hub:
        """The subscriptions of ``market``."""

    def joins(self) -> int:
        """Subscriptions so far."""

    def has(self, target: str) -> bool:
        """Whether ``target`` is a path that a client may connect to."""

    def connect(self, number: int, target: str, now_ns: int) -> tuple[Host, Peer] | None:
        """A client opened ``target``, or None when there is no such path."""

    def made(self, target: str, now_ns: int) -> Answer | None:
        """The answer that can be made of the capture's symbols alone to a request that it has no body for."""


class SoloReplica:
    """A venue that is one world. Of what was not recorded it can say which instruments there are."""

    def __init__(self, exchange: str, venue: Any, lists: tuple[str, ...]) -> None:
        self.markets = KINDS[exchange].markets
        self._paths, self._lists, self._venue = KINDS[exchange].paths, lists, venue

    def peers(self) -> list[Peer]:
        """Everybody who is connected."""
        return list(self._venue.peers)

    def hub(self, market: str) -> Hub:
        """The subscriptions of every market."""
        hub: Hub = self._venue.hub
        return hub

    def joins(self) -> int:
        """Subscriptions so far."""
        return self.hub("").joins

    def has(self, target: str) -> bool:
        """Whether ``target`` is a path of the venue."""
        return urlsplit(target).path in self._paths

    def connect(self, number: int, target: str, now_ns: int) -> tuple[Host, Peer] | None:
        """A client opens ``target``; None when there is no such path."""
        return (self._venue, self._venue.open(number, target, now_ns)) if self.has(target) else None

    def made(self, target: str, now_ns: int) -> Answer | None:
        """A list of instruments, or of their tickers."""
        if urlsplit(target).path not in self._lists:
            return None
        answer: Answer | None = self._venue.get(target, now_ns)
        return answer


class _Recorded(msgspec.Struct, frozen=True):
    sorter: Callable[[], Sorter]
    venue: Callable[[Iterable[tuple[str, str]], Scene], Any]
    lists: tuple[str, ...]


_SOLO = {
    "bybit": _Recorded(bybit.BybitSorter, bybit.recorded_venue, bybit_venue.LISTS),
    "coinbase": _Recorded(coinbase.CoinbaseSorter, coinbase.recorded_venue, coinbase_venue.LISTS),
    "kraken": _Recorded(kraken.KrakenSorter, kraken.recorded_venue, kraken_venue.LISTS),
    "kraken_futures": _Recorded(
        kraken_futures.KrakenFuturesSorter, kraken_futures.recorded_venue, kraken_futures_venue.LISTS
    ),
    "okx": _Recorded(okx.OkxSorter, okx.recorded_venue, okx_venue.LISTS),
    "upbit": _Recorded(upbit.UpbitSorter, upbit.recorded_venue, upbit_venue.LISTS),
}
CAPTURED = ("binance", *_SOLO)
"""Every exchange whose captures can be served."""


def sorter_of(exchange: str) -> Sorter:
    """How frames of ``exchange`` are read. Raises ConfigError when nobody can."""
    if exchange == "binance":
        return BinanceSorter()
    if exchange not in _SOLO:
        raise ConfigError(f"simulator: captures of {exchange!r} cannot be served, only of {', '.join(CAPTURED)}")
    return _SOLO[exchange].sorter()


def replica_of(exchange: str, instruments: Iterable[tuple[str, str]], scene: Scene) -> Replica:
    """The venue of ``exchange`` that knows ``instruments`` (market, symbol)."""
    if exchange == "binance":
        return BinanceReplica(instruments, scene)
    kind = _SOLO[exchange]
    return SoloReplica(exchange, kind.venue(instruments, scene), kind.lists)
