"""One table of what a frame and a record cost, and memory by the number of symbols."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import report
from benchmarks.cost.own import open_subject
from benchmarks.cost.script import Label, Script
from benchmarks.cost.simulation import simulated
from benchmarks.cost.unified import through_ccxt
from benchmarks.figures import Case, Section, Series, load, save
from benchmarks.memory.section import BOUND, OURS, slope

ROW = Case(
    "binance book", series=(Series("ringcollect", (1000.0,), True), Series("orjson.loads", (3000.0,))),
    columns={"exchange": "binance", "channel": "book", "records a frame": 4.0},
)  # fmt: skip


def test_a_row_has_frame_record_and_the_ratio_to_the_parser(tmp_path: Path) -> None:
    section = Section("cost", "Cost", "ns a frame", (ROW,), one_table=True)
    save(section, tmp_path / "cost.json")
    page = report.document([load(tmp_path / "cost.json")])
    assert "| exchange | channel | records a frame | ns a frame | ns a record |" in page
    assert "| binance | book | 4 | 1,000 | 250 | 3,000; 3.00× (3.00× to 3.00×) |" in page


def check_costs(script: Script, folder: Path) -> None:
    """Each timed frame has a cost in every round, ours and the parser's, also the second time it is gone through."""
    spec = {"script": str(script.write(folder))}
    timed = sum(tally.frames for tally in script.tallies)
    for name in ("feed", "orjson"):
        subject = open_subject(spec | {"subject": name})
        for _ in range(2):
            subject.prepare()
            assert subject.run() == timed
        costs = subject.evidence()
        assert set(costs) == {str(place) for place in range(len(script.labels))}
        assert all(cost > -100 for cost in costs.values())  # the clock's own time is taken off


@pytest.mark.parametrize(("exchange", "market"), [("okx", "linear"), ("kraken", "spot")])
def test_frames_of_a_simulated_venue_cost_a_feed_that_is_past_its_start(
    exchange: str, market: str, tmp_path: Path
) -> None:
    script = simulated(exchange, 2.0, 50)
    said = dict(zip(script.labels, script.tallies, strict=True))
    for channel in ("book", "trade", "bbo"):
        of = said[Label(market, channel, "frame")]
        assert 0 < of.frames <= 50 and of.records >= of.frames
        assert of.by_kernel >= 0.9 * of.frames, channel  # ids go on, nothing is taken for a copy
    check_costs(script, tmp_path)


def test_unified_objects_have_their_rows_without_ccxt(tmp_path: Path) -> None:
    script = through_ccxt(60, 20)
    assert {(label.market, label.channel) for label in script.labels} >= {
        (market, channel) for market in ("spot", "linear") for channel in ("book", "trade", "bbo")
    }
    assert not any(tally.by_kernel for tally in script.tallies)
    check_costs(script, tmp_path)


def test_a_symbol_more_is_the_difference_by_the_symbols_between() -> None:
    case = slope({"50 symbols": (60_000.0, 61_000.0), "500 symbols": (64_500.0, 70_000.0)}, 50, 500)
    assert case.series[0].runs == (10.0, 20.0)
    page = report.document([Section("memory", "Memory", "kB", (case,))])
    assert f"| {OURS} | {BOUND} | 1.00× | 1.07×, reached |" in page
