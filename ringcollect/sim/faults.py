"""Faults on demand: ``drop=0.001,dup=0.001,cut=60s`` as one typed plan.

Every decision is a hash of (seed, what, where): the same seed does the same to the same frame on the same
connection, whenever the client came and whatever else it subscribed to.
"""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from hashlib import blake2b
from typing import Any

import msgspec

from ringcollect.durations import parse_duration
from ringcollect.errors import ConfigError


class Silence(msgspec.Struct, frozen=True):
    """Streams whose name matches are acked and fall silent ``after_ns`` after each subscription."""

    pattern: str
    after_ns: int


class Change(msgspec.Struct, frozen=True):
    """An instrument is listed, or listed no more, ``at_ns`` after the start. ``symbol`` is the native one."""

    symbol: str
    at_ns: int
    listed: bool


class FaultPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What goes wrong. Probabilities are per frame (or request), durations in ns; 0 is off."""

    drop: float = 0.0  # a data frame is not sent on this connection
    dup: float = 0.0  # a data frame is sent twice
    reorder: float = 0.0  # a data frame is sent after the one that follows it
    garbage: float = 0.0  # a frame nobody can decode is sent before a data frame
    gap: float = 0.0  # one to three depth events in a row reach no connection at all
    checksum: float = 0.0  # a book's frame says a wrong checksum (Kraken)
    fragment: float = 0.0  # a data frame is sent as one message in two to four fragments
    ack_swallow: float = 0.0  # a control request gets no answer and has no effect
    http_429: float = 0.0  # a REST request is refused with Retry-After
    snapshot_old: float = 0.0  # a depth snapshot is some seconds older than the stream
    half_open: int = 0  # the first connection of each path goes dead, still open, at this age
    slow: int = 0  # every frame is sent this much later
    cut: int = 0  # every connection is closed at this age (24 h at the venue)
    shutdown: int = 0  # serverShutdown at this age, then closed (spot)
    silent: tuple[Silence, ...] = ()
    changes: tuple[Change, ...] = ()

    @property
    def per_frame(self) -> bool:
        """Whether frames have to be looked at one by one."""
        return self.drop + self.dup + self.reorder + self.garbage > 0

    def silence(self, stream: str) -> int | None:
        """How long after its subscription ``stream`` falls silent, or None."""
        return min((s.after_ns for s in self.silent if fnmatchcase(stream, s.pattern)), default=None)


_DEFAULTS: dict[str, str] = {
    "drop": "0.001",
    "dup": "0.001",
    "reorder": "0.001",
    "garbage": "0.001",
    "gap": "0.001",
    "checksum": "0.001",
    "fragment": "0.5",
    "ack_swallow": "0.5",
    "http_429": "0.5",
    "snapshot_old": "0.5",
    "half_open": "10s",
    "slow": "250ms",
    "cut": "60s",
    "shutdown": "30s",
}
_OTHERS = ("silent", "list", "delist")
_DURATIONS = frozenset({"half_open", "slow", "cut", "shutdown"})


def parse_faults(text: str) -> FaultPlan:
    """A plan from ``name[=value],…``.

    ``silent=PATTERN[:DURATION]``, ``list=SYMBOL@DURATION`` and ``delist=SYMBOL@DURATION`` may be given several times.
    Raises ConfigError naming every bad item at once.
    """
    fields: dict[str, Any] = {}
    silences: list[Silence] = []
    changes: list[Change] = []
    problems: list[str] = []
    for item in filter(None, (part.strip() for part in text.split(","))):
        name, _, value = item.partition("=")
        try:
            if name == "silent":
                silences.append(_silence(value))
            elif name in _OTHERS:
                changes.append(_change(value, name == "list"))
            elif name in _DEFAULTS:
                fields[name] = _value(name, value or _DEFAULTS[name])
            else:
                problems.append(f"{name!r} is none of {', '.join([*_DEFAULTS, *_OTHERS])}")
        except ValueError as error:
            problems.append(f"{item!r}: {error}")
    if problems:
        raise ConfigError("simulator faults: " + "; ".join(problems))
    return FaultPlan(**fields, silent=tuple(silences), changes=tuple(changes))


def _value(name: str, text: str) -> float | int:
    if name in _DURATIONS:
        return parse_duration(text)
    try:
        probability = float(text)
    except ValueError:
        raise ValueError("a probability from 0 to 1 is expected") from None
    if not 0 <= probability <= 1:
        raise ValueError("a probability from 0 to 1 is expected")
    return probability


def _silence(text: str) -> Silence:
    pattern, _, after = text.partition(":")
    if not pattern:
        raise ValueError("a stream pattern such as btcusdt@trade or *@depth* is expected")
    return Silence(pattern, parse_duration(after) if after else 0)


def _change(text: str, listed: bool) -> Change:
    symbol, at, after = text.rpartition("@")
    if not at or not symbol:
        raise ValueError("a symbol and a time such as BTCUSDT@10s are expected")
    return Change(symbol.upper(), parse_duration(after), listed)


def dice(seed: int) -> Callable[[str], tuple[float, int]]:
    """A function from a text to (uniform number in [0, 1), 32 more bits), the same for ever for one seed."""
    key = str(seed).encode()[:64]

    def roll(what: str) -> tuple[float, int]:
        digest = blake2b(what.encode(), digest_size=12, key=key).digest()
        return int.from_bytes(digest[:8], "little") / 2**64, int.from_bytes(digest[8:], "little")

    return roll
