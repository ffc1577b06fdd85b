"""HTTP GETs of the feed: few at a time, bounded in time and size, always answered exactly once."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable
from typing import Any, Protocol

import aiohttp

from ringcollect.config.secrets import mask_text
from ringcollect.feed.actions import Rest
from ringcollect.feed.socks import SocksConnector

MAX_BODY_BYTES = 64 << 20
FAILED = 0
"""``status`` of an answer that never came; the body then says why."""


class Gets(Protocol):
    """What a shell needs of a REST client."""

    def get(self, request: Rest) -> None:
        """Start one request; it is answered exactly once."""

    async def close(self) -> None:
        """Cancel what runs; nobody is told."""


class RestClient:
    """At most ``concurrency`` requests in flight; ``on_answer(request, status, headers, body, ts)`` for each.

    ``admit(request) -> seconds`` is asked before a request is sent and asked again after that wait: the place of a
    budget shared with other processes on this address.
    """

    def __init__(
        self,
        on_answer: Callable[[Rest, int, dict[str, str], bytes, int], None],
        *,
        concurrency: int = 4,
        timeout_s: float = 15.0,
        max_body_bytes: int = MAX_BODY_BYTES,
        admit: Callable[[Rest], float] = lambda request: 0.0,
        now_ns: Callable[[], int] = time.time_ns,
        proxy: str | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._on_answer = on_answer
        self._limit = asyncio.Semaphore(concurrency)
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._max_body_bytes = max_body_bytes
        self._admit = admit
        self._now_ns = now_ns
        is_socks = proxy is not None and proxy.startswith("socks")
        self._http_proxy = None if is_socks else proxy
        self._socks = proxy if is_socks else None
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def get(self, request: Rest) -> None:
        """Start one request; the session bounds how many it has open."""
        task = asyncio.get_running_loop().create_task(self._run(request))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Cancel what runs (nobody is told) and close the sockets."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def _run(self, request: Rest) -> None:
        async with self._limit:
            while (wait_s := self._admit(request)) > 0:
                await asyncio.sleep(wait_s)
            status, headers, body = await self._fetch(request.url)
        self._on_answer(request, status, headers, body, self._now_ns())

    async def _fetch(self, url: str) -> tuple[int, dict[str, str], bytes]:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout, connector=self._connector())
        try:
            async with self._session.get(url, proxy=self._http_proxy, allow_redirects=False) as answer:
                body = bytearray()
                async for chunk in answer.content.iter_chunked(1 << 16):
                    body += chunk
                    if len(body) > self._max_body_bytes:
                        return FAILED, {}, f"the answer has more than {self._max_body_bytes} bytes".encode()
                return answer.status, {k.lower(): v for k, v in answer.headers.items()}, bytes(body)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            return FAILED, {}, mask_text(f"{type(error).__name__}: {error}").encode()

    def _connector(self) -> aiohttp.TCPConnector:
        options: dict[str, Any] = {"limit_per_host": 8, "ssl": self._tls if self._tls is not None else True}
        return SocksConnector(self._socks, **options) if self._socks else aiohttp.TCPConnector(**options)
