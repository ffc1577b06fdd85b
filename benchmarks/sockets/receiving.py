"""One round of a receiver: connect, take a known number of frames, say what it cost. Standard library only."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

Receive = Callable[[str, int], Awaitable[Any]]
"""``receive(url, frames)`` returns when that many frames were received, with what it wants to say about them."""


class Receiving:
    """A unit is a frame; the CPU time of the round is in the evidence."""

    def __init__(self, receive: Receive, url: str, frames: int, prepare: Callable[[], object] = lambda: None) -> None:
        self._receive, self._url, self._frames = receive, url, frames
        self._prepare = prepare
        self._found: dict[str, Any] = {}

    def prepare(self) -> None:
        self._prepare()

    def run(self) -> int:
        asyncio.run(self._timed())
        return self._frames

    async def _timed(self) -> None:
        cpu, wall = time.process_time_ns(), time.monotonic_ns()
        said = await self._receive(self._url, self._frames)
        cpu, wall = time.process_time_ns() - cpu, time.monotonic_ns() - wall
        self._found = {"cpu_ns": cpu, "wall_ns": wall, "said": said}

    def evidence(self) -> dict[str, Any]:
        return self._found
