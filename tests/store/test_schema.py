"""Version 1 of every schema, written down: a change here is a change of what people read."""

from __future__ import annotations

import hashlib

from ringcollect.store.parquet import arrow_schema
from ringcollect.store.schema import FRAME_COLUMNS, SCHEMA_VERSION, TABLES
from ringcollect.store.snapshot_table import SNAPSHOT_TABLES

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


def test_schema_version_1_is_frozen() -> None:
    schemas = [(table.name, table.columns) for table in TABLES] + [("frames", FRAME_COLUMNS)]
    text = "\n".join(
        f"{name} {field.name} {field.type} {field.nullable}"
        for name, columns in schemas
        for field in arrow_schema(columns)
    )
    assert SCHEMA_VERSION == 1
    assert (
        hashlib.sha256(text.encode()).hexdigest() == "5d98742ca2be8c0445de4cfe350da6f7b5ec57589723df98498c9830855e4bca"
    ), text


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
