"""Several grids of one exchange: a row ring each, of the right instruments, whatever was configured before."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ringcollect.config import Collector, Config, Market, Override, Sync, SyncGrid, SyncOutput
from ringcollect.ring.attach import attach
from ringcollect.ring.control import Control
from ringcollect.ring.paths import control_path, ring_path
from ringcollect.ring.producer import Producer
from ringcollect.sync import checkpoint
from ringcollect.sync.book_ring import book_ring_name
from ringcollect.sync.catalogue import select
from ringcollect.sync.engine import Engine
from ringcollect.sync.process import run
from ringcollect.sync.settings import Parameters
from tests import synthetic

SECOND = 1_000_000_000
COARSE = Override(symbols=("BTC-USDT-PERP",), grid="1s", features=("trade_*",))
TABLE = synthetic.instruments()
BTC, ETH, PERP = 0, 1, 2


@pytest.fixture(scope="module")
def records() -> np.ndarray:
    return synthetic.stream(1200)


def configured(directory: Path, *, spot: tuple[Override, ...] = (), linear: tuple[Override, ...] = (COARSE,)) -> Config:
    markets = (
        Market(exchange="binance", market="spot", symbols=("BTCUSDT", "ETHUSDT"), override=spot),
        Market(exchange="binance", market="linear", symbols=("BTCUSDT",), override=linear),
    )
    return Config(collector=Collector(runtime_dir=str(directory)), markets=markets, sync=Sync(book_levels=1024))


def record_ring(directory: Path) -> Producer:
    ring = Producer.open(directory, "binance.rec", capacity=1 << 14, generation=1)
    for instrument in TABLE:
        ring.instruments.put(instrument)
    return ring


def synchronize(config: Config, ring: Producer, records: np.ndarray) -> None:
    """One run of the synchronizer process over ``records``."""
    ring.publish(np.ascontiguousarray(records))
    consumers = {"sync", *(f"sync.{plan.grid}" for plan in config.row_plans("binance")[1:])}
    control = Control(control_path(ring.path), writable=False)

    def stop() -> bool:
        done = {row.name for row in control.consumers() if row.committed == ring.head}
        return consumers <= done

    run(config, ["binance"], stop)
    control.close()


def rows_of(directory: Path, grid: str) -> np.ndarray:
    reader = attach(f"binance.{grid}.row", directory=directory)
    return reader.last(reader.capacity)


def alone(records: np.ndarray, parameters: Parameters, number: int) -> np.ndarray:
    """The rows of one instrument by an engine that has all of them."""
    rows = Engine(parameters, TABLE.__getitem__).collect(records)
    return rows[rows["instrument"] == number]


def test_every_grid_is_a_row_ring_with_the_rows_of_its_instruments(tmp_path: Path, records: np.ndarray) -> None:
    ring = record_ring(tmp_path)
    synchronize(configured(tmp_path), ring, records)
    fine, coarse = rows_of(tmp_path, "100ms"), rows_of(tmp_path, "1s")
    assert (set(fine["instrument"].tolist()), set(coarse["instrument"].tolist())) == ({BTC, ETH}, {PERP})
    columns = select(["trade_*"])
    assert list(coarse.dtype.names[7:]) == columns
    expected = alone(records, Parameters(grid_ns=SECOND, book_levels=1024, columns=tuple(columns)), PERP)
    expected["seq"] = np.arange(len(expected))
    assert coarse.tobytes() == expected.tobytes()
    for number in (BTC, ETH):
        names = list(fine.dtype.names[1:])
        want = alone(records, Parameters(book_levels=1024), number)
        assert np.array_equal(fine[fine["instrument"] == number][names], want[names])
    assert attach("binance.1s.row", directory=tmp_path).meta["symbols"] == {"only": ["linear:BTCUSDT"]}
    assert attach("binance.100ms.row", directory=tmp_path).meta["symbols"] == {"all_but": ["linear:BTCUSDT"]}
    control = Control(control_path(ring.path), writable=False)
    assert {row.name: row.committed for row in control.consumers()} == {
        "sync": len(records), "sync.1s": len(records),
    }  # fmt: skip
    assert checkpoint.load(tmp_path, "binance.1s.row") is not None


def test_a_symbol_moved_to_another_grid_is_a_new_generation_and_no_row_comes_twice(
    tmp_path: Path, records: np.ndarray
) -> None:
    """Moved there, and back again: its rows on the first grid go on behind those that are out."""
    ring = record_ring(tmp_path)
    parts = [np.ascontiguousarray(part) for part in np.array_split(records, 3)]
    eth = Override(symbols=("eth/usdt",), grid="1s", features=("trade_*",))
    seen: list[tuple[int, np.ndarray]] = []
    for part, spot in zip(parts, ((), (eth,), ()), strict=True):
        synchronize(configured(tmp_path, spot=spot), ring, part)
        seen.append((attach("binance.100ms.row", directory=tmp_path).generation, rows_of(tmp_path, "100ms")))
    assert len({generation for generation, _ in seen}) == 3
    assert [set(rows["instrument"].tolist()) for _, rows in seen] == [{BTC, ETH}, {BTC}, {BTC, ETH}]
    for number in (BTC, ETH):
        stamps = np.concatenate([rows["ts_ns"][rows["instrument"] == number] for _, rows in seen])
        assert (np.diff(stamps) > 0).all()


def test_a_grid_that_is_configured_no_more_leaves_no_reader_that_hangs(tmp_path: Path, records: np.ndarray) -> None:
    ring = record_ring(tmp_path)
    half = len(records) // 2
    synchronize(configured(tmp_path), ring, records[:half])
    assert attach(ring.path, register="notebook").registered
    synchronize(configured(tmp_path, linear=()), ring, records[half:])
    control = Control(control_path(ring_path(tmp_path, "binance.rec")), writable=False)
    assert {row.name for row in control.consumers()} == {"sync", "notebook"}
    assert attach("binance.1s.row", directory=tmp_path).state == "closed"


def test_every_book_and_bar_is_made_by_one_worker_whatever_the_grids() -> None:
    def rings(grid: str | tuple[SyncGrid, ...], override_grid: str) -> dict[str, str]:
        market = Market(
            exchange="binance", market="spot", symbols=("BTCUSDT", "ETHUSDT"),
            override=(Override(symbols=("ETHUSDT",), grid=override_grid),) if override_grid else (),
        )  # fmt: skip
        config = Config(markets=(market,), sync=Sync(grid=grid, output=SyncOutput(books=True)))
        plans = config.row_plans("binance")
        return {plan.grid: book_ring_name("binance", plan.own_grid) if plan.makes_once else "" for plan in plans}

    two = (SyncGrid(grid="100ms"), SyncGrid(grid="1s"))
    assert rings("100ms", "") == {"100ms": "binance.book"}
    assert rings(two, "") == {"100ms": "binance.book", "1s": ""}
    assert rings("100ms", "5s") == {"100ms": "binance.book", "5s": "binance.5s.book"}
    assert rings(two, "1s") == {"100ms": "", "1s": "binance.book"}
    assert rings(two, "5s") == {"100ms": "", "1s": "binance.book", "5s": ""}
