"""Coinbase as a server without sockets: Advanced Trade and, on a path of its own, the Exchange feed."""

from __future__ import annotations

import functools
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ringcollect.sim.coinbase import texts
from ringcollect.sim.coinbase.feed import CoinbaseFeed, Text
from ringcollect.sim.coinbase.texts import NUMBER, SECOND
from ringcollect.sim.fixed import trimmed
from ringcollect.sim.hub import Hub
from ringcollect.sim.peer import Peer
from ringcollect.sim.reception import Reception
from ringcollect.sim.rules import COINBASE_WIRE
from ringcollect.sim.scene import Answer, Scene

ADVANCED_PATHS, EXCHANGE_PATH = ("/", "/advanced-trade-ws"), "/ws-feed"
PATHS = ("", *ADVANCED_PATHS, EXCHANGE_PATH)
_ADVANCED, _EXCHANGE = "advanced", "exchange"
_PRODUCTS = {"/api/v3/brokerage/market/products": _ADVANCED, "/products": _EXCHANGE}
LISTS = tuple(_PRODUCTS)
_CHANNELS = {
    _ADVANCED: ("level2", "market_trades", "ticker", "heartbeats", "candles"),
    _EXCHANGE: ("level2_batch", "matches", "ticker", "heartbeat", "status"),
}
_AUTHENTICATED = ("level2", "level3", "full")
_MOST_BOOKS = 32
_SILENT_NS = 5 * SECOND
DEEP = 2_000
"""Levels a side beyond the model's, of a venue that nobody said more of: a whole book has half a megabyte."""


class NumberedPeer(Peer):
    """A connection that counts its messages; what is lost on the way has had its number."""

    sent = 0

    def deliver(self, stream: str, key: int, text: str, now_ns: int) -> None:
        """Send one data frame; a stream that falls silent is none that loses something."""
        silent_at = self.streams.get(stream)
        if silent_at is None or now_ns < silent_at:
            text = self._numbered(text)
        super().deliver(stream, key, text, now_ns)

    def reply(self, text: str, now_ns: int) -> None:
        """Send a control frame, which is counted too."""
        super().reply(self._numbered(text), now_ns)

    def skip(self) -> None:
        """A message of this number is never sent."""
        self.sent += 1

    def _numbered(self, text: str) -> str:
        if NUMBER not in text:
            return text
        self.sent += 1
        return text.replace(NUMBER, f'"sequence_num":{self.sent - 1}', 1)


class _Refused(Exception):
    """A request that is answered by this error: (message, reason)."""


class CoinbaseVenue(Reception):
    """``symbols`` share ``frames_per_s``; ``deep`` levels a side lie far from the best, 24,000 make 5 MB.

    ``feeds`` are those of a capture.
    """

    peer_type = NumberedPeer

    def __init__(
        self, symbols: tuple[str, ...], frames_per_s: float, scene: Scene, *, deep: int = DEEP,
        feeds: dict[str, CoinbaseFeed] | None = None,
    ) -> None:  # fmt: skip
        hub = Hub("coinbase", scene.plan, scene.roll, scene.truth, books="\0")  # gaps are this venue's own
        super().__init__(scene, hub, COINBASE_WIRE)
        self.feeds = feeds or {
            symbol: CoinbaseFeed(symbol, frames_per_s / len(symbols), scene, self._tell, deep=deep)
            for symbol in symbols
        }
        self._beats = 0
        scene.scheduler.add(SECOND, self._beat)

    def open(self, number: int, url: str, now_ns: int) -> Peer:
        """A client connected."""
        leg = _EXCHANGE if urlsplit(url).path.rstrip("/") == EXCHANGE_PATH else _ADVANCED
        return self.admit(number, url, leg, now_ns)

    def _tell(self, stream: str, key: int, now_ns: int, text: Text) -> None:
        """To everyone who listens; a book's message may be lost on its way out, number and all."""
        gap = self.scene.plan.gap
        if gap and ":level2" in stream and self.scene.roll(f"gap coinbase {stream} {key}")[0] < gap:
            self.scene.truth.line("fault", t=now_ns, c=-1, fault="gap", m="spot", stream=stream, f=text())
            for peer in self.hub.peers.get(stream, ()):
                assert isinstance(peer, NumberedPeer)
                peer.skip()
            return
        self.hub.publish(stream, key, now_ns, lambda _unit: text())

    def _beat(self, due_ns: int) -> int:
        """Heartbeats; whoever has subscribed nothing within 5 s is sent away."""
        now_ns = self.scene.start_ns + due_ns
        self._beats += 1
        event = {"current_time": f"{texts.iso(now_ns)} +0000 UTC m=+{self._beats}.5", "heartbeat_counter": self._beats}
        self._tell("advanced:heartbeats", self._beats, now_ns, lambda: texts.envelope("heartbeats", now_ns, event))
        for symbol, feed in self.feeds.items():
            self._tell(f"exchange:heartbeat:{symbol}", self._beats, now_ns, functools.partial(feed.heartbeat, now_ns))
        for peer in self.peers:
            if not peer.streams and now_ns - peer.opened_ns >= _SILENT_NS:
                peer.close(1008, "no subscription within 5 s")
        return due_ns + SECOND

    def receive(self, peer: Peer, text: str, now_ns: int) -> None:
        """A text frame came in: data before its acknowledgement."""
        if not self.hears(peer, text, now_ns):
            return
        try:
            op, wanted = self._read(peer, text)
        except _Refused as refusal:
            peer.reply(texts.error(*refusal.args), now_ns)
            return
        for channel, product in wanted:
            stream = f"{peer.leg}:{channel}" + (f":{product}" if product else "")
            if op == "unsubscribe":
                self.unsubscribe(peer, stream)
                continue
            self.subscribe(peer, stream, now_ns)
            first = self.feeds[product].first(peer.leg, channel, now_ns) if product else ""
            if first:
                peer.deliver(stream, -now_ns, first, now_ns)
        channels: dict[str, list[str]] = {}
        for stream in peer.streams:
            _, channel, product = (*stream.split(":"), "heartbeats")[:3]
            channels.setdefault(channel, []).append(product)
        answer = texts.subscribed(channels, now_ns) if peer.leg == _ADVANCED else texts.exchange_subscribed(channels)
        peer.reply(answer, now_ns)

    def _read(self, peer: Peer, text: str) -> tuple[str, list[tuple[str, str]]]:
        """(subscribe or unsubscribe, channels with their products). Raises _Refused."""
        try:
            request = json.loads(text)
            op = request["type"]
            named = [request["channel"]] if peer.leg == _ADVANCED else request["channels"]
            everywhere = list(request.get("product_ids", ()))
            parts = [
                (part, everywhere) if isinstance(part, str) else (part["name"], part.get("product_ids", everywhere))
                for part in named
            ]
        except (ValueError, KeyError, TypeError, AttributeError):
            raise _Refused("failure to parse the request") from None
        if op not in ("subscribe", "unsubscribe"):
            raise _Refused(f"unknown type {op}")
        for channel, products in parts:
            self._check(peer, channel, products, op)
        return op, [(c, p) for c, products in parts for p in (products if c != "heartbeats" else [""])]

    def _check(self, peer: Peer, channel: str, products: list[str], op: str) -> None:
        failed = "Failed to subscribe"
        if peer.leg == _EXCHANGE and channel in _AUTHENTICATED:
            raise _Refused(failed, "level2, level3, and full channels now require authentication.")
        if channel not in _CHANNELS[peer.leg]:
            raise _Refused(failed, f"{channel} is not a valid channel")
        unknown = [product for product in products if product not in self.feeds]
        if unknown:
            raise _Refused(failed, f"{', '.join(unknown)} is not a valid product")
        books = sum(stream.startswith("advanced:level2:") for stream in peer.streams)
        if op == "subscribe" and peer.leg == _ADVANCED and channel == "level2" and books + len(products) > _MOST_BOOKS:
            raise _Refused("too many L2 streams requested in a single session")

    def get(self, target: str, now_ns: int) -> Answer | None:
        """The answer to a REST request; None for a path that is not simulated."""
        parts = urlsplit(target)
        words = parts.path.split("/")
        if len(words) == 4 and words[1] == "products" and words[3] == "trades":
            return self._old_trades(words[2], parts.query, target, now_ns)
        feed = _PRODUCTS.get(parts.path)
        if feed is None:
            return None
        rows = [_listed(one) for one in self.feeds.values()]
        body: Any = {"products": rows} if feed == _ADVANCED else [row | {"id": row["product_id"]} for row in rows]
        self.scene.truth.line("rest", t=now_ns, u=target, status=200, f="")
        return Answer(200, {"Content-Type": "application/json"}, json.dumps(body))

    def _old_trades(self, product: str, query: str, target: str, now_ns: int) -> Answer:
        asked = {name: values[0] for name, values in parse_qs(query).items()}
        most, before = asked.get("limit", "1000"), asked.get("after", "0")
        feed = self.feeds.get(product)
        headers = {"Content-Type": "application/json"}
        if feed is None or not most.isdecimal() or not before.isdecimal():
            return Answer(404 if feed is None else 400, headers, json.dumps({"message": "NotFound"}))
        self.scene.truth.line("rest", t=now_ns, u=target, status=200, f="")
        return Answer(200, headers, json.dumps(feed.old_trades(int(before), min(int(most), 1000))))

    def finish(self) -> None:
        """The run ends: what is held back goes out, the final books are written down."""
        for symbol, feed in self.feeds.items():
            feed.finish()
            book = feed.book()
            bids, asks = ([(price, size) for of, price, size in book if of == side] for side in (1, -1))
            self.scene.truth.line("book", m="spot", s=symbol, bids=bids, asks=asks)


def _listed(feed: CoinbaseFeed) -> dict[str, Any]:
    spec = feed.spec
    tick, lot = trimmed(spec.tick_units, spec.price_decimals), trimmed(spec.lot_units, spec.size_decimals)
    return {
        "product_id": spec.symbol, "base_increment": lot, "quote_increment": tick, "price_increment": tick,
        "status": "online", "trading_disabled": False, "product_type": "SPOT", "base_currency_id": spec.base,
        "quote_currency_id": spec.quote, "alias": "", "alias_to": [], "price": spec.price(spec.start_tick),
        "volume_24h": spec.size(spec.day_lots),
    }  # fmt: skip
