"""Every version of every schema, written down: a change here is a change of what people read."""

from __future__ import annotations

import hashlib

import pytest

from ringcollect.store.parquet import arrow_schema
from ringcollect.store.row_table import columns_of
from ringcollect.store.schema import COUNT_FEATURES, FRAME_COLUMNS, SCHEMA_VERSION, SIGNED_FEATURES, TABLES, is_nullable
from ringcollect.store.schema_versions import columns_at
from ringcollect.store.snapshot_table import SNAPSHOT_TABLES
from ringcollect.sync.rows import row_dtype

COMMON = "generation seq ts_event ts_recv conn flags"
DOCUMENTED = {  # as the lake's documentation names them; native_symbol ends every file
    "orderbooks": "id prev_id side price size is_snapshot sub",
    "trades": "id uuid first_id price size side sub",
    "quotes": "id bid_price bid_size ask_price ask_size",
    "liquidations": "id side price size other_price sub",
    "fundings": "funding_rate predicted_rate interval_ns funding_time",
    "open_interests": "open_interest open_interest_value",
    "mark_prices": "price",
    "index_prices": "price",
    "tickers": "last open high low base_volume quote_volume",
    "book_checks": "id checksum",
    "status": "code channel id_from id_to number_1 number_2",
    "others": "kind sub side price size id aux",
}


def test_the_columns_are_the_documented_ones() -> None:
    found = {table.name: [column.name for column in table.columns] for table in TABLES}
    assert found.keys() == DOCUMENTED.keys()
    for name, columns in found.items():
        assert columns[:6] == COMMON.split()
        assert columns[-1] == "native_symbol"
        assert columns[6:-1] == DOCUMENTED[name].split()


def _spelled(version: int) -> str:
    """Every column that ``version`` has, with its type."""
    schemas = [(table.name, table.columns) for table in TABLES] + [("frames", FRAME_COLUMNS)]
    schemas += [(f"sync/{name}", columns) for name, columns in SNAPSHOT_TABLES.items()]
    schemas += [("sync/features", columns_of(row_dtype(["ob_mid_price", *sorted(COUNT_FEATURES | SIGNED_FEATURES)])))]
    return "\n".join(
        f"{name} {field.name} {field.type} {field.nullable}"
        for name, columns in schemas
        for field in arrow_schema(columns_at(columns, version))
    )


FROZEN = {
    1: "8cd08def1f1ef14ada6aac7554db2f8b829dca8f709d9bea958de7d4d150d277",
    2: "c80a379fa6f0970ba8b234aa8d319c172853e0baca9c9c5e313e8ef1a2ab884b",
}


@pytest.mark.parametrize("version", range(1, SCHEMA_VERSION + 1))
def test_a_schema_version_is_frozen(version: int) -> None:
    text = _spelled(version)
    assert hashlib.sha256(text.encode()).hexdigest() == FROZEN[version], text


def test_every_column_came_with_a_version_that_exists_and_says_what_its_absence_means() -> None:
    everything = [*(t.columns for t in TABLES), FRAME_COLUMNS, *SNAPSHOT_TABLES.values()]
    for column in (column for columns in everything for column in columns):
        assert 1 <= column.since <= SCHEMA_VERSION
        assert column.since == 1 or column.absent is not None or is_nullable(column), column.name


SNAPSHOTS = {
    "orderbooks": "ts_event side level price size",
    "trades": "ts_event id uuid first_id price size side sub flags",
    "liquidations": "ts_event id side price size other_price sub flags",
    "fundings": "ts_event funding_rate predicted_rate interval_ns funding_time",
    "open_interests": "ts_event open_interest open_interest_value",
    "snapshots": "ts_book_ns row_flags bid_total ask_total mark_price",
}


def test_the_columns_of_snapshots_are_the_documented_ones() -> None:
    for name, columns in SNAPSHOT_TABLES.items():
        found = [column.name for column in columns]
        assert found == ["generation", "seq", "ts_ns", *SNAPSHOTS[name].split(), "native_symbol"]
    assert SNAPSHOT_TABLES.keys() == SNAPSHOTS.keys()


def test_times_are_nanoseconds_in_int64_and_prices_are_float64() -> None:
    for table in TABLES:
        for field in arrow_schema(table.columns):
            if field.name.startswith("ts_") or field.name.endswith(("_time", "_ns")):
                assert str(field.type) == "int64", (table.name, field.name)
            if "price" in field.name or "size" in field.name or "rate" in field.name:
                assert str(field.type) == "double", (table.name, field.name)
