"""The child's main with ccxt's own kraken class: ``urls`` and injected ``markets`` point it at a small Kraken v2."""

from __future__ import annotations

import time
from functools import partial
from importlib.util import find_spec

import numpy as np
import pytest

from ringcollect.config import Collector, Config, Market
from ringcollect.config.schema import Ccxt, Websocket
from ringcollect.decode import skip
from ringcollect.feed import unified
from ringcollect.feed.ledger import Reason
from ringcollect.feed.process import run
from ringcollect.records import Channel, Flag, Kind, Status
from ringcollect.ring import protocol
from ringcollect.ring.attach import attach
from tests.unified.desk import Run, batches, top_of
from tests.unified.kraken import DEPTH, SYMBOL, Kraken, served

pytestmark = pytest.mark.skipif(find_spec("ccxt") is None, reason="not installed: pip install 'ringcollect[ccxt]'")

MARKETS = {
    symbol: {
        "id": symbol.replace("/", ""), "symbol": symbol, "base": symbol[:3], "quote": "USD", "type": "spot",
        "spot": True, "contract": False, "active": True, "precision": {"price": 0.1, "amount": 1e-8},
        "info": {"wsname": symbol},
    }
    for symbol in (SYMBOL, "OLD/USD")
}  # fmt: skip


@pytest.fixture
def collected(tmp_path, monkeypatch):
    """``collected(enough, **server)``: a run and what the exchange did."""
    monkeypatch.setenv("RINGCOLLECT_RUNTIME", str(tmp_path / "budget"))
    monkeypatch.setattr(unified, "Library", partial(unified.Library, markets=MARKETS))

    def collect(enough, channels=("book", "trade", "bbo", "ticker"), **server) -> tuple[Run, Kraken]:
        for module in (protocol, skip):
            module.warm()
        with served(11, **server) as (host, kraken):
            config = Config(
                collector=Collector(data=str(tmp_path / "data"), runtime_dir=str(tmp_path / "run")),
                markets=(
                    Market(exchange="ccxt_kraken", market="spot", symbols=("BTC-USD",), channels=channels),
                    Market(exchange="ccxt_kraken", market="spot", symbols=("OLD-USD",), channels=("book",)),
                ),
                ccxt=(Ccxt(id="kraken", book_limit=DEPTH, urls={"api": {"ws": {"publicV2": f"ws://{host}/v2"}}}),),
                websocket=Websocket(retry_first="100ms", data_deadline="1s"),
            )
            ring = config.runtime_path() / "ccxt_kraken.rec.ring"
            deadline = time.monotonic() + 20
            readers = []

            def stop() -> bool:
                if not readers and ring.exists():
                    readers.append(attach(ring))
                return time.monotonic() > deadline or (bool(readers) and enough(readers[0]))

            run(config, "ccxt_kraken", stop)
        reader = attach(ring)
        reader.cursor = 0
        numbers = {one.symbol: one.number for one in reader.instruments()}
        return Run(
            tmp_path, reader.read(1 << 20).records, dict(reader.counters), numbers, reader.ledger.rows(), []
        ), kraken

    return collect


def assert_trades_are_true(trades: np.ndarray, kraken: Kraken) -> None:
    for row in trades:
        told = kraken.trades[int(row["id"])]
        assert (row["price"], row["size"]) == (told["price"], told["qty"])
        assert row["side"] == (1 if told["side"] == "buy" else -1)


def test_everything_kraken_says_comes_through_its_history_is_marked_and_a_refusal_ccxt_swallows_is_a_silence(collected):
    def enough(reader) -> bool:
        flowing = reader.ledger.rows()["frames"][:4]
        return reader.counters["silent_streams"] and int(flowing.min(initial=99)) > 20 and reader.head > 2000

    run_, kraken = collected(enough)
    trades = run_.of(SYMBOL, Kind.TRADE)
    assert_trades_are_true(trades, kraken)
    old = (trades["flags"] & int(Flag.SNAPSHOT)) != 0
    assert set(trades["id"][old].tolist()) == kraken.history and old[: len(kraken.history)].all()
    assert (np.diff(trades["id"]) == 1).all() and run_.counters["trade_gaps"] == run_.counters["duplicates"] == 0
    found = list(batches(run_.of(SYMBOL, Kind.BOOK_SNAPSHOT)))
    assert len(found) > 20
    for batch in found:
        assert top_of(batch) in kraken.books[int(batch["ts_event"][0]) // 1_000_000]
    tops = batches(run_.of(SYMBOL, Kind.BBO))
    best = {(*b["price"][:1], *b["size"][:1], *b["price"][1:], *b["size"][1:]) for b in tops}
    assert best and best <= kraken.tops
    assert len(run_.of(SYMBOL, Kind.TICKER))
    stale = run_.records[(run_.records["kind"] == Kind.STATUS) & (run_.records["sub"] == Status.STALE)]
    assert (run_.numbers["OLD/USD"], Reason.NO_DATA) in zip(stale["instrument"], stale["price"], strict=True)
    assert run_.counters["frames_in"] == sum(run_.counters[n] for n in ("decoded", "control", "ignored", "rejected"))


def test_after_a_cut_what_the_history_does_not_cover_is_a_gap_of_known_ids(collected):
    def enough(reader) -> bool:
        return reader.counters["reconnects"] >= 2 and reader.counters["trade_gaps"] >= 1 and reader.head > 1500

    run_, kraken = collected(enough, channels=("book", "trade"), cut_after=1.0)
    trades = run_.of(SYMBOL, Kind.TRADE)
    assert_trades_are_true(trades, kraken)
    here = set(trades["id"].tolist())
    gaps = run_.records[(run_.records["kind"] == Kind.STATUS) & (run_.records["sub"] == Status.SEQ_GAP)]
    said = {number for row in gaps for number in range(int(row["id"]), int(row["aux"]))}
    assert set(range(min(here), max(here) + 1)) - here == said
    ended = run_.records[(run_.records["kind"] == Kind.STATUS) & (run_.records["sub"] == Status.DISCONNECTED)]
    assert {int(row["side"]) for row in ended} >= {Channel.BOOK, Channel.TRADE}
    for batch in batches(run_.of(SYMBOL, Kind.BOOK_SNAPSHOT)):
        assert top_of(batch) in kraken.books[int(batch["ts_event"][0]) // 1_000_000]
