"""Tick and precision from the venue's own text, where no metadata says them (replay of captures)."""

from __future__ import annotations

from typing import Any


def inferred_metadata(prices: list[str], sizes: list[str]) -> dict[str, Any]:
    """Registry fields from number texts as sent: the smallest step that writes them all. ``inferred`` is True."""
    price_decimals, size_decimals = _most_decimals(prices), _most_decimals(sizes)
    return {
        "tick_size": float(f"1e-{price_decimals}"),
        "lot_size": float(f"1e-{size_decimals}"),
        "price_precision": price_decimals,
        "size_precision": size_decimals,
        "inferred": True,
    }


def _most_decimals(texts: list[str]) -> int:
    return max((len(text.partition(".")[2].rstrip("0")) for text in texts), default=0)
