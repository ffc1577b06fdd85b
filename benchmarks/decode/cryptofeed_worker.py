"""cryptofeed's own message handler on raw frames, with its own book, in its own environment.

Offline: symbols are put into its table by hand, and its REST book comes from the capture. Its callback takes every
object it makes, as a user's would. Its coroutines never wait here, so they are driven without an event loop.
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from cryptofeed.defines import L2_BOOK, PERPETUAL, SPOT, TICKER, TRADES
from cryptofeed.exchanges import EXCHANGE_MAP
from cryptofeed.symbols import Symbol, Symbols

from benchmarks.decode.evidence import LEVELS
from benchmarks.serving import serve

VENUES = {
    ("binance", "spot"): "BINANCE",
    ("binance", "linear"): "BINANCE_FUTURES",
    ("bybit", "linear"): "BYBIT",
    ("bybit", "spot"): "BYBIT",
    ("okx", "spot"): "OKX",
    ("coinbase", "spot"): "COINBASE",
    ("kraken", "spot"): "KRAKEN",
    ("kraken_futures", "inverse"): "KRAKEN_FUTURES",
    ("upbit", "spot"): "UPBIT",
}
"""Our exchange and the connection's market to cryptofeed's class."""
CHANNELS = {"book": L2_BOOK, "trade": TRADES, "bbo": TICKER}


class Snapshots:
    """Stands for cryptofeed's REST connection: answers with the captured body of the symbol in the URL."""

    def __init__(self, seeds: list[dict[str, Any]]) -> None:
        self._bodies = {seed["symbol"]: seed["body"] for seed in seeds}

    async def read(self, url: str) -> str:
        """The body for the symbol of the query."""
        return next(body for symbol, body in self._bodies.items() if f"symbol={symbol}&" in url)


class Handler:
    """One case."""

    def __init__(self, spec: dict[str, Any]) -> None:
        case = json.loads(Path(spec["case"]).read_text())
        self._channel: str = case["channel"]
        if (case["exchange"], case["market"]) not in VENUES:
            raise LookupError(
                f"cryptofeed has no handler for {case['exchange']} {case['market']} of this capture's time"
            )
        self._frames = [(frame, time / 1e9) for time, frame in case["frames"]]
        self._seeds = case["seeds"]
        self.passes = max(1, min(20, 2_000 // len(self._frames)))
        self._class = EXCHANGE_MAP[VENUES[case["exchange"], case["market"]]]
        self._connection = SimpleNamespace(address=case["url"], uuid="bench")
        self._prelude = [(frame, time / 1e9) for time, frame in case["prelude"]]
        self._names = {_name(of): symbol for symbol, of in case["symbols"].items()}
        kinds = {_name(of): SPOT if of["market"] == "spot" else PERPETUAL for of in case["symbols"].values()}
        Symbols.set(self._class.id, dict(self._names), {"instrument_type": kinds})
        self._got = 0
        self._last: dict[str, Any] = {}

    def prepare(self) -> None:
        """A feed that has seen nothing; a book handler then asks for its snapshots with the first frame."""
        channel = CHANNELS[self._channel]
        self._got = 0
        self._last = {}
        self._feed = self._class(symbols=list(self._names), channels=[channel], callbacks={channel: self._take})
        self._feed.http_conn = Snapshots(self._seeds)
        if self._channel == "book":
            for symbol in {seed["symbol"] for seed in self._seeds} & set(self._names.values()):
                finish(self._feed._snapshot(symbol))
            for frame, time in self._prelude:
                finish(self._feed.message_handler(frame, self._connection, time))

    async def _take(self, thing: Any, receipt: float) -> None:
        self._got += 1
        self._last[thing.symbol] = thing

    def run(self) -> int:
        """Every frame through the handler."""
        before = self._got
        handler = self._feed.message_handler
        connection = self._connection
        for frame, time in self._frames:
            finish(handler(frame, connection, time))
        if self._got - before < len(self._frames):
            raise ValueError(f"cryptofeed called back for {self._got - before} of {len(self._frames)} frames")
        return len(self._frames)

    def evidence(self) -> dict[str, Any]:
        """See benchmarks/decode/evidence.py."""
        return {self._names[name]: self._shown(thing) for name, thing in self._last.items()}

    def _shown(self, thing: Any) -> list[Any]:
        if self._channel == "trade":
            return [float(thing.price), float(thing.amount)]
        if self._channel == "book":
            sides = (thing.book.bids, thing.book.asks)
            return [
                [[float(number) for number in side.index(k)] for k in range(min(LEVELS, len(side)))] for side in sides
            ]
        return [float(thing.bid), None, float(thing.ask), None]


def _name(of: dict[str, Any]) -> str:
    """cryptofeed's name of an instrument; one with a date keeps ours."""
    if of["market"] != "spot" and not of["unified"].endswith("-PERP"):
        return str(of["unified"])
    return str(Symbol(of["base"], of["quote"], type=SPOT if of["market"] == "spot" else PERPETUAL).normalized)


def finish(coroutine: Any) -> None:
    """Run a coroutine that never waits."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise RuntimeError("a handler waited for something")


if __name__ == "__main__":
    serve(Handler, {"cryptofeed": version("cryptofeed"), "cryptofeed's Python": sys.version.split()[0]})
