"""Whole books in a ring of their own: where they are written, and that they are the books as they arrived."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ringcollect.instruments import Instrument
from ringcollect.records import RECORD, Flag, Kind, Status
from ringcollect.ring.attach import attach
from ringcollect.ring.producer import Producer
from ringcollect.sync.books import DAY_NS, Cut, cuts
from ringcollect.sync.engine import Engine
from ringcollect.sync.settings import Parameters
from ringcollect.sync.worker import RingWorker, open_worker
from tests import synthetic

from .reference import Reference
from .streams import NAN, Stream, engine, instrument
from .test_reference import MODES, random_stream, venues

SECOND = 1_000_000_000


def by_reference(model: Reference) -> dict[int, tuple[dict[float, float], dict[float, float]]]:
    """Every whole book of the model as it arrived: what waits is applied, too."""
    found = {}
    for number, venue in model.venues.items():
        if venue.last_id is None or venue.broken or venue.doubt or venue.in_batch:
            continue
        bids, asks, trusted, _ = model.replay(venue, venue.updates)
        if trusted:
            found[number] = (bids, asks)
    return found


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32), n=st.integers(1, 150))
def test_a_book_is_the_one_of_the_slow_reference_whatever_still_waits_for_its_row(seed: int, n: int) -> None:
    rng = random.Random(seed)
    table: dict[int, Instrument] = venues(rng)
    records, lost = random_stream(rng, n)
    hold_back = rng.choice((0, 50, 333, 10_000))
    mode = rng.choice(MODES)
    made = Engine(Parameters(grid_ns=100, hold_back_ns=hold_back, mode=mode), table.__getitem__)
    model = Reference(
        grid=100, hold_back=hold_back, mode=mode, max_gap=10_000, skew=30 * SECOND, held=65_536, instruments=table
    )
    for i, record in enumerate(records):
        if i in lost:
            made.lost(1)
            model.lost()
        made.feed(records[i : i + 1], lambda rows: None)
        model.feed(record)
        found = {number: made.arrived_book(number) for number in range(made.instrument_count)}
        books = {number: (book[2], book[3]) for number, book in found.items() if book is not None}
        assert books == by_reference(model)


def test_books_are_due_at_multiples_of_the_interval_at_midnight_and_on_request() -> None:
    stream = Stream()
    for recv in (DAY_NS - 7 * SECOND, DAY_NS - SECOND, DAY_NS - SECOND, DAY_NS + 1, DAY_NS + 25 * SECOND):
        stream.trade(recv, recv=recv)
    stream.status(Status.BOOKS_WANTED, recv=DAY_NS + 26 * SECOND)
    stream.status(Status.BOOKS_WANTED, recv=DAY_NS + 20 * SECOND)  # stream time never goes back
    records = stream.array()
    asked = [Cut(5, DAY_NS + 26 * SECOND), Cut(6, DAY_NS + 26 * SECOND)]
    assert cuts(records, 0, 0) == [Cut(3, DAY_NS), *asked]
    assert cuts(records, 0, 10 * SECOND) == [Cut(3, DAY_NS), Cut(4, DAY_NS + 20 * SECOND), *asked]
    assert cuts(records, 1, 0) == [Cut(3, DAY_NS), *asked]
    assert cuts(records, DAY_NS, 0) == asked
    assert cuts(records[:0], DAY_NS, SECOND) == []
    five = 5 * SECOND
    assert cuts(records, 1, five)[:2] == [Cut(0, DAY_NS - 2 * five), Cut(1, DAY_NS - five)]


def opened(directory: Path, interval_ns: int, records: np.ndarray, table: list[Instrument]) -> RingWorker:
    ring = Producer.open(directory, "test.rec", RECORD, 1 << 15, generation=1)
    for one in table:
        ring.instruments.put(one)
    ring.publish(records)
    parameters = Parameters(hold_back_ns=SECOND)
    return open_worker(
        directory, "test", "100ms", parameters, ring_capacity=1 << 17, books="test.book", book_interval_ns=interval_ns
    )


def books_of(directory: Path) -> np.ndarray:
    reader = attach("test.book", directory=directory)
    assert reader.head < reader.capacity
    return reader.last(reader.capacity)


def test_the_ring_of_books_has_batches_that_any_consumer_of_books_takes(tmp_path: Path) -> None:
    records, table = synthetic.stream(2500), synthetic.instruments("test")
    worker = opened(tmp_path, 20 * SECOND, records, table)
    while worker.step():
        pass
    worker.close()
    books = books_of(tmp_path)
    ends = np.flatnonzero(books["flags"] & Flag.LAST) + 1
    batches = np.split(books, ends[:-1])
    assert len(batches) > 10
    assert {int(batch["ts_recv"][0]) % (20 * SECOND) for batch in batches} == {0}
    plain = Engine(Parameters(), table.__getitem__)
    for batch in batches:
        assert set(batch["kind"].tolist()) == {Kind.BOOK_SNAPSHOT} and set(batch["aux"].tolist()) == {-1}
        assert (batch["flags"] & (Flag.DERIVED | Flag.SNAPSHOT) == Flag.DERIVED | Flag.SNAPSHOT).all()
        assert [bool(flags & Flag.CLEAR) for flags in batch["flags"]] == [True] + [False] * (len(batch) - 1)
        plain.feed(np.ascontiguousarray(batch), lambda rows: None)
        number = int(batch["instrument"][0])
        found = plain.arrived_book(number)
        assert found is not None and found[0] == batch["id"][0]
        # the changes that name its last one, in ring order, lead on from it
        after = records[(records["instrument"] == number) & (records["kind"] == Kind.BOOK_DELTA)]
        assert (after["aux"] == found[0]).any() or batch["ts_recv"][0] > after["ts_recv"].max() - 20 * SECOND


def test_any_chunking_and_any_restart_write_the_same_books(tmp_path: Path) -> None:
    records, table = synthetic.stream(2500), synthetic.instruments("test")
    (tmp_path / "whole").mkdir()
    worker = opened(tmp_path / "whole", 20 * SECOND, records, table)
    while worker.step():
        pass
    worker.close()
    (tmp_path / "pieces").mkdir()
    worker = opened(tmp_path / "pieces", 20 * SECOND, records, table)
    reader = worker.reader
    whole, rng = reader.read, random.Random(3)
    reader.read = lambda wanted=None: whole(rng.choice((1, 7, 300)))  # type: ignore[method-assign]
    for _ in range(400):
        worker.step()
    worker.save()
    for _ in range(20):
        worker.step()
    worker.close()
    again = open_worker(
        tmp_path / "pieces", "test", "100ms", Parameters(hold_back_ns=SECOND), ring_capacity=1 << 17,
        books="test.book", book_interval_ns=20 * SECOND,
    )  # fmt: skip
    while again.step():
        pass
    again.close()
    assert books_of(tmp_path / "pieces").tobytes() == books_of(tmp_path / "whole").tobytes()


def test_a_book_in_doubt_or_broken_or_voided_is_not_written_and_an_empty_one_is() -> None:
    made = engine(mode="trade", instruments={0: instrument(0)})
    made.collect(Stream().book(100, (1, 99.0, 1.0)).array())
    assert made.arrived_book(0) == (1, 100, {99.0: 1.0}, {})
    made.lost(3)
    assert made.arrived_book(0) is None
    made.collect(Stream().book(200, kind=Kind.BOOK_SNAPSHOT).array())
    assert made.arrived_book(0) == (1, 200, {}, {})
    made.collect(Stream().status(Status.START, recv=300).array())
    assert made.arrived_book(0) is None
    half = Stream().book(400, (1, 98.0, 1.0), (1, 97.0, NAN), (-1, 99.0, 1.0)).array()
    made.collect(half[:1])
    assert made.arrived_book(0) is None
    made.collect(half[1:])
    assert made.arrived_book(0) == (1, 400, {98.0: 1.0}, {99.0: 1.0})
