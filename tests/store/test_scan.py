"""``scan``: every row of what is asked for, once, with what its folders say, and nothing else touched."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import ringcollect
from ringcollect.errors import ConfigError, LakeError, NotFoundError
from ringcollect.records import Flag
from ringcollect.store import parquet, schema_versions
from ringcollect.store.naming import TOKENS
from ringcollect.store.rotation import Policy
from ringcollect.store.scan import Scan
from ringcollect.store.selection import select
from tests import synthetic
from tests.store import lake as lakes
from tests.store.compacting import compacted
from tests.store.frozen.reading import FROZEN
from tests.store.watching import Watch, watched

DAY_NS = 86_400 * 10**9
FOLDERS = ("exchange", "market", "symbol", "date")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The made-up exchange over midnight, in many small segments."""
    records = lakes.over_midnight(1500)
    return lakes.make_lake(tmp_path_factory.mktemp("scan"), records, policy=Policy(records=800))


def read_plainly(data: Path, folder: str) -> list[dict[str, Any]]:
    """Every row below ``folder``, one file after another, with what the folders say: the slow obvious way."""
    rows = []
    for path in sorted((data / folder).rglob("*.parquet")):
        values = dict(part.split("=") for part in path.relative_to(data).parts if "=" in part)
        rows += [row | values for row in pq.ParquetFile(path).read().to_pylist()]
    return rows


def same(found: list[dict[str, Any]], expected: list[dict[str, Any]]) -> bool:
    def key(row: dict[str, Any]) -> tuple[Any, ...]:
        return row["generation"], row["seq"], row.get("side", 0), repr(row.get("price"))

    return repr(sorted(found, key=key)) == repr(sorted(expected, key=key))


LIVE = ("orderbooks", "trades", "quotes", "liquidations", "fundings", "mark_prices", "index_prices", "status")


@pytest.mark.parametrize(
    ("mode", "type"), [*(("raw", name) for name in LIVE), ("rest", "orderbooks"), ("rest", "open_interests")]
)
def test_a_scan_has_every_row_of_every_file_and_what_the_folders_say(data: Path, mode: str, type: str) -> None:
    table = ringcollect.scan(data, type, mode=mode).to_table()
    assert tuple(table.column_names[-4:]) == FOLDERS
    assert same(table.to_pylist(), read_plainly(data, f"{mode}/{type}"))
    assert table.num_rows == ringcollect.scan(str(data), type, mode=mode).count_rows() > 0


def test_rows_of_an_instrument_come_in_ring_order(data: Path) -> None:
    table = ringcollect.scan(data, "trades", market="spot", symbol="BTC-USDT").to_table()
    assert np.all(np.diff(table["seq"].to_numpy()) > 0)
    assert table["symbol"].unique().to_pylist() == ["BTCUSDT"]
    assert sorted(table["date"].unique().to_pylist()) == ["2026-09-21", "2026-09-22"]


def test_raw_and_rest_together_say_which_is_which(data: Path) -> None:
    both = ringcollect.scan(data, "orderbooks", mode=("raw", "rest")).to_table()
    apart = [ringcollect.scan(data, "orderbooks", mode=mode).count_rows() for mode in ("raw", "rest")]
    counted = {pair["values"]: pair["counts"] for pair in both["tier"].value_counts().to_pylist()}
    assert counted == {"raw": apart[0], "rest": apart[1]}
    rest = both.filter(pc.equal(both["tier"], "rest"))["flags"].to_numpy()
    assert np.all(rest & (Flag.REST | Flag.REPLAYED | Flag.BACKFILLED))


def test_the_span_is_half_open_and_columns_come_as_named(data: Path) -> None:
    times = np.sort(ringcollect.scan(data, "trades").to_table()["ts_recv"].to_numpy())
    start, end = int(times[len(times) // 3]), int(times[2 * len(times) // 3])
    few = ringcollect.scan(data, "trades", start=start, end=end, columns=["symbol", "price"])
    assert few.schema.names == ["symbol", "price"]
    assert few.to_table().num_rows == np.count_nonzero((times >= start) & (times < end)) > 0
    second_day = ringcollect.scan(data, "trades", start="2026-09-22", columns=["ts_recv"]).to_table()
    assert second_day["ts_recv"].to_numpy().min() >= synthetic.MIDNIGHT_NS
    empty = ringcollect.scan(data, "trades", start="2026-10-01")
    assert empty.to_table().num_rows == 0 and empty.schema.names[:2] == ["generation", "seq"]


def test_neither_other_days_nor_other_instruments_nor_other_tables_are_opened(data: Path) -> None:
    watch = Watch()
    lake, ether = watched(data, watch), {"market": "spot", "symbol": "ETHUSDT"}
    before = ringcollect.scan(lake, **ether, end=synthetic.MIDNIGHT_NS - 2 * DAY_NS)
    assert before.to_table().num_rows == 0 and watch.opened == []
    second_day = ringcollect.scan(lake, **ether, start=synthetic.MIDNIGHT_NS)
    assert second_day.to_table().num_rows > 0
    assert watch.opened and all("/raw/trades/" in p and "symbol=ETHUSDT/date=2026-09-22" in p for p in watch.opened)


def test_row_groups_outside_the_span_and_columns_behind_the_last_one_asked_for_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "ROW_GROUP", 1 << 12)
    step, first = 1_000_000, lakes.GENERATION
    data = lakes.make_lake(tmp_path, lakes.trades(20_000, start_ns=first, step_ns=step), policy=Policy())
    (path,) = lakes.parquet_files(data, "raw", "trades")
    watch = Watch()
    span = {"start": first + 9_000 * step, "end": first + 9_100 * step}
    assert ringcollect.scan(watched(data, watch), columns=["price"], **span).to_table().num_rows == 100
    touched = {place for _, at, size in watch.reads for place in columns_at(path, at, at + size)}
    assert {group for group, _ in touched} == {2}, "rows 8192 to 12287"
    assert {name for _, name in touched} & {"price", "size", "side", "sub", "native_symbol"} == {"price"}


def columns_at(path: Path, start: int, stop: int) -> set[tuple[int, str]]:
    """(row group, column) whose pages have a byte in ``[start, stop)``, by the footer; the footer itself is none."""
    footer = pq.ParquetFile(path).metadata
    found = set()
    for group in range(footer.num_row_groups):
        for number in range(footer.num_columns):
            column = footer.row_group(group).column(number)
            begin = column.dictionary_page_offset or column.data_page_offset
            if begin < stop and start < begin + column.total_compressed_size and stop < path.stat().st_size:
                found.add((group, column.path_in_schema))
    return found


def test_several_symbols_markets_and_exchanges_may_be_named(data: Path) -> None:
    table = ringcollect.scan(
        data, "trades", symbol=["BTCUSDT", "ETH/USDT"], market=["spot"], exchange="binance"
    ).to_table()
    assert set(zip(table["symbol"].to_pylist(), table["market"].to_pylist(), strict=True)) == {
        ("BTCUSDT", "spot"), ("ETHUSDT", "spot"),
    }  # fmt: skip


@pytest.mark.parametrize("exchanges", [True, False], ids=["by exchange", "by manifest"])
def test_a_folder_that_is_compacted_meanwhile_gives_each_row_once(data: Path, tmp_path: Path, exchanges: bool) -> None:
    lake = tmp_path / "data"
    shutil.copytree(data, lake)
    choice = {"symbol": "BTCUSDT", "market": "spot"}
    expected = ringcollect.scan(lake, "trades", **choice).to_table()
    scan = ringcollect.scan(lake, "trades", **choice)
    assert len(scan.files) >= 6
    taken = []
    for number, batch in enumerate(scan.to_batches()):
        taken.append(batch)
        if number == 0:
            before_ns = int(expected["ts_recv"][expected.num_rows // 2].as_py())
            compacted(lake, select(types=("trades",)), before_ns=before_ns, exchanges=exchanges)
        if number == 2:
            compacted(lake, select(types=("trades",)), exchanges=exchanges)
    assert pa.Table.from_batches(taken).equals(expected)
    assert len(ringcollect.scan(lake, "trades", **choice).files) == 2, "one a day"
    assert ringcollect.scan(lake, "trades", **choice).to_table().equals(expected)


def test_a_file_that_was_removed_meanwhile_is_said(data: Path, tmp_path: Path) -> None:
    lake = tmp_path / "data"
    shutil.copytree(data, lake)
    scan = ringcollect.scan(lake, "trades")
    (lake / scan.files[-1].path).unlink()
    with pytest.raises(NotFoundError, match=r"was removed"):
        scan.to_table()


def test_a_damaged_file_is_named(data: Path, tmp_path: Path) -> None:
    lake = tmp_path / "data"
    shutil.copytree(data, lake)
    path = lake / ringcollect.scan(lake, "trades").files[1].path
    prices = pq.ParquetFile(path).metadata.row_group(0).column(9)
    assert prices.path_in_schema == "price"
    content = bytearray(path.read_bytes())
    begin = prices.dictionary_page_offset or prices.data_page_offset
    content[begin + prices.total_compressed_size - 3] ^= 1
    path.write_bytes(content)
    with pytest.raises(LakeError, match=path.name.replace(".", r"\.")):
        ringcollect.scan(lake, "trades").to_table()


def test_what_is_not_there_is_said_and_choices_that_cannot_be_are_refused(data: Path, tmp_path: Path) -> None:
    for choice in ({"symbol": "DOGEUSDT"}, {"type": "bars"}, {"exchange": "kraken"}, {"mode": "sync"}):
        with pytest.raises(NotFoundError):
            ringcollect.scan(data, **choice)  # type: ignore[arg-type]
    with pytest.raises(NotFoundError):
        ringcollect.scan(tmp_path / "nowhere")
    for choice in (
        {"type": "trade"}, {"mode": "warm"}, {"mode": ("raw", "sync")}, {"columns": ["prize"]}, {"columns": []},
        {"start": "2026-09-22", "end": "2026-09-22"}, {"start": "yesterday"},
    ):  # fmt: skip
        with pytest.raises(ConfigError):
            ringcollect.scan(data, **choice)  # type: ignore[arg-type]


def test_duckdb_polars_pandas_and_other_processes_take_a_scan_as_it_is(data: Path) -> None:
    trades = ringcollect.scan(data, "trades", columns=["symbol", "price", "size", "seq"])
    whole = trades.to_table()
    volume = duckdb.sql("select symbol, sum(size) as volume from whole group by symbol order by symbol").fetchall()
    assert duckdb.sql("select count(*) from trades").fetchall() == [(whole.num_rows,)]
    assert pl.DataFrame(trades)["symbol"].unique().len() == 2
    assert trades.to_pandas().groupby("symbol", observed=True)["size"].sum().to_dict() == pytest.approx(dict(volume))
    assert pa.table(trades).equals(whole)
    grouped = whole.group_by("symbol").aggregate([("size", "sum")])
    assert grouped.num_rows == 2
    again: Scan = pickle.loads(pickle.dumps(trades))
    assert again.to_table().equals(whole)


def test_every_table_has_a_type(data: Path) -> None:
    for type in TOKENS:
        with pytest.raises(NotFoundError) if not list(data.rglob(f"raw/{type}")) else _nothing():
            ringcollect.scan(data, type)


def _nothing() -> Any:
    import contextlib

    return contextlib.nullcontext()


VERSIONS = sorted(path.name for path in FROZEN.iterdir() if path.is_dir() and path.name.startswith("v"))


@pytest.mark.parametrize("version", VERSIONS)
def test_lakes_of_every_version_have_the_columns_of_this_one(version: str) -> None:
    for one in ringcollect.datasets(FROZEN / version):
        columns = schema_versions.current(f"{one.mode}/{one.type}")
        table = one.scan().to_table()
        assert table.num_rows > 0
        if columns is not None:
            assert table.column_names[: len(columns)] == [column.name for column in columns]
        elif one.type == "features":
            assert {"ts_recv", "input_flags", "ts_ns"} <= set(table.column_names)
            assert (version == "v1") == (set(table["ts_recv"].to_pylist()) == {0})
            assert one.scan(start=int(table["ts_ns"][0].as_py())).count_rows() > 0


def test_lakes_of_several_versions_are_read_together(tmp_path: Path) -> None:
    for version in VERSIONS:
        for path in (FROZEN / version / "sync/features").rglob("*.parquet"):
            place = tmp_path / path.relative_to(FROZEN / version)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, place.with_name(f"{version}-{place.name}"))
    table = ringcollect.scan(tmp_path, "features").to_table()
    single = [ringcollect.scan(FROZEN / version, "features").count_rows() for version in VERSIONS]
    assert table.num_rows == sum(single) and table["ts_recv"].null_count == 0
    assert table["ts_recv"].to_pylist().count(0) >= single[0]
