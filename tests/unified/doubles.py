"""A ccxt that says what a test wants it to say, and somebody who listens to a connection."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Any

import msgspec

from ringcollect.exchanges.ccxt.messages import Asked
from ringcollect.feed.transport import Callbacks


class BaseError(Exception):
    """As ccxt's root of errors."""


class NetworkError(BaseError):
    """As ccxt's."""


class BadSymbol(BaseError):
    """As ccxt's."""


class FakeLibrary:
    """``answers[method]`` is a queue: an exception is raised, anything else returned; an empty one keeps waiting."""

    name = "ccxt_fake"
    trades_limit = 3
    book_limit: int | None = 25
    error: type[Exception] = BaseError
    refusals: tuple[type[Exception], ...] = (BadSymbol,)
    busy: tuple[type[Exception], ...] = ()

    def __init__(self, *methods: str) -> None:
        self.methods = methods
        self.alone = asyncio.Lock()
        self.answers: defaultdict[str, asyncio.Queue[Any]] = defaultdict(asyncio.Queue)
        self.calls: list[tuple[Any, ...]] = []

    def can(self, method: str) -> bool:
        return method in self.methods

    def method(self, name: str) -> Any:
        async def call(*args: Any) -> Any:
            self.calls.append((name, *args))
            answer = await self.answers[name].get()
            if isinstance(answer, BaseException):
                raise answer
            return answer

        return call


class Listener:
    """What a connection said: ``frames`` parsed, ``closed`` the reasons."""

    def __init__(self) -> None:
        self.frames: list[dict[str, Any]] = []
        self.closed: list[str] = []
        self.lives = 0
        self.now_ns = 1_700_000_000 * 10**9

    def callbacks(self) -> Callbacks:
        return Callbacks(self._frames, self._alive, self._close, lambda: self.now_ns)

    def _frames(self, conn: int, payloads: list[bytes], opcode: int, ts_recv: int) -> None:
        self.frames += [msgspec.json.decode(payload) for payload in payloads]

    def _alive(self, conn: int, ts: int) -> None:
        self.lives += 1

    def _close(self, conn: int, code: int, reason: str, ts: int) -> None:
        self.closed.append(reason)

    def of(self, channel: str) -> list[dict[str, Any]]:
        return [frame for frame in self.frames if frame["c"] == channel]


def asked(what: str, *wants: tuple[str, str, int], number: int = 1) -> str:
    return msgspec.json.encode(Asked(number, what, list(wants))).decode()


async def settle() -> None:
    """Let everything that is ready happen."""
    for _ in range(20):
        await asyncio.sleep(0)
