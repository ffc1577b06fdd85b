"""Ids that are not dense: a copy is told from news exactly, within the window, by kernel and feed alike."""

from __future__ import annotations

import uuid
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringcollect.exchanges.recent import MOST_AT_ONCE, take
from ringcollect.feed.actions import Connect
from ringcollect.feed.recent_ids import NOBODY, NOT_SEEN, RecentIds
from ringcollect.records import RECORD, Channel, Flag, Kind
from tests.feed.onlooker import MS, T0, Onlooker
from tests.feed.stream_exchange import StreamExchange, snap

CAPACITY = 8
SECOND, DAY = 10**9, 24 * 3600 * 10**9
BYBIT, UPBIT = "wss://stream.bybit.com/v5/public/linear", "wss://api.upbit.com/websocket/v1"


def prints(ids: list[int]) -> np.ndarray:
    records = np.zeros(len(ids), RECORD)
    records["id"] = records["aux"] = ids
    return records


class Window:
    """The last ``CAPACITY`` ids that were news, and who brought them."""

    def __init__(self) -> None:
        self.known: list[tuple[int, int]] = []

    def arrive(self, identity: int, conn: int) -> int:
        if not identity:
            return NOT_SEEN  # a print without an id is never known
        for known, by in self.known:
            if known == identity:
                return by
        self.known = [*self.known, (identity, conn)][-CAPACITY:]
        return NOT_SEEN


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 2), st.lists(st.integers(-12, 12), min_size=1, max_size=4))))
def test_kernel_and_feed_share_one_exact_window(steps: list[tuple[bool, int, list[int]]]) -> None:
    ids, model = RecentIds(CAPACITY), Window()
    for by_kernel, conn, numbers in steps:
        records = prints(numbers)
        if by_kernel:
            known = {identity for identity, _ in model.known}
            news = 0 not in numbers and not known & set(numbers) and len(set(numbers)) == len(numbers)
            assert bool(take(ids.address, records.ctypes.data, len(numbers), conn)) is news
            if not news:
                continue  # left to the feed, and nothing is remembered
            assert all(model.arrive(number, conn) == NOT_SEEN for number in numbers)
        else:
            assert ids.arrive(records, conn) == [model.arrive(number, conn) for number in numbers]


def test_a_frame_too_long_for_the_kernel_is_left_to_the_feed_and_nothing_is_remembered() -> None:
    ids = RecentIds()
    records = prints(list(range(MOST_AT_ONCE + 1)))
    assert not take(ids.address, records.ctypes.data, len(records), 0)
    assert ids.arrive(records, 0) == [NOT_SEEN] * len(records)


def test_ids_outlive_their_connection_but_are_nobodys_then() -> None:
    ids = RecentIds()
    ids.arrive(prints([1]), 2)
    ids.arrive(prints([2]), 3)
    ids.forget_conn(2)
    assert ids.arrive(prints([1, 2]), 5) == [NOBODY, 3]
    ids.forget_conns()
    assert ids.arrive(prints([2]), 5) == [NOBODY]


def test_both_halves_of_a_uuid_count() -> None:
    ids, records = RecentIds(), prints([7, 7, 7])
    records["aux"] = [1, 2, 1]
    assert ids.arrive(records, 0) == [NOT_SEEN, NOT_SEEN, 0]


def bybit(*ids: str, at: int = T0 // MS) -> dict:
    data = [
        {"T": at, "s": "BTCUSDT", "S": "Buy", "v": "1", "p": "2", "L": "PlusTick", "i": i, "BT": False, "seq": 1}
        for i in ids
    ]
    return {"topic": "publicTrade.BTCUSDT", "type": "snapshot", "ts": at, "data": data}


def upbit(sequence: int, *, stream: str = "REALTIME", at: int = T0 // MS) -> dict:
    return {
        "type": "trade", "code": "KRW-BTC", "timestamp": at, "trade_timestamp": at, "trade_price": 2.0,
        "trade_volume": 1.0, "ask_bid": "BID", "sequential_id": sequence, "stream_type": stream,
    }  # fmt: skip


def told(s: Onlooker) -> list[tuple[int, bool, bool]]:
    """(id, DUPLICATE, SNAPSHOT) of each print; of a UUID its low half."""
    records = s.data(Kind.TRADE)
    return [(int(r["aux"]), bool(r["flags"] & Flag.DUPLICATE), bool(r["flags"] & Flag.SNAPSHOT)) for r in records]


@pytest.mark.parametrize("kernel", [True, False])
def test_bybits_uuids_on_two_connections_give_every_print_once_whatever_its_time(kernel: bool, tmp_path: Path) -> None:
    """Prints of one millisecond, cut into other frames on the other connection: nothing lost, nothing twice."""
    s = Onlooker(tmp_path, "bybit", "linear", {0: BYBIT, 1: BYBIT}, kernel=kernel)
    ids = [str(uuid.UUID(int=(1 << 126) + n)) for n in range(1, 9)]
    s.frame(bybit(ids[0]), 0)
    s.frame(bybit(ids[1], ids[2]), 0)
    s.frame(bybit(ids[0], ids[1]), 1)
    s.frame(bybit(ids[2], ids[3], ids[4]), 1)  # two are news, of the same millisecond
    s.frame(bybit(ids[3]), 0)
    s.frame(bybit(ids[5]), 0)
    s.frame(bybit(ids[6]), 0)
    s.frame(bybit(ids[6]), 0)  # the venue's own mistake
    s.frame(bybit(ids[5], ids[7]), 1)
    assert told(s) == [(n, False, False) for n in range(1, 8)] + [(7, True, False), (8, False, False)]
    assert (s.counter("dropped_duplicates"), s.counter("duplicates")) == (5, 1)
    row = s.row(Channel.TRADE)
    assert (row["dropped"], row["duplicates"], row["tracked"], row["gaps"]) == (5, 1, 0, 0)
    frames_end = s.data(Kind.TRADE)["flags"] & Flag.LAST
    assert [bool(f) for f in frames_end] == [True, False, True, False, True, True, True, True, True]
    s.close()


@pytest.mark.parametrize("kernel", [True, False])
def test_upbits_ids_may_go_back_and_are_no_copies(kernel: bool, tmp_path: Path) -> None:
    s = Onlooker(tmp_path, "upbit", "spot", {0: UPBIT, 1: UPBIT}, kernel=kernel)
    base = 16_186_782_720_000_000
    for conn, number in ((0, 5), (0, 3), (0, 4), (1, 5), (1, 3), (1, 6), (0, 6), (0, 4)):
        s.frame(upbit(base + number), conn)
    assert told(s) == [
        (base + 5, False, False), (base + 3, False, False), (base + 4, False, False), (base + 6, False, False),
        (base + 4, True, False),
    ]  # fmt: skip
    assert s.counter("dropped_duplicates") == 3 and s.counter("out_of_order") == 0
    s.close()


@pytest.mark.parametrize("kernel", [True, False])
def test_history_sent_again_on_the_same_connection_is_history_and_no_duplicate(kernel: bool, tmp_path: Path) -> None:
    s = Onlooker(tmp_path, "upbit", "spot", {0: UPBIT}, kernel=kernel)
    for number, stream in ((1, "SNAPSHOT"), (2, "REALTIME"), (3, "REALTIME"), (3, "SNAPSHOT"), (4, "REALTIME")):
        s.frame(upbit(number, stream=stream))
    assert told(s) == [(1, False, True), (2, False, False), (3, False, False), (3, False, True), (4, False, False)]
    assert (s.counter("resent_history"), s.counter("duplicates")) == (1, 0)
    s.close()


def test_duplicates_are_left_out_where_the_configuration_says_so_and_counted_all_the_same(tmp_path: Path) -> None:
    s = Onlooker(tmp_path, "upbit", "spot", {0: UPBIT}, keep_duplicates=False)
    for number in (1, 2, 2, 3, 1):
        s.frame(upbit(number))
    assert told(s) == [(1, False, False), (2, False, False), (3, False, False)]
    assert s.counter("duplicates") == 2 and s.row(Channel.TRADE)["duplicates"] == 2
    s.close()


def test_an_overlapped_reconnect_of_prints_without_dense_ids_loses_none_and_doubles_none(stage) -> None:
    """All prints of one millisecond: only their ids tell them apart."""
    quiet = {"stale_ns": 3 * DAY, "tick_ns": 3600 * SECOND, "counters_ns": DAY}
    s = stage(
        exchange=StreamExchange(), symbols=("AAAUSDT",), channels=("book", "trade"), rollover_ns=300 * SECOND, **quiet
    )  # fmt: skip
    s.up()

    def sent(number: int, conn: int) -> None:
        s.frame({"k": "trade", "s": "AAAUSDT", "i": number, "t": s.now // DAY * DAY}, conn)

    s.frame(snap("AAAUSDT", [[1, "1", "1"]], u=1), 0)
    for number in (1, 2):
        sent(number, 0)
    while not (connects := s.take(Connect)):
        s.advance(60)
    new = connects[0].conn
    sent(3, 0)
    s.session.open(new, connects[0].url, s.now)
    s._collect()
    for number, conn in ((3, new), (4, new), (4, 0), (5, 0), (5, new), (7, 0), (6, 0), (6, new), (7, new), (8, new)):
        sent(number, conn)
    assert s.closes() == []
    s.frame(snap("AAAUSDT", [[1, "1", "1"]], u=2), new)
    assert s.closes() == [0]
    for number in (8, 9, 7):  # 8 came by this one, 7 by the other: a duplicate of the venue's, and a copy of ours
        sent(number, new)
    records = s.data("AAAUSDT", Kind.TRADE)
    assert [(int(r["id"]), bool(r["flags"] & Flag.DUPLICATE)) for r in records] == [
        (1, False), (2, False), (3, False), (4, False), (5, False), (7, False), (6, False), (8, False), (8, True),
        (9, False),
    ]  # fmt: skip
    assert not any(r["flags"] & Flag.GAP for r in records)
    assert s.counter("dropped_duplicates") == 6 and s.counter("rollovers") == 1


def test_after_a_real_cut_the_greeting_is_a_copy_and_the_next_print_says_that_some_may_be_missing(stage) -> None:
    s = stage(exchange=StreamExchange(), symbols=("AAAUSDT",), channels=("trade",))
    s.up()
    for number in (11, 12):
        s.frame({"k": "trade", "s": "AAAUSDT", "i": number}, 0)
    s.session.close(0, 1006, "cut", s.now)
    s._collect()
    s.advance(3)
    s.open_sockets()
    [conn] = s.session.connections.sockets
    for number in (12, 11, 20):
        s.frame({"k": "trade", "s": "AAAUSDT", "i": number}, conn)
    records = s.data("AAAUSDT", Kind.TRADE)
    assert [(int(r["id"]), bool(r["flags"] & Flag.GAP)) for r in records] == [(11, False), (12, False), (20, True)]
    assert s.counter("dropped_duplicates") == 2


def test_two_legs_of_prints_without_dense_ids_make_one_stream_and_a_lost_leg_is_forgotten(stage) -> None:
    s = stage(exchange=StreamExchange(), symbols=("AAAUSDT",), channels=("trade",), redundancy=2)
    s.up()
    first, second = sorted(s.session.connections.sockets)

    def sent(number: int, conn: int) -> None:
        s.frame({"k": "trade", "s": "AAAUSDT", "i": number, "t": s.now // SECOND * SECOND}, conn)

    for number, conn in ((1, first), (1, second), (2, second), (3, first), (2, first), (3, second), (3, second)):
        sent(number, conn)
    s.session.close(first, 1006, "cut", s.now)
    s._collect()
    sent(4, second)
    s.advance(3)
    s.open_sockets()
    [again] = [conn for conn in s.session.connections.sockets if conn != second]
    for number, conn in ((4, again), (5, again), (5, second)):
        sent(number, conn)
    records = s.data("AAAUSDT", Kind.TRADE)
    assert [int(r["id"]) for r in records if not r["flags"] & Flag.DUPLICATE] == [1, 2, 3, 4, 5]
    assert not any(r["flags"] & Flag.GAP for r in records), "the other leg went on"
