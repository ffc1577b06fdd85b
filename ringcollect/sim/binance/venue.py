"""One Binance market as a server without sockets: who connects, what they ask for, what they get."""

from __future__ import annotations

from ringcollect.sim.binance import control, texts
from ringcollect.sim.binance.feed import SymbolFeed
from ringcollect.sim.binance.linear import LinearFeed
from ringcollect.sim.binance.paths import Route
from ringcollect.sim.binance.streams import leg_of, topic_of
from ringcollect.sim.hub import Hub
from ringcollect.sim.market import SECOND
from ringcollect.sim.peer import Peer
from ringcollect.sim.rules import LINEAR_WIRE, SPOT_WIRE, WireRules
from ringcollect.sim.scene import Scene
from ringcollect.sim.specs import linear_spec, spot_spec

_SILENT_FOR_EVER = 1 << 62
_ALL_TICKERS_EVERY_NS = 5 * SECOND


class Venue:
    """``market`` is spot or linear; each of ``symbols`` gets ``frames_per_s`` frames on its default streams."""

    def __init__(self, market: str, symbols: tuple[str, ...], frames_per_s: float, scene: Scene) -> None:
        self.market = market
        self.rules: WireRules = SPOT_WIRE if market == "spot" else LINEAR_WIRE
        self.hub = Hub(market, scene.plan, scene.roll, scene.truth)
        self.peers: list[Peer] = []
        self.scene = scene
        self._seen_paths: set[str] = set()
        feed_type = SymbolFeed if market == "spot" else LinearFeed
        make_spec = spot_spec if market == "spot" else linear_spec
        self.feeds: dict[str, SymbolFeed] = {
            symbol: feed_type(
                make_spec(symbol),
                seed=scene.seed,
                start_ns=scene.start_ns,
                frames_per_s=frames_per_s,
                hub=self.hub,
                scheduler=scene.scheduler,
                truth=scene.truth,
                keeps_old_snapshots=scene.plan.snapshot_old > 0,
            )
            for symbol in symbols
        }
        if market == "linear" and symbols:
            scene.scheduler.add(SECOND - scene.start_ns % SECOND, self._all_market_streams)

    def open(self, number: int, url: str, route: Route, now_ns: int) -> Peer:
        """A client connected; streams named in the path flow at once and without ack."""
        path = f"{route.market}/{route.leg}"
        peer = Peer(
            number,
            url,
            self.rules,
            leg=route.leg,
            combined=route.combined,
            divisor=route.divisor,
            now_ns=now_ns,
            plan=self.scene.plan,
            roll=self.scene.roll,
            truth=self.scene.truth,
            goes_half_open=self.scene.plan.half_open > 0 and path not in self._seen_paths,
        )
        self._seen_paths.add(path)
        peer.on_shutdown(lambda at_ns: texts.shutdown(at_ns, peer.divisor, peer.combined))
        self.peers.append(peer)
        self.scene.truth.line("open", t=now_ns, c=number, u=url)
        for stream in route.streams:
            self._subscribe(peer, stream, now_ns)
        return peer

    def receive(self, peer: Peer, text: str, now_ns: int) -> None:
        """A text frame came in."""
        self.scene.truth.line("in", t=now_ns, c=peer.number, f=text)
        if not peer.hear(now_ns) or peer.half_open:
            return
        peer.requests += 1
        plan = self.scene.plan
        if plan.ack_swallow and self.scene.roll(f"ack {peer.number} {peer.requests}")[0] < plan.ack_swallow:
            self.scene.truth.line("fault", t=now_ns, c=peer.number, fault="ack_swallow", stream="", f=text)
            return
        request = control.read_request(text, peer)
        if request.refusal:
            peer.reply(request.refusal, now_ns)
            return
        answer: list[str] | bool | None = None
        if request.method == "LIST_SUBSCRIPTIONS":
            answer = list(peer.streams)
        elif request.method == "GET_PROPERTY":
            answer = peer.combined
        elif request.method == "SET_PROPERTY":
            peer.combined = request.params[1]
        peer.reply(control.result(answer, request.number), now_ns)
        for stream in request.params if request.method in ("SUBSCRIBE", "UNSUBSCRIBE") else ():
            if request.method == "SUBSCRIBE":
                self._subscribe(peer, stream, now_ns)
            else:
                self._unsubscribe(peer, stream)

    def lost(self, peer: Peer, code: int, reason: str, now_ns: int) -> None:
        """The connection is gone."""
        if peer in self.peers:
            self.peers.remove(peer)
            for stream in peer.streams:
                self.hub.leave(stream, peer)
            self.scene.truth.line("close", t=now_ns, c=peer.number, code=code, reason=reason)

    def _subscribe(self, peer: Peer, stream: str, now_ns: int) -> None:
        """Unknown streams, and those of the other path, are accepted and stay silent: so does the venue."""
        after = self.scene.plan.silence(stream)
        if stream not in peer.streams or peer.streams[stream] is not None:
            peer.streams[stream] = None if after is None else min(now_ns + after, _SILENT_FOR_EVER)
        if self.market == "linear" and leg_of(stream) != peer.leg:
            return
        symbol, _ = topic_of(stream)
        if symbol in self.feeds:
            self.feeds[symbol].ensure(stream)
        self.hub.join(stream, peer, now_ns)

    def _unsubscribe(self, peer: Peer, stream: str) -> None:
        if peer.streams.pop(stream, -1) != -1:
            self.hub.leave(stream, peer)

    def _all_market_streams(self, due_ns: int) -> int:
        now_ns = self.scene.start_ns + due_ns
        second = now_ns // SECOND
        feeds = [feed for feed in self.feeds.values() if isinstance(feed, LinearFeed)]
        for stream, due in (("!markPrice@arr@1s", True), ("!markPrice@arr", second % 3 == 0)):
            if due and self.hub.wanted(stream):
                self.hub.publish(
                    stream, second, now_ns, lambda unit: "[" + ",".join(f.mark_text(now_ns, unit) for f in feeds) + "]"
                )
        if second * SECOND % _ALL_TICKERS_EVERY_NS == 0:
            for feed in feeds:
                feed.tell_ticker("!bookTicker", now_ns)
        return due_ns + SECOND
