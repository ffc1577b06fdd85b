"""Real captures through the session: the one rule of the records gives the book of the documented procedure."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from ringcollect.exchanges import load
from ringcollect.feed.counters import FEED_COUNTERS
from ringcollect.feed.ledger import State
from ringcollect.feed.plan import MarketPlan, Options, Plan
from ringcollect.feed.session import Session
from ringcollect.instruments import Registry
from ringcollect.records import Channel, Flag, Kind, Status
from ringcollect.ring.attach import attach
from ringcollect.ring.producer import Producer
from tests.feed.script import BookOf

CAPTURES = {
    "binance_spot_2021": ("spot", None),
    "binance_usdm_2021b": ("linear", None),
    "binance_spot_2024": ("spot", 20_000),
}


def lines_of(captures: Path, name: str) -> Iterator[dict]:
    limit = CAPTURES[name][1]
    with gzip.open(captures / f"{name}.jsonl.gz", "rt") as file:
        for i, line in enumerate(file):
            if i == limit:
                return
            yield json.loads(line)


def replay(captures: Path, name: str, folder: Path) -> tuple[np.ndarray, Producer, Registry]:
    """The capture through a passive session, every timer at its own time; all records of the run."""
    market = CAPTURES[name][0]
    ring = Producer.open(
        folder, "binance.rec", capacity=1 << 20, generation=1, counters=FEED_COUNTERS, ledger_rows=256
    )  # fmt: skip
    registry = Registry(None, "binance")
    plan = Plan(exchange="binance", markets=(MarketPlan(market=market),), options=Options(discover=True))
    session = Session(plan, load("binance"), registry, ring)
    started = False
    t = 0
    for line in lines_of(captures, name):
        t = line["t"]
        if not started:
            session.start(t)
            started = True
        while (due := session.next_deadline()) <= t:
            session.timer(due)
        if line["d"] == "in":
            session.frame(line["c"], line["f"].encode(), t)
        elif line["d"] == "rest":
            session.rest_seen(line["u"], 200, line["f"].encode(), t)
        elif line["d"] == "out" and not line["f"]:
            session.open(line["c"], line["u"], t)
        session.actions()
    session.stop(t)
    reader = attach(ring.path)
    reader.cursor = 0
    read = reader.read(1 << 20)
    assert read.lost[0] == read.lost[1]
    return read.records, ring, registry


def documented_books(captures: Path, name: str) -> dict[str, dict[tuple[int, float], float]]:
    """Binance's published procedure: buffer, snapshot, drop, apply. Written apart from the session."""
    linear = CAPTURES[name][0] == "linear"
    buffered: dict[str, list[dict]] = {}
    books: dict[str, dict[tuple[int, float], float]] = {}
    last: dict[str, int] = {}

    def apply(symbol: str, d: dict) -> None:
        if d["u"] < last[symbol] if linear else d["u"] <= last[symbol]:
            return
        for side, levels in ((1, d["b"]), (-1, d["a"])):
            for price, size in levels:
                if float(size):
                    books[symbol][side, float(price)] = float(size)
                else:
                    books[symbol].pop((side, float(price)), None)
        last[symbol] = d["u"]

    for line in lines_of(captures, name):
        body = json.loads(line["f"]) if line["f"] else {}
        if line["d"] == "rest" and "lastUpdateId" in body:
            symbol = parse_qs(urlsplit(line["u"]).query)["symbol"][0]
            if symbol in books:
                continue
            sides = ((1, body["bids"]), (-1, body["asks"]))
            books[symbol] = {(side, float(p)): float(z) for side, levels in sides for p, z in levels}
            last[symbol] = body["lastUpdateId"]
            for d in buffered.pop(symbol, []):
                apply(symbol, d)
        elif line["d"] == "in" and body.get("data", {}).get("e") == "depthUpdate":
            d = body["data"]
            if d["s"] in books:
                apply(d["s"], d)
            else:
                buffered.setdefault(d["s"], []).append(d)
    return books


@pytest.mark.parametrize("name", CAPTURES)
def test_the_records_of_a_capture_give_the_documented_book(captures, tmp_path, name):
    records, ring, registry = replay(captures, name, tmp_path)
    expected = documented_books(captures, name)
    assert expected
    for symbol, book in expected.items():
        instrument = registry.get(CAPTURES[name][0], symbol)
        mine = records[(records["instrument"] == instrument.number) & (records["kind"] != Kind.STATUS)]
        followed = BookOf().apply(mine)
        assert followed.levels == book and not followed.broken
    counters = ring.counters
    for zero in ("seq_gaps", "trade_gaps", "duplicates", "dropped_duplicates", "rejected", "resyncs"):
        assert counters[zero] == 0, zero
    assert counters["frames_in"] == sum(counters[n] for n in ("decoded", "control", "ignored", "rejected"))
    ring.close()


@pytest.mark.parametrize("name", ["binance_spot_2021", "binance_usdm_2021b"])
def test_two_replays_give_the_same_bytes(captures, tmp_path, name):
    runs = [replay(captures, name, tmp_path / str(i)) for i in range(2)]
    assert runs[0][0].tobytes() == runs[1][0].tobytes()
    for _, ring, _ in runs:
        ring.close()


def test_instruments_of_a_capture_come_before_their_data_with_tick_and_precision_of_the_text(captures, tmp_path):
    records, ring, registry = replay(captures, "binance_spot_2024", tmp_path)
    instrument = registry.get("spot", "BTCUSDT")
    assert (instrument.tick_size, instrument.price_precision, instrument.inferred) == (0.01, 2, True)
    assert instrument.unified == "BTC-USDT"
    assert ring.instruments.get(instrument.number) == instrument
    for number in range(ring.instruments.count):
        mine = records[records["instrument"] == number]
        assert (mine["kind"][0], mine["sub"][0]) == (Kind.STATUS, Status.INSTRUMENT_NEW)
    assert not ((records["sub"] == Status.INSTRUMENT_CHANGED) & (records["kind"] == Kind.STATUS)).any()
    ring.close()


def test_metadata_in_a_capture_is_used_and_not_inferred(captures, tmp_path):
    _, ring, registry = replay(captures, "binance_spot_2021", tmp_path)
    for instrument in registry.rows():
        assert not instrument.inferred and instrument.tick_size and instrument.base
    ring.close()


def test_what_a_captures_url_asks_for_stands_in_the_ledger(captures, tmp_path):
    _, ring, registry = replay(captures, "binance_usdm_2021b", tmp_path)
    rows = ring.ledger.rows()
    wanted = {(i.number, c) for i in registry.rows() for c in (Channel.BOOK, Channel.TRADE, Channel.BBO)}
    assert {(int(r["instrument"]), int(r["channel"])) for r in rows} == wanted
    assert set(rows["state"]) <= {State.FLOWING, State.STALE}
    ring.close()


def test_bridges_of_a_capture_are_flagged_as_promised(captures, tmp_path):
    records, ring, _ = replay(captures, "binance_usdm_2021b", tmp_path)
    books = records[(records["kind"] == Kind.BOOK_SNAPSHOT) | (records["kind"] == Kind.BOOK_DELTA)]
    for number in range(ring.instruments.count):
        mine = books[books["instrument"] == number]
        base = int(np.flatnonzero(mine["flags"] & Flag.CLEAR)[0])
        assert (mine["flags"][:base] & Flag.UNSYNCED).all()
        late = mine[base:][(mine["flags"][base:] & Flag.UNSYNCED) > 0]  # on their way when the snapshot came
        assert (late["id"] < mine["id"][base]).all()
        snapshot = mine[mine["kind"] == Kind.BOOK_SNAPSHOT]
        assert ((snapshot["flags"] & (Flag.SNAPSHOT | Flag.REST)) == (Flag.SNAPSHOT | Flag.REST)).all()
        assert (snapshot["aux"] == -1).all() and len(np.flatnonzero(mine["flags"] & Flag.CLEAR)) == 1
    ring.close()
