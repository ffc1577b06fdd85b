"""ccxt's own kraken class against the simulated Kraken: ``urls`` and injected ``markets`` point it there."""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec

import numpy as np
import pytest

from ringcollect.feed import unified
from ringcollect.feed.ledger import Reason, State
from ringcollect.records import Channel, Flag, Kind, Status
from tests.unified.desk import Run, batches, collected, sent_kraken_books, top_of

pytestmark = pytest.mark.skipif(find_spec("ccxt") is None, reason="not installed: pip install 'ringcollect[ccxt]'")

SYMBOL, DEPTH = "BTC/USD", 10
MARKETS = {
    symbol: {
        "id": symbol.replace("/", ""), "symbol": symbol, "base": symbol[:3], "quote": "USD", "type": "spot",
        "spot": True, "contract": False, "active": True, "precision": {"price": 0.1, "amount": 1e-8},
        "info": {"wsname": symbol},
    }
    for symbol in (SYMBOL, "OLD/USD")
}  # fmt: skip


@pytest.fixture(autouse=True)
def _injected(tmp_path, monkeypatch):
    monkeypatch.setenv("RINGCOLLECT_RUNTIME", str(tmp_path / "budget"))
    monkeypatch.setattr(unified, "Library", partial(unified.Library, markets=MARKETS))


def run_of(folder, enough, channels, symbols=("BTC-USD",), **more) -> Run:
    run = collected(
        folder, {"spot": (symbols, channels)}, enough, exchange="kraken", book_limit=DEPTH, data_deadline="1s",
        rate=300.0, **more,
    )  # fmt: skip
    run.numbers["spot"] = int(run.ledger["instrument"][0])
    return run


def assert_true(run: Run) -> np.ndarray:
    """Trades are the market's, books were sent; the trades' records."""
    told = {t["id"]: (float(t["p"]), float(t["q"]), t["side"]) for t in run.truth("trade") if t["s"] == SYMBOL}
    trades = run.of("spot", Kind.TRADE)
    assert len(trades) and all(told[int(r["id"])] == (r["price"], r["size"], r["side"]) for r in trades)
    known = sent_kraken_books(run, SYMBOL, DEPTH)
    found = list(batches(run.of("spot", Kind.BOOK_SNAPSHOT)))
    assert len(found) > 10 and all(top_of(b) in known[int(b["ts_event"][0]) // 1_000_000] for b in found)
    assert run.counters["frames_in"] == sum(run.counters[n] for n in ("decoded", "control", "ignored", "rejected"))
    return trades


def test_what_kraken_sends_comes_through_and_a_refusal_that_ccxt_swallows_is_named_as_silence(tmp_path):
    def enough(reader) -> bool:
        return reader.counters["silent_streams"] and int(reader.ledger.rows()["frames"][:4].min()) > 20

    channels = ("book", "trade", "bbo", "ticker")
    run = run_of(tmp_path, enough, channels, ("BTC-USD", "OLD-USD"))
    trades = assert_true(run)
    assert (np.diff(trades["id"]) == 1).all() and run.counters["trade_gaps"] == run.counters["duplicates"] == 0
    old = np.flatnonzero(trades["flags"] & int(Flag.SNAPSHOT))
    assert old.tolist() == list(range(len(old)))  # history comes first, and nothing else is history
    assert len(run.of("spot", Kind.BBO)) > 20 and len(run.of("spot", Kind.TICKER)) > 20
    stale = run.records[(run.records["kind"] == Kind.STATUS) & (run.records["sub"] == Status.STALE)]
    assert (
        Reason.NO_DATA in stale["price"][(stale["instrument"] != run.numbers["spot"]) & (stale["side"] == Channel.BOOK)]
    )


def test_after_a_cut_what_the_history_does_not_cover_is_a_gap_of_known_ids(tmp_path):
    def enough(reader) -> bool:
        rows = reader.ledger.rows()
        return reader.counters["reconnects"] >= 2 and len(rows) == 2 and bool((rows["state"] == State.FLOWING).all())

    run = run_of(tmp_path, enough, ("book", "trade"), faults="cut=3s")  # ccxt subscribes once a second only
    trades = assert_true(run)
    here = set(trades["id"].tolist())
    gaps = run.records[(run.records["kind"] == Kind.STATUS) & (run.records["sub"] == Status.SEQ_GAP)]
    said = {number for row in gaps for number in range(int(row["id"]), int(row["aux"]))}
    assert set(range(min(here), max(here) + 1)) - here == said - here
    ended = run.records[(run.records["kind"] == Kind.STATUS) & (run.records["sub"] == Status.DISCONNECTED)]
    assert set(ended["side"]) == {Channel.BOOK, Channel.TRADE}
