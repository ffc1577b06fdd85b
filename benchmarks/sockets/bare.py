"""Receive loops that count frames and do nothing with them: what each library costs at the least.

``python -m benchmarks.sockets.bare``, in our environment or in a peer's; a library is imported when it is asked for.
"""

from __future__ import annotations

import asyncio
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import uvloop

from benchmarks.serving import Subject, serve
from benchmarks.sockets.receiving import Receive, Receiving


async def with_aiohttp(url: str, frames: int) -> int:
    """``async for`` over aiohttp's client socket."""
    import aiohttp

    count = 0
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(url, compress=0, max_msg_size=0, autoping=True) as socket,
    ):
        async for _ in socket:
            count += 1
            if count == frames:
                break
    return count


async def with_websockets(url: str, frames: int) -> int:
    """``async for`` over a websockets client connection, text decoded to ``str`` as it comes."""
    from websockets.asyncio.client import connect

    count = 0
    async with connect(url, compression=None, max_size=None, ping_interval=None, close_timeout=0.1) as socket:
        async for _ in socket:
            count += 1
            if count == frames:
                break
    return count


async def with_picows(url: str, frames: int) -> int:
    """A picows listener that looks at no byte of the payload."""
    import picows

    enough = asyncio.Event()
    count = 0

    def on_ws_frame(listener: Any, transport: Any, frame: Any) -> None:
        nonlocal count
        count += 1
        if count == frames:
            enough.set()

    listener = type("Counting", (picows.WSListener,), {"on_ws_frame": on_ws_frame})
    transport, _ = await picows.ws_connect(listener, url)
    await enough.wait()
    transport.disconnect()
    return count


RECEIVERS: dict[str, Receive] = {"aiohttp": with_aiohttp, "websockets": with_websockets, "picows": with_picows}


def _open(spec: dict[str, Any]) -> Subject:
    uvloop.install()
    return Receiving(RECEIVERS[spec["library"]], spec["url"], spec["frames"])


def _versions() -> dict[str, str]:
    try:
        return {"picows": version("picows")}
    except PackageNotFoundError:
        return {}


if __name__ == "__main__":
    serve(_open, _versions())
