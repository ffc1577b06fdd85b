"""Every version ever written reads as the newest one; the next one with one more column shows the way."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ringcollect.errors import LakeError
from ringcollect.records import Kind
from ringcollect.store import parquet, parts, schema, schema_versions, tables, verify_segment
from ringcollect.store.schema import SCHEMA_VERSION, TABLES, TABLES_BY_NAME, Column, Table
from ringcollect.store.schema_versions import current, upgrade
from ringcollect.store.snapshot_table import SNAPSHOT_TABLES
from ringcollect.store.verify import verify
from tests.store import lake
from tests.store.frozen.reading import FROZEN, facts, frozen

VERSIONS = sorted(path.name for path in FROZEN.iterdir() if path.is_dir() and path.name.startswith("v"))
NEXT = SCHEMA_VERSION + 1
SIZE = Column("size", "float64", "size", "what the next version tells of a mark price", since=NEXT, absent=float("nan"))
MARK = TABLES_BY_NAME["mark_prices"]


def test_there_is_a_frozen_lake_of_every_version() -> None:
    assert [f"v{n}" for n in range(1, SCHEMA_VERSION + 1)] == VERSIONS


@pytest.mark.parametrize("version", VERSIONS)
def test_a_frozen_lake_holds_every_table_and_verifies(version: str) -> None:
    files = frozen(version)
    there = {place.partition("/exchange=")[0].partition("/grid=")[0].partition("/duration=")[0] for place in files}
    raw = {f"raw/{table.name}" for table in TABLES if table.name != "others"}
    assert there >= raw | {"rest/orderbooks", "rejects", "sync/features", "sync/books"}
    assert there >= {f"sync/{name}" for name in SNAPSHOT_TABLES}
    assert "sync/bars" in there or version == "v1", "which had none"
    report = verify(FROZEN / version, strict=True)
    assert (report.problems, report.lost, report.files) == ([], [], len(files))


@pytest.mark.parametrize("version", VERSIONS)
def test_a_frozen_lake_reads_as_it_was_written(version: str) -> None:
    assert facts(version, frozen(version)) == frozen(version)


def _next_version(monkeypatch: pytest.MonkeyPatch) -> Table:
    """The software after somebody gave ``mark_prices`` a column ``size``."""
    unused = {name: value for name, value in MARK.unused.items() if name != "size"}
    newer = Table(MARK.name, MARK.kinds, (*MARK.columns[:-1], SIZE, MARK.columns[-1]), unused)
    everything = tuple(newer if table is MARK else table for table in TABLES)
    monkeypatch.setitem(TABLES_BY_NAME, MARK.name, newer)
    for module in (parts, tables, schema):
        monkeypatch.setattr(module, "TABLES", everything)
    for module in (parts, schema, schema_versions, verify_segment):
        monkeypatch.setattr(module, "SCHEMA_VERSION", NEXT)
    return newer


def _marks(count: int) -> np.ndarray:
    records = lake.trades(count)
    records["kind"], records["side"], records["id"], records["aux"] = Kind.MARK_PRICE, 0, 0, 0
    records["size"] = 5.0
    return records


def _mark_file(data: Path) -> Path:
    (path,) = lake.parquet_files(data, "raw", "mark_prices")
    return path


def _upgraded(path: Path) -> pa.Table:
    file = parquet.open_file(path)
    return upgrade(file.read(), parquet.metadata_of(file))


def test_the_next_version_with_one_more_column_reads_and_verifies_lakes_of_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = lake.make_lake(tmp_path / "old", _marks(50))
    before = _upgraded(_mark_file(old))
    assert "size" not in before.column_names
    newer = _next_version(monkeypatch)
    new = lake.make_lake(tmp_path / "new", _marks(50))
    for data in (old, new):
        report = verify(data, strict=True)
        assert (report.problems, report.lost, report.records) == ([], [], 50)
    was, now = _upgraded(_mark_file(old)), _upgraded(_mark_file(new))
    assert was.schema.equals(now.schema, check_metadata=False)
    assert was.column_names == [column.name for column in newer.columns]
    assert np.isnan(was["size"].to_numpy()).all() and (now["size"].to_numpy() == 5.0).all()
    assert was.drop_columns(["size"]).equals(before)
    assert pa.concat_tables([was, now]).num_rows == 100


def test_the_software_of_today_reads_what_a_newer_version_wrote_and_strict_says_so(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        _next_version(monkeypatch)
        data = lake.make_lake(tmp_path, _marks(50))
    rows = _upgraded(_mark_file(data))
    assert rows.column_names == [column.name for column in MARK.columns]
    assert rows["price"].to_pylist() == _marks(50)["price"].tolist()
    said = [problem.what for problem in verify(data, strict=True).problems]
    assert any(f"its schema is not version {SCHEMA_VERSION} of mark_prices" in text for text in said)


def test_a_file_that_lacks_a_column_of_its_own_version_is_refused(tmp_path: Path) -> None:
    data = lake.make_lake(tmp_path, _marks(5))
    file = parquet.open_file(_mark_file(data))
    with pytest.raises(LakeError, match=f"no column price of type float64, which schema version {SCHEMA_VERSION} has"):
        upgrade(file.read().drop_columns(["price"]), parquet.metadata_of(file))
    at = file.schema_arrow.names.index("price")
    retyped = file.read().set_column(at, "price", pa.array([1] * 5))
    with pytest.raises(LakeError, match="no column price of type float64"):
        upgrade(retyped, parquet.metadata_of(file))


@pytest.mark.parametrize("version", [None, "1", 0, True])
def test_a_file_without_a_version_is_refused(version: object) -> None:
    with pytest.raises(LakeError, match="schema_version"):
        upgrade(pa.table({"seq": [1]}), {"schema_version": version, "identity": {"table": "raw/trades"}})


def test_what_is_wanted_comes_in_that_order_and_unknown_columns_are_an_error() -> None:
    path = next((FROZEN / "v1" / "raw" / "trades").rglob("*.parquet"))
    metadata = parquet.metadata_of(parquet.open_file(path))
    rows = upgrade(pq.read_table(path, partitioning=None), metadata, wanted=["size", "price"])
    assert rows.column_names == ["size", "price"]
    with pytest.raises(LakeError, match="no column colour"):
        upgrade(rows, metadata, wanted=["colour"])


def test_every_table_of_the_lake_has_columns_and_others_have_none() -> None:
    assert current("raw/trades") == TABLES_BY_NAME["trades"].columns
    assert current("sync/books") == TABLES_BY_NAME["orderbooks"].columns
    assert current("sync/trades") == SNAPSHOT_TABLES["trades"]
    assert current("sync/status") == TABLES_BY_NAME["status"].columns
    assert current("sync/features") is current("sync/venues") is None
    with pytest.raises(LakeError, match="no table raw/features"):
        current("raw/features")
