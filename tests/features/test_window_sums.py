"""Sums over stretches of a window are, to the bit, those of a book without one, which is walked level by level."""

from __future__ import annotations

import numpy as np
import pytest

from ringcollect.instruments import Instrument
from ringcollect.sync import catalogue
from ringcollect.sync.catalogue import Options

from ..sync.streams import Stream, engine

MS = 1_000_000
UNITS = {
    "base": {},
    "quote": {"size_unit": "quote"},
    "contract": {"size_unit": "contract", "multiplier": 0.01},
    "inverse": {"size_unit": "contract", "multiplier": 100.0, "inverse": True},
}
EDGES = {"default": Options().bands_bps, "narrow": (0.0, 0.4, 0.5, 3.0), "one": (0.0, 400.0)}


def market(seed: int, frames: int, step: int, off_grid: float) -> np.ndarray:
    """A book that is never crossed: what the mid, which walks by up to ``step`` ticks, passes is taken away."""
    rng = np.random.default_rng(seed)
    stream, middle = Stream(), 5_000_000
    held: dict[int, set[float]] = {1: set(), -1: set()}
    for i in range(frames):
        middle += int(rng.integers(-step, step + 1))
        levels = []
        for side in (1, -1):
            gone = {price for price in held[side] if side * (price - middle / 100) >= 0}
            held[side] -= gone
            levels += [(side, price, 0.0) for price in gone]
            away = rng.choice((40, 3000, 60_000, 400_000), 300 if i == 0 else 15, p=(0.3, 0.4, 0.2, 0.1))
            for far in rng.integers(1, away):
                price = float(f"{(middle - side * int(far)) / 100:.2f}")
                price -= side * 0.001 if rng.random() < off_grid else 0.0
                held[side].add(price)
                levels.append((side, price, float(rng.random() * 100) if rng.random() < 0.9 else 0.0))
        stream.book(1000 + 60 * i, *levels)
    records = stream.array()
    for name in ("ts_event", "ts_recv"):
        records[name] *= MS
    return records


def rows(records: np.ndarray, tick: float | None, unit: str, edges: tuple[float, ...]) -> np.ndarray:
    """Groups C, D and F, which read everything that is found near the mid."""
    options = Options(bands_bps=edges)
    columns = tuple(f.name for f in catalogue.features_with(options) if f.group in "CDF")
    made = Instrument(number=0, exchange="test", market="linear", symbol="X", tick_size=tick, **UNITS[unit])
    return engine(100 * MS, instruments={0: made}, columns=columns, options=options).collect(records)


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("edges", EDGES)
@pytest.mark.parametrize(("step", "off_grid"), [(30, 0.0), (3000, 0.1)])
def test_bands_are_the_same_bytes_with_a_window_and_without(unit: str, edges: str, step: int, off_grid: float) -> None:
    records = market(17 + step, 120, step, off_grid)
    found = rows(records, 0.01, unit, EDGES[edges])
    depth = found[f"bid_depth_{EDGES[edges][-1]:g}bps"]
    assert len(found) > 50 and np.isfinite(depth).mean() > 0.9 and np.nanmax(depth) > 0
    assert found.tobytes() == rows(records, None, unit, EDGES[edges]).tobytes()
