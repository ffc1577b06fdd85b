"""The child's main with ccxt's own binance class against the simulator: sockets, REST, rings, and the truth beside."""

from __future__ import annotations

import json
import time
from importlib.util import find_spec

import numpy as np
import pytest

from ringcollect.exchanges import ccxt as folder
from ringcollect.exchanges import load
from ringcollect.exchanges.ccxt import trades
from ringcollect.feed import recording
from ringcollect.feed.counters import FEED_COUNTERS
from ringcollect.feed.ledger import Reason, State
from ringcollect.feed.session import Session
from ringcollect.instruments import Registry
from ringcollect.records import Flag, Kind, Status, TickerField
from ringcollect.ring.attach import attach
from ringcollect.ring.frames import Direction
from ringcollect.ring.producer import Producer
from tests.unified.desk import LONG, Run, batches, collected, sent_books, top_of

pytestmark = pytest.mark.skipif(find_spec("ccxt") is None, reason="not installed: pip install 'ringcollect[ccxt]'")

MARKETS = {
    "spot": (("BTC-USDT", "NOPE-USDT"), ("book", "trade", "bbo", "ticker")),
    "linear": (("BTC-USDT-PERP",), ("book", "trade", "bbo", "funding", "open_interest")),
}
DEPTH = 20


@pytest.fixture(autouse=True)
def _own_budget(tmp_path, monkeypatch):
    monkeypatch.setenv("RINGCOLLECT_RUNTIME", str(tmp_path / "budget"))


def trades_of(run: Run, market: str) -> dict[int, tuple[float, float, int]]:
    """What the market did, by id; also prints of the insurance fund, which ccxt does not tell apart."""
    lines = (t for t in run.truth("trade") if t["m"] == market and t["s"] == "BTCUSDT" and float(t["q"]))
    return {t["id"]: (float(t["p"]), float(t["q"]), t["side"]) for t in lines}


def assert_trades_are_true(run: Run, market: str) -> np.ndarray:
    """Every record is a trade of the market, none came twice; the ids that came."""
    records, truth = run.of(market, Kind.TRADE), trades_of(run, market)
    assert len(records) > 20
    for row in records:
        assert truth[int(row["id"])] == (row["price"], row["size"], row["side"])
    ids = np.sort(records["id"])
    assert (np.diff(ids) > 0).all()
    return ids


def assert_books_are_true(run: Run, market: str) -> int:
    """Every book is what was sent, at its time; how many there are."""
    known = sent_books(run, market, "BTCUSDT", DEPTH)
    found = list(batches(run.of(market, Kind.BOOK_SNAPSHOT)))
    for batch in found:
        assert top_of(batch) in known[int(batch["ts_event"][0]) // 1_000_000]
        assert batch["flags"][0] & Flag.CLEAR and not (batch["flags"] & int(Flag.SNAPSHOT)).any()
        assert np.count_nonzero(batch["side"] == 1) == DEPTH
    assert not run.of(market, Kind.BOOK_DELTA).size
    return len(found)


def assert_balanced(run: Run) -> None:
    assert run.counters["frames_in"] == sum(run.counters[n] for n in ("decoded", "control", "ignored", "rejected"))


@pytest.fixture(scope="module")
def quiet_run(tmp_path_factory) -> Run:
    """All channels of two markets, recorded, until there is a bit of everything."""
    with pytest.MonkeyPatch.context() as patch:
        place = tmp_path_factory.mktemp("quiet")
        patch.setenv("RINGCOLLECT_RUNTIME", str(place / "budget"))

        def enough(reader) -> bool:
            rows = reader.ledger.rows()
            flowing = rows[rows["state"] == State.FLOWING]
            return len(flowing) == 9 and int(flowing["frames"].min()) >= 2 and reader.head > 3000

        return collected(place, MARKETS, enough, record=True)


def test_trades_and_books_equal_what_the_market_did(quiet_run):
    for market in MARKETS:
        ids = assert_trades_are_true(quiet_run, market)
        between = {number for number in trades_of(quiet_run, market) if ids[0] <= number <= ids[-1]}
        assert set(ids.tolist()) == between, "a trade is missing"
        assert assert_books_are_true(quiet_run, market) > 10
    for zero in ("rejected", "trade_gaps", "possible_losses", "duplicates", "reconnects", "silent_streams", "bad_ts"):
        assert quiet_run.counters[zero] == 0, zero
    assert_balanced(quiet_run)


def test_best_prices_and_the_days_statistics_are_those_that_were_sent(quiet_run):
    sent = [json.loads(line["f"]) for line in quiet_run.truth("sent")]
    for market in MARKETS:
        tops = {
            tuple(float(frame[key]) for key in "bBaA")
            for frame in sent
            if frame.get("s") == "BTCUSDT" and "B" in frame and ("e" in frame) == (market == "linear")
        }
        found = list(batches(quiet_run.of(market, Kind.BBO)))
        assert len(found) > 20
        assert {(*b["price"][:1], *b["size"][:1], *b["price"][1:], *b["size"][1:]) for b in found} <= tops
    days = {frame["E"]: frame for frame in sent if frame.get("e") == "24hrMiniTicker"}
    found = list(batches(quiet_run.of("spot", Kind.TICKER)))
    assert len(found) >= 2
    for batch in found:
        frame = days[int(batch["ts_event"][0]) // 1_000_000]
        fields = dict(zip(batch["sub"].tolist(), batch["price"].tolist(), strict=True))
        assert fields == {field: float(frame[key]) for field, key in zip(TickerField, "cohlvq", strict=True)}


def test_what_is_polled_is_flagged_and_a_symbol_that_ccxt_does_not_list_is_named(quiet_run):
    for kind in (Kind.FUNDING, Kind.OPEN_INTEREST):
        polled = quiet_run.of("linear", kind)
        assert len(polled) >= 2 and (polled["flags"] & int(Flag.REST) != 0).all()
    answers = [json.loads(line["f"]) for line in quiet_run.truth("rest") if "openInterest" in line["u"]]
    assert set(quiet_run.of("linear", Kind.OPEN_INTEREST)["size"]) <= {float(a["openInterest"]) for a in answers}
    unknown = quiet_run.ledger[quiet_run.ledger["reason"] == Reason.UNKNOWN_SYMBOL]
    assert len(unknown) == 4 and set(unknown["state"]) == {State.FAILED}  # NOPE-USDT


def test_the_recording_gives_the_same_ring_byte_for_byte_without_ccxt(quiet_run, tmp_path, monkeypatch):
    monkeypatch.setattr("ringcollect.config.unified.find_spec", lambda name: None)
    entries = [entry for entry in quiet_run.entries if entry.direction is not Direction.REJECT]
    plan = recording.plan_of(entries[0])
    assert plan is not None
    ring = Producer.open(
        tmp_path, "ccxt_binance.rec", capacity=1 << 17, generation=1, counters=FEED_COUNTERS, ledger_rows=1024
    )  # fmt: skip
    try:
        session = Session(plan, load("ccxt_binance"), Registry(None, "ccxt_binance"), ring, None)
        for entry in entries:
            recording.apply(session, entry)
            session.actions()
        reader = attach(ring.path)
        reader.cursor = 0
        assert reader.read(1 << 20).records.tobytes() == quiet_run.records.tobytes()
    finally:
        ring.close()


@pytest.mark.slow
@LONG  # cuts and gaps in short: test_kraken_class.py
def test_lost_frames_and_cut_sockets_are_gaps_and_the_books_that_follow_are_true(tmp_path):
    def enough(reader) -> bool:
        counted = reader.counters
        return counted["trade_gaps"] >= 2 and counted["reconnects"] >= 2 and reader.head > 2500

    markets = {"linear": (("BTC-USDT-PERP",), ("book", "trade", "bbo"))}
    run = collected(tmp_path, markets, enough, faults="drop=0.02,cut=2s")
    assert_balanced(run)
    ids = assert_trades_are_true(run, "linear")
    gaps = run.records[(run.records["kind"] == Kind.STATUS) & (run.records["sub"] == Status.SEQ_GAP)]
    said = {number for row in gaps for number in range(int(row["id"]), int(row["aux"]))}
    here = set(ids.tolist())
    assert {n for n in trades_of(run, "linear") if ids[0] < n < ids[-1]} - here <= said and not said & here
    assert run.counters["trade_ids_missing"] == len(said) == int(gaps["price"].sum()) > 0
    ended = run.records[(run.records["kind"] == Kind.STATUS) & (run.records["sub"] == Status.DISCONNECTED)]
    assert len(ended) >= 2
    assert assert_books_are_true(run, "linear") > 10


@pytest.mark.parametrize("dense", [pytest.param(True, marks=LONG), False])
def test_more_trades_than_ccxt_keeps_are_a_gap_where_they_are_missing(tmp_path, monkeypatch, dense):
    if not dense:
        monkeypatch.setattr(trades, "DENSE", frozenset())
        monkeypatch.setattr(folder, "DENSE", frozenset())
    held_up: list[int] = []

    def enough(reader) -> bool:
        told = reader.counters["trade_gaps" if dense else "possible_losses"]
        if told:
            held_up.append(reader.head)
        elif reader.head > 200:
            time.sleep(0.8)  # the loop is held up: what comes meanwhile, ccxt takes in one go
        return bool(held_up) and reader.head > held_up[0] + 100

    markets = {"spot": (("BTC-USDT",), ("trade",))}
    run = collected(tmp_path, markets, enough, rate=3000.0, trades_limit=50)
    ids = assert_trades_are_true(run, "spot")
    records = run.of("spot", Kind.TRADE)
    behind = np.flatnonzero(np.diff(ids) > 1) + 1
    assert len(behind), "nothing was lost: the test shows nothing"
    assert (records["flags"][behind] & int(Flag.GAP) != 0).all()
    counted = run.counters["trade_ids_missing"] if dense else run.counters["possible_losses"]
    assert counted == (int((np.diff(ids) - 1).sum()) if dense else counted) and counted >= len(behind)
    assert run.counters["possible_losses" if dense else "trade_gaps"] == 0
