"""When two spellings of a symbol mean the same instrument of one market, and which symbols a rule names.

Only to compare what people wrote: the exchange's own name is found from its instrument list, in its folder.
"""

from __future__ import annotations

import functools
import re

PERPETUAL = "-PERP"
_WILDCARDS = frozenset("*?")


def symbol_key(text: str) -> str:
    """Equal for ``BTCUSDT``, ``btcusdt``, ``BTC/USDT``, ``BTC-USDT`` and ``BTC-USDT-PERP``."""
    return text.upper().removesuffix(PERPETUAL).replace("/", "").replace("-", "")


def fits_market(text: str, market: str) -> bool:
    """False for a perpetual's unified spelling in a market that has none."""
    return not (text.upper().endswith(PERPETUAL) and market in ("spot", "option"))


def is_rule(text: str) -> bool:
    """Whether ``text`` names symbols by wildcards (``*`` any characters, ``?`` one) instead of one symbol."""
    return not _WILDCARDS.isdisjoint(text)


def rule_matches(rule: str, symbol: str, unified: str = "") -> bool:
    """Whether ``rule`` names the instrument, by its native or its unified spelling; case does not matter.

    ``*USDT`` names ``BTCUSDT``; ``*-USDT`` and ``*/USDT`` name what is called ``BTC-USDT`` in unified spelling.
    """
    text = rule.upper()
    return bool(
        _compiled(text).fullmatch(symbol.upper())
        or (unified and _compiled(text.replace("/", "-")).fullmatch(unified.upper()))
    )


def rule_may_match(rule: str, spelling: str) -> bool:
    """Whether ``rule`` can name what somebody spells ``spelling``, as far as spellings alone tell."""
    return rule_matches(rule, spelling, spelling) or rule_matches(symbol_key(rule), symbol_key(spelling))


@functools.lru_cache(maxsize=256)
def _compiled(rule: str) -> re.Pattern[str]:
    parts = (".*" if c == "*" else "." if c == "?" else re.escape(c) for c in rule)
    return re.compile("".join(parts), re.DOTALL)
