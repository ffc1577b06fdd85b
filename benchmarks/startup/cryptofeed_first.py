"""cryptofeed on the same simulator: prints a line at its first callback. ``python FILE WS_URL REST_URL SYMBOL...``."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from cryptofeed import FeedHandler, connection
from cryptofeed.connection import RestEndpoint, Routes, WebsocketEndpoint
from cryptofeed.defines import L2_BOOK, TICKER, TRADES
from cryptofeed.exchanges import Binance


async def _first(*_: Any) -> None:
    print("first callback", flush=True)


def main() -> None:
    """The same channels as ours: book, trades, best prices."""
    socket, rest, *symbols = sys.argv[1:]
    routes = Routes("/api/v3/exchangeInfo", l2book="/api/v3/depth?symbol={}&limit={}")
    Binance.websocket_endpoints = [WebsocketEndpoint(socket.replace("ws://", "wss://"))]
    connect = connection.connect
    connection.connect = lambda address, **options: connect(address.replace("wss://", "ws://"), **options)
    Binance.rest_endpoints = [RestEndpoint(rest, routes=routes)]
    handler = FeedHandler(config={"log": {"disabled": True}, "uvloop": True})
    asyncio.set_event_loop(asyncio.new_event_loop())  # it expects one to be there
    callbacks = {L2_BOOK: _first, TRADES: _first, TICKER: _first}
    handler.add_feed(Binance(symbols=symbols, channels=list(callbacks), callbacks=callbacks))
    handler.run()


if __name__ == "__main__":
    main()
