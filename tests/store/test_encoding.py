"""Which encoding a column gets follows from its values, and every one gives them back bit for bit."""

from __future__ import annotations

import io

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringcollect.store import parquet
from ringcollect.store.encoding import DELTA, DICTIONARY, PLAIN, SPLIT, encoding_of
from ringcollect.store.schema import TABLES_BY_NAME, Column

PRICE = Column("price", "float64", "price", "")
RNG = np.random.default_rng(7)
LEVELS = np.round(RNG.integers(0, 500, 20_000) * 0.01 + 100, 2)
RUNS = np.round(np.repeat(100 + 0.01 * np.cumsum(RNG.choice([-1, 1], 5_000)), RNG.integers(1, 8, 5_000)), 2)
NOISE = RNG.random(20_000)


@pytest.mark.parametrize(("values", "name"), [(LEVELS, DICTIONARY), (RUNS, PLAIN), (NOISE, SPLIT), (NOISE[:5], PLAIN)])
def test_floats_are_stored_by_what_a_sample_shows(values: np.ndarray, name: str) -> None:
    assert encoding_of(PRICE, values, 4, of_levels=True) == (name, 4)


def test_numbers_that_grow_are_differences_and_those_of_a_frame_are_plain() -> None:
    trades = {c.name: encoding_of(c, None, 4, of_levels=False).name for c in TABLES_BY_NAME["trades"].columns}
    levels = {c.name: encoding_of(c, None, 4, of_levels=True).name for c in TABLES_BY_NAME["orderbooks"].columns}
    assert {trades[n] for n in ("seq", "ts_event", "ts_recv", "id", "first_id")} == {DELTA}
    assert (levels["seq"], levels["ts_event"]) == (DELTA, DELTA)
    assert {levels[n] for n in ("ts_recv", "id", "prev_id")} == {PLAIN}
    assert trades["side"] == trades["flags"] == trades["native_symbol"] == DICTIONARY


def _written(values: np.ndarray, level: int = 4) -> pq.ParquetFile:
    columns = (TABLES_BY_NAME["mark_prices"].columns[1], PRICE)
    target = io.BytesIO()
    content = {"seq": np.arange(len(values)), "price": values}
    parquet.write(target, columns, {"schema_version": 1}, content, level)  # type: ignore[arg-type]
    return parquet.open_file(target)


def _column(file: pq.ParquetFile, name: str) -> pq.ColumnChunkMetaData:
    return file.metadata.row_group(0).column(file.schema_arrow.names.index(name))


@pytest.mark.parametrize(("values", "name"), [(LEVELS, DICTIONARY), (RUNS, PLAIN), (NOISE, SPLIT)])
def test_the_file_has_the_chosen_encoding(values: np.ndarray, name: str) -> None:
    file = _written(values)
    assert name in _column(file, "price").encodings
    assert DELTA in _column(file, "seq").encodings
    assert _column(file, "price").compression == "ZSTD"


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(width=64), min_size=1, max_size=300), st.integers(1, 9))
def test_every_float_comes_back_bit_for_bit(numbers: list[float], level: int) -> None:
    values = np.array(numbers * 3)
    columns = (TABLES_BY_NAME["mark_prices"].columns[1], PRICE)
    back = np.concatenate([piece["price"] for piece in parquet.read(_written(values, level), columns)])
    assert back.view(np.int64).tolist() == values.view(np.int64).tolist()


def test_the_metadata_is_in_the_file_once() -> None:
    assert set(_written(NOISE).metadata.metadata) == {b"ringcollect"}
