"""The worker of hftbacktest: its backtester runs through events that change nothing but its books.

Only events for its local processor are given, so that there is one book of each instrument instead of two, and one
call takes it to the end of the data.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import hftbacktest  # type: ignore[import-not-found, unused-ignore]
import numpy as np
from numba import njit  # type: ignore[import-not-found, unused-ignore]

from benchmarks.serving import Subject, serve

FOREVER = 1 << 62


@njit  # type: ignore[untyped-decorator, unused-ignore]
def _to_the_end(hbt: Any) -> int:
    return hbt.elapse(FOREVER)


class Depth:
    """``kind``: ``hashmap`` or ``roivec``, the two depth structures it has for Python."""

    def __init__(self, spec: dict[str, Any]) -> None:
        folder = Path(spec["case"])
        self._ticks: list[float] = spec["ticks"]
        self._vector = spec["subject"] == "roivec"
        self._events = [
            np.load(folder / f"events_{number}.npy").astype(hftbacktest.binding.event_dtype)
            for number in range(len(self._ticks))
        ]
        self.passes = int(spec["passes"])
        self._hbt: Any = None
        self.prepare()
        self.run()

    def prepare(self) -> None:
        """A new backtester; building it reads no event."""
        if self._hbt is not None:
            self._hbt.close()
        assets = [self._asset(number) for number in range(len(self._ticks))]
        build = hftbacktest.ROIVectorMarketDepthBacktest if self._vector else hftbacktest.HashMapMarketDepthBacktest
        self._hbt = build(assets)

    def _asset(self, number: int) -> Any:
        events = self._events[number]
        asset = (
            hftbacktest.BacktestAsset()
            .data(events)
            .linear_asset(1.0)
            .constant_order_latency(0, 0)
            .risk_adverse_queue_model()
            .no_partial_fill_exchange()
            .trading_value_fee_model(0.0, 0.0)
            .tick_size(self._ticks[number])
            .lot_size(1e-8)
            .last_trades_capacity(0)
        )
        if self._vector:
            asset = asset.roi_lb(float(events["px"].min())).roi_ub(float(events["px"].max()))
        return asset

    def run(self) -> int:
        """All events."""
        _to_the_end(self._hbt)
        return sum(map(len, self._events))

    def evidence(self) -> list[list[list[list[float]]]]:
        """The best levels of each book."""
        return [self._top(number) for number in range(len(self._ticks))]

    def _top(self, number: int) -> list[list[list[float]]]:
        depth, tick = self._hbt.depth(number), self._ticks[number]
        events = self._events[number]
        lowest, highest = round(float(events["px"].min()) / tick), round(float(events["px"].max()) / tick)
        sides = []
        for first, end, step, of in (
            (depth.best_bid_tick, lowest - 1, -1, depth.bid_qty_at_tick),
            (depth.best_ask_tick, highest + 1, 1, depth.ask_qty_at_tick),
        ):
            found: list[list[float]] = []
            for at in range(first, end, step):
                size = of(at)
                if size > 0:
                    found.append([round(at * tick, 10), size])
                if len(found) == 5:
                    break
            sides.append(found)
        return sides


def _open(spec: dict[str, Any]) -> Subject:
    return Depth(spec)


if __name__ == "__main__":
    serve(_open, {"hftbacktest": hftbacktest.__version__})
