"""What a subject's work led to, in one form for all, and whether two subjects agree.

``{symbol: [...]}``: of books the best levels of both sides, of trades the last price and size, of quotes the last
bid, bid size, ask and ask size. Numbers are floats; None stands for what a peer does not keep.
"""

from __future__ import annotations

from typing import Any

LEVELS = 5


def agreement(ours: dict[str, Any], theirs: dict[str, Any]) -> str:
    """Empty when they agree, else what differs first."""
    if not ours:
        return "we have nothing to show"
    for symbol, expected in ours.items():
        if symbol not in theirs:
            return f"nothing of {symbol}"
        if not _same(expected, theirs[symbol]):
            return f"{symbol}: {theirs[symbol]} instead of {expected}"
    return ""


def _same(expected: Any, found: Any) -> bool:
    if isinstance(expected, list) and isinstance(found, list):
        return len(expected) == len(found) and all(map(_same, expected, found))
    return found is None or bool(expected == found)
