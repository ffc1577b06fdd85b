"""Tickers pivoted: a frame's fields are one row, and the rows give back every record, whatever was lost between."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringcollect.errors import LakeError
from ringcollect.records import RECORD, Flag, Kind, TickerField
from ringcollect.store import tables
from ringcollect.store.schema import TABLES, TABLES_BY_NAME
from tests.store.test_tables import _through_parquet


def frame(seq: int, fields: list[int], ts: int = 100) -> np.ndarray:
    records = np.zeros(len(fields), RECORD)
    records["seq"], records["ts_recv"], records["kind"], records["instrument"] = (
        range(seq, seq + len(fields)),
        ts,
        Kind.TICKER,
        3,
    )
    records["price"], records["size"] = [float(field) * 1.5 for field in fields], np.nan
    records["sub"] = records["aux"] = fields
    if len(fields):
        records["flags"][-1] = Flag.LAST
    return records


def test_the_fields_of_a_frame_are_one_row() -> None:
    columns = tables.to_columns(TABLES_BY_NAME["tickers"], frame(7, [1, 2, 3, 4, 5, 6]), 1, "X")
    assert columns["seq"].tolist() == [7] and columns["flags"].tolist() == [Flag.LAST]
    names = ("last", "open", "high", "low", "base_volume", "quote_volume")
    assert [columns[name][0].tolist() for name in names] == [[1.5 * field] for field in TickerField]


def test_a_field_that_was_not_sent_is_absent_and_not_nan() -> None:
    records = frame(7, [1, 5])
    records["price"][1] = np.nan
    columns = tables.to_columns(TABLES_BY_NAME["tickers"], records, 1, "X")
    assert columns["open"][1].tolist() == [False]
    assert columns["base_volume"][1].tolist() == [True] and np.isnan(columns["base_volume"][0][0])


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    st.lists(
        st.tuples(st.lists(st.integers(1, 6), min_size=1, max_size=7), st.integers(0, 2), st.integers(0, 2)),
        min_size=1, max_size=8,
    ),
    st.sets(st.integers(0, 30)),
)  # fmt: skip
def test_any_frames_with_any_records_missing_come_back_exactly(
    frames: list[tuple[list[int], int, int]], lost: set[int]
) -> None:
    parts, seq = [], 0
    for fields, hole, ts in frames:
        parts.append(frame(seq + hole, fields, 100 + ts))
        seq += hole + len(fields)
    records = np.concatenate(parts)
    records = np.delete(records, [place for place in lost if place < len(records)])
    assert _through_parquet("tickers", records).tobytes() == records.tobytes()


def test_what_no_column_can_hold_is_kept_whole_elsewhere() -> None:
    records = frame(0, [1, 9])
    records["aux"][0] = 4
    assert {TABLES[i].name for i in tables.table_indices(records)} == {"others"}


def test_a_row_without_a_field_is_named() -> None:
    columns = tables.to_columns(TABLES_BY_NAME["tickers"], frame(0, [1]), 1, "X")
    columns["last"][1][:] = False
    with pytest.raises(LakeError, match="row 0"):
        tables.to_records("tickers", columns, 3)
