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

URLS = {
    ("binance", "spot"): "wss://stream.binance.com:9443/stream",
    ("binance", "linear"): "wss://fstream.binance.com/ws/1",
}
"""URLs the handlers expect where the captured one differs: they take the market from it."""
CLASSES = {
    "binance": "binance", "bybit": "bybit", "okx": "okx", "coinbase": "coinbase", "kraken": "kraken",
    "kraken_futures": "krakenfutures", "upbit": "upbit",
}  # fmt: skip


class Handler:
    """One case."""

    def __init__(self, spec: dict[str, Any]) -> None:
        case = json.loads(Path(spec["case"]).read_text())
        self._channel: str = case["channel"]
        is_old = case["capture"].startswith("coinbase_exchange")
        self._class = getattr(ccxt.pro, "coinbaseexchange" if is_old else CLASSES[case["exchange"]])
        self._url = URLS.get((case["exchange"], case["market"]), case["url"] or "wss://example.invalid")
        self._prelude = [frame for _, frame in case["prelude"]]
        self._frames = [frame for _, frame in case["frames"]]
        self._seeds = case["seeds"]
        self.passes = max(1, min(20, 2_000 // len(self._frames)))
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
        if self._channel == "book":
            for frame in self._prelude:
                self._client.handle_text_or_binary_message(frame)

    def _described(self, symbol: str) -> dict[str, Any]:
        of = self._symbols[symbol]
        market, dated = of["market"], _is_dated(of)
        spot, linear = market == "spot", None if market == "spot" else market == "linear"
        return self._exchange.safe_market_structure(
            {
                "id": symbol, "symbol": self._unified(symbol), "base": of["base"], "quote": of["quote"],
                "settle": None if spot else of["quote"] if linear else of["base"],
                "type": "spot" if spot else "future" if dated else "swap", "spot": spot, "contract": not spot,
                "swap": not spot and not dated, "future": dated, "option": False,
                "linear": linear, "inverse": None if spot else not linear,
                "active": True, "contractSize": None if spot else 1.0,
                "precision": {"price": 1e-8, "amount": 1e-8},
            }
        )  # fmt: skip

    def _unified(self, symbol: str) -> str:
        of = self._symbols[symbol]
        name = f"{of['base']}/{of['quote']}"
        if of["market"] == "spot":
            return name
        settled = f"{name}:{of['quote'] if of['market'] == 'linear' else of['base']}"
        return f"{settled}-{of['unified'].rpartition('-')[2]}" if _is_dated(of) else settled

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


def _is_dated(of: dict[str, Any]) -> bool:
    return of["market"] != "spot" and not of["unified"].endswith("-PERP")


LOOP = asyncio.new_event_loop()

if __name__ == "__main__":
    serve(
        Handler, {"ccxt": version("ccxt"), "ccxt's orjson": version("orjson"), "ccxt's Python": sys.version.split()[0]}
    )
