"""What the sockets need from whatever is played behind them: a generated world or a capture."""

from __future__ import annotations

from typing import Protocol

from ringcollect.sim.peer import Peer
from ringcollect.sim.scene import Answer
from ringcollect.sim.truth import Truth


class Host(Protocol):
    """The venue a client talks to."""

    def receive(self, peer: Peer, text: str, now_ns: int) -> None:
        """A text frame came in."""

    def lost(self, peer: Peer, code: int, reason: str, now_ns: int) -> None:
        """The connection is gone."""


class Stage(Protocol):
    """All times are ns; ``wire_ns`` are times of the wire clock. ``markets`` are those that are served.

    One that is ``patient`` is not advanced while a client's socket is full, and no client is cut off for that.
    """

    truth: Truth
    markets: tuple[str, ...]
    patient: bool

    def has(self, target: str) -> bool:
        """Whether ``target`` is a path that a client may connect to."""

    def wire_ns(self, now_ns: int) -> int:
        """The wire clock at local time ``now_ns``."""

    def advance(self, wire_ns: int, most: int = 5_000) -> bool:
        """Let everything due happen, at most ``most`` steps; False when more is due."""

    def connect(self, target: str, wire_ns: int) -> tuple[Host, Peer] | None:
        """A client opened ``target``, or None when there is no such path."""

    def get(self, target: str, wire_ns: int) -> Answer | None:
        """The answer to a REST request, or None when no market has such a path."""

    def finish(self) -> None:
        """The run ends: send what is held back, write what the truth file ends with."""

    def frames_made(self) -> int:
        """Frames of the default streams so far."""

    def finished(self) -> bool:
        """Whether nothing more will come."""
