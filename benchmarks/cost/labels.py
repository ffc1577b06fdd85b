"""A script as it comes about: each call is kept, and after it the ring is asked what it was about."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.cost.script import Call, Label, Script, Tally
from benchmarks.simulated import Told
from ringcollect.exchanges.protocol import Exchange
from ringcollect.feed.plan import Plan
from ringcollect.feed.session import Session
from ringcollect.instruments import Registry
from ringcollect.records import CHANNEL_OF_KIND, Channel, Flag, Kind
from ringcollect.ring.attach import attach
from ringcollect.ring.producer import Producer

FIRST = 3
"""Frames of a stream that are not timed: until they came, the feed looks at each of them, and once only."""
_CALLS = {"frame": "frame", "rest": "REST", "rest_seen": "REST"}


class _Counting:
    """An exchange whose kernel is counted by what it refuses: one frame of a call, and the next begins behind it."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.slow = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.exchange, name)

    def on_hot_frames(self, frames: list[bytes], ctx: np.ndarray, ts_recv: int) -> int:
        done = self.exchange.on_hot_frames(frames, ctx, ts_recv)
        self.slow += done < len(frames)
        return done


class Watched(Session):
    """A session that says how many frames no kernel finished."""

    def __init__(self, plan: Plan, exchange: Exchange, registry: Registry, ring: Producer) -> None:
        counting: Any = _Counting(exchange)
        super().__init__(plan, counting, registry, ring)
        self._counting = counting

    @property
    def slow(self) -> int:
        slow: int = self._counting.slow
        return slow


class Labelling:
    """Keeps the calls of a session for ``script``; at most ``most`` frames of a label are timed, none of them of before
    ``from_ns`` unless it is history.
    """

    def __init__(self, script: Script, session: Watched, ring: Producer, most: int, from_ns: int = 0) -> None:
        self.script = script
        self._session = session
        self._reader = attach(ring.path)
        self._most = most
        self._from_ns = from_ns
        self._told: Told | None = None
        self._slow = 0
        self._came: dict[tuple[int, int], int] = {}

    def keep(self, told: Told) -> None:
        """A call that is about to be made; whatever the ring got since the one before is that one's."""
        self.finish()
        self._told, self._slow = told, self._session.slow

    def finish(self) -> None:
        """The last call kept is over."""
        if self._told is None:
            return
        records = self._reader.read().records
        data = records[records["kind"] != Kind.STATUS]
        label = self._label(self._told[0], data) if len(data) else None
        self.script.calls.append(Call(self._told, -1 if label is None else self._count(label, data)))
        self._told = None

    def _label(self, name: str, data: np.ndarray) -> Label | None:
        first = data[int((data["kind"] == Kind.LIQUIDATION).argmax())]  # 0 where there is none
        flags, channel = int(first["flags"]), CHANNEL_OF_KIND[Kind(int(first["kind"]))]
        key = int(first["instrument"]), int(channel)
        stream = self._session.core.streams.get(key)
        if name not in _CALLS or stream is None or flags & Flag.UNSYNCED:
            return None
        is_history = bool(flags & Flag.SNAPSHOT) and channel in (Channel.BOOK, Channel.TRADE)
        self._came[key] = self._came.get(key, 0) + (not is_history)
        if not is_history and (self._came[key] <= FIRST or int(first["ts_recv"]) < self._from_ns):
            return None
        return Label(stream.market, channel.name.lower() + (" snapshot" if is_history else ""), _CALLS[name])

    def _count(self, label: Label, data: np.ndarray) -> int:
        script = self.script
        if label not in script.labels:
            script.labels.append(label)
            script.tallies.append(Tally())
        place = script.labels.index(label)
        tally = script.tallies[place]
        if tally.frames >= self._most:
            return -1
        tally.frames += 1
        tally.records += len(data)
        tally.channels |= {CHANNEL_OF_KIND[Kind(int(kind))].name.lower() for kind in np.unique(data["kind"])}
        tally.by_kernel += self._session.slow == self._slow and label.way == "frame"
        return place
