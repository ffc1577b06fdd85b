"""Rows given once are not given again, however a folder was cut into files the second time."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
from hypothesis import given

from ringcollect.store.emitted import Emitted

POSITIONS = st.sets(st.tuples(st.integers(1, 2), st.integers(0, 60)), min_size=1)


@given(rows=POSITIONS, cuts=st.sets(st.integers(0, 60)), given_files=st.integers(0, 8), piece=st.integers(1, 5))
def test_what_is_fresh_is_exactly_what_was_in_no_file_given(
    rows: set[tuple[int, int]], cuts: set[int], given_files: int, piece: int
) -> None:
    ordered = np.array(sorted(rows))
    files = np.split(ordered, sorted(cut for cut in cuts if cut < len(ordered)))
    emitted, done = Emitted(), set()
    for file in files[:given_files]:
        emitted.begin_file()
        for start in range(0, len(file), piece):
            batch = file[start : start + piece]
            emitted.add(batch[:, 0], batch[:, 1])
        done |= set(map(tuple, file.tolist()))
    fresh = emitted.fresh(ordered[:, 0], ordered[:, 1])
    assert {tuple(row) for row in ordered[fresh].tolist()} == rows - done
