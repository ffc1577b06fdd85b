"""Diff depth and snapshots: the documented procedure leads a client to the venue's own book."""

from __future__ import annotations

import json
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.sim.book import Book, Gap
from tests.sim.desk import MS, SECOND, Desk, truth_lines

SPOT = ("/stream", "/api/v3/depth?symbol=BTCUSDT&limit=5000")
LINEAR = ("/public/stream", "/fapi/v1/depth?symbol=BTCUSDT&limit=1000")


def _snapshot(desk: Desk, target: str) -> str:
    answer = desk.world.get(target, desk.now)
    assert answer is not None
    assert answer.status == 200
    return answer.body


def _follow(desk: Desk, target: str, streams: list[str], wait_ns: int) -> tuple[list[dict[str, Any]], str]:
    line = desk.open(f"{target}?streams={'/'.join(streams)}")
    desk.run(wait_ns)
    body = _snapshot(desk, SPOT[1] if target == "/stream" else LINEAR[1])
    desk.run(8 * SECOND)
    desk.finish()
    return line.data(streams[0]), body


@pytest.mark.parametrize(("path", "linear"), [("/stream", False), ("/public/stream", True)])
@pytest.mark.parametrize("topic", ["depth@100ms", "depth"])
@pytest.mark.parametrize("wait_ms", [37, 1234, 2050])
def test_a_client_that_bridges_as_documented_ends_with_the_final_book(
    tmp_path: Path, path: str, linear: bool, topic: str, wait_ms: int
) -> None:
    truth = tmp_path / "truth.jsonl"
    desk = Desk(truth=truth)
    events, body = _follow(desk, path, [f"btcusdt@{topic}"], wait_ms * MS)
    book = Book(linear)
    book.load(body)
    for event in events:
        book.event(event)
    assert book.applied > 5
    (final,) = (line for line in truth_lines(truth, "book") if line["m"] == ("linear" if linear else "spot"))
    assert final["u"] == book.last_id
    for mine, theirs in zip(book.sides(), (final["bids"], final["asks"]), strict=True):
        assert mine == [(Decimal(price), Decimal(size)) for price, size in theirs]


def test_spot_ids_are_contiguous_and_usdm_ids_are_chained_by_pu_and_jump() -> None:
    desk = Desk()
    spot = desk.open("/stream?streams=btcusdt@depth@100ms")
    linear = desk.open("/public/stream?streams=btcusdt@depth@100ms/btcusdt@depth@0ms")
    desk.run(10 * SECOND)
    events = spot.data("btcusdt@depth@100ms")
    assert len(events) > 50
    assert all(b["U"] == a["u"] + 1 for a, b in pairwise(events))
    for stream in ("btcusdt@depth@100ms", "btcusdt@depth@0ms"):
        events = linear.data(stream)
        assert len(events) > 50
        assert all(b["pu"] == a["u"] for a, b in pairwise(events))
        assert sum(b["U"] == a["u"] + 1 for a, b in pairwise(events)) < len(events) / 2
        assert all(event["U"] <= event["u"] and event["T"] <= event["E"] for event in events)


def test_every_speed_of_a_symbol_tells_the_same_book() -> None:
    desk = Desk()
    line = desk.open("/public/stream?streams=btcusdt@depth@100ms/btcusdt@depth@0ms/btcusdt@depth@500ms/btcusdt@depth")
    body = _snapshot(desk, LINEAR[1])
    desk.run(6 * SECOND)
    desk.finish()
    books = []
    for topic in ("depth@100ms", "depth@0ms", "depth@500ms", "depth"):
        book = Book(linear=True)
        book.load(body)
        for event in line.data(f"btcusdt@{topic}"):
            book.event(event)
        books.append((book.last_id, book.sides()))
    assert books.count(books[0]) == 4


def test_partial_depth_is_the_top_of_the_book_and_on_usdm_looks_like_a_diff() -> None:
    desk = Desk()
    spot = desk.open("/stream?streams=btcusdt@depth5@100ms")
    linear = desk.open("/public/stream?streams=btcusdt@depth10@100ms")
    desk.run(1 * SECOND)
    top = json.loads(_snapshot(desk, SPOT[1]))
    frame = spot.data("btcusdt@depth5@100ms")[-1]
    assert set(frame) == {"lastUpdateId", "bids", "asks"}
    assert len(frame["bids"]) == len(frame["asks"]) == 5
    assert frame["lastUpdateId"] <= top["lastUpdateId"]
    look_alike = linear.data("btcusdt@depth10@100ms")[-1]
    assert look_alike["e"] == "depthUpdate"
    assert len(look_alike["b"]) == 10


def test_a_skipped_event_breaks_the_documented_rule() -> None:
    desk = Desk()
    events, body = _follow(desk, "/stream", ["btcusdt@depth@100ms"], 500 * MS)
    book = Book(linear=False)
    book.load(body)
    with pytest.raises(Gap):
        for event in events[:20] + events[21:]:
            book.event(event)


def test_the_best_of_the_book_is_what_the_ticker_says(tmp_path: Path) -> None:
    desk = Desk()
    line = desk.open("/public/stream?streams=btcusdt@bookTicker/btcusdt@depth@0ms")
    book = Book(linear=True)
    book.load(_snapshot(desk, LINEAR[1]))
    desk.run(5 * SECOND)
    depth = {event["u"]: event for event in line.data("btcusdt@depth@0ms")}
    tickers = {frame["u"]: frame for frame in line.data("btcusdt@bookTicker")}
    assert len(tickers) > 50
    seen = 0
    for last_id, event in depth.items():
        book.event(event)
        if last_id in tickers:
            seen += 1
            bids, asks = book.sides()
            frame = tickers[last_id]
            assert (Decimal(frame["b"]), Decimal(frame["B"])) == bids[0]
            assert (Decimal(frame["a"]), Decimal(frame["A"])) == asks[0]
    assert seen == len(tickers)
