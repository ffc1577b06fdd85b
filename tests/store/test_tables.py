"""A table gives back every record word for word, or the record goes to ``others``, which holds everything."""

from __future__ import annotations

import io
import uuid

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringcollect.records import RECORD, Flag, Kind
from ringcollect.store import parquet, row_table, tables
from ringcollect.store.schema import SCHEMA_VERSION, TABLES, TABLES_BY_NAME
from tests import synthetic

I8 = st.integers(-(2**63), 2**63 - 1)
F8 = st.one_of(st.floats(width=64), st.sampled_from([0.0, -0.0, float("nan"), float("inf"), 5e-324]))
RECORDS = st.lists(
    st.tuples(
        I8, I8, F8, F8, I8, I8, st.integers(0, 255), st.integers(0, 255), st.integers(0, 14), st.integers(-128, 127),
        st.integers(0, 65535),
    ),
    max_size=12,
)  # fmt: skip
VERSION = {"schema_version": SCHEMA_VERSION}


def _through_parquet(table_name: str, records: np.ndarray) -> np.ndarray:
    table = TABLES_BY_NAME[table_name]
    target = io.BytesIO()
    parquet.write(target, table.columns, VERSION, tables.to_columns(table, records, 5, "BTC/USD"), 3)
    target.seek(0)
    pieces = parquet.read(parquet.open_file(target), table.columns)
    return np.concatenate([tables.to_records(table_name, piece, 3) for piece in pieces])


def _check(records: np.ndarray) -> None:
    indices = tables.table_indices(records)
    canonical, _ = tables.canonical(records, indices)
    for index in np.unique(indices):
        mine = canonical[indices == index]
        assert _through_parquet(TABLES[index].name, mine).tobytes() == mine.tobytes()


@settings(max_examples=150, deadline=None)
@given(RECORDS)
def test_any_record_at_all_survives_the_way_through_its_table(rows: list[tuple]) -> None:
    records = np.zeros(len(rows), RECORD)
    for i, row in enumerate(rows):
        records[i] = (i, *row[:6], 3, *row[6:])
    _check(records)


def test_the_synthetic_exchange_survives_whole() -> None:
    records = synthetic.stream(500)
    indices = tables.table_indices(records)
    canonical, unstored = tables.canonical(records, indices)
    assert unstored == 0
    canonical["instrument"] = 3
    _check(canonical)


def _quotes(*rows: tuple[int, int, float, int]) -> np.ndarray:
    records = np.zeros(len(rows), RECORD)
    for i, (seq, side, price, flags) in enumerate(rows):
        records[i] = (seq, 0, 100, price, 1.0, 7, 0, 3, 0, 0, Kind.BBO, side, flags)
    return records


def test_bid_and_ask_become_one_row() -> None:
    columns = tables.to_columns(TABLES_BY_NAME["quotes"], _quotes((4, 1, 10.0, 0), (5, -1, 11.0, Flag.LAST)), 1, "X")
    assert columns["seq"].tolist() == [4]
    assert columns["flags"].tolist() == [Flag.LAST]
    assert [c.tolist() for c in columns["bid_price"]] == [[10.0], [True]]
    assert [c.tolist() for c in columns["ask_price"]] == [[11.0], [True]]


def test_a_bid_whose_ask_was_lost_is_a_row_of_its_own() -> None:
    records = _quotes((4, 1, 10.0, 0), (7, -1, 11.0, Flag.LAST), (8, 1, 10.0, 0), (9, -1, 11.0, Flag.LAST))
    columns = tables.to_columns(TABLES_BY_NAME["quotes"], records, 1, "X")
    assert columns["seq"].tolist() == [4, 7, 8]
    assert columns["bid_price"][1].tolist() == [True, False, True]
    assert columns["ask_price"][1].tolist() == [False, True, True]
    assert _through_parquet("quotes", records).tobytes() == records.tobytes()


def test_a_missing_side_of_the_book_is_nan_and_not_null() -> None:
    columns = tables.to_columns(
        TABLES_BY_NAME["quotes"], _quotes((4, 1, float("nan"), 0), (5, -1, 11.0, Flag.LAST)), 1, "X"
    )
    values, there = columns["bid_price"]
    assert there.tolist() == [True] and np.isnan(values[0])


def test_a_uuid_is_readable_and_exact() -> None:
    text = "f81d4fae-7dec-41d0-8765-00a0c91e6bf6"
    high, low = uuid.UUID(text).int >> 64, uuid.UUID(text).int & (1 << 64) - 1
    record = np.zeros(1, RECORD)
    record["kind"], record["flags"], record["instrument"] = Kind.TRADE, Flag.UUID | Flag.LAST, 3
    record["id"], record["aux"] = np.array([high, low], np.uint64).view(np.int64)
    columns = tables.to_columns(TABLES_BY_NAME["trades"], record, 1, "X")
    assert columns["uuid"] == [text]
    assert columns["id"].tolist() == columns["first_id"].tolist() == [0]
    assert _through_parquet("trades", record).tobytes() == record.tobytes()


def test_secondary_quotes_and_unknown_kinds_are_kept_apart_and_whole() -> None:
    records = _quotes((0, 1, 10.0, 0), (1, -1, 11.0, 1), (2, 0, 9.0, 1))
    records["sub"][:2] = 2
    records = np.append(records, records[:1])
    records["kind"][3] = 200
    assert {TABLES[i].name for i in tables.table_indices(records)} == {"others"}


def test_what_a_table_does_not_hold_is_counted() -> None:
    record = np.zeros(2, RECORD)
    record["kind"], record["price"] = Kind.MARK_PRICE, 5.0
    record["side"][1] = 1
    assert tables.canonical(record, tables.table_indices(record))[1] == 1


@pytest.mark.parametrize("flag", [Flag.REST, Flag.BACKFILLED, Flag.REPLAYED])
def test_what_did_not_come_live_is_never_raw(flag: Flag) -> None:
    record = np.zeros(2, RECORD)
    record["flags"][1] = flag | Flag.LAST
    assert tables.is_rest(record).tolist() == [False, True]


ROW = np.dtype(
    [("seq", "<i8"), ("ts_ns", "<i8"), ("ts_book_ns", "<i8"), ("instrument", "<u2"), ("reserved", "<u2"),
     ("row_flags", "<u4"), ("ob_mid_price", "<f8"), ("trade_count", "<f8"), ("fr_next_settlement_delta", "<f8")]
)  # fmt: skip


def test_rows_of_the_synchronizer_come_back_and_counts_are_whole_numbers() -> None:
    rows = np.zeros(4, ROW)
    rows["seq"], rows["instrument"] = np.arange(4), 3
    rows["ob_mid_price"] = [1.5, np.nan, -0.0, 1e300]
    rows["trade_count"] = [0, 7, np.nan, 2**53]
    rows["fr_next_settlement_delta"] = [-5, 0, 5, np.nan]
    canonical, odd = row_table.canonical_rows(rows)
    assert odd == 0
    columns = row_table.columns_of(ROW)
    assert [(c.name, c.type) for c in columns] == [
        ("generation", "int64"), ("seq", "int64"), ("ts_ns", "int64"), ("ts_book_ns", "int64"), ("row_flags", "uint32"),
        ("ob_mid_price", "float64"), ("trade_count", "uint64"), ("fr_next_settlement_delta", "int64"),
        ("native_symbol", "string"),
    ]  # fmt: skip
    target = io.BytesIO()
    parquet.write(target, columns, VERSION, row_table.rows_to_columns(canonical, 1, "X"), 3)
    target.seek(0)
    (back,) = parquet.read(parquet.open_file(target), columns)
    assert row_table.columns_to_rows(back, ROW, 3).tobytes() == canonical.tobytes()


def test_a_count_that_is_no_whole_number_is_absent_and_counted() -> None:
    rows = np.zeros(3, ROW)
    rows["trade_count"] = [1.5, -1, 3]
    canonical, odd = row_table.canonical_rows(rows)
    assert odd == 2
    assert np.isnan(canonical["trade_count"]).tolist() == [True, True, False]
