"""Gaps are counted with their sizes, over reconnects; where ids are not dense the answer is "untracked", never zero."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from ringcollect.feed.dense_ids import DenseIds
from ringcollect.observe.rings import RingView
from ringcollect.records import Channel, Flag, Kind
from ringcollect.ring.layout import GAP_SIZE_BOUNDS
from tests.feed.onlooker import MS, T0, Onlooker
from tests.feed.script import depth, snapshot, ticker, trade

A, B = "AAAUSDT", "BBBUSDT"
OKX = "wss://ws.okx.com:8443/ws/v5/public"


def sizes(s, symbol: str, channel: Channel) -> dict[float, int]:
    """Bound -> gaps, without the zeros."""
    counts = s.ledger(symbol, channel)["gap_sizes"].tolist()
    return {bound: n for bound, n in zip((*GAP_SIZE_BOUNDS, float("inf")), counts, strict=True) if n}


def test_trade_gaps_are_counted_by_the_number_of_ids_missing(stage) -> None:
    s = stage()
    s.up()
    number = 1
    for missing in (0, 1, 2, 3, 5, 6, 10, 11, 1000, 1001, 0):
        number += missing + 1
        s.frame(trade(A, number))
    assert sizes(s, A, Channel.TRADE) == {1: 1, 2: 1, 5: 2, 10: 2, 50: 1, 1000: 1, float("inf"): 1}
    row = s.ledger(A, Channel.TRADE)
    assert (row["gaps"], row["missing"]) == (9, 1 + 2 + 3 + 5 + 6 + 10 + 11 + 1000 + 1001)
    assert not s.ledger(B, Channel.TRADE)["gap_sizes"].any()


@pytest.mark.parametrize(("market", "missing"), [("spot", 7), ("linear", 1)])
def test_a_book_gap_has_the_updates_that_are_missing_or_one_where_ids_jump(stage, market: str, missing: int) -> None:
    s = stage(market=market, symbols=(A,), channels=("book",))
    s.up()
    for rest in s.open_rests("snapshot"):
        s.answer(rest, 200, snapshot(100))
    linear = market == "linear"
    s.frame(depth(A, 101, 102, prev=100 if linear else None))
    s.frame(depth(A, 103, 103, prev=102 if linear else None))
    s.frame(depth(A, 111, 112, prev=110 if linear else None))
    row = s.ledger(A, Channel.BOOK)
    assert (row["gaps"], row["missing"]) == (1, missing)


def test_gaps_are_carried_over_a_reconnect(stage) -> None:
    s = stage()
    s.up()
    for number in (1, 5):
        s.frame(trade(A, number))
    s.session.close(0, 1006, "cut", s.now)
    s._collect()
    s.advance(3)
    s.open_sockets()
    s.ack()
    s.frame(trade(A, 26), int(s.ledger(A, Channel.TRADE)["conn"]))
    row = s.ledger(A, Channel.TRADE)
    assert (row["gaps"], row["missing"]) == (2, 3 + 20)
    assert sizes(s, A, Channel.TRADE) == {5: 1, 50: 1}


def test_the_tracker_is_bounded_to_what_was_subscribed(stage) -> None:
    s = stage(symbols=(A,), listed=(A, B))
    s.up()
    for number in range(1, 50):
        s.frame(trade(B, 10 * number))
    rows = s.ring.ledger.rows()
    assert len(rows) == 3 and not rows["gaps"].any() and s.counter("trade_gaps") == 0


def test_channels_without_dense_ids_say_untracked(stage) -> None:
    s = stage(market="linear", symbols=(A,), channels=("book", "trade", "bbo", "mark_price", "funding", "liquidation"))
    s.up()
    s.frame(ticker(A, 1))
    view = RingView(s.ring.path)
    said = {row.channel: (row.gaps, row.missing) for row in view.subscriptions(s.now)}
    view.close()
    no = ("untracked", "untracked")
    assert said == {
        "book": (0, 0), "trade": (0, 0), "bbo": no, "mark_price": no, "funding": no, "liquidation": no,
    }  # fmt: skip


def test_where_frames_of_a_connection_are_numbered_everything_on_it_is_tracked(tmp_path: Path) -> None:
    """Coinbase Advanced: best prices have no ids of their own, but a lost frame shows in ``sequence_num``."""
    s = Onlooker(tmp_path, "coinbase", "spot", {0: "wss://advanced-trade-ws.coinbase.com"})
    for number in (0, 1, 4):
        s.frame(
            {
                "channel": "ticker", "timestamp": "2026-09-23T01:39:03.000000Z", "sequence_num": number,
                "events": [{"type": "update", "tickers": [
                    {"type": "ticker", "product_id": "BTC-USD", "price": "2", "best_bid": "1", "best_ask": "3",
                     "best_bid_quantity": "1", "best_ask_quantity": "1"},
                ]}],
            }
        )  # fmt: skip
    row = s.row(Channel.BBO)
    assert (row["tracked"], row["gaps"], row["missing"]) == (1, 1, 2)
    s.close()


def okx(*prints: tuple[int, int]) -> dict:
    """A trades frame of merged prints (last id, how many)."""
    data = [
        {"instId": "BTC-USDT", "tradeId": str(last), "px": "2", "sz": "1", "side": "buy", "ts": str(T0 // MS),
         "count": str(count), "source": "0"}
        for last, count in prints
    ]  # fmt: skip
    return {"arg": {"channel": "trades", "instId": "BTC-USDT"}, "data": data}


class Judge:
    """Slow and obvious: which print of which connection is news, late, a copy of ours or the venue's own second one."""

    def __init__(self) -> None:
        self.seen: set[int] = set()
        self.by_conn: dict[int, set[int]] = {0: set(), 1: set()}
        self.missing: set[int] = set()
        self.told: list[tuple[int, bool]] = []
        self.counts = dict.fromkeys(("trade_gaps", "out_of_order", "duplicates", "dropped_duplicates"), 0)

    def frame(self, ids: list[int], conn: int) -> None:
        here: dict[int, bool] = {}
        for number in sorted(ids):
            again, known_here = (
                number in self.seen or (bool(self.seen) and number < self.first),
                (number in self.by_conn[conn]),
            )
            if not self.seen:
                self.first = number
            newest = max(self.seen, default=number - 1)
            if again:
                self.counts["duplicates" if known_here else "dropped_duplicates"] += 1
            elif number < newest:
                self.counts["out_of_order"] += 1
            elif number > newest + 1:
                self.counts["trade_gaps"] += 1
            here[number] = again and not known_here
            self.told += [(number, again)] if not here[number] else []
            self.seen.add(number)
            self.by_conn[conn].add(number)


@pytest.mark.parametrize("kernel", [True, False])
@pytest.mark.parametrize("seed", range(12))
def test_frames_of_several_prints_are_judged_print_by_print(kernel: bool, seed: int, tmp_path: Path) -> None:
    """Two connections cut the same prints into other frames, lose some, send some twice, swap some."""
    rng = random.Random(seed)
    s, judge = Onlooker(tmp_path, "okx", "spot", {0: OKX, 1: OKX}, kernel=kernel), Judge()
    queues: list[list[list[int]]] = [[], []]
    for queue in queues:
        number = 1000
        while number < 1200:
            size = rng.choice((1, 1, 1, 2, 3, 5))
            frame = [n for n in range(number, number + size) if rng.random() > 0.03] or [number]
            queue += [frame] * rng.choice((1,) * 15 + (2,))
            number += size
        for _ in range(5):
            at = rng.randrange(1, len(queue) - 1)
            queue[at], queue[at + 1] = queue[at + 1], queue[at]
    while any(queues):
        conn = rng.randrange(2) if all(queues) else int(not queues[0])
        for _ in range(rng.choice((1, 1, 8))):  # a run, so that the kernel gets its chance
            if queues[conn]:
                ids = queues[conn].pop(0)
                s.frame(okx(*((n, 1) for n in ids)), conn)
                judge.frame(ids, conn)
    records = s.data(Kind.TRADE)
    assert sorted((int(r["id"]), bool(r["flags"] & Flag.DUPLICATE)) for r in records) == sorted(judge.told)
    assert {name: s.counter(name) for name in judge.counts} == judge.counts
    assert s.row(Channel.TRADE)["gaps"] == judge.counts["trade_gaps"]
    s.close()


def test_a_tracker_knows_what_it_was_told_and_nothing_else() -> None:
    rng = random.Random(3)
    for _ in range(200):
        tracker, told = DenseIds(), set()
        for _ in range(40):
            number = rng.randrange(100, 160)
            tracker.arrive(number, number)
            told.add(number)
        for number in range(90, 170):
            assert tracker.knows(number, number) is (number in told and number >= tracker.first)
