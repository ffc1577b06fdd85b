"""Whole books to the lake: live writes what replay writes, and what follows one of them needs nothing before it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.dataset as ds
import pytest

from ringcollect.config import Market, Override, Sync, SyncOutput
from ringcollect.records import Flag, Status
from ringcollect.ring.attach import attach
from ringcollect.store.verify import verify
from tests import synthetic
from tests.skeleton import ways

STREAM = synthetic.stream()
SYNC = Sync(output=SyncOutput(books=True, book_interval="2m"))
MIDNIGHT = synthetic.MIDNIGHT_NS


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("replayed")
    ways.replayed(STREAM, folder / "lake", folder / "runtime", sync=SYNC)
    return folder


def table(folder: Path) -> list[dict[str, object]]:
    """The rows of a table with the market of their folder, in ring order."""
    rows = ds.dataset(folder, partitioning="hive", format="parquet").to_table()
    return sorted(rows.to_pylist(), key=lambda row: (row["generation"], row["seq"]))


def test_books_are_in_their_own_table_from_midnight_on_and_every_claim_holds(replayed: Path) -> None:
    folder = replayed / "lake/sync/books"
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.parquet"))
    place = "exchange=binance/market=spot/symbol=BTCUSDT/date=2026-09-22/BTCUSDT_book_sync_20260922_000000.000.parquet"
    assert place in files
    books = table(folder)
    assert {row["ts_recv"] % (120 * 10**9) for row in books} == {0}
    assert MIDNIGHT in {row["ts_recv"] for row in books}
    assert all(row["is_snapshot"] and row["flags"] & Flag.DERIVED for row in books)
    report = verify(replayed / "lake", strict=True)
    assert report.problems == [] and "binance.book" in {one.ring for one in report.coverage}


def applied(rows: list[dict[str, object]], book: dict[tuple[int, float], float]) -> dict[tuple[int, float], float]:
    """``book`` after these rows of an order book table: skip UNSYNCED, honour CLEAR."""
    for row in rows:
        if row["flags"] & Flag.UNSYNCED:
            continue
        if row["flags"] & Flag.CLEAR:
            book = {}
        if row["side"] and row["size"] > 0:
            book[row["side"], row["price"]] = row["size"]
        elif row["side"]:
            book.pop((row["side"], row["price"]), None)
    return book


@pytest.mark.parametrize(("market", "symbol"), [("spot", "BTCUSDT"), ("spot", "ETHUSDT"), ("linear", "BTCUSDT")])
def test_the_book_of_midnight_and_what_names_its_last_change_give_the_book_of_the_end(
    replayed: Path, market: str, symbol: str
) -> None:
    lake = replayed / "lake"
    mine = [
        row
        for tier in ("raw", "rest")
        for row in table(lake / tier / "orderbooks")
        if (row["market"], row["symbol"]) == (market, symbol)
    ]
    every = sorted(mine, key=lambda row: row["seq"])
    start = [
        row
        for row in table(lake / "sync/books")
        if (row["market"], row["symbol"], row["ts_recv"]) == (market, symbol, MIDNIGHT)
    ]
    last = start[0]["id"]
    begin = next(i for i, row in enumerate(every) if row["prev_id"] == last and row["ts_recv"] >= MIDNIGHT)
    assert 0 < begin < len(every)
    assert applied(every[begin:], applied(start, {})) == applied(every, {})


def test_live_processes_write_the_same_bytes(replayed: Path, tmp_path: Path) -> None:
    ways.live(STREAM, tmp_path / "lake", tmp_path / "runtime", 1, sync=SYNC)
    assert ways.parquet_hashes(tmp_path / "lake") == ways.parquet_hashes(replayed / "lake")


def test_a_request_in_the_stream_brings_the_books_of_that_record(tmp_path: Path) -> None:
    records = STREAM[:4000].copy()
    place = next(i for i in range(3000, 4000) if records["flags"][i - 1] & Flag.LAST)
    asked = records[:1].copy()
    asked["sub"], asked["ts_recv"] = int(Status.BOOKS_WANTED), records["ts_recv"][place - 1]
    records = np.concatenate([records[:place], asked, records[place:]])
    records["seq"] = np.arange(len(records))
    only = Sync(output=SyncOutput(books=True))
    ways.replayed(records, tmp_path / "lake", tmp_path / "runtime", sync=only)
    books = table(tmp_path / "lake/sync/books")
    assert {row["ts_recv"] for row in books} == {int(records["ts_recv"][: place + 1].max())}
    assert {(row["market"], row["symbol"]) for row in books} == {
        ("spot", "BTCUSDT"), ("spot", "ETHUSDT"), ("linear", "BTCUSDT"),
    }  # fmt: skip


def test_books_of_instruments_with_a_grid_of_their_own_are_in_a_ring_of_their_own(tmp_path: Path) -> None:
    markets = (
        Market(
            exchange="binance", market="spot", symbols=("BTCUSDT", "ETHUSDT"),
            override=(Override(symbols=("ETHUSDT",), grid="1s"),),
        ),
    )  # fmt: skip
    ways.replayed(STREAM[:9000], tmp_path / "lake", tmp_path / "runtime", markets, SYNC)
    numbers = {}
    for name in ("binance.book", "binance.1s.book"):
        reader = attach(name, directory=tmp_path / "runtime")
        numbers[name] = set(reader.last(reader.capacity)["instrument"].tolist())
    assert numbers == {"binance.book": {0, 2}, "binance.1s.book": {1}}
    assert verify(tmp_path / "lake", strict=True).problems == []


def test_without_a_word_in_the_configuration_any_hour_of_the_lake_can_be_used_alone(tmp_path: Path) -> None:
    """The stream of midnight, five hours earlier: what lies behind the full hour gives the book of the end."""
    records = STREAM.copy()
    hour = MIDNIGHT - 5 * 3600 * 10**9
    for name in ("ts_event", "ts_recv"):
        records[name][records[name] != 0] -= MIDNIGHT - hour
    ways.replayed(records, tmp_path / "lake", tmp_path / "runtime", sync=Sync())
    books = table(tmp_path / "lake/sync/books")
    assert {row["ts_recv"] for row in books} == {hour}
    for market, symbol in (("spot", "BTCUSDT"), ("spot", "ETHUSDT"), ("linear", "BTCUSDT")):
        place = f"exchange=binance/market={market}/symbol={symbol}"
        tiers = [tmp_path / "lake" / tier / "orderbooks" / place for tier in ("raw", "rest")]
        every = sorted((row for tier in tiers for row in table(tier)), key=lambda row: row["seq"])
        start = [row for row in books if (row["market"], row["symbol"]) == (market, symbol)]
        behind = [row for row in every if row["ts_recv"] >= hour]
        begin = next(i for i, row in enumerate(behind) if row["prev_id"] == start[0]["id"])
        assert applied(behind[begin:], applied(start, {})) == applied(every, {})
