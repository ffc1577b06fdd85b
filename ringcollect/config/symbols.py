"""When two spellings of a symbol mean the same instrument of one market.

Only to compare what people wrote: the exchange's own name is found from its instrument list, in its folder.
"""

from __future__ import annotations

PERPETUAL = "-PERP"


def symbol_key(text: str) -> str:
    """Equal for ``BTCUSDT``, ``btcusdt``, ``BTC/USDT``, ``BTC-USDT`` and ``BTC-USDT-PERP``."""
    return text.upper().removesuffix(PERPETUAL).replace("/", "").replace("-", "")


def fits_market(text: str, market: str) -> bool:
    """False for a perpetual's unified spelling in a market that has none."""
    return not (text.upper().endswith(PERPETUAL) and market in ("spot", "option"))
