"""Bybit as a server without sockets: one path per category, one answer per request."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ringcollect.sim.bybit import texts
from ringcollect.sim.bybit.feed import BybitFeed
from ringcollect.sim.bybit.specs import day_ticker, listed
from ringcollect.sim.hub import Hub
from ringcollect.sim.peer import Peer
from ringcollect.sim.reception import Reception
from ringcollect.sim.rules import BYBIT_WIRE
from ringcollect.sim.scene import Answer, Scene

MARKETS = ("spot", "linear", "inverse")
_PATH = "/v5/public/"
PATHS = tuple(_PATH + market for market in MARKETS)
_INSTRUMENTS = "/v5/market/instruments-info"
_TICKERS = "/v5/market/tickers"
LISTS = (_INSTRUMENTS, _TICKERS)
_SPOT_ARGS = 10
_ARGS_CHARACTERS = 21_000
_MOST_PAGE = 1000
_USUAL_PAGE = 500


class BybitVenue(Reception):
    """``symbols`` by category share ``frames_per_s``; ``page`` limits what one page lists, whatever is asked for.

    ``feeds`` are those of a capture.
    """

    def __init__(
        self, symbols: dict[str, tuple[str, ...]], frames_per_s: float, scene: Scene, *, page: int = _MOST_PAGE,
        feeds: dict[tuple[str, str], BybitFeed] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(scene, Hub("bybit", scene.plan, scene.roll, scene.truth, books=":orderbook."), BYBIT_WIRE)
        self._page = page
        count = sum(map(len, symbols.values()))
        self.feeds = feeds or {
            (market, symbol): BybitFeed(market, symbol, frames_per_s / count, self.hub, scene)
            for market, names in symbols.items()
            for symbol in names
        }

    def open(self, number: int, url: str, now_ns: int) -> Peer:
        """A client connected."""
        return self.admit(number, url, urlsplit(url).path.rpartition("/")[2], now_ns)

    def receive(self, peer: Peer, text: str, now_ns: int) -> None:
        """A text frame came in."""
        if not self.hears(peer, text, now_ns):
            return
        market = peer.leg
        try:
            request = json.loads(text)
            op, args = str(request["op"]), list(request.get("args", ()))
            number = str(request.get("req_id", ""))
        except (ValueError, KeyError, TypeError, AttributeError):
            peer.reply(texts.answer(market, "", "", "error:request is invalid"), now_ns)
            return
        peer.reply(texts.answer(market, op, number, self._complaint(peer, op, args)), now_ns)
        if op == "ping" or self._complaint(peer, op, args):
            return
        for topic in args:
            stream = f"{market}:{topic}"
            if op == "unsubscribe":
                self.unsubscribe(peer, stream)
            else:
                self._begin(peer, stream, topic, now_ns)

    def _complaint(self, peer: Peer, op: str, args: list[Any]) -> str:
        """What is wrong with a request, "" if nothing is. One bad topic spoils all of it."""
        if op == "ping":
            return ""
        if op not in ("subscribe", "unsubscribe"):
            return f"Invalid op: {op}"
        if peer.leg == "spot" and len(args) > _SPOT_ARGS:
            return "args size >10"
        before = sum(len(stream) - len(f"{peer.leg}:") for stream in peer.streams)
        if op == "subscribe" and before + sum(len(str(topic)) for topic in args) > _ARGS_CHARACTERS:
            return "args length exceeds the limit"
        bad = [str(topic) for topic in args if self._feed(peer.leg, str(topic)) is None]
        return f"Invalid topic :[{','.join(bad)}]" if bad else ""

    def _feed(self, market: str, topic: str) -> BybitFeed | None:
        name, _, symbol = topic.rpartition(".")
        feed = self.feeds.get((market, symbol))
        return feed if feed is not None and feed.has(name) else None

    def _begin(self, peer: Peer, stream: str, topic: str, now_ns: int) -> None:
        feed = self._feed(peer.leg, topic)
        assert feed is not None
        self.subscribe(peer, stream, now_ns)
        first = feed.first(topic.rpartition(".")[0], now_ns)
        if first:
            peer.deliver(stream, -now_ns, first, now_ns)

    def get(self, target: str, now_ns: int) -> Answer | None:
        """The answer to a REST request; None for a path that is not simulated."""
        parts = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        market = query.get("category", "")
        if parts.path == _TICKERS:
            specs = [feed.spec for (of, _), feed in self.feeds.items() if of == market]
            return self._answer(target, {"category": market, "list": [day_ticker(market, s) for s in specs]}, now_ns)
        if parts.path != _INSTRUMENTS:
            return None
        rows = [listed(market, feed.spec) for (of, _), feed in self.feeds.items() if of == market]
        size = min(int(query.get("limit", _USUAL_PAGE)), _MOST_PAGE, self._page)
        start = int(query.get("cursor", "page=0").partition("=")[2])
        more = f"page={start + size}" if start + size < len(rows) else ""
        result = {"category": market, "list": rows[start : start + size], "nextPageCursor": more}
        return self._answer(target, result, now_ns)

    def _answer(self, target: str, result: dict[str, Any], now_ns: int) -> Answer:
        body = {"retCode": 0, "retMsg": "OK", "result": result, "retExtInfo": {}, "time": now_ns // 1_000_000}
        self.scene.truth.line("rest", t=now_ns, u=target, status=200, f="")
        return Answer(200, {"Content-Type": "application/json"}, json.dumps(body))

    def finish(self) -> None:
        """The run ends: what is held back goes out, the final books are written down."""
        for feed in self.feeds.values():
            feed.finish()
            feed.note_books()


def of_symbols(symbols: tuple[str, ...], frames_per_s: float, scene: Scene) -> BybitVenue:
    """``BTCUSD`` is inverse, ``BTCPERP`` linear; every other is on spot and linear."""
    by_market: dict[str, list[str]] = {market: [] for market in MARKETS}
    for symbol in symbols:
        if symbol.endswith("USD"):
            by_market["inverse"].append(symbol)
            continue
        by_market["linear"].append(symbol)
        if not symbol.endswith("PERP"):
            by_market["spot"].append(symbol)
    return BybitVenue({market: tuple(names) for market, names in by_market.items()}, frames_per_s, scene)
