"""Kraken spot v2 as a server without sockets: an answer per symbol, heartbeats, checksums."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from ringcollect.sim.hub import Hub
from ringcollect.sim.kraken import texts
from ringcollect.sim.kraken.feed import DEPTHS, KrakenFeed
from ringcollect.sim.peer import Peer
from ringcollect.sim.reception import Reception
from ringcollect.sim.rules import KRAKEN_WIRE, SECOND
from ringcollect.sim.scene import Answer, Scene

PATH = "/v2"
_PAIRS, _DEPTH, _TRADES = "/0/public/AssetPairs", "/0/public/Depth", "/0/public/Trades"
LISTS = (_PAIRS,)
_MOST_REST = 500
_decimals = msgspec.json.Encoder(decimal_format="number")
_MOST_REQUESTS = 50
"""A second; beyond it a request is refused. The venue names no number."""
_OLD_NAMES = {"BTC": "XBT", "DOGE": "XDG"}
_CONNECTION = 7_204_881_492_680_171_915


class KrakenVenue(Reception):
    """``symbols`` (``BTC/USD``) share ``frames_per_s``; ``feeds`` are those of a capture."""

    def __init__(
        self, symbols: tuple[str, ...], frames_per_s: float, scene: Scene, *,
        feeds: dict[str, KrakenFeed] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(scene, Hub("kraken", scene.plan, scene.roll, scene.truth, books="book-"), KRAKEN_WIRE)
        self.feeds = feeds or {
            symbol: KrakenFeed(symbol, frames_per_s / len(symbols), self.hub, scene) for symbol in symbols
        }
        self._requests: dict[int, list[int]] = {}
        scene.scheduler.add(SECOND, self._heartbeat)

    def open(self, number: int, url: str, now_ns: int) -> Peer:
        """A client connected: it is told how the system is."""
        peer = self.admit(number, url, "", now_ns)
        peer.reply(texts.status("online", _CONNECTION + number), now_ns)
        return peer

    def receive(self, peer: Peer, text: str, now_ns: int) -> None:
        """A text frame came in."""
        if not self.hears(peer, text, now_ns):
            return
        try:
            request = json.loads(text)
            method, number = str(request["method"]), request.get("req_id")
            params = dict(request.get("params", {}))
        except (ValueError, KeyError, TypeError, AttributeError):
            peer.reply(texts.refused("", "Malformed request", "", None, now_ns), now_ns)
            return
        if self._too_many(peer, now_ns):
            peer.reply(texts.refused(method, "Exceeded msg rate", "", number, now_ns), now_ns)
        elif method == "ping":
            peer.reply(texts.pong(number, now_ns), now_ns)
        elif method in ("subscribe", "unsubscribe"):
            for symbol in params.get("symbol", ()):
                self._one(peer, method, str(symbol), params, number, now_ns)
        else:
            peer.reply(texts.refused(method, "Unsupported method", "", number, now_ns), now_ns)

    def _too_many(self, peer: Peer, now_ns: int) -> bool:
        recent = [at for at in self._requests.get(peer.number, []) if now_ns - at < SECOND]
        self._requests[peer.number] = [*recent, now_ns]
        return len(recent) >= _MOST_REQUESTS

    def _one(self, peer: Peer, method: str, symbol: str, params: dict[str, Any], number: Any, now_ns: int) -> None:
        """One symbol of a request: answered, and then its first frame."""
        channel, depth = str(params.get("channel")), int(params.get("depth", 10))
        error = self._complaint(channel, depth, symbol)
        if error:
            peer.reply(texts.refused(method, error, symbol, number, now_ns), now_ns)
            return
        stream = f"book-{depth}:{symbol}" if channel == "book" else f"{channel}:{symbol}"
        result = {"channel": channel, "symbol": symbol} | ({"depth": depth} if channel == "book" else {})
        if method == "unsubscribe":
            self.unsubscribe(peer, stream)
            peer.reply(texts.done(method, result, number, now_ns), now_ns)
            return
        wants_first = bool(params.get("snapshot", True))
        peer.reply(texts.done(method, result | {"snapshot": wants_first}, number, now_ns), now_ns)
        self.subscribe(peer, stream, now_ns)
        first = self.feeds[symbol].first(channel, depth, now_ns) if wants_first else ""
        if first:
            peer.deliver(stream, -now_ns, first, now_ns)

    def _complaint(self, channel: str, depth: int, symbol: str) -> str:
        if channel not in ("book", "trade", "ticker"):
            return f"Channel {channel} not supported"
        if symbol not in self.feeds:
            return f"Currency pair not supported {symbol}"
        return "Subscription depth not supported" if channel == "book" and depth not in DEPTHS else ""

    def lost(self, peer: Peer, code: int, reason: str, now_ns: int) -> None:
        """The connection is gone."""
        self._requests.pop(peer.number, None)
        super().lost(peer, code, reason, now_ns)

    def _heartbeat(self, due_ns: int) -> int:
        for peer in self.peers:
            if peer.streams:
                peer.reply('{"channel":"heartbeat"}', self.scene.start_ns + due_ns)
        return due_ns + SECOND

    def get(self, target: str, now_ns: int) -> Answer | None:
        """The answer to a REST request; None for a path that is not simulated."""
        parts = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path == _PAIRS:
            return _json({"error": [], "result": dict(self._pair(feed) for feed in self.feeds.values())})
        if parts.path not in (_DEPTH, _TRADES):
            return None
        feed = self.feeds.get(query.get("pair", ""))
        if feed is None:
            return _json({"error": ["EQuery:Unknown asset pair"]})
        if parts.path == _TRADES:
            found, last = feed.old_trades(int(query.get("since", 0)), min(int(query.get("count", 1000)), 1000))
            body = {"error": [], "result": {feed.spec.symbol.replace("/", ""): found, "last": str(last)}}
            return Answer(200, {"Content-Type": "application/json"}, _decimals.encode(body).decode())
        bids, asks = feed.whole(min(int(query.get("count", 100)), _MOST_REST))
        rows = {
            name: [[price, size, now_ns // SECOND] for price, size in side]
            for name, side in (("bids", bids), ("asks", asks))
        }
        return _json({"error": [], "result": {feed.spec.symbol.replace("/", ""): rows}})

    @staticmethod
    def _pair(feed: KrakenFeed) -> tuple[str, dict[str, Any]]:
        """As v1 still spells it: ``XBT`` for ``BTC``."""
        spec = feed.spec
        base = _OLD_NAMES.get(spec.base, spec.base)
        tick = spec.price(1)
        return f"{base}{spec.quote}", {
            "altname": f"{base}{spec.quote}", "wsname": f"{base}/{spec.quote}", "base": f"X{base}", "quote": spec.quote,
            "pair_decimals": spec.price_decimals, "lot_decimals": spec.size_decimals, "cost_decimals": 5,
            "ordermin": "0.00005", "costmin": "0.5", "tick_size": tick, "status": "online",
        }  # fmt: skip

    def finish(self) -> None:
        """The run ends: what is held back goes out and the final books are written down."""
        for feed in self.feeds.values():
            feed.finish()


def _json(body: dict[str, Any]) -> Answer:
    return Answer(200, {"Content-Type": "application/json"}, json.dumps(body))
