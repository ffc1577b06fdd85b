"""``book_at``: the book of any moment is what applying everything before it gives, and it says when it may not be."""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.dataset as ds
import pytest

import ringcollect
from ringcollect.config import Sync, SyncOutput
from ringcollect.errors import ConfigError, NotFoundError
from ringcollect.records import Flag, Kind
from ringcollect.sources.replay import replay
from ringcollect.sources.stage import Settings
from ringcollect.store.drain import RingJournal
from ringcollect.store.seal import seal_all
from tests import synthetic
from tests.replay import oracle
from tests.replay.conftest import sealed_here as sealed_here
from tests.replay.run import CONFIG, cut
from tests.skeleton import ways
from tests.store import lake as lakes
from tests.store.compacting import compacted
from tests.store.watching import watched

STREAM = synthetic.stream(6000)
BTC = ("spot", "BTCUSDT")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten minutes over midnight, one resync of a gap in it; no DERIVED books."""
    return lakes.make_lake(tmp_path_factory.mktemp("books"), STREAM)


@pytest.fixture(scope="module")
def derived(tmp_path_factory: pytest.TempPathFactory, sealed_here: None) -> Path:
    """The same stream with whole books every two minutes."""
    folder = tmp_path_factory.mktemp("derived")
    sync = Sync(output=SyncOutput(books=True, book_interval="2m"))
    ways.replayed(STREAM, folder / "lake", folder / "runtime", sync=sync)
    return folder / "lake"


def rows_of(data: Path, market: str, symbol: str) -> list[dict[str, Any]]:
    rows = []
    for tier in ("raw", "rest"):
        folder = data / tier / "orderbooks"
        rows += ds.dataset(folder, partitioning="hive", format="parquet").to_table().to_pylist()
    mine = [row for row in rows if (row["market"], row["symbol"]) == (market, symbol)]
    return sorted(mine, key=lambda row: (row["generation"], row["seq"]))


def applied(rows: list[dict[str, Any]], ts: int) -> tuple[dict[float, float], dict[float, float]]:
    """Bids and asks after the rows up to the first update received after ``ts``: one row after the other."""
    sides: dict[int, dict[float, float]] = {1: {}, -1: {}}
    for row in rows:
        if row["flags"] & Flag.UNSYNCED:
            continue
        if row["ts_recv"] > ts:
            break
        if row["flags"] & Flag.CLEAR:
            sides = {1: {}, -1: {}}
        if row["side"] and row["size"] > 0:
            sides[row["side"]][row["price"]] = row["size"]
        elif row["side"]:
            sides[row["side"]].pop(row["price"], None)
    return sides[1], sides[-1]


def levels(side: dict[float, float], *, reverse: bool) -> list[list[float]]:
    return [[price, side[price]] for price in sorted(side, reverse=reverse)]


def assert_is(book: Any, rows: list[dict[str, Any]], ts: int) -> None:
    bids, asks = applied(rows, ts)
    assert book.bids.tolist() == levels(bids, reverse=True)
    assert book.asks.tolist() == levels(asks, reverse=False)


MOMENTS = sorted(random.Random(5).sample(range(len(STREAM)), 12))


@pytest.mark.parametrize(("market", "symbol"), [("spot", "BTCUSDT"), ("spot", "ETHUSDT"), ("linear", "BTCUSDT")])
def test_the_book_of_any_moment_is_what_applying_everything_before_it_gives(
    data: Path, market: str, symbol: str
) -> None:
    rows = rows_of(data, market, symbol)
    begins = next(row["ts_recv"] for row in rows if row["flags"] & Flag.CLEAR)
    proven = 0
    for at in MOMENTS:
        ts = max(int(STREAM["ts_recv"][at]), begins)
        book = ringcollect.book_at(data, "binance", symbol, ts, market=market)
        assert_is(book, rows, ts)
        proven += book.is_whole
        assert book.is_whole == (book.doubts == ())
    assert proven >= len(MOMENTS) - 3


def test_books_of_the_synchronizer_are_begun_from_where_they_are_nearer_and_give_the_same(derived: Path) -> None:
    rows = rows_of(derived, *BTC)
    used = 0
    for at in MOMENTS[2:]:
        ts = int(STREAM["ts_recv"][at])
        book = ringcollect.book_at(derived, "binance", "BTC-USDT", ts, market="spot")
        plain = ringcollect.book_at(derived, "binance", "BTCUSDT", ts, market="spot", use_derived=False)
        assert_is(book, rows, ts)
        assert (book.bids.tolist(), book.last_id, book.ts_recv) == (plain.bids.tolist(), plain.last_id, plain.ts_recv)
        assert book.is_whole == plain.is_whole and not plain.is_derived
        used += book.is_derived
        assert book.base_ns >= plain.base_ns
    assert used >= 3


def test_compacted_or_in_an_object_store_the_book_is_the_same(derived: Path, tmp_path: Path) -> None:
    shutil.copytree(derived, tmp_path / "lake")
    compacted(tmp_path / "lake")
    for at in MOMENTS[3::4]:
        ts = int(STREAM["ts_recv"][at])
        one = book(derived, ts)
        for other in (book(tmp_path / "lake", ts), book(watched(tmp_path / "lake"), ts)):
            assert (other.bids.tolist(), other.asks.tolist()) == (one.bids.tolist(), one.asks.tolist())
            assert (other.is_whole, other.base_ns, other.updates) == (one.is_whole, one.base_ns, one.updates)


def segment_of(data: Path, ts: int) -> Path:
    """The live book file of BTCUSDT, spot, that has the first update received after ``ts``."""
    folder = data / "raw/orderbooks/exchange=binance/market=spot/symbol=BTCUSDT"
    for path in sorted(folder.rglob("*.parquet")):
        if ds.dataset(path).to_table(filter=ds.field("ts_recv") > ts).num_rows:
            return path
    raise AssertionError("no such file")


def book(data: Any, ts: int) -> Any:
    return ringcollect.book_at(data, "binance", "BTCUSDT", ts, market="spot")


def test_behind_a_missing_file_the_book_is_the_last_whole_one_until_the_next_snapshot(
    data: Path, tmp_path: Path
) -> None:
    shutil.copytree(data, tmp_path / "lake")
    rows = rows_of(data, *BTC)
    snapshots = [row["ts_recv"] for row in rows if row["flags"] & Flag.CLEAR]
    path = segment_of(tmp_path / "lake", snapshots[0] + 60 * 10**9)
    gone = ds.dataset(path).to_table()["ts_recv"].to_pylist()
    path.unlink()
    before, after = min(gone) - 1, max(gone) + 1
    assert after < snapshots[1]
    assert_is(book(tmp_path / "lake", before), rows, before)
    torn = book(tmp_path / "lake", after + 10**9)
    assert not torn.is_whole and "is missing" in torn.doubts[0]
    assert_is(torn, rows, before)
    mended = book(tmp_path / "lake", snapshots[1] + 10**10)
    assert mended.is_whole
    assert_is(mended, rows, snapshots[1] + 10**10)


def test_while_the_book_is_out_of_step_with_the_venue_it_says_so(data: Path) -> None:
    rows = rows_of(data, *BTC)
    begin = next(i for i, row in enumerate(rows) if row["seq"] > rows[2000]["seq"] and row["flags"] & Flag.UNSYNCED)
    ts = rows[begin]["ts_recv"]
    found = book(data, ts)
    assert not found.is_whole and any("UNSYNCED" in doubt for doubt in found.doubts)
    assert any("RESYNC_BEGIN" in doubt for doubt in found.doubts)
    assert_is(found, rows, ts)


def test_past_the_end_of_the_lake_nothing_proves_the_book(data: Path) -> None:
    ts = int(STREAM["ts_recv"].max()) + 10**12
    found = book(data, ts)
    assert not found.is_whole and any("end before" in doubt for doubt in found.doubts)
    assert_is(found, rows_of(data, *BTC), ts)


def test_without_a_later_update_the_positions_of_the_ring_prove_it(tmp_path: Path) -> None:
    """A quiet book: no update comes any more, but the ring goes on and the lake has all of it."""
    quiet = STREAM[:6000]
    quiet = quiet[
        (quiet["instrument"] != 0) | (np.arange(len(quiet)) < 3000) | (quiet["kind"] > Kind.BOOK_CHECK)
    ].copy()
    quiet["seq"] = np.arange(len(quiet))
    lake = lakes.make_lake(tmp_path, quiet)
    ts = int(quiet["ts_recv"][-1]) - 10**9
    found = book(lake, ts)
    assert found.is_whole and found.ts_recv < ts - 10**9
    for path in sorted((lake / "certificates").rglob("*.json"))[-2:]:
        path.unlink()
    lost = book(lake, ts)
    assert not lost.is_whole
    assert lost.bids.tolist() == found.bids.tolist()


def test_an_update_whose_head_the_writer_may_have_lost_is_not_applied(tmp_path: Path) -> None:
    ring, lake = lakes.producer(tmp_path / "run", capacity=1024), tmp_path / "data"
    journal = RingJournal(lake, lakes.reader(ring), lakes.SMALL)
    lost_at = reached = 2500
    for batch in synthetic.batches(STREAM[:6000]):
        ring.publish(batch)
        if not lost_at <= batch["seq"][-1] <= lost_at + 1500:
            journal.drain()
            reached = int(batch["seq"][-1]) + 1 if batch["seq"][-1] < lost_at else reached
    seal_all(journal.close(final=True), lake, sync=False)
    assert journal.lost > 0
    whole = whole_until(STREAM[:6000], reached)
    found = book(lake, int(STREAM["ts_recv"][5500]))
    assert not found.is_whole and found.doubts
    assert dict(found.bids.tolist()) == whole[1] and dict(found.asks.tolist()) == whole[-1]


def whole_until(records: np.ndarray, seq: int) -> dict[int, dict[float, float]]:
    """BTCUSDT's book from the records themselves, up to a position."""
    is_book = np.isin(records["kind"], (Kind.BOOK_SNAPSHOT, Kind.BOOK_DELTA)) & (records["instrument"] == 0)
    mine = records[is_book & (records["seq"] < seq)]
    rows = [dict(zip(mine.dtype.names or (), row, strict=True)) for row in mine.tolist()]
    bids, asks = applied(rows, 2**62)
    return {1: bids, -1: asks}


ORACLES = {"kraken_v2_2026": ("kraken", 376), "binance_spot_2021": ("binance", 10**6)}
"""Capture -> (exchange, how many lines of it): between Kraken's two connections lies a day of silence."""


@pytest.mark.usefixtures("sealed_here")
@pytest.mark.parametrize("name", ORACLES)
def test_the_book_of_a_capture_is_the_oracles_at_every_checkpoint(name: str, captures: Path, tmp_path: Path) -> None:
    exchange, lines = ORACLES[name]
    capture = cut(captures / f"{name}.jsonl.gz", tmp_path / f"{name}.jsonl.gz", lines)
    settings = Settings(data=tmp_path, config=CONFIG, exchange=exchange, market="spot", raw_only=True)
    replay(capture, settings)
    times = [line["t"] for line in oracle.json_lines(capture)]
    checked = 0
    for point in oracle.json_lines(captures / "oracle" / f"books_{name}.jsonl.gz"):
        if point["i"] >= len(times):
            break
        ts = times[point["i"]]
        if ts in times[point["i"] + 1 :]:
            continue  # another frame of the same nanosecond is in the book of that nanosecond
        try:
            found = ringcollect.book_at(tmp_path, exchange, point["s"], ts)
        except NotFoundError:
            continue  # the oracle goes on without a snapshot
        expected = [[(float(p), float(q)) for p, q in point[side]] for side in ("b", "a")]
        ours = [[tuple(level) for level in side[:10].tolist()] for side in (found.bids, found.asks)]
        assert (ours, len(found.bids), len(found.asks)) == (expected, point["nb"], point["na"]), point
        checked += 1
    assert checked > 3


def test_an_instrument_or_a_moment_without_a_book_is_said(data: Path) -> None:
    ts = int(STREAM["ts_recv"][5000])
    for exchange, symbol in (("kraken", "BTCUSDT"), ("binance", "DOGEUSDT")):
        with pytest.raises(NotFoundError, match="no books"):
            ringcollect.book_at(data, exchange, symbol, ts)
    with pytest.raises(NotFoundError, match="no whole book"):
        ringcollect.book_at(data, "binance", "ETHUSDT", synthetic.START_NS - 1)
    with pytest.raises(ConfigError, match="market"):
        ringcollect.book_at(data, "binance", "BTCUSDT", ts)
