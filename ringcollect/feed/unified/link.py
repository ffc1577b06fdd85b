"""What a shell needs in place of sockets and HTTP: an opener of connections, and a client that answers for lists."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import msgspec

from ringcollect.exchanges.protocol import Purpose
from ringcollect.feed.actions import Rest
from ringcollect.feed.transport import Callbacks, Connection, Options, Refusal
from ringcollect.feed.unified.connection import CLOSE_CODE, UnifiedConnection
from ringcollect.feed.unified.library import Library

OnAnswer = Callable[[Rest, int, dict[str, str], bytes, int], None]
_FAILED, _OK, _BUSY = 0, 200, 429


class Link:
    """All connections of one feed share ``library``; ``poll_s`` is the time between two polls."""

    def __init__(self, library: Library, poll_s: float) -> None:
        self.library = library
        self._poll_s = poll_s

    async def open(
        self,
        url: str,
        conn: int,
        callbacks: Callbacks,
        *,
        on_open: Callable[[Connection, int], None],
        options: Options = Options(),  # noqa: B008  frozen
    ) -> Refusal | None:
        """:class:`~ringcollect.feed.transport.interface.Opener`: open as soon as ccxt has the exchange's markets."""
        library = self.library
        try:
            await library.load()
        except library.error as error:
            callbacks.on_close(conn, CLOSE_CODE, f"cannot connect: {_words(error)}", callbacks.now_ns())
            return Refusal(_BUSY) if isinstance(error, library.busy) else None
        on_open(UnifiedConnection(conn, library, callbacks, self._poll_s), callbacks.now_ns())
        return None

    def lists(self, on_answer: OnAnswer, **options: Any) -> Lists:
        """What takes the place of :class:`~ringcollect.feed.rest.RestClient`."""
        return Lists(self.library, on_answer, options.get("now_ns", time.time_ns))


class Lists:
    """Answers what a session asks ccxt: which instruments there are, and their volumes."""

    def __init__(self, library: Library, on_answer: OnAnswer, now_ns: Callable[[], int]) -> None:
        self._library = library
        self._on_answer = on_answer
        self._now_ns = now_ns
        self._tasks: set[asyncio.Task[None]] = set()

    def get(self, request: Rest) -> None:
        """Start one request; the session bounds how many it has open."""
        task = asyncio.get_running_loop().create_task(self._run(request))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Cancel what runs (nobody is told), and let ccxt close its sockets."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._library.close()

    async def _run(self, request: Rest) -> None:
        library = self._library
        try:
            found = await self._find(request)
            status, body = _OK, msgspec.json.encode(found)
        except library.error as error:
            status = _BUSY if isinstance(error, library.busy) else _FAILED
            body = _words(error).encode()
        except (KeyError, TypeError, ValueError, AttributeError) as error:  # ccxt read what it did not expect
            status, body = _FAILED, f"ccxt cannot read the markets: {_words(error)}".encode()
        self._on_answer(request, status, {}, body, self._now_ns())

    async def _find(self, request: Rest) -> Any:
        if request.purpose == Purpose.VOLUMES:
            return await self._library.volumes(request.market)
        return await self._library.instruments(request.market)


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error)[:200]}"
