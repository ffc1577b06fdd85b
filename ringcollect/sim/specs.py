"""What a simulated instrument is: its name, its grid of ticks and lots, its texts, its character."""

from __future__ import annotations

import zlib

import msgspec

from ringcollect.errors import ConfigError
from ringcollect.sim.fixed import fixed

_QUOTES = ("FDUSD", "USDT", "USDC", "BTC", "ETH", "EUR", "BNB", "TRY", "BRL")


class SymbolSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One instrument. A tick is ``tick_units`` × 10^-``price_decimals``, a lot likewise with ``size_decimals``."""

    symbol: str
    base: str
    quote: str
    price_decimals: int
    tick_units: int
    size_decimals: int
    lot_units: int
    start_tick: int
    median_lots: int
    volatility_ticks: float  # standard deviation of the fair price after one second

    def price(self, tick: int) -> str:
        return fixed(tick * self.tick_units, self.price_decimals)

    def size(self, lots: int) -> str:
        return fixed(lots * self.lot_units, self.size_decimals)

    @property
    def day_lots(self) -> int:
        """Lots traded in 24 h, as the venue's statistics have it: dear coins are the ones that trade much."""
        return self.median_lots * 20_000 * (1 + self.start_tick.bit_length())

    def day_turnover(self) -> str:
        """The same in quote currency, at the price of the start."""
        value = self.day_lots * self.lot_units * self.start_tick * self.tick_units
        return fixed(value, self.price_decimals + self.size_decimals)


class _Coin(msgspec.Struct, frozen=True):
    price_cents: int
    spot_tick: int  # in 1e-8
    spot_lot: int  # in 1e-8
    linear_decimals: int
    linear_tick: int  # in units of 10^-linear_decimals
    linear_lot_decimals: int


_COINS = {
    "BTC": _Coin(6_183_763, 1_000_000, 1_000, 2, 10, 3),
    "ETH": _Coin(268_380, 1_000_000, 10_000, 2, 1, 3),
    "BNB": _Coin(58_420, 1_000_000, 100_000, 2, 1, 2),
    "SOL": _Coin(14_235, 1_000_000, 100_000, 2, 1, 2),
    "XRP": _Coin(58, 10_000, 10_000_000, 4, 1, 1),
    "DOGE": _Coin(11, 1_000, 100_000_000, 5, 1, 0),
}
_VOLATILITY_PER_S = 5e-5  # about 30 % a year
_MEDIAN_NOTIONAL_CENTS = 60_000


def split_symbol(symbol: str) -> tuple[str, str]:
    """Base and quote of a Binance symbol; raises ConfigError when the quote is not a known one."""
    for quote in _QUOTES:
        if symbol.endswith(quote) and len(symbol) > len(quote):
            return symbol[: -len(quote)], quote
    raise ConfigError(f"simulator: symbol {symbol!r} ends in none of {', '.join(_QUOTES)}")


def spot_spec(symbol: str) -> SymbolSpec:
    """Spot texts are padded to eight decimals whatever the tick."""
    coin = _coin(symbol)
    return _spec(symbol, coin, 8, coin.spot_tick, 8, coin.spot_lot)


def linear_spec(symbol: str) -> SymbolSpec:
    """USD-M texts have the price precision of the symbol, which is not always the tick's (BTCUSDT: 0.10)."""
    coin = _coin(symbol)
    return _spec(symbol, coin, coin.linear_decimals, coin.linear_tick, coin.linear_lot_decimals, 1)


def _coin(symbol: str) -> _Coin:
    base, _ = split_symbol(symbol)
    if base in _COINS:
        return _COINS[base]
    return _Coin(20 + zlib.crc32(base.encode()) % 5_000, 10_000, 1_000_000, 4, 1, 1)


def _spec(symbol: str, coin: _Coin, price_decimals: int, tick: int, size_decimals: int, lot: int) -> SymbolSpec:
    base, quote = split_symbol(symbol)
    start_tick = coin.price_cents * 10**price_decimals // (100 * tick)
    median_lots = _MEDIAN_NOTIONAL_CENTS * 10**size_decimals // (coin.price_cents * lot)
    return SymbolSpec(
        symbol=symbol,
        base=base,
        quote=quote,
        price_decimals=price_decimals,
        tick_units=tick,
        size_decimals=size_decimals,
        lot_units=lot,
        start_tick=start_tick,
        median_lots=max(1, median_lots),
        volatility_ticks=max(1.5, start_tick * _VOLATILITY_PER_S),
    )
