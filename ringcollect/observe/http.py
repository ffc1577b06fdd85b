"""The supervisor's HTTP page: health, readiness, status, subscriptions, metrics. Loopback unless configured otherwise.

Answers come from the supervisor's last snapshot and from shared memory; no request reaches a collecting process.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import msgspec
from aiohttp import web

from ringcollect.errors import EnvironmentRefused
from ringcollect.observe import metrics
from ringcollect.observe.health import State
from ringcollect.observe.rings import Subscription
from ringcollect.observe.snapshot import Snapshot, encode, iso

SHUTDOWN_S = 1.0


class StatusServer:
    """Serves what ``snapshot`` and ``subscriptions`` return at the moment of the request."""

    def __init__(self, snapshot: Callable[[], Snapshot], subscriptions: Callable[[], Sequence[Subscription]]) -> None:
        self._snapshot = snapshot
        self._subscriptions = subscriptions
        application = web.Application()
        application.add_routes(
            [
                web.get("/health", self._health),
                web.get("/ready", self._ready),
                web.get("/status", self._status),
                web.get("/subscriptions", self._ledger),
                web.get("/metrics", self._metrics),
            ]
        )
        self._runner = web.AppRunner(application, access_log=None, handle_signals=False, shutdown_timeout=SHUTDOWN_S)

    async def start(self, host: str, port: int) -> str:
        """Listen (``port`` 0: any free one) and return the address; raises EnvironmentRefused if it is taken."""
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, host, port).start()
        except OSError as error:
            await self._runner.cleanup()
            raise EnvironmentRefused(
                f"cannot listen on {host}:{port} for [http]: {error.strerror or error}; "
                "choose another port, 0 for any, or enabled = false"
            ) from error
        address = self._runner.addresses[0]
        return f"http://{host}:{address[1]}"

    async def close(self) -> None:
        """Stop listening; requests under way get a second."""
        with suppress(OSError):
            await self._runner.cleanup()

    async def _health(self, _: web.Request) -> web.Response:
        """Is it alive and able to write: 503 in state ERROR only."""
        now = self._snapshot()
        return _json(_short(now), 503 if now.state is State.ERROR else 200)

    async def _ready(self, _: web.Request) -> web.Response:
        """Is it collecting: 503 when OFFLINE or ERROR."""
        now = self._snapshot()
        return _json(_short(now), 503 if now.state in (State.OFFLINE, State.ERROR) else 200)

    async def _status(self, _: web.Request) -> web.Response:
        return web.Response(body=encode(self._snapshot()), content_type="application/json")

    async def _ledger(self, _: web.Request) -> web.Response:
        return _json(self._subscriptions(), 200)

    async def _metrics(self, _: web.Request) -> web.Response:
        body = metrics.exposition(lambda: (self._snapshot(), self._subscriptions()))
        return web.Response(body=body, headers={"Content-Type": metrics.CONTENT_TYPE})


def _short(now: Snapshot) -> dict[str, Any]:
    return {"state": now.state, "reason": now.reason, "since": iso(now.since_ns), "uptime_s": now.uptime_s}


def _json(content: Any, status: int) -> web.Response:
    return web.Response(body=msgspec.json.encode(content), status=status, content_type="application/json")
