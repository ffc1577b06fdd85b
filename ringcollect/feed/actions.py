"""What the session wants done in the world. It never does it itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Connect:
    """Open a socket to ``url`` and call it connection ``conn``; answer with ``open`` or ``close``."""

    conn: int
    url: str


@dataclass(frozen=True, slots=True)
class Send:
    """Send one text frame."""

    conn: int
    text: str


@dataclass(frozen=True, slots=True)
class Ping:
    """Send a WebSocket ping; any pong is a sign of life."""

    conn: int


@dataclass(frozen=True, slots=True)
class Close:
    """Close the socket; nothing of this connection may be delivered afterwards."""

    conn: int


@dataclass(frozen=True, slots=True)
class Rest:
    """GET ``url`` and answer with ``rest(request, ...)``, also when it fails (status 0).

    ``weight`` is what it costs of the budget named ``budget``; ``instrument`` is -1 where it concerns a market.
    """

    request: int
    url: str
    weight: int
    budget: str
    purpose: str
    market: str
    instrument: int


@dataclass(frozen=True, slots=True)
class Complain:
    """What is wrong with the configured symbols now, all of it, in words that name the keys."""

    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reloaded:
    """A changed configuration is in force for every market; ``added`` and ``ended`` streams."""

    added: int
    ended: int


Action = Connect | Send | Ping | Close | Rest | Complain | Reloaded
