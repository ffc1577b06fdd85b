"""What several groups' tests need, made once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ..sync.streams import instrument
from .captured import decoded, decoded_linear
from .plain import Row, plain_rows
from .wandering import wandering, wandering_rows

GRID = 100_000_000


@pytest.fixture(scope="session")
def spot_records(captures: Path) -> np.ndarray:
    """The first 12,000 lines of a capture of two spot symbols: books from REST, depth updates, trades."""
    return decoded(captures / "binance_spot_2024.jsonl.gz", 12_000)[0]


@pytest.fixture(scope="session")
def spot_rows(spot_records: np.ndarray) -> list[list[Row]]:
    """What happened in each row of 100 ms, per instrument, from the first row after both books are whole."""
    times = spot_records["ts_recv"]
    first, last = int(times[0]) // GRID + 30, int(times[-1]) // GRID - 10
    return [plain_rows(spot_records, instrument(number), GRID, first, last) for number in (0, 1)]


@pytest.fixture(scope="session")
def linear_records(captures: Path) -> np.ndarray:
    """42 s of two linear perpetuals with funding, open interest, mark and index."""
    return decoded_linear(captures / "bybit_v5_2026.jsonl.gz")


@pytest.fixture(scope="session")
def linear_rows(linear_records: np.ndarray) -> list[list[Row]]:
    """What happened in each row of 100 ms, per instrument, from 3 s on."""
    times = linear_records["ts_recv"]
    first, last = int(times[0]) // GRID + 30, int(times[-1]) // GRID - 10
    return [plain_rows(linear_records, instrument(number), GRID, first, last) for number in (0, 1)]


@pytest.fixture(scope="session")
def wandering_records() -> np.ndarray:
    """1500 seconds of a seeded market, with a silence and a book that is crossed for long."""
    return wandering()


@pytest.fixture(scope="session")
def wandering_seconds(wandering_records: np.ndarray) -> list[Row]:
    """What happened in each of its rows of 1 s."""
    return wandering_rows(wandering_records)
