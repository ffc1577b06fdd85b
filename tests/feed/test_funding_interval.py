"""The funding interval: from the venue's lists into the instrument table and into every funding record."""

from __future__ import annotations

from ringcollect.exchanges import load
from ringcollect.feed.recording import apply, instrument_of, plan_of
from ringcollect.feed.session import Session
from ringcollect.instruments import Registry
from ringcollect.records import Kind
from ringcollect.ring.frames import Direction
from tests.feed.script import T0, Stage

HOUR = 3600 * 10**9
MS = 10**6


def mark(symbol: str) -> dict:
    data = {
        "e": "markPriceUpdate", "E": T0 // MS, "s": symbol, "p": "1", "i": "1", "r": "0.0001", "T": T0 // MS + 1000,
    }  # fmt: skip
    return {"stream": f"{symbol.lower()}@markPrice@1s", "data": data}


def listed(s: Stage) -> dict:
    info = s.exchange_info()
    for row in info["symbols"]:
        row["contractType"] = "PERPETUAL"
    return info


def open_with(stage, intervals: list[dict] | None, **options) -> Stage:
    s = stage(exchange=load("binance"), market="linear", channels=("funding",), **options)
    [rest] = s.open_rests("instruments")
    s.answer(rest, 200, listed(s))
    [rest] = s.open_rests("instruments")
    assert rest.url.endswith("/fapi/v1/fundingInfo")
    s.answer(rest, *((500, {}) if intervals is None else (200, intervals)))
    if intervals is None:
        s.advance(11)
    s.open_sockets()
    s.ack()
    for symbol in s.listed:
        s.frame(mark(symbol))
    return s


def test_it_is_eight_hours_unless_the_list_of_exceptions_says_otherwise(stage):
    s = open_with(
        stage, [{"symbol": "BBBUSDT", "fundingIntervalHours": 4}, {"symbol": "ZZZ", "fundingIntervalHours": 1}]
    )
    for symbol, hours in (("AAAUSDT", 8), ("BBBUSDT", 4)):
        assert s.data(symbol, Kind.FUNDING)["id"].tolist() == [hours * HOUR]
        assert s.ring.instruments.get(s.number(symbol)).funding_interval_ns == hours * HOUR
        assert s.ring.instruments.get(s.number(symbol)).version == 1  # known before the first record


def test_a_list_that_cannot_be_had_holds_nothing_up_and_the_interval_is_unknown_until_it_can(stage):
    s = open_with(stage, None)
    assert s.data("AAAUSDT", Kind.FUNDING)["id"].tolist() == [0]
    while rests := s.open_rests("instruments"):
        for rest in rests:
            s.answer(rest, 200, [] if "fundingInfo" in rest.url else listed(s))
    s.frame(mark("AAAUSDT"))
    assert s.data("AAAUSDT", Kind.FUNDING)["id"].tolist() == [0, 8 * HOUR]


def test_a_recording_gives_the_same_intervals(stage, tmp_path):
    s = open_with(stage, [{"symbol": "BBBUSDT", "fundingIntervalHours": 4}], record_frames=True)
    entries = s.entries()
    plan = next(plan for plan in map(plan_of, entries) if plan is not None)
    again = stage(exchange=load("binance"), market="linear", start=False)
    again.session = Session(plan, load("binance"), Registry(None, "binance"), again.ring, again.frames)
    for entry in entries:
        if entry.direction is not Direction.OUT and instrument_of(entry) is None:
            apply(again.session, entry)
            again._collect()
    assert again.records().tobytes() == s.records().tobytes()
