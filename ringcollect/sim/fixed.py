"""Exact decimal texts from integers: no float ever reaches a number on the wire."""

from __future__ import annotations


def fixed(units: int, decimals: int) -> str:
    """``units`` × 10^-``decimals`` with exactly that many decimals: ``fixed(6183763, 2) == "61837.63"``."""
    if decimals == 0:
        return str(units)
    sign = "-" if units < 0 else ""
    whole, part = divmod(abs(units), 10**decimals)
    return f"{sign}{whole}.{part:0{decimals}d}"


def trimmed(units: int, decimals: int) -> str:
    """As :func:`fixed` without trailing zeros, as exchanges write tick and lot sizes: ``"0.00001"``."""
    text = fixed(units, decimals)
    return text.rstrip("0").rstrip(".") if "." in text else text
