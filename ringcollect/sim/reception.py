"""The door of a venue that has nothing peculiar at its door: who is connected, whose requests get lost."""

from __future__ import annotations

from ringcollect.sim.hub import Hub
from ringcollect.sim.peer import Peer
from ringcollect.sim.rules import WireRules
from ringcollect.sim.scene import Scene


class Reception:
    """The peers of one venue; of those that come by the same path the first goes half open, if that is planned."""

    peer_type: type[Peer] = Peer

    def __init__(self, scene: Scene, hub: Hub, rules: WireRules) -> None:
        self.scene = scene
        self.hub = hub
        self.peers: list[Peer] = []
        self._rules = rules
        self._paths_seen: set[str] = set()

    def admit(self, number: int, url: str, leg: str, now_ns: int) -> Peer:
        """A client connected."""
        scene = self.scene
        peer = self.peer_type(
            number, url, self._rules, leg=leg, combined=False, divisor=1, now_ns=now_ns, plan=scene.plan,
            roll=scene.roll, truth=scene.truth,
            goes_half_open=scene.plan.half_open > 0 and leg not in self._paths_seen,
        )  # fmt: skip
        self._paths_seen.add(leg)
        self.peers.append(peer)
        scene.truth.line("open", t=now_ns, c=number, u=url)
        return peer

    def hears(self, peer: Peer, text: str, now_ns: int) -> bool:
        """A text frame came in; False when it gets no answer and has no effect."""
        scene = self.scene
        scene.truth.line("in", t=now_ns, c=peer.number, f=text)
        if not peer.hear(now_ns) or peer.half_open:
            return False
        peer.requests += 1
        swallow = scene.plan.ack_swallow
        if swallow and scene.roll(f"ack {peer.number} {peer.requests}")[0] < swallow:
            scene.truth.line("fault", t=now_ns, c=peer.number, fault="ack_swallow", stream="", f=text)
            return False
        return True

    def subscribe(self, peer: Peer, stream: str, now_ns: int) -> None:
        """``peer`` hears ``stream`` from now on, for as long as the plan lets it."""
        after = self.scene.plan.silence(stream)
        peer.streams[stream] = None if after is None else now_ns + after
        self.hub.join(stream, peer, now_ns)

    def unsubscribe(self, peer: Peer, stream: str) -> None:
        """``peer`` hears ``stream`` no more."""
        peer.streams.pop(stream, None)
        self.hub.leave(stream, peer)

    def lost(self, peer: Peer, code: int, reason: str, now_ns: int) -> None:
        """The connection is gone."""
        if peer in self.peers:
            self.peers.remove(peer)
            for stream in peer.streams:
                self.hub.leave(stream, peer)
            self.scene.truth.line("close", t=now_ns, c=peer.number, code=code, reason=reason)
