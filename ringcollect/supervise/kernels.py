"""Which modules hold compiled kernels, and how all of them are compiled or loaded.

The list is explicit, so that nothing heavy is imported by walking packages; a test compares it with the modules that
import ``njit``. Imported by ``ringcollect warm`` and by the forkserver's preload only.
"""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

EXCHANGES_VARIABLE = "_RINGCOLLECT_EXCHANGES"
"""How the supervisor tells its forkserver whose kernels to preload: names with commas. Not for users."""

CORE_MODULES: tuple[str, ...] = (
    "ringcollect.ring.protocol",
    "ringcollect.ring.waiting.heads",
    "ringcollect.decode.memory",
    "ringcollect.decode.number",
    "ringcollect.decode.skip",
    "ringcollect.decode.symbols",
    "ringcollect.decode.times",
    "ringcollect.exchanges.recent",
    "ringcollect.exchanges.tabular.kernel",
    "ringcollect.exchanges.entries",
    "ringcollect.sync.apply",
    "ringcollect.sync.engine",
)
"""What every collector needs."""

EXCHANGE_MODULES: dict[str, str] = {
    "binance": "ringcollect.exchanges.binance.decode",
    "bybit": "ringcollect.exchanges.bybit.decode",
    "coinbase": "ringcollect.exchanges.coinbase.decode",
    "kraken": "ringcollect.exchanges.kraken.decode",
    "kraken_futures": "ringcollect.exchanges.kraken_futures.decode",
    "okx": "ringcollect.exchanges.okx.decode",
    "upbit": "ringcollect.exchanges.upbit.decode",
}
"""The kernels of each exchange that has some of its own: only the configured ones are compiled and loaded."""

_FEATURES = "ringcollect.sync.features."
FEATURE_MODULES: tuple[str, ...] = tuple(
    _FEATURES + name
    for name in (
        "core", "price", "depth", "bands", "shape", "impact", "order_flow", "trade_flow", "volatility", "regime",
        "liquidity", "derivatives", "arrivals", "quality", "bars",
    )
)  # fmt: skip
"""The kernel of each group of features: a synchronizer loads those of its configuration."""

KERNEL_MODULES: tuple[str, ...] = (*CORE_MODULES, *FEATURE_MODULES, *EXCHANGE_MODULES.values())
"""Every module with kernels: a ``warm()`` calls each once with arrays of the true types, or it has one ``KERNEL``."""


def modules_of(exchanges: Sequence[str], groups: str = "A") -> tuple[str, ...]:
    """The kernel modules of a collector of these exchanges and groups of features; all there are if none is named.

    ``groups`` are letters of the catalogue. Exchanges that ccxt reaches have no kernel, and those whose frames the
    shared kernel and the typed way read.
    """
    return (*preloaded(exchanges), *feature_modules(groups)) if exchanges else KERNEL_MODULES


def feature_modules(groups: str) -> tuple[str, ...]:
    """The kernels of these groups, by letter, with the core they share; group A has none of its own."""
    from ringcollect.sync.catalogue import GROUPS

    named = {_FEATURES + group.module for group in GROUPS if group.letter in groups and group.letter != "A"}
    if "P" in groups:
        named.add(_FEATURES + "bars")
    return tuple(name for name in FEATURE_MODULES if name in named or (named and name == _FEATURES + "core"))


def preloaded(exchanges: Sequence[str]) -> tuple[str, ...]:
    """Those of them that every process of the collector shares: all but the features'."""
    own = [EXCHANGE_MODULES[name] for name in exchanges or EXCHANGE_MODULES if name in EXCHANGE_MODULES]
    return (*CORE_MODULES, *own)


class Warmed(NamedTuple):
    """One module's share of warming up."""

    module: str
    seconds: float


def warm_kernels(modules: Sequence[str] = KERNEL_MODULES) -> list[Warmed]:
    """Import each kernel module and warm it: from an empty cache this compiles, later it loads."""
    done = []
    for name in modules:
        begin = time.perf_counter()
        module = importlib.import_module(name)
        if name in FEATURE_MODULES:
            assert module.KERNEL.address
        else:
            module.warm()
        done.append(Warmed(name, time.perf_counter() - begin))
    return done


def compiled_here() -> list[str]:
    """Kernels that this process had to compile because the cache did not have them, as ``module.function``."""
    return [name for name, kernel in _kernels() if sum(kernel.stats.cache_misses.values())]


def _kernels() -> list[tuple[str, Any]]:
    """Every jitted function of the package that is imported, by where it is defined."""
    found = {}
    for module in [module for name, module in sys.modules.items() if name.startswith("ringcollect.")]:
        for thing in vars(module).values():
            if hasattr(thing, "py_func") and hasattr(thing, "signatures"):
                found[f"{thing.py_func.__module__}.{thing.py_func.__qualname__}"] = thing
    return sorted(found.items())
