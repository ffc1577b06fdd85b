"""Which captures are measured, and the cases their frames make. A new exchange needs a row in :data:`CAPTURES`."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Capture:
    """``name``: the file without its ending. ``market``: of connections whose URL does not say it.

    ``cold_only``: single frames from here and there; no stream that a book could follow.
    """

    name: str
    exchange: str
    market: str
    cold_only: bool = False


CAPTURES = (
    Capture("binance_spot_2024", "binance", "spot"),
    Capture("binance_usdm_2021b", "binance", "linear"),
    Capture("bybit_v5_2026", "bybit", "linear"),
    Capture("okx_v5_2022_05", "okx", "spot"),
    Capture("okx_v5_2026", "okx", "spot"),
    Capture("coinbase_adv_2026", "coinbase", "spot"),
    Capture("coinbase_exchange_2021", "coinbase", "spot"),
    Capture("kraken_v2_2026", "kraken", "spot"),
    Capture("kraken_futures_2021", "kraken_futures", "inverse"),
    Capture("upbit_2021", "upbit", "spot"),
    Capture("frames_binance_spot", "binance", "spot", cold_only=True),
    Capture("frames_binance_usdm", "binance", "linear", cold_only=True),
    Capture("frames_bybit_v5", "bybit", "linear", cold_only=True),
    Capture("frames_okx_v5", "okx", "spot", cold_only=True),
    Capture("frames_coinbase_adv", "coinbase", "spot", cold_only=True),
    Capture("frames_coinbase_exchange", "coinbase", "spot", cold_only=True),
    Capture("frames_kraken_v2", "kraken", "spot", cold_only=True),
    Capture("frames_kraken_futures", "kraken_futures", "inverse", cold_only=True),
    Capture("frames_upbit", "upbit", "spot", cold_only=True),
)


SNAPSHOT, HISTORY = ALONE = ("book snapshot", "trade history")
"""Cases of their own: what a subscription begins with."""


@dataclass
class Frames:
    """The frames of one case. ``way``: ``hot`` or ``cold``, the way our decoder takes them, or ``rest``.

    Books start from ``seeds``, REST snapshots (symbol, url, body, time), or from ``prelude``, the frames that hold
    each book's first snapshot; neither is timed. ``follows``: a stream of levels that a book can follow. ``symbols``:
    what appears, with what the exchange's names say of it.
    """

    capture: str
    exchange: str
    market: str
    way: str
    channel: str
    url: str = ""
    frames: list[tuple[int, str]] = field(default_factory=list)
    seeds: list[dict[str, Any]] = field(default_factory=list)
    prelude: list[tuple[int, str]] = field(default_factory=list)
    follows: bool = False
    symbols: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def stands_alone(self) -> bool:
        """Single frames, and what comes once a subscription: decoded one by one, no stream to be published."""
        return self.capture.startswith("frames_") or self.channel in ALONE

    @property
    def name(self) -> str:
        """``binance_spot_2024 book``; one word more for the ways that are not hot."""
        markets = sorted({of["market"] for of in self.symbols.values()} or {self.market})
        market = "" if markets == ["spot"] and "spot" in self.capture else f" {'+'.join(markets)}"
        return f"{self.capture}{market} {self.channel}" + ("" if self.way == "hot" else f" ({self.way})")

    @property
    def detail(self) -> str:
        """How many and how long."""
        size = sum(len(frame) for _, frame in self.frames) / len(self.frames)
        return f"{len(self.frames)} frames of {len(self.symbols)} instruments, {size:,.0f} bytes on average"

    def write(self, folder: Path) -> Path:
        """For the workers."""
        path = folder / (
            self.name.replace(" ", "_").replace("+", "_").replace("(", "").replace(")", "").replace(",", "") + ".json"
        )
        path.write_text(json.dumps(vars(self)), encoding="utf-8")
        return path
