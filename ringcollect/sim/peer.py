"""One client's connection without its socket: what is to be written, when it pings, when it dies.

The shell (a WebSocket server, or the capture writer) hands in what arrives and the time, and takes ``drain()``.
All times are ns of the wire clock. Faults that happen between venue and client happen here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Literal

from ringcollect.sim.faults import FaultPlan
from ringcollect.sim.garbage import garbage
from ringcollect.sim.rules import SECOND, WireRules
from ringcollect.sim.truth import Truth

Kind = Literal["text", "binary", "ping"]
Outgoing = tuple[Kind, bytes]
_MOST_DELAYED = 20_000  # frames a slow link may hold before the client is cut off
_SHUTDOWN_NOTICE_NS = 5 * SECOND
_MOST_PARKED_NS = 2 * SECOND  # a reordered frame that nothing follows is sent after this time all the same


class Peer:
    """State of one connection. ``streams`` is what was subscribed, in order; ``hub`` decides what is delivered."""

    def __init__(
        self,
        number: int,
        url: str,
        rules: WireRules,
        *,
        leg: str,
        combined: bool,
        divisor: int,
        now_ns: int,
        plan: FaultPlan,
        roll: Callable[[str], tuple[float, int]],
        truth: Truth,
        goes_half_open: bool,
    ) -> None:
        self.number = number
        self.url = url
        self.rules = rules
        self.leg = leg
        self.combined = combined
        self.divisor = divisor  # ns of one unit of the wire's times
        self.opened_ns = now_ns
        self.streams: dict[str, int | None] = {}  # name -> when it falls silent
        self.close_code = 0
        self.close_reason = ""
        self.half_open = False
        self.requests = 0
        self._messages = 0
        self._plan = plan
        self._roll = roll
        self._truth = truth
        self._out: list[Outgoing] = []
        self._delayed: deque[tuple[int, Outgoing]] = deque()
        self._parked: tuple[str, int] | None = None
        self._heard: deque[int] = deque(maxlen=rules.messages_per_s + 1)
        self._next_ping = now_ns + rules.ping_every_ns
        self._pong_due = 0
        self._half_open_at = now_ns + plan.half_open if goes_half_open else 0
        lifetime_ns = plan.cut or rules.lifetime_ns
        self._cut_at = now_ns + lifetime_ns if lifetime_ns else 0
        self._heard_ns = now_ns
        self._shutdown_at = now_ns + plan.shutdown if plan.shutdown and rules.announces_shutdown else 0
        self._shutdown_text: Callable[[int], str] | None = None

    @property
    def closed(self) -> bool:
        return self.close_code != 0

    def on_shutdown(self, text: Callable[[int], str]) -> None:
        """How the venue words its shutdown event at a time (ns)."""
        self._shutdown_text = text

    def close(self, code: int, reason: str) -> None:
        """Ask the shell to close; the first reason stays."""
        if not self.closed:
            self.close_code, self.close_reason = code, reason

    def hear(self, now_ns: int) -> bool:
        """Count one incoming frame (text, ping or pong); False when that was one too many per second."""
        self._heard.append(now_ns)
        self._heard_ns = now_ns
        most = self.rules.messages_per_s
        if most and len(self._heard) > most and now_ns - self._heard[0] < SECOND:
            self.close(1008, "Too many requests")
            return False
        return True

    def pong(self) -> None:
        """The client answered a ping."""
        self._pong_due = 0

    def reply(self, text: str, now_ns: int) -> None:
        """Send a control frame: no random fault touches it."""
        self._emit(text, now_ns)

    def deliver(self, stream: str, key: int, text: str, now_ns: int) -> None:
        """Send one data frame of ``stream``; (stream, key) names the frame whatever else was sent."""
        silent_at = self.streams.get(stream)
        if silent_at is not None and now_ns >= silent_at:
            self._fault("silent", stream, text, now_ns)
            return
        if not self._plan.per_frame:
            self._emit(text, now_ns)
            return
        plan = self._plan
        chance, bits = self._roll(f"{self.number} {stream} {key}")
        if chance < (edge := plan.drop):
            self._fault("drop", stream, text, now_ns)
            return
        if chance < (edge := edge + plan.reorder) and self._parked is None:
            self._fault("reorder", stream, text, now_ns)
            self._parked = (text, now_ns)
            return
        if edge <= chance < (edge := edge + plan.dup):
            self._fault("dup", stream, text, now_ns)
            self._emit(text, now_ns)
        elif edge <= chance < edge + plan.garbage:
            self._invent(stream, text, bits, now_ns)
        self._emit(text, now_ns)
        self._unpark(now_ns)

    def timer(self, now_ns: int) -> None:
        """Pings, deadlines and the scheduled ends of this connection."""
        if self._half_open_at and now_ns >= self._half_open_at and not self.half_open:
            self._fault("half_open", "", "", now_ns)
            self.half_open = True
        if self._cut_at and now_ns >= self._cut_at:
            self.close(1001, "")
        if self.rules.idle_ns and now_ns - self._heard_ns >= self.rules.idle_ns:
            self.close(4004, "No data received in 30s." if self.rules.announces_shutdown else "idle")
        if self._shutdown_at and now_ns >= self._shutdown_at and self._shutdown_text is not None:
            self.reply(self._shutdown_text(now_ns), now_ns)
            self._cut_at = now_ns + _SHUTDOWN_NOTICE_NS
            self._shutdown_at = 0
        if self._pong_due and now_ns >= self._pong_due:
            self.close(1008, "Pong timeout")
        if self.rules.ping_every_ns and now_ns >= self._next_ping:
            self._next_ping = now_ns + self.rules.ping_every_ns
            self._pong_due = self._pong_due or now_ns + self.rules.pong_within_ns
            self._queue("ping", b"%d" % (now_ns // 1_000_000), now_ns)
        if self._parked is not None and now_ns - self._parked[1] >= _MOST_PARKED_NS:
            self._unpark(now_ns)

    def drain(self, now_ns: int) -> list[Outgoing]:
        """What is to be written now, in order; texts among it count as sent at ``now_ns``."""
        if self.half_open:
            self._delayed.clear()
        while self._delayed and self._delayed[0][0] <= now_ns:
            self._out.append(self._delayed.popleft()[1])
        out, self._out = self._out, []
        if self._truth.wanted:
            for kind, payload in out:
                if kind == "text" or (kind == "binary" and self.rules.binary):
                    self._truth.sent(now_ns, self.number, payload.decode())
        return out

    def pieces(self) -> int:
        """In how many fragments the next text message goes over the wire."""
        if not self._plan.fragment:
            return 1
        self._messages += 1
        chance, bits = self._roll(f"{self.number} fragment {self._messages}")
        return 2 + bits % 3 if chance < self._plan.fragment else 1

    def _unpark(self, now_ns: int) -> None:
        if self._parked is not None:
            text, self._parked = self._parked[0], None
            self._emit(text, now_ns)

    def _invent(self, stream: str, text: str, bits: int, now_ns: int) -> None:
        kind, payload = garbage(text, bits)
        if kind == "text":
            self._fault("garbage", stream, payload.decode(), now_ns)
            self._emit(payload.decode(), now_ns)
        else:
            self._truth.line("fault", t=now_ns, c=self.number, fault="garbage", stream=stream, x=payload.hex())
            self._queue("binary", payload, now_ns)

    def _emit(self, text: str, now_ns: int) -> None:
        if self.half_open:
            self._fault("half_open", "", text, now_ns)
        else:
            self._queue("binary" if self.rules.binary else "text", text.encode(), now_ns)

    def _queue(self, kind: Kind, payload: bytes, now_ns: int) -> None:
        if self.half_open:
            return
        if not self._plan.slow:
            self._out.append((kind, payload))
        elif len(self._delayed) < _MOST_DELAYED:
            self._delayed.append((now_ns + self._plan.slow, (kind, payload)))
        else:
            self.close(1008, "Too slow")

    def _fault(self, name: str, stream: str, text: str, now_ns: int) -> None:
        if self._truth.wanted:
            self._truth.line("fault", t=now_ns, c=self.number, fault=name, stream=stream, f=text)
