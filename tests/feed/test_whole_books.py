"""Upbit: every frame is a whole book, told apart by nothing but its time. What is no news is applied by nobody."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ringcollect.records import Channel, Flag, Kind
from tests.feed.onlooker import MS, T0, Onlooker

URL = "wss://api.upbit.com/websocket/v1"
KERNEL = pytest.mark.parametrize("kernel", [True, False])


def book(at_ms: int, bid: float = 1.0) -> dict:
    units = [{"ask_price": 3.0, "bid_price": bid, "ask_size": 1.0, "bid_size": 2.0}]
    return {
        "type": "orderbook", "code": "KRW-BTC", "timestamp": T0 // MS + at_ms, "total_ask_size": 1.0,
        "total_bid_size": 2.0, "orderbook_units": units, "stream_type": "REALTIME", "level": 0,
    }  # fmt: skip


def told(s: Onlooker) -> list[tuple[int, float, bool, bool]]:
    """(time, best bid, UNSYNCED, DUPLICATE) of each book in the ring."""
    records = s.data(Kind.BOOK_SNAPSHOT)
    bids = records[records["side"] == 1]
    return [
        ((int(r["ts_event"]) - T0) // MS, float(r["price"]), bool(r["flags"] & Flag.UNSYNCED),
         bool(r["flags"] & Flag.DUPLICATE))
        for r in bids
    ]  # fmt: skip


@KERNEL
def test_a_book_that_was_overtaken_is_kept_and_applied_by_nobody(kernel: bool, tmp_path: Path) -> None:
    s = Onlooker(tmp_path, "upbit", "spot", {0: URL}, kernel=kernel)
    for at, bid in ((1, 1.0), (5, 1.5), (6, 1.6), (4, 1.4), (7, 1.7)):
        s.frame(book(at, bid))
    assert told(s) == [
        (1, 1.0, False, False), (5, 1.5, False, False), (6, 1.6, False, False), (4, 1.4, True, False),
        (7, 1.7, False, False),
    ]  # fmt: skip
    assert (s.row(Channel.BOOK)["out_of_order"], s.row(Channel.BOOK)["tracked"]) == (1, 0)
    old = s.data(Kind.BOOK_SNAPSHOT)
    assert not any(r["flags"] & Flag.CLEAR for r in old[old["flags"] & int(Flag.UNSYNCED) > 0])
    s.close()


@KERNEL
def test_the_same_book_twice_is_a_duplicate_and_two_of_one_time_are_two(kernel: bool, tmp_path: Path) -> None:
    s = Onlooker(tmp_path, "upbit", "spot", {0: URL}, kernel=kernel)
    for at, bid in ((1, 1.0), (2, 1.2), (2, 1.2), (2, 1.3), (2, 1.3), (3, 1.3), (3, 1.3)):
        s.frame(book(at, bid))
    assert told(s) == [
        (1, 1.0, False, False), (2, 1.2, False, False), (2, 1.2, True, True), (2, 1.3, False, False),
        (2, 1.3, True, True), (3, 1.3, False, False), (3, 1.3, True, True),
    ]  # fmt: skip
    assert s.row(Channel.BOOK)["duplicates"] == 3
    ids = s.data(Kind.BOOK_SNAPSHOT)["id"]
    assert sorted(set(ids.tolist())) == list(range(1, 5)), "what is no news has no number of its own"
    s.close()


@KERNEL
def test_two_connections_give_each_book_once(kernel: bool, tmp_path: Path) -> None:
    s = Onlooker(tmp_path, "upbit", "spot", {0: URL, 1: URL}, kernel=kernel)
    for at, conn in ((1, 0), (2, 0), (1, 1), (2, 1), (3, 1), (3, 0), (4, 0), (5, 0), (4, 1), (5, 1), (6, 1)):
        s.frame(book(at, 1 + at / 10), conn)
    assert [at for at, *_ in told(s)] == [1, 2, 3, 4, 5, 6]
    assert s.row(Channel.BOOK)["dropped"] == 5 and not s.row(Channel.BOOK)["duplicates"]
    s.close()


def test_kernel_and_typed_way_publish_the_same_bytes(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    steps = [(int(at), float(bid), int(conn)) for at, bid, conn in
             zip(np.cumsum(rng.integers(-1, 3, 400)) + 10, rng.integers(11, 13, 400) / 10, rng.integers(0, 2, 400) // 1,
                 strict=True)]  # fmt: skip
    made = []
    for kernel in (True, False):
        (tmp_path / str(kernel)).mkdir()
        s = Onlooker(tmp_path / str(kernel), "upbit", "spot", {0: URL, 1: URL}, kernel=kernel)
        for k, (at, bid, conn) in enumerate(steps):
            s.frame(
                book(at, bid), conn if k % 50 > 30 else 0
            )  # runs of one connection, so that the kernel has its turn
        made.append((s.data().tobytes(), s.counter("dropped_duplicates"), s.counter("duplicates")))
        s.close()
    assert made[0] == made[1] and made[0][2] > 3
