"""Windows of rows in plain Python, as references of the features want them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ringcollect.sync.engine import Engine

from ..sync.streams import Stream, engine, run
from .comparing import GRID, HOLD_BACK


def window(values: Sequence[float], i: int, n: int) -> list[float]:
    """The defined ones among the last ``n`` values up to place ``i``."""
    return [v for v in values[max(0, i - n + 1) : i + 1] if not math.isnan(v)]


def slowly(stream: Stream) -> np.ndarray:
    """The stream's records with ms where it says ns: on a grid of 100 ms its times are those of a grid of 100."""
    records = stream.array()
    for name in ("ts_event", "ts_recv"):
        records[name] *= GRID // 100
    return records


def slow_rows(stream: Stream, columns: Sequence[str], *, finalize: bool = False, **settings: object) -> np.ndarray:
    """Rows of a small stream in units of a hundredth of the grid."""
    made = engine(**{"grid": GRID, "mode": "trade", "columns": tuple(columns), **settings})
    return run(made, slowly(stream), finalize=finalize)


def assert_pieces_give_the_same(records: np.ndarray, columns: Sequence[str], **settings: object) -> None:
    """However the stream is cut, and resumed from a dump at a cut, the rows are the same bytes."""

    def made() -> Engine:
        return engine(**{"grid": GRID, "hold_back": HOLD_BACK, "columns": tuple(columns), **settings})

    one = made()
    whole = np.concatenate([one.collect(records), one.collect_rest()])
    rng = np.random.default_rng(1)
    cuts = np.sort(rng.integers(0, len(records), 7))
    other, parts = made(), []
    for number, piece in enumerate(np.split(records, cuts)):
        parts.append(other.collect(piece))
        if number % 2:
            state = {name: array.copy() for name, array in other.dump().items()}
            other = made()
            assert other.load(state)
    assert np.concatenate([*parts, other.collect_rest()]).tobytes() == whole.tobytes()
    assert len(whole) > 100
