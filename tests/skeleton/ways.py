"""The three ways one record stream can take to the lake: live processes, replay in one process, offline from arrays."""

from __future__ import annotations

import hashlib
import multiprocessing
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from ringcollect.config import Collector, Config, Market, Storage, Sync, SyncOutput
from ringcollect.records import RECORD
from ringcollect.ring.attach import Reader
from ringcollect.ring.producer import Producer
from ringcollect.sources.pipeline import Pipeline
from ringcollect.store.chunk import Chunk
from ringcollect.store.cursor import journal_folder
from ringcollect.store.journal import JournalWriter, header_for
from ringcollect.store.process import run as run_journal
from ringcollect.store.rotation import Policy, Segment, cut
from ringcollect.store.seal import seal_all
from ringcollect.sync.engine import Engine
from ringcollect.sync.parameters import parameters_of
from ringcollect.sync.process import consumer_of, open_planned
from ringcollect.sync.process import run as run_sync
from tests import synthetic

EXCHANGE = "binance"
GENERATION = synthetic.START_NS
ALL = 1 << 30
Markets = tuple[Market, ...]
ROTATE = "2m"
DEFAULT_SYNC = Sync(output=SyncOutput(books=False))


def config_for(
    data: Path, runtime: Path, markets: Markets = (), sync: Sync = DEFAULT_SYNC, rotate: str = ROTATE
) -> Config:
    """Rotation every two minutes of stream time, so that nine minutes around midnight give several segments."""
    return Config(
        # On a busy machine sealing must not be left to a next start, which there is none of.
        collector=Collector(data=str(data), runtime_dir=str(runtime), stop_writer_s=55),
        storage=Storage(rotate_time=rotate, fsync="off"),
        markets=markets,
        sync=sync,
    )


def parquet_hashes(data: Path) -> dict[str, str]:
    """Relative path -> SHA-256 of every Parquet file of a lake."""
    files = sorted(data.rglob("*.parquet"))
    return {str(path.relative_to(data)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def read_in_pieces(monkeypatch: pytest.MonkeyPatch, size: Callable[[], int]) -> None:
    """Every reader, whoever it belongs to, gets at most ``size()`` records at a time."""
    whole = Reader.read

    def read(self: Reader, max_records: int | None = None) -> Any:
        return whole(self, min(size(), ALL if max_records is None else max_records))

    monkeypatch.setattr(Reader, "read", read)


def replayed(
    records: np.ndarray, data: Path, runtime: Path, markets: Markets = (), sync: Sync = DEFAULT_SYNC,
    rotate: str = ROTATE,
) -> None:  # fmt: skip
    """One process, consumers let in by the gate, the sealer beside it."""
    pipeline = Pipeline(data, runtime, EXCHANGE, GENERATION, config_for(data, runtime, markets, sync, rotate))
    try:
        for instrument in synthetic.instruments():
            pipeline.ring.instruments.put(instrument)
        for batch in synthetic.batches(records):
            pipeline.make_room()
            pipeline.ring.publish(np.ascontiguousarray(batch))
        pipeline.finish()
        assert not any(pipeline.losses().values())
        assert pipeline.sealing.unsealed == ()
    finally:
        pipeline.close()


def offline(records: np.ndarray, data: Path, chunk: int) -> None:
    """No ring and no process: arrays into the engine, arrays into journals."""
    config = config_for(data, data)
    table = {instrument.number: instrument for instrument in synthetic.instruments()}
    parameters = parameters_of(config)
    engine = Engine(parameters, table.__getitem__)
    pieces = [records[i : i + chunk] for i in range(0, len(records), chunk)]
    rows = [engine.collect(np.ascontiguousarray(piece)) for piece in pieces]
    rows.append(engine.collect_rest())
    policy = Policy(config.storage.rotate_time_ns, config.storage.rotate_records)
    paths = _journals(records, f"{EXCHANGE}.rec", {}, data, policy, chunk)
    meta = _row_meta(parameters)
    paths += _journals(np.concatenate(rows), f"{EXCHANGE}.{config.sync.base.grid}.row", meta, data, policy, chunk)
    seal_all(paths, data, config.storage.zstd_level)


def _row_meta(parameters: Any) -> dict[str, Any]:
    """What the row ring says of itself; it stands in the files' metadata."""
    return {
        "kind": "row",
        "exchange": EXCHANGE,
        "grid": "100ms",
        "grid_ns": parameters.grid_ns,
        "mode": parameters.mode,
        "hold_back_ns": parameters.resolved_hold_back_ns(),
        "max_gap_fill": parameters.max_gap_fill,
        "max_future_skew_ns": parameters.max_future_skew_ns,
        "hold_back_records": parameters.hold_back_records,
        "book_levels": parameters.book_levels,
        "max_row_latency_ns": 0,
        "options": msgspec.to_builtins(parameters.options),
        "columns": list(parameters.columns),
        "schema_version": 2,
        "source": f"{EXCHANGE}.rec",
        "source_generation": GENERATION,
    }


def _journals(
    records: np.ndarray, ring: str, meta: dict[str, Any], data: Path, policy: Policy, chunk: int
) -> list[Path]:
    segment, paths = Segment(), []
    writer: JournalWriter | None = None
    position = 0
    while position < len(records):
        if writer is None:
            header = header_for(
                ring, GENERATION, records.dtype, position, 0, segment=segment, meta=meta,
                instruments=synthetic.instruments(),
            )  # fmt: skip
            writer = JournalWriter.create(journal_folder(data), header)
        piece = Chunk(np.ascontiguousarray(records[position : position + chunk]))
        taken = cut(segment, policy, piece.times(), piece.closes_batch(), piece.sizes())
        writer.add(piece.split(taken)[0])
        position += taken
        if taken < len(piece.records) or position == len(records):
            writer.add_end()
            writer.flush()
            paths.append(writer.path)
            writer.close()
            writer, segment = None, segment.next()
    return paths


def live(
    records: np.ndarray, data: Path, runtime: Path, seed: int, markets: Markets = (), sync: Sync = DEFAULT_SYNC
) -> None:
    """A producer, a synchronizer and a journal process, each with a mind of its own about when to work.

    At the end the rows that live still holds back are brought out the way a later start would: from the checkpoint.
    """
    config = config_for(data, runtime, markets, sync)
    plans = config.row_plans(EXCHANGE)
    context = multiprocessing.get_context("spawn")
    stop_sync, stop_journal = context.Event(), context.Event()
    producer = context.Process(target=_produce, args=(str(runtime), records.tobytes(), seed))
    synchronizer = context.Process(target=_consume, args=("sync", config, seed + 1, stop_sync))
    journal = context.Process(target=_consume, args=("journal", config, seed + 2, stop_journal))
    children = (producer, synchronizer, journal)
    for child in children:
        child.start()
    try:
        _join(producer)
        _wait_until(lambda: all(_committed(runtime, consumer_of(plan)) == len(records) for plan in plans), synchronizer)
        stop_sync.set()
        _join(synchronizer)
        for plan in plans:
            worker = open_planned(runtime, EXCHANGE, config, plan, ring_capacity=config.ring.capacity)
            worker.finish()
            worker.close()
        stop_journal.set()
        _join(journal)
    finally:
        for child in children:
            if child.is_alive():
                child.kill()
                child.join()


def empty_ring(runtime: Path) -> None:
    """The ring as the producer will find it, so that a reader can be there before the first record."""
    Producer.open(runtime, f"{EXCHANGE}.rec", generation=GENERATION).close()


def _committed(runtime: Path, name: str) -> int:
    from ringcollect.ring.control import Control
    from ringcollect.ring.paths import control_path, ring_path

    control = Control(control_path(ring_path(runtime, f"{EXCHANGE}.rec")), writable=False)
    try:
        return next((row.committed for row in control.consumers() if row.name == name), -1)
    finally:
        control.close()


def _wait_until(condition: Callable[[], bool], worker: Any) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert worker.is_alive(), "the process ended early"
        assert time.monotonic() < deadline, "no progress within a minute"
        time.sleep(0.01)


def _join(child: Any) -> None:
    child.join(60)
    assert child.exitcode == 0, f"{child.name} ended with {child.exitcode}"


def _produce(runtime: str, raw: bytes, seed: int) -> None:
    records = np.frombuffer(raw, RECORD)
    rng = random.Random(seed)
    ring = Producer.open(Path(runtime), f"{EXCHANGE}.rec", generation=GENERATION)
    for instrument in synthetic.instruments():
        ring.instruments.put(instrument)
    for batch in synthetic.batches(records):
        if rng.random() < 0.02:
            time.sleep(rng.random() * 0.01)
        ring.publish(batch.copy())
    ring.close()


def _consume(what: str, config: Config, seed: int, stop: Any) -> None:
    rng = random.Random(seed)
    with pytest.MonkeyPatch.context() as patch:
        read_in_pieces(patch, lambda: rng.choice((1, 7, 1000, ALL)))
        if what == "sync":
            run_sync(config, [EXCHANGE], stop.is_set)
        else:
            run_journal(config, [EXCHANGE], stop.is_set)
