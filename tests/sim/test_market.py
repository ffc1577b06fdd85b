"""The generated market looks like one and is the same for the same seed."""

from __future__ import annotations

from itertools import pairwise
from random import Random
from statistics import mean, pstdev

import pytest

from ringcollect.errors import ConfigError
from ringcollect.sim.market import SECOND, SymbolMarket
from ringcollect.sim.specs import SymbolSpec, linear_spec, spot_spec
from ringcollect.sim.world import Options, World

SPECS = [
    spot_spec("BTCUSDT"),
    spot_spec("ETHUSDT"),
    spot_spec("DOGEUSDT"),
    linear_spec("BTCUSDT"),
    linear_spec("ETHUSDT"),
    linear_spec("XRPUSDT"),
]


def _name(spec: SymbolSpec) -> str:
    return f"{spec.symbol}-{spec.price_decimals}"


def autocorrelation(values: list[float]) -> float:
    center = mean(values)
    return sum((a - center) * (b - center) for a, b in pairwise(values)) / sum((a - center) ** 2 for a in values)


@pytest.mark.parametrize("spec", SPECS, ids=_name)
@pytest.mark.parametrize("seed", [1, 7])
def test_spread_volatility_and_arrivals_are_believable(spec: SymbolSpec, seed: int) -> None:
    market = SymbolMarket(spec, Random(f"{seed}/{spec.symbol}"), 100.0)
    mids: dict[int, float] = {}
    arrivals: list[int] = []
    trades: list[int] = []
    while market.next_ns < 600 * SECOND:
        event = market.step()
        bid, ask = market.bids.best, market.asks.best
        assert ask - bid >= 1
        arrivals.append(event.time_ns)
        if event.fills:
            trades.append(event.time_ns)
        mids[event.time_ns // SECOND] = (bid + ask) / 2
    moves = [abs(b - a) for a, b in pairwise(mids[second] for second in sorted(mids))]
    assert autocorrelation(moves) > 0.1
    for times in (arrivals, trades):
        gaps = [b - a for a, b in pairwise(times)]
        assert pstdev(gaps) / mean(gaps) > 1


def test_the_book_stays_whole_over_a_long_run() -> None:
    market = SymbolMarket(spot_spec("ETHUSDT"), Random("3"), 300.0)
    for _ in range(60_000):
        event = market.step()
        assert all(fill.lots > 0 for fill in event.fills)
    for side in (market.bids, market.asks):
        assert 20 <= len(side) <= 1000  # a USD-M snapshot of 1000 levels holds the whole book
        assert sorted(side.keys) == side.keys
        assert {abs(key) for key in side.keys} == set(side.levels)
        assert min(side.levels.values()) > 0


def test_the_same_seed_is_the_same_market_and_another_seed_another() -> None:
    def run(seed: str) -> list[object]:
        market = SymbolMarket(spot_spec("BTCUSDT"), Random(seed), 100.0)
        return [market.step() for _ in range(2000)]

    assert run("1") == run("1")
    assert run("1") != run("2")


@pytest.mark.parametrize("rate", [100.0, 1000.0, 5000.0])
def test_the_frame_rate_is_the_one_asked_for(rate: float) -> None:
    world = World(Options(rate=rate, start_ns=1_790_000_000_000_000_000), 0)
    for second in range(1, 31):
        while not world.advance(world.start_ns + second * SECOND):
            pass
    assert world.frames_made() / 30 == pytest.approx(rate, rel=0.15)


@pytest.mark.parametrize(
    ("changes", "named"),
    [({"rate": 0.0}, "rate"), ({"spot": (), "linear": ()}, "symbols")],
)
def test_what_cannot_be_simulated_is_refused(changes: dict[str, object], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        World(Options(**changes), 0)  # type: ignore[arg-type]


def test_a_symbol_without_a_known_quote_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match="BTCXYZ"):
        World(Options(spot=("BTCXYZ",)), 0)
