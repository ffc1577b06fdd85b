"""A connection that is no socket: a task per (symbol, channel) calls ccxt, and what it answers is a frame.

What ccxt refuses for good becomes the answer to the request that asked for it; every other failure ends the connection,
so that waiting and trying again stays with the session, by its own rules.
"""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import structlog

from ringcollect.exchanges.ccxt.messages import Asked, Said, Wanted
from ringcollect.feed.transport import Callbacks
from ringcollect.feed.unified.library import Library
from ringcollect.feed.unified.sources import Source, source_of

ACK_S = 1.0
"""ccxt tells of no acknowledgement: one that nothing refused for this long counts as given."""
LEAVE_S = 5.0
CALLS_IN_A_ROW = 64
"""So many calls that answer at once hold up nobody. Not every one: what comes between an answer and the next call is
shown by ccxt only together with what comes after it.
"""
CLOSE_CODE = 1006
MOST_REFUSALS = 8
"""So many in a row, without an answer between them, are no longer somebody else's."""
_TEXT = 1
_MOST_REASON = 200

_asked = msgspec.json.Decoder(Asked)
_encode = msgspec.json.Encoder().encode
_Key = tuple[str, str]


class UnifiedConnection:
    """A :class:`~ringcollect.feed.transport.interface.Connection`; ``poll_s`` between two calls where ccxt polls."""

    def __init__(self, conn: int, library: Library, callbacks: Callbacks, poll_s: float) -> None:
        self._conn = conn
        self._library = library
        self._callbacks: Callbacks | None = callbacks
        self._poll_s = poll_s
        self._tasks: dict[_Key, asyncio.Task[None]] = {}
        self._sources: dict[_Key, Source] = {}
        self._waiting: set[_Key] = set()  # asked for and neither acknowledged nor refused
        self._log = structlog.get_logger().bind(exchange=library.name, conn=conn)

    @property
    def conn(self) -> int:
        return self._conn

    def send_text(self, text: str) -> None:
        """What the session asks for; answers come later, never from in here."""
        asked = _asked.decode(text)
        for wanted in asked.w:
            key = wanted[0], wanted[1]
            before = self._tasks.pop(key, None)
            if before is not None:
                before.cancel()
            if asked.do == "subscribe":
                self._begin(key, wanted, asked.id)

    def send_ping(self) -> None:
        """As long as its tasks run the connection is alive: dead sockets ccxt finds by its own pings."""
        asyncio.get_running_loop().call_soon(self._alive)

    def drop(self) -> None:
        """End without a further word."""
        self._callbacks = None
        self._cancel()

    # the tasks

    def _begin(self, key: _Key, wanted: Wanted, request: int) -> None:
        left = self._sources.pop(key, None)
        task = asyncio.get_running_loop().create_task(self._feed(key, wanted, request, left))
        self._tasks[key] = task
        task.add_done_callback(lambda done: self._ended(key, done))

    async def _feed(self, key: _Key, wanted: Wanted, request: int, left: Source | None) -> None:
        library = self._library
        source = source_of(library, wanted, self._poll_s)
        if isinstance(source, str):
            self._say(request, key, source)
            return
        if left is not None and left.leave is not None and not self._shares(key, left):
            await self._leave(left)
        self._sources[key] = source
        self._waiting.add(key)
        ack = asyncio.get_running_loop().call_later(ACK_S, self._acknowledge, request, key)
        try:
            await self._listen(key, source, request)
        except library.refusals as error:
            if key not in self._waiting:
                raise
            self._say(request, key, f"{type(error).__name__}: {str(error)[:_MOST_REASON]}")
        finally:
            ack.cancel()
            self._waiting.discard(key)

    async def _listen(self, key: _Key, source: Source, request: int) -> None:
        since, calls, refused = self._now_ms(), 0, 0
        while True:
            try:
                found = await source.ask()
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if task is None or task.cancelling():
                    raise
                continue  # another task that waited for the same answer of ccxt was cancelled, and this one with it
            except self._library.refusals as error:
                refused += 1
                found = await self._refused(key, source, error, refused)
                if found is None:
                    continue
            self._acknowledge(request, key)
            self._deliver(source.frame(found, since))
            since, calls, refused = 0, calls + 1, 0
            if source.pause_s or calls % CALLS_IN_A_ROW == 0:
                await asyncio.sleep(source.pause_s)

    async def _refused(self, key: _Key, source: Source, error: Exception, times: int) -> Any:
        """A refusal, perhaps of somebody else: some classes (OKX) tell everybody who waits on the same socket.

        Who was acknowledged asks again. Who was not asks once more while nobody else does: then a refusal is its own,
        and is raised. The answer, or None: there was none to tell.
        """
        if key not in self._waiting:
            if times >= MOST_REFUSALS:
                raise error
            await asyncio.sleep(min(1.0, 0.02 * 2**times))
            return None
        async with self._library.alone:
            try:
                return await asyncio.wait_for(source.ask(), ACK_S)
            except TimeoutError:
                return None  # nothing new, and no refusal either

    async def _leave(self, source: Source) -> None:
        assert source.leave is not None
        try:
            await asyncio.wait_for(source.leave(), LEAVE_S)
        except (self._library.error, TimeoutError) as error:
            self._log.warning("ccxt_unwatch_failed", call=source.name, reason=str(error)[:_MOST_REASON])

    def _shares(self, key: _Key, source: Source) -> bool:
        """Whether another task lives on the same stream of ccxt (a ticker that is also the best prices)."""
        return any(
            other != key and other[0] == key[0] and self._sources[other].name == source.name
            for other in self._tasks
            if other in self._sources
        )

    def _ended(self, key: _Key, task: asyncio.Task[None]) -> None:
        if self._tasks.get(key) is task:
            del self._tasks[key]
        if task.cancelled():
            return
        error = task.exception()
        if error is None:
            return
        if not isinstance(error, self._library.error):
            self._log.error("ccxt_failed", symbol=key[0], channel=key[1], error=type(error).__name__, exc_info=error)
        self._end(f"{key[1]} of {key[0]}: {type(error).__name__}: {str(error)[:_MOST_REASON]}")

    def _end(self, reason: str) -> None:
        callbacks, self._callbacks = self._callbacks, None
        self._cancel()
        if callbacks is not None:
            callbacks.on_close(self._conn, CLOSE_CODE, reason, callbacks.now_ns())

    def _cancel(self) -> None:
        tasks, self._tasks = self._tasks, {}
        for task in tasks.values():
            task.cancel()

    # what the session is told

    def _acknowledge(self, request: int, key: _Key) -> None:
        if key in self._waiting:
            self._waiting.discard(key)
            self._say(request, key, "")

    def _say(self, request: int, key: _Key, refusal: str) -> None:
        if refusal:
            self._log.warning("refused", symbol=key[0], channel=key[1], reason=refusal)
        self._deliver(_encode(Said(request, not refusal, [key], m=refusal)))

    def _deliver(self, frame: bytes) -> None:
        callbacks = self._callbacks
        if callbacks is not None:
            callbacks.on_frames(self._conn, [frame], _TEXT, callbacks.now_ns())

    def _alive(self) -> None:
        if self._callbacks is not None:
            self._callbacks.on_alive(self._conn, self._callbacks.now_ns())

    def _now_ms(self) -> int:
        return 0 if self._callbacks is None else self._callbacks.now_ns() // 1_000_000
