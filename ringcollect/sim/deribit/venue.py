"""Deribit as a server without sockets: JSON-RPC, one list of channels for an answer."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ringcollect.sim.deribit import texts
from ringcollect.sim.deribit.feed import DeribitFeed
from ringcollect.sim.deribit.specs import listed
from ringcollect.sim.hub import Hub
from ringcollect.sim.peer import Peer
from ringcollect.sim.reception import Reception
from ringcollect.sim.rules import DERIBIT_WIRE
from ringcollect.sim.scene import Answer, Scene

PATH = "/ws/api/v2"
_LIST, _BOOK, _TRADES = (
    "/api/v2/public/get_instruments", "/api/v2/public/get_order_book", "/api/v2/public/get_last_trades_by_instrument",
)  # fmt: skip
_MOST_TRADES = 1000
_BAD_REQUEST, _NO_METHOD, _BAD_PARAMS = -32600, -32601, -32602


class DeribitVenue(Reception):
    """``symbols`` (``BTC-PERPETUAL``) share ``frames_per_s``."""

    def __init__(self, symbols: tuple[str, ...], frames_per_s: float, scene: Scene) -> None:
        super().__init__(scene, Hub("deribit", scene.plan, scene.roll, scene.truth, books="book."), DERIBIT_WIRE)
        self.feeds = {symbol: DeribitFeed(symbol, frames_per_s / len(symbols), self.hub, scene) for symbol in symbols}
        self._channels = {name: (feed, kind) for feed in self.feeds.values() for name, kind in feed.channels().items()}

    def open(self, number: int, url: str, now_ns: int) -> Peer:
        """A client connected; it is not greeted."""
        return self.admit(number, url, "", now_ns)

    def receive(self, peer: Peer, text: str, now_ns: int) -> None:
        """A text frame came in."""
        if not self.hears(peer, text, now_ns):
            return
        try:
            request = json.loads(text)
            method, number = str(request["method"]), request.get("id")
            channels = request.get("params", {}).get("channels", [])
        except (ValueError, KeyError, TypeError, AttributeError):
            peer.reply(texts.error(None, _BAD_REQUEST, "request entity malformed", "", now_ns), now_ns)
            return
        if method == "public/test":
            peer.reply(texts.result(number, {"version": "1.2.26"}, now_ns), now_ns)
        elif method not in ("public/subscribe", "public/unsubscribe"):
            peer.reply(texts.error(number, _NO_METHOD, "Method not found", method, now_ns), now_ns)
        elif type(channels) is not list or not channels:
            peer.reply(texts.error(number, _BAD_PARAMS, "Invalid params", "invalid format", now_ns), now_ns)
        else:
            self._change(peer, method.endswith("unsubscribe"), channels, number, now_ns)

    def _change(self, peer: Peer, ends: bool, channels: list[Any], number: Any, now_ns: int) -> None:
        """What exists is named in the answer, and then comes what is sent first."""
        known = [name for name in channels if name in self._channels and self._is_listed(name)]
        peer.reply(texts.result(number, known, now_ns), now_ns)
        for name in known:
            if ends:
                self.unsubscribe(peer, name)
                continue
            feed, kind = self._channels[name]
            self.subscribe(peer, name, now_ns)
            first = feed.first(kind, now_ns)
            if first:
                peer.deliver(name, -now_ns, first, now_ns)

    def _is_listed(self, name: str) -> bool:
        return self._channels[name][0].spec.symbol in self.feeds

    def get(self, target: str, now_ns: int) -> Answer | None:
        """The answer to a REST request; None for a path that is not simulated."""
        parts = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path == _LIST:
            return _json(texts.result(None, [listed(feed.spec) for feed in self.feeds.values()], now_ns))
        if parts.path not in (_BOOK, _TRADES):
            return None
        feed = self.feeds.get(query.get("instrument_name", ""))
        if feed is None:
            return _json(texts.error(None, _BAD_PARAMS, "Invalid params", "wrong format", now_ns), 400)
        if parts.path == _TRADES:
            first, last = int(query.get("start_seq", 0)), int(query.get("end_seq", 1 << 62))
            most = min(int(query.get("count", 10)), _MOST_TRADES)
            rows, more = feed.old_trades(first, last, most, newest=query.get("sorting", "desc") != "asc")
            return _json(texts.result(None, {"trades": rows, "has_more": more}, now_ns))
        sides = zip(("bids", "asks"), feed.book(), strict=True)
        body = {name: [[float(price), float(amount)] for price, amount in side] for name, side in sides}
        named = {"instrument_name": feed.spec.symbol, "change_id": feed.change_id}
        return _json(texts.result(None, body | named | {"timestamp": now_ns // texts.MILLISECOND}, now_ns))

    def finish(self) -> None:
        """The run ends: what is held back goes out and the final books are written down."""
        for feed in self.feeds.values():
            feed.finish()


def _json(body: str, status: int = 200) -> Answer:
    return Answer(status, {"Content-Type": "application/json"}, body)
