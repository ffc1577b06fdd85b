"""Who gets which stream, and in which dress (raw or combined, ms or µs)."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from ringcollect.sim.faults import FaultPlan
from ringcollect.sim.peer import Peer
from ringcollect.sim.truth import Truth

Text = Callable[[int], str]  # ns of one wire time unit -> the raw frame
MOST_KEPT = 100_000


class Hub:
    """The subscriptions of one market."""

    def __init__(
        self,
        market: str,
        plan: FaultPlan,
        roll: Callable[[str], tuple[float, int]],
        truth: Truth,
        books: str = "@depth",
    ) -> None:
        self.peers: dict[str, list[Peer]] = {}
        self.frames_sent = 0
        self._market = market
        self._plan = plan
        self._roll = roll
        self._truth = truth
        self._books = books  # what the names of streams have in which a gap may be
        self._gap_left: dict[str, int] = {}
        self._kept: dict[str, list[tuple[int, Text]]] = {}
        self._unlisted: set[str] = set()
        self.joins = 0

    def wanted(self, stream: str) -> bool:
        """Whether anybody listens: a frame nobody hears is not worth spelling."""
        return stream in self.peers

    def unlist(self, symbol: str) -> None:
        """Nothing is said of ``symbol`` any more, and whoever heard of it has to ask again when it is back."""
        self._unlisted.add(symbol)
        for stream in [stream for stream in self.peers if symbol in _about(stream)]:
            for peer in self.peers.pop(stream):
                peer.streams.pop(stream, None)

    def relist(self, symbol: str) -> None:
        """``symbol`` is there again."""
        self._unlisted.discard(symbol)

    def join(self, stream: str, peer: Peer, now_ns: int) -> None:
        """``peer`` hears ``stream`` from now on, and at once what was kept of it."""
        self.joins += 1
        members = self.peers.setdefault(stream, [])
        if peer not in members:
            members.append(peer)
        for key, text in self._kept.get(stream, ()):
            peer.deliver(stream, key, self._dress(stream, peer, text, ""), now_ns)

    def keep(self, stream: str, key: int, text: Text, *, whole: bool) -> None:
        """Remember a frame for those who come late: ``whole`` replaces what was kept, any other follows it.

        A stream that has said more than ``MOST_KEPT`` frames since it was whole is not kept until it is again.
        """
        if whole:
            self._kept[stream] = [(key, text)]
        elif len(kept := self._kept.get(stream, [])) >= MOST_KEPT:
            del self._kept[stream]
        elif kept:
            kept.append((key, text))

    def leave(self, stream: str, peer: Peer) -> None:
        members = self.peers.get(stream, [])
        if peer in members:
            members.remove(peer)
        if not members:
            self.peers.pop(stream, None)

    def publish(self, stream: str, key: int, now_ns: int, text: Text, wrapped: str = "") -> None:
        """Send one frame to all who listen; ``key`` tells the frames of a stream apart.

        ``wrapped`` is the exact combined form where it is known (a capture); else it is made from the raw one.
        """
        members = self.peers.get(stream)
        if not members or (self._unlisted and not self._unlisted.isdisjoint(_about(stream))):
            return
        dressed: dict[tuple[int, bool], str] = {}
        if self._plan.gap and self._books in stream and self._in_gap(stream, key):
            raw = text(members[0].divisor)
            self._truth.line("fault", t=now_ns, c=-1, fault="gap", m=self._market, stream=stream, f=raw)
            return
        for peer in members:
            dress = (peer.divisor, peer.combined)
            frame = dressed.get(dress)
            if frame is None:
                frame = dressed[dress] = self._dress(stream, peer, text, wrapped)
            peer.deliver(stream, key, frame, now_ns)
        self.frames_sent += len(members)

    def _dress(self, stream: str, peer: Peer, text: Text, wrapped: str) -> str:
        if not peer.combined:
            return text(peer.divisor)
        return wrapped or f'{{"stream":"{stream}","data":{text(peer.divisor)}}}'

    def _in_gap(self, stream: str, key: int) -> bool:
        left = self._gap_left.get(stream, 0)
        if left == 0:
            chance, bits = self._roll(f"gap {self._market} {stream} {key}")
            left = 1 + bits % 3 if chance < self._plan.gap else 0
        self._gap_left[stream] = max(0, left - 1)
        return left > 0


@lru_cache(maxsize=4096)
def _about(stream: str) -> frozenset[str]:
    """The words of a stream's name, a symbol among them; an index is called like an instrument and is none."""
    return frozenset() if stream.startswith("index") else frozenset(re.split("[:.@]", stream.upper()))
