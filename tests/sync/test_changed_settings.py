"""What is chosen about the output may change between two runs: no book is lost, no row is missing, none comes twice."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from ringcollect.bar_kinds import Bar, bar_of_size, bar_of_time
from ringcollect.ring.attach import attach
from ringcollect.ring.producer import Producer
from ringcollect.sync import catalogue
from ringcollect.sync.bar_ring import split
from ringcollect.sync.engine import Engine
from ringcollect.sync.rows import RowFlag
from ringcollect.sync.settings import Parameters
from ringcollect.sync.snapshot_record import ROW_KIND, SNAPSHOT
from ringcollect.sync.worker import RingWorker, open_worker
from tests import synthetic

GRID = "100ms"
PLAIN = Parameters(book_levels=1024)
TRADES = Parameters(book_levels=1024, snapshots=("trades", "orderbooks"), levels=3)
Kept = tuple[int, np.ndarray]


@pytest.fixture(scope="module")
def records() -> np.ndarray:
    return synthetic.stream(1200)


def feed_ring(directory: Path) -> Producer:
    ring = Producer.open(directory, "test.rec", capacity=1 << 14, generation=1)
    for instrument in synthetic.instruments("test"):
        ring.instruments.put(instrument)
    return ring


def opened(directory: Path, parameters: Parameters, **more: object) -> RingWorker:
    return open_worker(directory, "test", GRID, parameters, ring_capacity=1 << 17, **more)


def drain(worker: RingWorker) -> None:
    while worker.step():
        pass


def content(directory: Path, ring: str) -> Kept:
    """(generation, everything that is in it)."""
    reader = attach(f"test.{GRID}.{ring}", directory=directory)
    return reader.generation, reader.last(reader.capacity)


def whole(records: np.ndarray, parameters: Parameters) -> tuple[np.ndarray, np.ndarray]:
    """(rows, snapshot records) of an engine that nobody stopped."""
    rows: list[np.ndarray] = []
    snapshots = [np.zeros(0, SNAPSHOT)]
    made = Engine(parameters, synthetic.instruments("test").__getitem__)
    made.feed(records, lambda part: rows.append(part.copy()), lambda part: snapshots.append(part.copy()))
    return np.concatenate(rows), np.concatenate(snapshots)


def two_runs(
    directory: Path, records: np.ndarray, first: tuple[Parameters, bool], second: tuple[Parameters, bool], killed: bool
) -> tuple[dict[str, Kept], dict[str, Kept], RingWorker]:
    """Half of ``records`` by the first settings (parameters, rows stored), half by the second."""
    ring = feed_ring(directory)
    half = len(records) // 2
    worker = opened(directory, first[0], stored=first[1])
    cut = half - 700 if killed else half  # killed: the checkpoint is older than the rows
    ring.publish(np.ascontiguousarray(records[:cut]))
    drain(worker)
    worker.save()
    ring.publish(np.ascontiguousarray(records[cut:half]))
    drain(worker)
    worker.close()
    kinds = [kind for kind, on in (("row", True), ("sync", bool(first[0].snapshots))) if on]
    before = {kind: content(directory, kind) for kind in kinds}
    worker = opened(directory, second[0], stored=second[1])
    ring.publish(np.ascontiguousarray(records[half:]))
    drain(worker)
    kinds = [kind for kind, on in (("row", True), ("sync", bool(second[0].snapshots))) if on]
    return before, {kind: content(directory, kind) for kind in kinds}, worker


def symbols(directory: Path, ring: str) -> list[str]:
    """What the ring says of its instruments."""
    return [one.symbol for one in attach(ring, directory=directory).instruments()]


def joined(before: Kept, after: Kept) -> np.ndarray:
    """Both rings one behind the other, numbered through; each numbers its own without holes."""
    assert np.array_equal(after[1]["seq"], np.arange(len(after[1])))
    parts = [after[1]] if before[0] == after[0] else [before[1], after[1]]
    rows = np.concatenate(parts)
    rows["seq"] = np.arange(len(rows))
    return rows


CHANGES = {
    "rows to the lake no more": ((PLAIN, True), (PLAIN, False)),
    "snapshots on": ((PLAIN, True), (TRADES, True)),
    "snapshots off": ((TRADES, True), (PLAIN, True)),
    "other tables": ((TRADES, True), (msgspec.structs.replace(TRADES, snapshots=("trades", "fundings")), True)),
    "more levels": ((TRADES, True), (msgspec.structs.replace(TRADES, levels=7), True)),
}


@pytest.mark.parametrize("killed", [False, True])
@pytest.mark.parametrize("change", CHANGES)
def test_rows_are_those_of_one_run_whatever_changes_about_the_output(
    tmp_path: Path, records: np.ndarray, change: str, killed: bool
) -> None:
    first, second = CHANGES[change]
    before, after, worker = two_runs(tmp_path, records, first, second, killed)
    expected, _ = whole(records, PLAIN)
    assert joined(before["row"], after["row"]).tobytes() == expected.tobytes()
    assert worker.producer.counters["rows"] == len(after["row"][1])
    assert not worker.engine.resyncs()
    for kind in after:
        assert symbols(tmp_path, f"test.{GRID}.{kind}") == ["BTCUSDT", "ETHUSDT", "BTCUSDT"]


def test_a_ring_of_whole_books_that_is_new_names_the_instruments_that_were_known(
    tmp_path: Path, records: np.ndarray
) -> None:
    ring = feed_ring(tmp_path)
    worker = opened(tmp_path, PLAIN)
    half = len(records) // 2
    ring.publish(np.ascontiguousarray(records[:half]))
    drain(worker)
    worker.save()
    worker.close()
    worker = opened(tmp_path, PLAIN, books="test.book", book_interval_ns=10**9)
    ring.publish(np.ascontiguousarray(records[half:]))
    drain(worker)
    assert len(attach("test.book", directory=tmp_path).last(10)) == 10
    assert symbols(tmp_path, "test.book") == ["BTCUSDT", "ETHUSDT", "BTCUSDT"]


@pytest.mark.parametrize("killed", [False, True])
@pytest.mark.parametrize("change", [name for name, (_, second) in CHANGES.items() if second[0].snapshots])
def test_snapshots_begin_with_the_first_whole_row_and_no_row_has_two(
    tmp_path: Path, records: np.ndarray, change: str, killed: bool
) -> None:
    first, second = CHANGES[change]
    before, after, _ = two_runs(tmp_path, records, first, second, killed)
    _, expected = whole(records, second[0])
    found = after["sync"][1]
    assert np.array_equal(found["seq"], np.arange(len(found)))
    rows = after["row"][1] if before["row"][0] != after["row"][0] else after["row"][1][len(before["row"][1]) :]
    for number in range(3):
        mine, theirs = found[found["instrument"] == number], expected[expected["instrument"] == number]
        begin = int(mine["ts_ns"].min())
        theirs = theirs[theirs["ts_ns"] >= begin]
        mine["seq"] = theirs["seq"] = 0
        assert mine.tobytes() == theirs.tobytes()
        stamps = rows["ts_ns"][rows["instrument"] == number]
        assert begin <= stamps[:2].max(), "at most the row that was open is without"
        if "sync" in before:
            old = before["sync"][1]
            closed = old[(old["instrument"] == number) & (old["kind"] == ROW_KIND)]
            assert closed["ts_ns"].max() < begin


def bars_of(directory: Path, bar: Bar) -> np.ndarray:
    reader = attach(f"test.{bar.name}.bar", directory=directory)
    return reader.last(reader.capacity)


@pytest.mark.parametrize("killed", [False, True])
def test_bars_go_on_as_if_nothing_had_changed_about_the_output(
    tmp_path: Path, records: np.ndarray, killed: bool
) -> None:
    kinds = (bar_of_time("5s"), bar_of_size("7ticks"))
    first = msgspec.structs.replace(PLAIN, bars=kinds)
    second = msgspec.structs.replace(first, snapshots=("trades",))
    two_runs(tmp_path, records, (first, True), (second, False), killed)
    expected: list[np.ndarray] = []
    made = Engine(first, synthetic.instruments("test").__getitem__)
    made.feed(records, lambda rows: None, None, lambda bars: expected.append(bars.copy()))
    found = dict(split(np.concatenate(expected), len(kinds)))
    for number, bar in enumerate(kinds):
        assert bars_of(tmp_path, bar).tobytes() == found[number].tobytes()


@pytest.mark.parametrize("killed", [False, True])
def test_with_other_columns_bars_have_their_stamps_and_the_open_one_says_what_it_lacks(
    tmp_path: Path, records: np.ndarray, killed: bool
) -> None:
    kinds = (bar_of_time("5s"),)
    first = msgspec.structs.replace(PLAIN, bars=kinds)
    second = msgspec.structs.replace(first, columns=("ob_mid_price",))
    two_runs(tmp_path, records, (first, True), (second, True), killed)
    expected: list[np.ndarray] = []
    made = Engine(first, synthetic.instruments("test").__getitem__)
    made.feed(records, lambda rows: None, None, lambda bars: expected.append(bars.copy()))
    found, whole_run = bars_of(tmp_path, kinds[0]), np.concatenate(expected)
    for number in range(3):
        mine, theirs = found[found["instrument"] == number], whole_run[whole_run["instrument"] == number]
        assert np.array_equal(mine["ts_open_ns"], theirs["ts_open_ns"])
        differ = np.flatnonzero(mine["bar_trade_count"] != theirs["bar_trade_count"])
        assert len(differ) <= 1
        assert all(mine["row_flags"][i] & (RowFlag.LOST | RowFlag.PARTIAL) for i in differ)


@pytest.mark.parametrize("killed", [False, True])
def test_other_columns_cost_no_book_and_mark_the_open_row_alone(
    tmp_path: Path, records: np.ndarray, killed: bool
) -> None:
    wide = Parameters(book_levels=1024, columns=tuple(catalogue.select(["minimal", "bid_size_L*", "rv_1s"])))
    before, after, worker = two_runs(tmp_path, records, (PLAIN, True), (wide, True), killed)
    assert before["row"][0] != after["row"][0]
    expected, _ = whole(records, wide)
    assert not worker.engine.resyncs()
    books = [name for name in wide.columns if name.startswith(("ob_", "bid_size"))]
    for number in range(3):
        found = after["row"][1][after["row"][1]["instrument"] == number]
        old = before["row"][1]["ts_ns"][before["row"][1]["instrument"] == number]
        theirs = expected[expected["instrument"] == number]
        theirs = theirs[theirs["ts_ns"] > old.max()]
        assert np.array_equal(found["ts_ns"], theirs["ts_ns"])
        for name in books:
            np.testing.assert_array_equal(found[name], theirs[name], err_msg=name)
        lost = (found["row_flags"] & RowFlag.LOST) != 0
        assert not lost[1:].any()
        names = ["row_flags", *PLAIN.columns]
        assert np.array_equal(found[1:][names], theirs[1:][names])


def test_other_options_of_the_same_columns_are_another_generation(tmp_path: Path, records: np.ndarray) -> None:
    chosen = Parameters(book_levels=1024, columns=("mlofi_decay",))
    other = msgspec.structs.replace(chosen, options=catalogue.Options(ofi_decay_alpha=2.0))
    before, after, _ = two_runs(tmp_path, records, (chosen, True), (other, True), False)
    assert before["row"][0] != after["row"][0]
    assert attach(f"test.{GRID}.row", directory=tmp_path).meta["options"]["ofi_decay_alpha"] == 2.0


def test_another_clock_begins_with_books_that_are_not_known(tmp_path: Path, records: np.ndarray) -> None:
    before, after, _ = two_runs(
        tmp_path, records, (PLAIN, True), (msgspec.structs.replace(PLAIN, mode="trade"), True), False
    )
    for number in range(3):
        old = before["row"][1]["ts_ns"][before["row"][1]["instrument"] == number]
        assert after["row"][1]["ts_ns"][after["row"][1]["instrument"] == number].min() > old.max()
