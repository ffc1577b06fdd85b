"""Claims about a segment, against a slow count of the same records one by one."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from ringcollect.records import RECORD, Flag, Kind, Status
from ringcollect.store.certificate import chain_claims, file_claims, id_claims, record_claims, row_claims
from ringcollect.store.chunk import Chunk
from tests import synthetic
from tests.store.lake import trades
from tests.store.test_tables import ROW

SECOND = 1_000_000_000


@pytest.fixture(scope="module")
def records() -> np.ndarray:
    return synthetic.stream(1500)


def _slow_chain(rows: np.ndarray) -> tuple[int, int]:
    """(batches, gaps): a consumer's rule, record by record."""
    batches = gaps = 0
    applied: int | None = None
    new = True
    for r in rows:
        if new:
            batches += 1
            if not r["flags"] & Flag.UNSYNCED:
                if r["kind"] == Kind.BOOK_DELTA and applied is not None and r["aux"] != applied:
                    gaps += 1
                applied = int(r["id"])
        new = bool(r["flags"] & Flag.LAST)
    return batches, gaps


def test_chain_and_counts_agree_with_a_consumer(records: np.ndarray) -> None:
    claims = record_claims(records)["rows"]
    for number in range(3):
        mine = records[records["instrument"] == number]
        book = mine[(mine["kind"] == Kind.BOOK_SNAPSHOT) | (mine["kind"] == Kind.BOOK_DELTA)]
        found = claims["instruments"][str(number)]
        assert (found["book"]["batches"], found["book"]["chain_gaps"]) == _slow_chain(book)
        assert found["book"]["levels"] == len(book)
        assert found["book"]["chain_gaps"] == 0, "the synthetic venue's own gaps are resynced"
        assert sum(found["kinds"].values()) == len(mine)


def test_a_removed_batch_is_a_chain_gap(records: np.ndarray) -> None:
    book = records[(records["instrument"] == 0) & (records["kind"] == Kind.BOOK_DELTA)]
    book = book[(book["flags"] & (Flag.UNSYNCED | Flag.REPLAYED)) == 0]
    start, ids = len(book) // 2, np.unique(book["id"])
    chained = book[np.isin(book["id"], ids[10:40])]
    assert chain_claims(chained)["chain_gaps"] == 0
    removed = chained[chained["id"] != ids[20]]
    assert chain_claims(removed)["chain_gaps"] == 1 == _slow_chain(removed)[1]
    assert start > 40


def test_links_between_segments_are_the_ids_at_the_ends(records: np.ndarray) -> None:
    book = records[(records["instrument"] == 0) & (records["kind"] == Kind.BOOK_DELTA)]
    book = book[(book["flags"] & (Flag.UNSYNCED | Flag.REPLAYED)) == 0]
    half = int(np.flatnonzero(book["flags"] & Flag.LAST)[50]) + 1
    first, second = chain_claims(book[:half]), chain_claims(book[half:])
    assert first["last_id"] == second["first_prev"]


def test_trade_ids_are_counted_with_their_holes() -> None:
    records = trades(6)
    records["id"] = records["aux"] = [1, 2, 5, 6, 4, 9]
    assert id_claims(records) == {"records": 6, "ids": [1, 9], "id_gaps": 2, "ids_missing": 6, "id_back": 1}
    merged = trades(2)
    merged["aux"], merged["id"] = [1, 4], [3, 6]
    assert id_claims(merged)["id_gaps"] == 0
    again = trades(3)
    again["id"] = again["aux"] = [7, 3, 8]
    again["flags"][1] |= Flag.SNAPSHOT
    assert id_claims(again)["id_back"] == 0, "history that a venue re-sends is no step back"


def test_crossed_and_locked_quotes_are_counted() -> None:
    quotes = np.zeros(6, RECORD)
    quotes["kind"], quotes["side"] = Kind.BBO, [1, -1] * 3
    quotes["price"], quotes["id"] = [10, 11, 12, 11, 11, 11], [1, 1, 2, 2, 3, 3]
    found = record_claims(quotes)["rows"]["instruments"]["0"]["quotes"]
    assert found == {"records": 6, "crossed": 1, "locked": 1}


def test_status_records_speak_for_frames_without_rows() -> None:
    status = np.zeros(7, RECORD)
    status["kind"], status["side"], status["instrument"] = Kind.STATUS, 2, 4
    status["ts_recv"] = np.arange(1, 8) * SECOND
    status["sub"] = [
        Status.COUNTERS, Status.DISCONNECTED, Status.FLOWING, Status.COUNTERS, Status.REJECTED,
        Status.CLOCK, Status.CLOCK_STEP,
    ]  # fmt: skip
    status["id"][[0, 3]], status["aux"][[0, 3]] = [10, 20], [100, 250]
    status["price"][3:] = [2, 5, -0.004, 1.5]
    status["ts_event"][1] = 1_500_000_000
    found = record_claims(status)["status"]
    assert found["counters"] == {"4/trade": {"frames": 20, "records": 250, "duplicates": 2, "gaps": 0}}
    assert found["down"] == [["4/trade", 1_500_000_000, 2 * SECOND, 3 * SECOND]]
    assert found["rejected"] == 5
    assert found["clock"] == {"steps": [1.5], "samples": 1, "offset_max_s": 0.004, "dispersion_max_s": 0}
    assert found["codes"] == {
        "counters": 2, "disconnected": 1, "flowing": 1, "rejected": 1, "clock": 1, "clock_step": 1,
    }  # fmt: skip


def test_the_row_hash_is_sha256_over_the_records_bytes() -> None:
    records = trades(5)
    claims = file_claims(Chunk(records))
    assert claims["row_hash"] == hashlib.sha256(records.tobytes()).hexdigest()
    assert claims["ts_recv"] == [int(records["ts_recv"][0]), int(records["ts_recv"][-1])]
    assert file_claims(Chunk(records[:0]))["seq"] is None


def test_holes_in_the_grid_are_counted() -> None:
    rows = np.zeros(4, ROW)
    rows["ts_ns"] = [100, 200, 500, 500]
    found = row_claims(rows, 100)["rows"]["instruments"]["0"]
    assert found == {"rows": 4, "ts_ns": [100, 500], "grid_holes": 2, "not_ascending": 1}
