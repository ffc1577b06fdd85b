"""Instruments that a venue lists and delists while it runs, against every simulated exchange, in virtual time."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from ringcollect.errors import ConfigError
from ringcollect.feed.ledger import Reason, State
from ringcollect.records import Channel, Kind, Status
from ringcollect.sim.capture import CaptureStage
from ringcollect.sim.faults import Change, parse_faults
from ringcollect.sim.listing import named_too, plan_listings
from ringcollect.sim.solo import KINDS
from ringcollect.sim.together import stage_of
from tests.sim.venues import T0, Desk, scene

SECOND = 10**9
CHANNELS = ("book", "trade")


class Case(NamedTuple):
    """A market, the rule that is configured, what is listed at the start (the first stays), and what comes."""

    market: str
    rule: str
    there: tuple[str, str]
    comes: str


CASES = {
    "bybit": Case("linear", "*USDT", ("BTCUSDT", "ETHUSDT"), "SOLUSDT"),
    "coinbase": Case("spot", "*-USD", ("BTC-USD", "ETH-USD"), "SOL-USD"),
    "deribit": Case("linear", "*_USDC-PERPETUAL", ("BTC_USDC-PERPETUAL", "ETH_USDC-PERPETUAL"), "SOL_USDC-PERPETUAL"),
    "kraken": Case("spot", "*/USD", ("BTC/USD", "ETH/USD"), "SOL/USD"),
    "kraken_futures": Case("linear", "PF_*", ("PF_XBTUSD", "PF_ETHUSD"), "PF_SOLUSD"),
    "okx": Case("linear", "*-USDT-SWAP", ("BTC-USDT-SWAP", "ETH-USDT-SWAP"), "SOL-USDT-SWAP"),
    "upbit": Case("spot", "KRW-*", ("KRW-BTC", "KRW-ETH"), "KRW-SOL"),
}


def test_every_simulated_exchange_is_here() -> None:
    assert CASES.keys() == KINDS.keys()


@pytest.mark.parametrize("exchange", CASES)
def test_a_rule_takes_up_what_is_listed_and_lets_go_what_is_delisted(tmp_path: Path, exchange: str) -> None:
    case = CASES[exchange]
    stays, goes = case.there
    venue_scene = scene(tmp_path, f"list={case.comes}@2s,delist={goes}@5s")
    venue = KINDS[exchange].make(named_too(case.there, venue_scene), 120.0, venue_scene)
    plan_listings(venue.feeds, venue.hub, venue_scene)
    run = Desk(
        tmp_path, exchange, venue, {case.market: ((case.rule,), CHANNELS)}, refresh_ns=SECOND, stale_ns=600 * SECOND
    )  # fmt: skip
    run.run(1.9)
    assert {symbol for symbol, _ in run.ledger()} == {stays, goes}
    run.run(3)
    ledger = run.ledger()
    assert {symbol for symbol, _ in ledger} == {stays, goes, case.comes}
    assert {ledger[case.comes, int(channel)][0] for channel in (Channel.BOOK, Channel.TRADE)} == {State.FLOWING}
    rows = run.ring.ledger.rows()
    run.run(2.5)
    numbers = {}
    for symbol in (stays, goes, case.comes):
        instrument = run.registry.get(case.market, symbol)
        assert instrument is not None
        numbers[symbol] = instrument.number
    records = run.records()
    said = records[records["kind"] == Kind.STATUS]
    new = {int(r["instrument"]): int(r["ts_recv"]) for r in said[said["sub"] == Status.INSTRUMENT_NEW]}
    gone = {int(r["instrument"]): int(r["ts_recv"]) for r in said[said["sub"] == Status.INSTRUMENT_GONE]}
    assert new.keys() == set(numbers.values()) and gone.keys() == {numbers[goes]}
    assert 2 <= (new[numbers[case.comes]] - T0) / SECOND < 3.5 and 5 <= (gone[numbers[goes]] - T0) / SECOND < 6.5
    data = records[np.isin(records["kind"], (Kind.BOOK_SNAPSHOT, Kind.BOOK_DELTA, Kind.TRADE))]
    last = {s: int(data[data["instrument"] == number]["ts_recv"].max()) for s, number in numbers.items()}
    assert last[goes] <= T0 + 5 * SECOND + SECOND // 10 < min(last[stays], last[case.comes])
    closed = rows[rows["instrument"] == numbers[goes]]
    assert set(closed["state"]) == {State.CLOSED} and set(closed["reason"]) == {Reason.DELISTED}
    assert run.ring.counters["reconnects"] == 0
    assert [(line["k"], line["s"]) for kind in ("listed", "delisted") for line in run.truth(kind)] == [
        ("listed", case.comes), ("delisted", goes),
    ]  # fmt: skip


def test_listings_are_written_like_other_faults() -> None:
    plan = parse_faults("list=solusdt@10s,drop=0.1,delist=ETHUSDT@20s")
    assert plan.changes == (Change("SOLUSDT", 10 * SECOND, True), Change("ETHUSDT", 20 * SECOND, False))
    for bad in ("list=SOLUSDT", "delist=@10s", "list=SOLUSDT@soon"):
        with pytest.raises(ConfigError, match="simulator faults"):
            parse_faults(bad)


def test_of_several_exchanges_a_listing_says_of_which() -> None:
    stage = stage_of(("okx", "upbit"), T0, faults=parse_faults("list=okx:SOL-USDT@1s"))
    listed = "/api/v5/public/instruments?instType=SPOT"
    before = stage.get(listed, T0)
    while not stage.advance(T0 + 2 * SECOND):
        pass
    after = stage.get(listed, T0 + 2 * SECOND)
    assert before is not None and after is not None
    assert ("SOL-USDT" in before.body, "SOL-USDT" in after.body) == (False, True)
    with pytest.raises(ConfigError, match="names none of its exchanges"):
        stage_of(("okx", "upbit"), T0, faults=parse_faults("list=SOL-USDT@1s"))


def test_a_capture_lists_what_it_lists(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="capture"):
        CaptureStage(tmp_path / "any.jsonl", T0, exchange="okx", faults=parse_faults("list=SOL-USDT@1s"))
