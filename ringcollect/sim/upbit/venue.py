"""Upbit as a server without sockets: a request replaces the one before, and nothing is acknowledged."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from ringcollect.sim.hub import Hub
from ringcollect.sim.peer import Peer
from ringcollect.sim.rules import UPBIT_WIRE
from ringcollect.sim.scene import Answer, Scene
from ringcollect.sim.upbit.feed import UNITS, UpbitFeed, simple, spelled

PATH = "/websocket/v1"
_MARKETS, _TICKERS = "/v1/market/all", "/v1/ticker/all"
LISTS = (_MARKETS, _TICKERS)
DEFAULT, SIMPLE = 1, 2
"""What the ``divisor`` of a peer says: the format it asked for."""
_ALIVE = '{"status":"UP"}'


class _Refused(Exception):
    """A request that is answered by an error of this name."""


class UpbitVenue:
    """``symbols`` share ``frames_per_s``; of ``thin`` ones the bids are half as many as the asks.

    ``feeds`` are those of a capture.
    """

    def __init__(
        self, symbols: tuple[str, ...], frames_per_s: float, scene: Scene, *, thin: tuple[str, ...] = (),
        feeds: dict[str, UpbitFeed] | None = None,
    ) -> None:  # fmt: skip
        self.scene = scene
        self.hub = Hub("upbit", scene.plan, scene.roll, scene.truth)
        self.peers: list[Peer] = []
        self._half_open = scene.plan.half_open > 0
        self.feeds = feeds or {
            symbol: UpbitFeed(
                symbol, seed=scene.seed, start_ns=scene.start_ns, frames_per_s=frames_per_s / len(symbols),
                hub=self.hub, scheduler=scene.scheduler, truth=scene.truth, thin=symbol in thin,
            )
            for symbol in symbols
        }  # fmt: skip

    def open(self, number: int, url: str, now_ns: int) -> Peer:
        """A client connected; ``divisor`` of the peer is the format it asked for."""
        scene = self.scene
        peer = Peer(
            number, url, UPBIT_WIRE, leg="", combined=False, divisor=DEFAULT, now_ns=now_ns, plan=scene.plan,
            roll=scene.roll, truth=scene.truth, goes_half_open=self._half_open,
        )  # fmt: skip
        self._half_open = False
        self.peers.append(peer)
        scene.truth.line("open", t=now_ns, c=number, u=url)
        return peer

    def receive(self, peer: Peer, text: str, now_ns: int) -> None:
        """A text frame came in."""
        self.scene.truth.line("in", t=now_ns, c=peer.number, f=text)
        if not peer.hear(now_ns) or peer.half_open:
            return
        if text == "PING":
            peer.reply(_ALIVE, now_ns)
            return
        try:
            streams, form, both = self._read(text)
        except _Refused as refusal:
            peer.reply(json.dumps({"error": {"name": str(refusal), "message": "the request was refused"}}), now_ns)
            return
        peer.divisor = form
        for stream in list(peer.streams):
            self.hub.leave(stream, peer)
        peer.streams.clear()
        for stream in streams:
            self._join(peer, stream, both, now_ns)

    def _read(self, text: str) -> tuple[list[str], int, bool]:
        """(streams, format, whether a SNAPSHOT comes first). Raises _Refused."""
        try:
            parts = json.loads(text)
        except ValueError:
            raise _Refused("WRONG_FORMAT") from None
        if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
            raise _Refused("WRONG_FORMAT")
        if not parts or "ticket" not in parts[0]:
            raise _Refused("NO_TICKET")
        form = SIMPLE if any(part.get("format") == "SIMPLE" for part in parts) else DEFAULT
        wanted = [part for part in parts if "type" in part]
        if not wanted:
            raise _Refused("NO_TYPE")
        both = not any(part.get("is_only_realtime") or part.get("isOnlyRealtime") for part in wanted)
        return [stream for part in wanted for stream in self._streams(part)], form, both

    def _streams(self, part: dict[str, Any]) -> list[str]:
        codes = part.get("codes")
        if not codes:
            raise _Refused("NO_CODES")
        if part["type"] in ("trade", "ticker"):
            return [f"{part['type']}:{code}" for code in codes]
        if part["type"] != "orderbook":
            raise _Refused("INVALID_PARAM")
        named = [code.partition(".") for code in codes]
        return [f"orderbook:{code}.{int(n) if n.isdigit() and int(n) in UNITS else 30}" for code, _, n in named]

    def _join(self, peer: Peer, stream: str, both: bool, now_ns: int) -> None:
        """A code nobody knows is silently dropped."""
        kind, _, code = stream.partition(":")
        code, _, units = code.partition(".")
        feed = self.feeds.get(code)
        if feed is None:
            return
        after = self.scene.plan.silence(stream)
        peer.streams[stream] = None if after is None else now_ns + after
        first = feed.first(kind, int(units or 0), now_ns) if both else None
        if first:
            peer.deliver(stream, -now_ns, spelled(first if peer.divisor == DEFAULT else simple(first)), now_ns)
        self.hub.join(stream, peer, now_ns)

    def lost(self, peer: Peer, code: int, reason: str, now_ns: int) -> None:
        """The connection is gone."""
        if peer in self.peers:
            self.peers.remove(peer)
            for stream in peer.streams:
                self.hub.leave(stream, peer)
            self.scene.truth.line("close", t=now_ns, c=peer.number, code=code, reason=reason)

    def get(self, target: str, now_ns: int) -> Answer | None:
        """The answer to a REST request; None for a path that is not simulated."""
        path = urlsplit(target).path
        if path == _TICKERS:
            tickers = [{"market": s, "acc_trade_price_24h": feed.spec.day_turnover()} for s, feed in self.feeds.items()]
            return Answer(200, {}, json.dumps(tickers))
        if path != _MARKETS:
            return None
        rows = [{"market": symbol, "korean_name": "", "english_name": symbol} for symbol in self.feeds]
        return Answer(200, {}, json.dumps(rows))

    def finish(self) -> None:
        """The run ends: what is held back goes out and the final books are written down."""
        for symbol, feed in self.feeds.items():
            feed.finish()
            bids, asks = feed.book()
            self.scene.truth.line("book", s=symbol, bids=bids, asks=asks)
