"""OKX as a server without sockets: one address for all markets, one answer per argument."""

from __future__ import annotations

import json
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ringcollect.sim.hub import Hub
from ringcollect.sim.okx import texts
from ringcollect.sim.okx.feed import OkxFeed
from ringcollect.sim.okx.specs import day_ticker, index_of, kind_of, listed
from ringcollect.sim.peer import Peer
from ringcollect.sim.rules import OKX_WIRE
from ringcollect.sim.scene import Answer, Scene

PATHS = ("/ws/v5/public", "/ws/v5/business")
_HOUR_NS = 3600 * 1_000_000_000
_REQUESTS_AN_HOUR = 480
_ARGS_BYTES = 64 * 1024
_INSTRUMENTS = "/api/v5/public/instruments"
LISTS = (_INSTRUMENTS, "/api/v5/market/tickers")
_TRADES = {"/api/v5/market/trades": 500, "/api/v5/market/history-trades": 100}
"""Path -> rows of one answer at most; only the second goes back from an id, the first never gets one."""
_INSTRUMENT_CHANNELS = ("books", "books5", "bbo-tbt", "trades", "tickers")
_BUSINESS_CHANNELS = ("trades-all",)
_DERIVATIVE_CHANNELS = ("mark-price", "open-interest", "funding-rate")
_UPGRADE = "The connection will soon be closed for a service upgrade. Please reconnect."


class OkxVenue:
    """``symbols`` share ``frames_per_s``; ``checksums`` as until June 2026; ``snapshots`` False: books without base.

    ``feeds`` are those of a capture.
    """

    def __init__(
        self, symbols: tuple[str, ...], frames_per_s: float, scene: Scene, *, checksums: bool = False,
        snapshots: bool = True, feeds: dict[str, OkxFeed] | None = None,
    ) -> None:  # fmt: skip
        self.scene = scene
        self.hub = Hub("okx", scene.plan, scene.roll, scene.truth)
        self.peers: list[Peer] = []
        self.snapshots = snapshots
        self._asked: dict[int, list[int]] = {}
        self._half_open = scene.plan.half_open > 0
        self.feeds = feeds or {
            symbol: OkxFeed(
                symbol, seed=scene.seed, start_ns=scene.start_ns, frames_per_s=frames_per_s / len(symbols),
                hub=self.hub, scheduler=scene.scheduler, truth=scene.truth, checksums=checksums,
                lose=partial(self._lost_push),
            )
            for symbol in symbols
        }  # fmt: skip

    def _lost_push(self, stream: str, key: int) -> bool:
        gap = self.scene.plan.gap
        return bool(gap) and self.scene.roll(f"gap okx {stream} {key}")[0] < gap

    def open(self, number: int, url: str, now_ns: int) -> Peer:
        """A client connected."""
        scene = self.scene
        peer = Peer(
            number, url, OKX_WIRE, leg=urlsplit(url).path.rpartition("/")[2], combined=False, divisor=1,
            now_ns=now_ns, plan=scene.plan, roll=scene.roll, truth=scene.truth, goes_half_open=self._half_open,
        )  # fmt: skip
        self._half_open = False
        peer.on_shutdown(lambda _now_ns: texts.event("notice", None, code="64008", msg=_UPGRADE))
        self.peers.append(peer)
        scene.truth.line("open", t=now_ns, c=number, u=url)
        return peer

    def receive(self, peer: Peer, text: str, now_ns: int) -> None:
        """A text frame came in."""
        scene = self.scene
        scene.truth.line("in", t=now_ns, c=peer.number, f=text)
        if not peer.hear(now_ns) or peer.half_open:
            return
        if text == "ping":
            peer.reply("pong", now_ns)
            return
        peer.requests += 1
        swallow = scene.plan.ack_swallow
        if swallow and scene.roll(f"ack {peer.number} {peer.requests}")[0] < swallow:
            scene.truth.line("fault", t=now_ns, c=peer.number, fault="ack_swallow", stream="", f=text)
            return
        request = self._read(peer, text, now_ns)
        for arg in request.get("args", ()):
            self._answer(peer, request.get("op", ""), arg, request.get("id"), now_ns)

    def _read(self, peer: Peer, text: str, now_ns: int) -> dict[str, Any]:
        try:
            request = json.loads(text)
            good = request["op"] in ("subscribe", "unsubscribe") and all(type(arg) is dict for arg in request["args"])
        except (ValueError, KeyError, TypeError):
            good = False
        if not good or len(text) > _ARGS_BYTES:
            peer.reply(texts.event("error", None, code="60012", msg=f"Invalid request: {text[:60]}"), now_ns)
            return {}
        asked = self._asked[peer.number] = [
            at for at in self._asked.get(peer.number, []) if now_ns - at < _HOUR_NS
        ]  # fmt: skip
        asked.append(now_ns)
        if len(asked) > _REQUESTS_AN_HOUR:
            peer.reply(texts.event("error", request.get("id"), code="60014", msg="Requests too frequent."), now_ns)
            return {}
        return dict(request)

    def _answer(self, peer: Peer, op: str, arg: dict[str, str], request: str | None, now_ns: int) -> None:
        channel, identity = arg.get("channel", ""), arg.get("instId") or arg.get("instType", "")
        if not self._exists(channel, identity, peer.leg):
            name = "instType" if "instType" in arg else "instId"
            msg = (
                f"Wrong URL or channel:{channel},{name}:{identity} doesn't exist. "
                "Please use the correct URL, channel and parameters referring to API document."
            )
            peer.reply(texts.event("error", request, code="60018", msg=msg), now_ns)
            return
        peer.reply(texts.event(op, request, arg=arg), now_ns)
        stream = f"{channel}:{identity}"
        if op == "unsubscribe":
            peer.streams.pop(stream, None)
            self.hub.leave(stream, peer)
            return
        after = self.scene.plan.silence(stream)
        peer.streams[stream] = None if after is None else now_ns + after
        if identity in self.feeds and (channel != "books" or self.snapshots):
            first = self.feeds[identity].first(channel, now_ns)
            if first:
                peer.deliver(stream, -now_ns, first, now_ns)
        self.hub.join(stream, peer, now_ns)

    def _exists(self, channel: str, identity: str, leg: str) -> bool:
        if leg != "public":
            return channel in _BUSINESS_CHANNELS and identity in self.feeds
        if channel == "index-tickers":
            return any(index_of(symbol) == identity for symbol in self.feeds)
        if channel == "liquidation-orders":
            return identity in ("SWAP", "FUTURES")
        if identity not in self.feeds:
            return False
        return channel in _INSTRUMENT_CHANNELS or (channel in _DERIVATIVE_CHANNELS and kind_of(identity) != "SPOT")

    def lost(self, peer: Peer, code: int, reason: str, now_ns: int) -> None:
        """The connection is gone."""
        if peer in self.peers:
            self.peers.remove(peer)
            for stream in peer.streams:
                self.hub.leave(stream, peer)
            self.scene.truth.line("close", t=now_ns, c=peer.number, code=code, reason=reason)

    def get(self, target: str, now_ns: int) -> Answer | None:
        """The answer to a REST request; None for a path that is not simulated."""
        parts = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path in LISTS:
            row = listed if parts.path == _INSTRUMENTS else day_ticker
            kind = query.get("instType", "")
            rows: list[Any] = [row(feed.spec) for symbol, feed in self.feeds.items() if kind_of(symbol) == kind]
        elif parts.path == "/api/v5/market/books":
            feed = self.feeds.get(query.get("instId", ""))
            if feed is None:
                body = {"code": "51001", "msg": "Instrument ID does not exist", "data": []}
                return Answer(200, {}, json.dumps(body))
            rows = [feed.snapshot(now_ns)]
        elif parts.path in _TRADES:
            most, before = query.get("limit", "100"), query.get("after", "0")
            feed = self.feeds.get(query.get("instId", ""))
            if feed is None or not most.isdecimal() or not before.isdecimal():
                return Answer(200, {}, json.dumps({"code": "51000", "msg": "Parameter error", "data": []}))
            rows = feed.old_trades(int(before), min(int(most), _TRADES[parts.path]))
            self.scene.truth.line("rest", t=now_ns, u=target, status=200, f="")
        else:
            return None
        return Answer(200, {}, json.dumps({"code": "0", "msg": "", "data": rows}))

    def finish(self) -> None:
        """The run ends: what is held back goes out and the final books are written down."""
        for symbol, feed in self.feeds.items():
            feed.finish()
            bids, asks = feed.book()
            self.scene.truth.line("book", s=symbol, bids=bids, asks=asks)
