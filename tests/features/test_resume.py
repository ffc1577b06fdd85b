"""No column depends on how the stream was cut, or on a dump and a load in between."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from ringcollect.sync import catalogue
from ringcollect.sync.engine import Engine

from ..sync.streams import engine, run
from .wandering import MAX_GAP_FILL, SECOND

COLUMNS = tuple(f.name for f in catalogue.FEATURES)


def made() -> Engine:
    return engine(grid=SECOND, columns=COLUMNS, max_gap_fill=MAX_GAP_FILL, max_future_skew_ns=0)


@pytest.fixture(scope="module")
def whole(wandering_records: np.ndarray) -> bytes:
    """The rows of the seeded market in one piece."""
    return made().collect(wandering_records).tobytes()


@pytest.mark.parametrize("chunk", [13, 1000])
def test_rows_do_not_depend_on_how_the_stream_is_cut(wandering_records: np.ndarray, whole: bytes, chunk: int) -> None:
    assert run(made(), wandering_records, chunk, finalize=False).tobytes() == whole


def test_rows_do_not_depend_on_a_dump_and_a_load(wandering_records: np.ndarray, whole: bytes) -> None:
    cuts = np.linspace(0, len(wandering_records), 24).astype(int)
    rows = []
    state = None
    for start, end in pairwise(cuts):
        current = made()
        if state is not None:
            assert current.load(state)
        rows.append(current.collect(wandering_records[start:end]))
        state = {name: array.copy() for name, array in current.dump().items()}
    assert np.concatenate(rows).tobytes() == whole
