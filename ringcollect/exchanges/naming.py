"""What the instrument lists of all exchanges share: precision of a step, and a symbol among the known ones."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from ringcollect.errors import ConfigError
from ringcollect.exchanges.protocol import Listing


def precision(step: str) -> int:
    """Decimals a step needs: 2 for ``"0.01000000"``."""
    return len(step.partition(".")[2].rstrip("0"))


def nearest(exchange: str, market: str, spelling: str, native: str, known: Sequence[Listing]) -> str:
    """``native``, which ``spelling`` stands for; with ``known`` it must be listed, by a native or unified name.

    Raises ConfigError that names the nearest known symbols.
    """
    if not native:
        raise ConfigError(f"{exchange} {market}: {spelling!r} is no symbol")
    if not known:
        return native
    symbols = {listing.symbol for listing in known}
    if spelling in symbols:
        return spelling
    if native in symbols:
        return native
    wanted = spelling.strip().upper().replace("/", "-")
    for listing in known:
        if listing.metadata.get("unified") == wanted:
            return listing.symbol
    near = difflib.get_close_matches(native, sorted(symbols), n=3, cutoff=0.6)
    hint = f"; the nearest are {', '.join(near)}" if near else ""
    raise ConfigError(f"{exchange} {market} has no symbol {spelling!r}{hint}")
