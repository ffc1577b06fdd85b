"""Group O through the whole: two exchanges live, one of them going and coming back, restarts, and from files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from ringcollect.config import Collector, Config, Market, Storage, Sync
from ringcollect.ring.attach import attach
from ringcollect.ring.producer import Producer
from ringcollect.store.verify import verify
from ringcollect.sync import process
from ringcollect.sync.process import run
from ringcollect.sync.rows import RowFlag
from tests import synthetic
from tests.offline.rows import NAMING, bits, built, tables
from tests.skeleton import ways
from tests.sync.test_across import COLUMNS, INPUTS, plain

pytestmark = pytest.mark.usefixtures("sealed_here")
EXCHANGES = ("binance", "okx")
STREAMS = {"binance": synthetic.stream(1500, seed=7), "okx": synthetic.stream(1500, seed=8)}
SYNC = Sync(grid="200ms", features=("xv_*", "ob_mid_price"))
DELAY_NS = 500_000_000
NAMES = [instrument.unified for instrument in synthetic.instruments()]


def config_for(data: Path, runtime: Path) -> Config:
    return Config(
        collector=Collector(data=str(data), runtime_dir=str(runtime)),
        storage=Storage(rotate_time="20s", fsync="off"),
        markets=tuple(Market(exchange=name, market="spot", symbols=("BTCUSDT",)) for name in EXCHANGES),
        sync=SYNC,
    )


class Feeds:
    """``stop`` for the synchronizer: each time it is asked, the feeds publish the next second of their streams.

    okx is not there from ``away[0]`` to ``away[1]``; ``seen`` is the newest stamp of binance when it comes back.
    """

    def __init__(self, runtime: Path, until_ns: int = 2**62, away: tuple[int, int] = (2**62, 2**62)) -> None:
        self.seen = 0
        self._runtime = runtime
        self._rings = {name: self._open(name) for name in EXCHANGES}
        self._steps = self._published(until_ns, away)

    def __call__(self) -> bool:
        return next(self._steps, True)

    def _open(self, name: str) -> Producer:
        ring = Producer.open(self._runtime, f"{name}.rec", generation=synthetic.START_NS)
        for instrument in synthetic.instruments(name):
            ring.instruments.put(instrument)
        return ring

    def _published(self, until_ns: int, away: tuple[int, int]) -> Iterator[bool]:
        at = {name: ring.head for name, ring in self._rings.items()}
        times = {name: np.maximum.accumulate(stream["ts_recv"]) for name, stream in STREAMS.items()}
        now = min(int(times[name][min(at[name], len(times[name]) - 1)]) for name in EXCHANGES)
        while any(at[name] < len(times[name]) for name in EXCHANGES) and now < until_ns:
            now += 1_000_000_000
            if away[0] <= now < away[1]:
                self._rings["okx"].close()
            elif now >= away[1] and not self.seen:
                self.seen = int(ring(self._runtime, "binance", "xv")["ts_ns"][-1])
                self._rings["okx"] = self._open("okx")
            for name, to in ((name, int(np.searchsorted(times[name], min(now, until_ns)))) for name in EXCHANGES):
                if to > at[name]:
                    self._rings[name].publish(np.ascontiguousarray(STREAMS[name][at[name] : to]))
                    at[name] = to
            yield False
        for one in self._rings.values():
            one.close()


def ring(runtime: Path, exchange: str, what: str) -> np.ndarray:
    reader = attach(f"{exchange}.200ms.{what}", directory=runtime)
    assert reader.head <= reader.capacity
    return reader.last(reader.capacity)


@pytest.fixture(autouse=True, scope="module")
def without_pauses() -> Iterator[None]:
    """Streams go by many times faster than in life."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process, "_ACROSS_S", 0.0)
        yield


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runtime folder after both streams went through the synchronizer process's loop."""
    folder = tmp_path_factory.mktemp("live")
    run(config_for(folder / "lake", folder), EXCHANGES, Feeds(folder))
    return folder


def test_live_columns_equal_plain_python_on_the_rows_of_both_rings(live: Path) -> None:
    there: dict[tuple[str, int], dict[str, np.void]] = {}
    for exchange in EXCHANGES:
        for row in ring(live, exchange, "row"):
            if int(row["ts_recv"]) - int(row["ts_ns"]) <= DELAY_NS:
                there.setdefault((NAMES[row["instrument"]], int(row["ts_ns"])), {})[exchange] = row
    compared = 0
    for exchange in EXCHANGES:
        found = ring(live, exchange, "xv")
        assert len(found) > 300
        assert found["seq"].tolist() == list(range(len(found)))
        for row in found:
            group = there[NAMES[row["instrument"]], int(row["ts_ns"])]
            venues = [tuple(float(one[name]) for name in INPUTS) for one in group.values()]
            expected = plain(venues, list(group).index(exchange))
            values = [float(row[name]) for name in (*COLUMNS, "venues")]
            np.testing.assert_allclose(values, expected, rtol=1e-9, atol=1e-15)
            compared += row["venues"] == 2
        own = [key for key, group in there.items() if exchange in group and key[1] <= found["ts_ns"][-1]]
        assert len(found) == len(own)
    assert compared > 50
    names = {instrument.symbol for instrument in attach("okx.200ms.xv", directory=live).instruments()}
    assert names == {"BTCUSDT", "ETHUSDT"}


def test_a_stop_and_a_start_anywhere_change_no_row(live: Path, tmp_path: Path) -> None:
    begin = int(STREAMS["binance"]["ts_recv"][0])
    for seconds in (7, 20, 21):
        run(config_for(tmp_path / "lake", tmp_path), EXCHANGES, Feeds(tmp_path, begin + seconds * 10**9 + 123_456_789))
    run(config_for(tmp_path / "lake", tmp_path), EXCHANGES, Feeds(tmp_path))
    for exchange in EXCHANGES:
        assert ring(tmp_path, exchange, "xv").tobytes() == ring(live, exchange, "xv").tobytes()


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory, sealed_here: None) -> Path:
    """The records of both exchanges as a collector would have stored them."""
    folder = tmp_path_factory.mktemp("recorded")
    for name, stream in STREAMS.items():
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ways, "EXCHANGE", name)
            patch.setattr(synthetic, "instruments", lambda exchange=name, own=synthetic.instruments: own(exchange))
            ways.replayed(stream, folder / "lake", folder / f"runtime-{name}", rotate="20s", sync=Sync(enabled=False))
    return folder / "lake"


def test_rows_from_files_are_the_live_ones(live: Path, lake: Path, tmp_path: Path) -> None:
    report = built(lake, tmp_path, config_for(lake, tmp_path))
    assert report.problems() == []
    for exchange in EXCHANGES:
        rows = ring(live, exchange, "xv")
        for number, instrument in enumerate(synthetic.instruments()):
            key = f"grid=200ms/market={instrument.market}/symbol={instrument.symbol}"
            mine = rows[rows["instrument"] == number]
            stored = stored_of(tmp_path, exchange)[key]
            for name in ("ts_ns", "venues", "row_flags", *COLUMNS):
                column = np.asarray(stored[name])[: len(mine)]
                assert column.tobytes() == np.ascontiguousarray(mine[name]).tobytes(), (exchange, key, name)
            assert len(mine) > 50
    assert verify(tmp_path, strict=True).problems == []


def stored_of(data: Path, exchange: str) -> dict:
    """The rows of group O of one exchange by grid, market and symbol."""
    whole = data / f"only-{exchange}"
    folder = whole / "sync" / "venues"
    if not folder.exists():
        for path in (data / "sync" / "venues").rglob("*.parquet"):
            if f"exchange={exchange}" in path.parts:
                target = folder / path.relative_to(data / "sync" / "venues")
                target.parent.mkdir(parents=True, exist_ok=True)
                target.hardlink_to(path)
    return tables(whole, "venues")


def test_built_bit_by_bit_it_is_the_same_and_what_is_there_is_not_built_again(lake: Path, tmp_path: Path) -> None:
    config = config_for(lake, tmp_path)
    built(lake, tmp_path / "whole", config)
    first = min(int(stream["ts_recv"][0]) for stream in STREAMS.values())
    for end in (first + 15 * 10**9, first + 31 * 10**9, 2**62, 2**62):
        report = built(lake, tmp_path / "parts", config, end_ns=end)
        assert report.problems() == []
    assert sum(one.rows for one in report.built) == 0
    for exchange in EXCHANGES:
        whole, parts = (stored_of(tmp_path / name, exchange) for name in ("whole", "parts"))
        assert [bits(rows, NAMING) for rows in whole.values()] == [bits(rows, NAMING) for rows in parts.values()]
        assert whole.keys() == parts.keys()


def test_an_exchange_that_ends_stops_nobody_and_counts_again_when_it_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """okx is away from second 10 to 20: binance goes on alone, and what okx owes when it is back comes too late."""
    begin = int(STREAMS["binance"]["ts_recv"][0])
    away = (begin + 10 * 10**9, begin + 20 * 10**9)
    before, after = STREAMS["okx"], synthetic.stream(500, seed=9)
    before = before[: int(np.searchsorted(np.maximum.accumulate(before["ts_recv"]), away[0] - 10**9))]
    for name in ("ts_event", "ts_recv"):
        after[name][after[name] != 0] += away[1] - int(after["ts_recv"][0])
    whole = np.concatenate([before, after])
    whole["seq"] = np.arange(len(whole))
    monkeypatch.setitem(STREAMS, "okx", whole)
    feeds = Feeds(tmp_path, away=away)
    run(config_for(tmp_path / "lake", tmp_path), EXCHANGES, feeds)
    assert feeds.seen > away[0] + 5 * 10**9
    found = ring(tmp_path, "binance", "xv")
    inside = (found["ts_ns"] >= away[0]) & (found["ts_ns"] < away[1] - 10**9)
    assert np.count_nonzero(inside) > 10 and (found["venues"][inside] <= 1).all()
    assert np.isnan(found["xv_dispersion_bps"][inside]).all()
    assert (found["venues"][found["ts_ns"] > away[1]] == 2).any()
    assert not (found["row_flags"] & RowFlag.OVERRUN).any()
