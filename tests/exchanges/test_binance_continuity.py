"""Does a depth event follow? Rules judged against the documentation's wording and every captured event."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from ringcollect.exchanges import binance
from ringcollect.exchanges.protocol import Purpose, Verdict
from tests.exchanges.frames import lines

FITS, STALE, GAP = Verdict.FITS, Verdict.STALE, Verdict.GAP


@pytest.mark.parametrize(
    ("first", "last", "verdict"),
    [
        (101, 105, FITS),
        (101, 101, FITS),
        (100, 101, FITS),
        (95, 105, FITS),
        (102, 105, GAP),
        (95, 100, STALE),
        (95, 99, STALE),
    ],
)
def test_spot_follows_the_last_id_without_a_hole(first: int, last: int, verdict: Verdict) -> None:
    for rule in (binance.accept("spot"), binance.join("spot")):
        assert rule(100, first, last, -1) is verdict


@pytest.mark.parametrize(
    ("first", "last", "prev", "verdict"),
    [(900, 950, 100, FITS), (101, 950, 99, GAP), (60, 100, 50, STALE), (60, 99, 50, STALE), (101, 105, -1, GAP)],
)
def test_usdm_follows_the_event_named_by_pu_whatever_u_says(first: int, last: int, prev: int, verdict: Verdict) -> None:
    assert binance.accept("linear")(100, first, last, prev) is verdict


@pytest.mark.parametrize(
    ("first", "last", "prev", "verdict"),
    [
        (90, 110, 80, FITS),  # U <= lastUpdateId <= u
        (100, 100, 80, FITS),
        (105, 110, 100, FITS),  # the live quirk: begins after the snapshot, but names it
        (105, 110, 97, FITS),  # nothing of the symbol lies between pu and U
        (105, 110, 101, GAP),
        (80, 99, 70, STALE),  # drop u < lastUpdateId
    ],
)
def test_usdm_bridges_a_snapshot(first: int, last: int, prev: int, verdict: Verdict) -> None:
    assert binance.join("linear")(100, first, last, prev) is verdict


def test_anything_follows_the_snapshot_of_a_book_that_never_traded() -> None:
    for market in binance.markets:
        assert binance.join(market)(-1, 17, 20, 16) is FITS


@pytest.mark.parametrize(
    ("name", "market", "symbols"),
    [("binance_spot_2024", "spot", 2), ("binance_spot_2021", "spot", 4), ("binance_usdm_2021b", "linear", 5)],
)
def test_every_captured_book_bridges_once_and_never_breaks(
    captures: Path, name: str, market: str, symbols: int
) -> None:
    """The captures were verified by others: no break, each snapshot bridges."""
    accept, join = binance.accept(market), binance.join(market)
    snapshots: dict[str, int] = {}
    held: dict[str, list[dict]] = {}
    known: dict[str, int] = {}
    for line in lines(captures / f"{name}.jsonl.gz"):
        if line["d"] == "rest":
            meaning = binance.read_rest(line["u"])
            if meaning and meaning.purpose is Purpose.SNAPSHOT:
                snapshots[meaning.symbol] = orjson.loads(line["f"])["lastUpdateId"]
            continue
        if line["d"] != "in" or '"depthUpdate"' not in line["f"][:80]:
            continue
        event = orjson.loads(line["f"])["data"]
        symbol = event["s"]
        held.setdefault(symbol, []).append(event)
        if symbol not in snapshots:
            continue
        for waiting in held[symbol]:
            ids = (waiting["U"], waiting["u"], waiting.get("pu", -1))
            if symbol in known:
                assert accept(known[symbol], *ids) is FITS
            else:
                verdict = join(snapshots[symbol], *ids)
                assert verdict is not GAP
                if verdict is STALE:
                    continue
            known[symbol] = waiting["u"]
        held[symbol] = []
    assert len(known) == symbols


def test_the_kernels_rule_is_the_same_function_as_the_feeds() -> None:
    from ringcollect.exchanges.binance.continuity import linear_code, spot_code

    for known in range(3):
        for first in range(5):
            for last in range(first, 5):
                assert spot_code(known, first, last, -1) == binance.accept("spot")(known, first, last, -1)
                for prev in range(-1, 5):
                    assert linear_code(known, first, last, prev) == binance.accept("linear")(known, first, last, prev)
