"""Kraken Futures as a server without sockets: an answer per product, errors that name nothing, full books."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from ringcollect.sim.hub import Hub
from ringcollect.sim.kraken_futures import texts
from ringcollect.sim.kraken_futures.feed import FEEDS, KrakenFuturesFeed
from ringcollect.sim.kraken_futures.specs import listed
from ringcollect.sim.peer import Peer
from ringcollect.sim.reception import Reception
from ringcollect.sim.rules import KRAKEN_FUTURES_WIRE, SECOND
from ringcollect.sim.scene import Answer, Scene

PATH = "/ws/v1"
_API = "/derivatives/api/v3/"
LISTS = (_API + "instruments", _API + "tickers")
_HEARTBEAT = "heartbeat"


class KrakenFuturesVenue(Reception):
    """``symbols`` (``PF_XBTUSD``) share ``frames_per_s``; ``feeds`` are those of a capture."""

    def __init__(
        self, symbols: tuple[str, ...], frames_per_s: float, scene: Scene, *,
        feeds: dict[str, KrakenFuturesFeed] | None = None,
    ) -> None:  # fmt: skip
        hub = Hub("kraken_futures", scene.plan, scene.roll, scene.truth, books="book:")
        super().__init__(scene, hub, KRAKEN_FUTURES_WIRE)
        self.feeds = feeds or {
            symbol: KrakenFuturesFeed(symbol, frames_per_s / len(symbols), self.hub, scene) for symbol in symbols
        }
        scene.scheduler.add(SECOND, self._heartbeat)

    def open(self, number: int, url: str, now_ns: int) -> Peer:
        """A client connected: it is greeted."""
        peer = self.admit(number, url, "", now_ns)
        peer.reply(texts.info(), now_ns)
        return peer

    def receive(self, peer: Peer, text: str, now_ns: int) -> None:
        """A text frame came in."""
        if not self.hears(peer, text, now_ns):
            return
        try:
            request = json.loads(text)
            event, feed = str(request["event"]), str(request["feed"])
            products = [str(product).upper() for product in request.get("product_ids", ())]
        except (ValueError, KeyError, TypeError, AttributeError):
            peer.reply(texts.refused("error", "Json Error"), now_ns)
            return
        if event not in ("subscribe", "unsubscribe"):
            peer.reply(texts.refused("alert", "Bad request"), now_ns)
        elif feed == _HEARTBEAT:
            self._one(peer, event, feed, "", now_ns)
        elif feed not in FEEDS:
            peer.reply(texts.refused("alert", "Couldn't subscribe to invalid feed"), now_ns)
        elif not products or any(product not in self.feeds for product in products):
            peer.reply(texts.refused("error", "Invalid product id"), now_ns)
        else:
            for product in products:
                self._one(peer, event, feed, product, now_ns)

    def _one(self, peer: Peer, event: str, feed: str, product: str, now_ns: int) -> None:
        """One product of a request: answered, and then its first frame."""
        stream = f"{feed}:{product}"
        peer.reply(texts.subscription(event + "d", feed, product), now_ns)
        if event == "unsubscribe":
            self.unsubscribe(peer, stream)
            return
        self.subscribe(peer, stream, now_ns)
        first = self.feeds[product].first(feed, now_ns) if product else ""
        if first:
            peer.deliver(stream, -now_ns, first, now_ns)

    def _heartbeat(self, due_ns: int) -> int:
        now_ns = self.scene.start_ns + due_ns
        self.hub.publish(f"{_HEARTBEAT}:", now_ns, now_ns, lambda _unit: texts.heartbeat(now_ns))
        return due_ns + SECOND

    def get(self, target: str, now_ns: int) -> Answer | None:
        """The answer to a REST request; None for a path that is not simulated."""
        path = urlsplit(target).path
        if path == _API + "instruments":
            rows = [listed(feed.spec) for feed in self.feeds.values()]
            rows.append({"symbol": "IN_XBTUSD", "type": "spot index", "tradeable": False})
            return _json({"result": "success", "instruments": rows, "serverTime": _time(now_ns)})
        if path == _API + "tickers":
            tickers: list[dict[str, Any]] = [
                {"symbol": symbol, "volumeQuote": 1_000_000.0 / (1 + place), "suspended": False}
                for place, symbol in enumerate(self.feeds)
            ]
            return _json({"result": "success", "tickers": tickers, "serverTime": _time(now_ns)})
        return None

    def finish(self) -> None:
        """The run ends: the final books are written down."""
        for feed in self.feeds.values():
            feed.finish()


def _time(now_ns: int) -> str:
    return f"{datetime.fromtimestamp(now_ns // SECOND, UTC):%Y-%m-%dT%H:%M:%S}.000Z"


def _json(body: dict[str, Any]) -> Answer:
    return Answer(200, {"Content-Type": "application/json"}, json.dumps(body))
