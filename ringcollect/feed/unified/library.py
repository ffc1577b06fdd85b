"""One instance of one ccxt class: how it is made, what it can do, which of its errors mean what.

The only file that imports ccxt, and only when an instance is made.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping
from importlib import import_module
from typing import Any

from ringcollect.config.schema import Ccxt
from ringcollect.config.unified import PREFIX, missing
from ringcollect.errors import ConfigError
from ringcollect.exchanges.ccxt.messages import Instrument

_CREDENTIALS = ("apiKey", "secret", "password", "uid", "token", "privateKey", "walletAddress")
_REFUSALS = (
    "BadSymbol", "BadRequest", "NotSupported", "ArgumentsRequired", "AuthenticationError",
)  # fmt: skip
_BUSY = ("RateLimitExceeded", "DDoSProtection")


def load_ccxt() -> Any:
    """The module ``ccxt.pro``. Raises ConfigError that says what to install."""
    if absent := missing("ccxt"):
        raise ConfigError(absent)
    return import_module("ccxt.pro")


def credentials(name: str, env: Mapping[str, str]) -> dict[str, str]:
    """ccxt's credentials from ``RINGCOLLECT_CCXT_<CLASS>_<NAME>``; they are never in a file."""
    found = {key: env.get(f"RINGCOLLECT_CCXT_{name.upper()}_{key.upper()}", "") for key in _CREDENTIALS}
    return {key: value for key, value in found.items() if value}


def merged(base: Any, over: Any) -> Any:
    """``over`` laid over ``base``, table by table."""
    if not isinstance(base, Mapping) or not isinstance(over, Mapping):
        return over
    return {**base, **{key: merged(base.get(key), value) for key, value in over.items()}}


class Library:
    """``settings`` are the class's entry of the configuration; ``markets``, if given, are taken instead of loaded ones.

    Raises ConfigError if ccxt is not installed or has no such class.
    """

    def __init__(self, settings: Ccxt, env: Mapping[str, str], markets: Mapping[str, Any] | None = None) -> None:
        ccxt = load_ccxt()
        made = getattr(ccxt, settings.id, None)
        if made is None or settings.id not in ccxt.exchanges:
            raise ConfigError(f'ccxt has no class "{settings.id}" with feeds')
        self.name = PREFIX + settings.id
        self.trades_limit = settings.trades_limit
        self.book_limit = settings.book_limit or None
        self.exchange: Any = made(
            {
                "enableRateLimit": True,
                "newUpdates": True,
                "options": {**settings.options, "tradesLimit": settings.trades_limit},
                **credentials(settings.id, env),
            }
        )
        self.exchange.urls = merged(self.exchange.urls, settings.urls)
        if markets is not None:
            self.exchange.set_markets(markets)
        self._given = markets is not None
        self._told = False
        self.alone = asyncio.Lock()
        """Held by whoever has to know that an answer is its own."""
        self.error: type[Exception] = ccxt.BaseError
        self.refusals = tuple(getattr(ccxt, name) for name in _REFUSALS)
        self.busy = tuple(getattr(ccxt, name) for name in _BUSY)

    def can(self, method: str) -> bool:
        """Whether the class has the unified method ``watchOrderBook``."""
        return bool(self.exchange.has.get(method))

    def method(self, name: str) -> Callable[..., Awaitable[Any]]:
        """The method itself, by ccxt's own name for it in Python."""
        found: Callable[..., Awaitable[Any]] = getattr(self.exchange, name)
        return found

    async def load(self) -> None:
        """Have the class's markets, if they are not there yet. Raises ccxt's errors."""
        await self.exchange.load_markets()

    async def instruments(self, market: str) -> list[Instrument]:
        """Every instrument of ``market``; what was loaded for an earlier answer is loaded anew.

        Raises ccxt's errors.
        """
        exchange = self.exchange
        if not exchange.markets:
            await exchange.load_markets()
        elif self._told and not self._given:
            # Not load_markets(reload): some classes wait for that in every call, and all of them would fail with it.
            exchange.set_markets(await exchange.fetch_markets())
        self._told = True
        found = exchange.markets.values()
        return [instrument_of(one, self.exchange.precisionMode) for one in found if market_of(one) == market]

    async def volumes(self, market: str) -> dict[str, float | None]:
        """24 h quote volumes of every instrument of ``market``; none if the class cannot say. Raises ccxt's errors."""
        if not self.can("fetchTickers"):
            return {}
        known = self.exchange.markets
        asked = {"type": "spot"} if market == "spot" else {"type": "swap", "subType": market}
        found = await self.exchange.fetch_tickers(None, asked)  # thousands of symbols would not fit into an address
        return {
            symbol: one.get("quoteVolume")
            for symbol, one in found.items()
            if symbol in known and market_of(known[symbol]) == market
        }

    async def close(self) -> None:
        """Close every socket."""
        await self.exchange.close()


def market_of(market: Mapping[str, Any]) -> str:
    """Our word for a market of ccxt's; "" for what is not collected (options)."""
    if market.get("spot"):
        return "spot"
    if market.get("swap") or market.get("future"):
        return "linear" if market.get("linear") else "inverse" if market.get("inverse") else ""
    return ""


def instrument_of(market: Mapping[str, Any], precision_mode: int) -> Instrument:
    """What the session is told of one market of ccxt's."""
    symbol, kind = str(market["symbol"]), str(market.get("type") or "spot")
    _, _, expiry = symbol.partition(":")[2].partition("-")
    precision = market.get("precision") or {}
    return Instrument(
        symbol, str(market.get("base") or ""), str(market.get("quote") or ""), kind, expiry,
        float(market.get("contractSize") or 0.0) if market.get("contract") else 0.0,
        _step(precision.get("price"), precision_mode), _step(precision.get("amount"), precision_mode),
        market.get("active") is not False,
    )  # fmt: skip


def _step(precision: Any, mode: int) -> float | None:
    """A tick from what ccxt says of precision: decimal places (mode 2) or the step itself (4); digits (3) are none."""
    if not isinstance(precision, int | float) or not math.isfinite(precision):
        return None
    if mode == 4:
        return float(precision) or None
    return float(f"1e{-int(precision)}") if mode == 2 else None
