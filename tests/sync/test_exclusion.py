"""An engine that leaves some instruments out: the rows of the others are what they would be anyway."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringcollect.instruments import Instrument
from ringcollect.records import Kind, Status
from ringcollect.sync.engine import Engine
from ringcollect.sync.settings import Parameters

from .streams import Stream, instrument, run
from .test_reference import MODES, feed, random_stream, venues

WANTED = (0, 2)
DRIVEN = Parameters(grid_ns=100, hold_back_ns=50, hold_back_records=20)


def wants(one: Instrument) -> bool:
    return one.number in WANTED


def through_checkpoints(table: dict[int, Instrument], records: np.ndarray) -> np.ndarray:
    """Every now and then another engine goes on from the state of the one before."""
    made, parts = Engine(DRIVEN, table.__getitem__, wants=wants), []
    for i in range(0, len(records), 13):
        state = {name: array.copy() for name, array in made.dump().items()}
        made = Engine(DRIVEN, table.__getitem__, wants=wants)
        assert made.load(state)
        parts.append(made.collect(records[i : i + 13]))
    return np.concatenate([*parts, made.collect_rest()])


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), n=st.integers(0, 150))
def test_rows_are_those_of_a_stream_without_the_excluded_market_records(seed: int, n: int) -> None:
    rng = random.Random(seed)
    table = venues(rng)
    records, _ = random_stream(rng, n)
    kept = records[np.isin(records["instrument"], WANTED) | (records["kind"] == Kind.STATUS)]
    expected = run(Engine(DRIVEN, table.__getitem__), kept)
    for chunk in (1, 7, 1000):
        made = Engine(DRIVEN, table.__getitem__, wants=wants)
        assert run(made, records, chunk).tobytes() == expected.tobytes()
    assert through_checkpoints(table, records).tobytes() == expected.tobytes()
    assert made.resyncs() == [] or set(made.resyncs()) <= set(WANTED)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), n=st.integers(0, 150), mode=st.sampled_from(MODES))
def test_in_every_mode_and_after_losses_rows_are_the_wanted_ones_of_an_engine_that_has_all(
    seed: int, n: int, mode: str
) -> None:
    """The excluded ones go on moving stream time, and end a batch that a loss cut."""
    rng = random.Random(seed)
    table = venues(rng)
    records, lost = random_stream(rng, n)
    parameters = Parameters(grid_ns=100, mode=mode, hold_back_ns=50, max_row_latency_ns=rng.choice((0, 400)))
    whole = feed(Engine(parameters, table.__getitem__), records, sorted(set(lost)), 1000)
    expected = whole[np.isin(whole["instrument"], WANTED)]
    expected["seq"] = np.arange(len(expected))
    got = feed(Engine(parameters, table.__getitem__, wants=wants), records, sorted(set(lost)), rng.choice((1, 7, 1000)))
    assert got.tobytes() == expected.tobytes()


def test_an_excluded_instrument_asks_for_no_resync_and_counts_nothing() -> None:
    stream = Stream().book(10, (1, 9.0, 1.0), instrument=1).book(20, (1, 9.0, 2.0), instrument=1, aux=-7)
    stream.trade(5, instrument=1, recv=1)
    made = Engine(DRIVEN, instrument, wants=wants)
    assert not len(run(made, stream.array()))
    assert made.resyncs() == []
    counts = made.counters()
    assert counts.pop("sync_records") == 3
    assert not any(counts.values())


@pytest.mark.parametrize("mode", ["orderbook", "external"])
def test_rows_of_an_instrument_that_was_here_before_are_not_gone_on_with(mode: str) -> None:
    """Another configuration put it on another grid; the row ring still tells its last period."""
    made = Engine(Parameters(grid_ns=100, mode=mode, hold_back_ns=0), instrument, wants=wants)
    made.resume_after({0: 5, 1: 5}, 0)
    stream = Stream().book(1010, (1, 9.0, 1.0), (-1, 9.5, 1.0)).book(1020, (1, 9.0, 1.0), instrument=1).time(1500)
    assert set(run(made, stream.array())["instrument"].tolist()) == {0}


def test_an_instrument_whose_new_name_is_another_grids_stops_here() -> None:
    names = {0: instrument(0), 1: instrument(1)}
    made = Engine(Parameters(grid_ns=100, hold_back_ns=0), names.__getitem__, wants=lambda one: one.unified != "MOVED")
    before = Stream().book(110, (1, 9.0, 1.0)).book(320, (1, 9.0, 2.0))
    assert [int(row["ts_ns"]) for row in made.collect(before.array())] == [200, 300]
    names[0] = instrument(0, unified="MOVED")
    after = Stream().status(Status.INSTRUMENT_CHANGED, instrument=0, recv=330).book(900, (1, 9.0, 3.0))
    assert not len(made.collect(after.array()))
    assert not len(made.collect_rest())
