"""ccxt.pro's own handlers on raw frames, in its own environment, JSON parsed as its client does it (orjson).

Offline: markets are made by hand, nothing is ever connected, and books start from the captured REST bodies.
"""

from __future__ import annotations

import asyncio
import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import ccxt.pro

from benchmarks.decode.evidence import LEVELS
from benchmarks.serving import serve

VENUES = {
    ("binance", "spot"): ("binance", "wss://stream.binance.com:9443/stream"),
    ("binance", "linear"): ("binance", "wss://fstream.binance.com/ws/1"),
}
"""Exchange class, and the URL its handlers expect (they take the market from it)."""


class Handler:
    """One case."""

    def __init__(self, spec: dict[str, Any]) -> None:
        case = json.loads(Path(spec["case"]).read_text())
        self._channel: str = case["channel"]
        if (case["exchange"], case["market"]) not in VENUES:
            raise LookupError(f"no ccxt.pro case was made for {case['exchange']} {case['market']}")
        name, self._url = VENUES[case["exchange"], case["market"]]
        self._class = getattr(ccxt.pro, name)
        self._frames = [frame for _, frame in case["frames"]]
        self._seeds = case["seeds"]
        self._market = case["market"]
        self._symbols = case["symbols"]

    def prepare(self) -> None:
        """An exchange that has seen nothing but its markets and the books' bases."""
        asyncio.set_event_loop(LOOP)
        self._exchange = self._class({"enableRateLimit": False})
        self._exchange.asyncio_loop = LOOP
        self._exchange.set_markets([self._described(symbol) for symbol in self._symbols])
        self._exchange.open = lambda: None
        self._client = self._exchange.client(self._url)
        for seed in self._seeds if self._channel == "book" else ():
            if seed["symbol"] in self._symbols:
                self._seed(seed)

    def _described(self, symbol: str) -> dict[str, Any]:
        spot = self._market == "spot"
        return self._exchange.safe_market_structure(
            {
                "id": symbol, "symbol": self._unified(symbol), "base": self._symbols[symbol]["base"],
                "quote": self._symbols[symbol]["quote"], "settle": None if spot else self._symbols[symbol]["quote"],
                "type": "spot" if spot else "swap", "spot": spot, "swap": not spot, "contract": not spot,
                "linear": None if spot else True, "inverse": None if spot else False, "future": False, "option": False,
                "active": True, "contractSize": None if spot else 1.0,
                "precision": {"price": 1e-8, "amount": 1e-8},
            }
        )  # fmt: skip

    def _unified(self, symbol: str) -> str:
        of = self._symbols[symbol]
        return f"{of['base']}/{of['quote']}" + ("" if self._market == "spot" else f":{of['quote']}")

    def _seed(self, seed: dict[str, Any]) -> None:
        body = json.loads(seed["body"])
        unified = self._unified(seed["symbol"])
        snapshot = self._exchange.parse_order_book(body, unified, None, "bids", "asks")
        snapshot["nonce"] = body["lastUpdateId"]
        book = self._exchange.order_book({}, 1000)
        book.reset(snapshot)
        self._exchange.orderbooks[unified] = book

    def run(self) -> int:
        """Every frame through the client's own parsing and the handlers."""
        handle = self._client.handle_text_or_binary_message
        for frame in self._frames:
            handle(frame)
        return len(self._frames)

    def evidence(self) -> dict[str, Any]:
        """See benchmarks/decode/evidence.py."""
        found: dict[str, Any] = {}
        for symbol in self._symbols:
            unified = self._unified(symbol)
            if self._channel == "book" and unified in self._exchange.orderbooks:
                book = self._exchange.orderbooks[unified].limit()
                found[symbol] = [[list(level[:2]) for level in book[side][:LEVELS]] for side in ("bids", "asks")]
            elif self._channel == "trade" and unified in self._exchange.trades:
                trade = self._exchange.trades[unified][-1]
                found[symbol] = [trade["price"], trade["amount"]]
            elif self._channel == "bbo" and unified in self._exchange.bidsasks:
                quote = self._exchange.bidsasks[unified]
                found[symbol] = [quote[name] for name in ("bid", "bidVolume", "ask", "askVolume")]
        return found


LOOP = asyncio.new_event_loop()

if __name__ == "__main__":
    serve(
        Handler, {"ccxt": version("ccxt"), "ccxt's orjson": version("orjson"), "ccxt's Python": sys.version.split()[0]}
    )
