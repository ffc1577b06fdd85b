"""Parts of a lake: a span of time, some instruments; what is chosen is as in the whole, and never a wrong book."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from ringcollect.durations import parse_time
from ringcollect.errors import ConfigError
from ringcollect.records import Flag
from ringcollect.sync.rows import RowFlag
from tests.offline.rows import NAMING, bits, built, quick_config, quick_lake, tables
from tests.replay import lake as outsider

pytestmark = pytest.mark.usefixtures("sealed_here")
BTC = "grid=100ms/market=spot/symbol=BTCUSDT"


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory, sealed_here: None) -> Path:
    return quick_lake(tmp_path_factory.mktemp("replayed"))


@pytest.fixture(scope="module")
def whole(lake: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, pa.Table]:
    out = tmp_path_factory.mktemp("whole")
    assert built(lake, out).problems() == []
    return tables(out)


def stream_times(lake: Path) -> list[tuple[int, int]]:
    found = [msgspec.json.decode(path.read_bytes()) for path in (lake / "certificates").rglob("*.rec-*.json")]
    return sorted(tuple(one["stream_ns"]) for one in found)


def test_one_symbol_has_the_rows_it_has_among_all(lake: Path, whole: dict[str, pa.Table], tmp_path: Path) -> None:
    for number, name in enumerate(("BTCUSDT", "btc-usdt")):
        out = tmp_path / str(number)
        assert built(lake, out, symbols=(name,), markets=("spot",)).problems() == []
        found = tables(out)
        assert list(found) == [BTC]
        assert bits(found[BTC], NAMING) == bits(whole[BTC], NAMING)


def test_one_symbol_on_the_clock_of_the_whole_exchange_has_the_rows_it_has_among_all(
    lake: Path, tmp_path: Path
) -> None:
    """Stream time is everybody's: all records are read for it."""
    config = quick_config(lake)
    config = msgspec.structs.replace(config, sync=msgspec.structs.replace(config.sync, mode="external"))
    built(lake, tmp_path / "all", config)
    built(lake, tmp_path / "one", config, symbols=("ETHUSDT",))
    eth = "grid=100ms/market=spot/symbol=ETHUSDT"
    found = tables(tmp_path / "one")
    assert list(found) == [eth]
    assert bits(found[eth], NAMING) == bits(tables(tmp_path / "all")[eth], NAMING)


def test_markets_one_after_another_into_one_folder_are_all_of_it(
    lake: Path, whole: dict[str, pa.Table], tmp_path: Path
) -> None:
    built(lake, tmp_path, markets=("spot",))
    built(lake, tmp_path, markets=("linear",))
    found = tables(tmp_path)
    assert found.keys() == whole.keys()
    for key, table in found.items():
        assert bits(table, NAMING) == bits(whole[key], NAMING)


@pytest.mark.parametrize(
    "second", [{}, {"symbols": ("BTCUSDT",)}, {"symbols": ("ETHUSDT", "BTC-USDT")}], ids=["all", "linear too", "names"]
)
def test_what_would_be_there_twice_is_refused(lake: Path, tmp_path: Path, second: dict[str, Any]) -> None:
    built(lake, tmp_path, symbols=("BTCUSDT",), markets=("spot",))
    with (
        pytest.raises(ConfigError, match="twice")
        if second != {"symbols": ("BTCUSDT",)}
        else pytest.raises(ConfigError, match="give another --out")
    ):
        built(lake, tmp_path, **second)


def test_runs_over_spans_that_follow_each_other_give_the_rows_of_one_run(
    lake: Path, whole: dict[str, pa.Table], tmp_path: Path
) -> None:
    """As a job a day: each goes on from the state of the one before, and reads on until the last rows are due."""
    times = stream_times(lake)
    bounds = [0, *(first for first, _ in times[1:]), times[-1][1] + 10**9]
    for start, end in itertools.pairwise(bounds):
        assert built(lake, tmp_path, start_ns=start, end_ns=end).problems() == []
        for key, table in tables(tmp_path).items():
            stamps = np.asarray(table["ts_ns"])
            assert stamps.max() < end + 2 * 10**9
            assert bits(table) == bits(whole[key].slice(0, table.num_rows))
        assert np.asarray(tables(tmp_path)[BTC]["ts_ns"]).max() >= end - 4 * 10**9  # no silence of its is longer
    built(lake, tmp_path)  # without an end the last rows come out, too
    for key, table in tables(tmp_path).items():
        assert bits(table) == bits(whole[key])


def test_a_start_in_the_middle_has_no_book_before_the_first_clear_and_the_right_one_from_there_on(
    lake: Path, whole: dict[str, pa.Table], tmp_path: Path
) -> None:
    start = stream_times(lake)[2][0] + 3 * 10**9
    assert built(lake, tmp_path, start_ns=start).problems() == []
    for key, table in tables(tmp_path).items():
        market, symbol = key.split("market=")[1].split("/symbol=")
        stamps = np.asarray(table["ts_ns"])
        assert stamps.min() >= start
        has_book = (np.asarray(table["row_flags"]) & RowFlag.HAS_BOOK) != 0
        asked = whole[key].filter(pc.is_in(whole[key]["ts_ns"], value_set=pa.array(stamps)))
        books = outsider.both(lake, "orderbooks", symbol, market)
        seen = np.asarray(books["flags"])
        clears = np.asarray(books["ts_recv"])[(seen & Flag.CLEAR) != 0]
        begun = [int(ns) for ns in clears if ns >= stream_times(lake)[2][0]]
        if not begun:
            assert not has_book.any()
        else:
            assert not has_book[stamps <= begun[0]].any()
        for name in ("ob_mid_price", "ob_spread", "ob_imbalance", "ts_book_ns"):
            ours, theirs = np.asarray(table[name])[has_book], np.asarray(asked[name])[has_book]
            assert np.array_equal(ours, theirs), (key, name)
        for name in ("trade_volume", "trade_count", "trade_vwap"):  # flows need no book
            later = stamps > stamps.min() + 2 * 10**9
            assert np.array_equal(np.asarray(table[name])[later], np.asarray(asked[name])[later]), (key, name)


def test_other_settings_or_a_gap_in_the_same_folder_are_refused_with_what_to_do(lake: Path, tmp_path: Path) -> None:
    times = stream_times(lake)
    built(lake, tmp_path, end_ns=times[1][0])
    config = quick_config(lake)
    other = msgspec.structs.replace(config, sync=msgspec.structs.replace(config.sync, features=("trade_*",)))
    with pytest.raises(ConfigError, match=r"other settings \(bars, columns\)"):
        built(lake, tmp_path, other)
    with pytest.raises(ConfigError, match="closes the gap"):
        built(lake, tmp_path, start_ns=times[-1][0])
    with pytest.raises(ConfigError, match="collected live"):
        built(lake, lake)


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("2026-11-21", 1_795_219_200_000_000_000),
        ("2026-11-21T15:30", 1_795_275_000_000_000_000),
        ("2026-11-21 15:30:00.250+02:00", 1_795_267_800_250_000_000),
        ("1970-01-01T00:00:00.000001Z", 1000),
    ],
)
def test_times_are_utc_unless_they_say_otherwise(text: str, ns: int) -> None:
    assert parse_time(text, "--start") == ns


def test_what_is_no_time_is_named_with_its_option() -> None:
    with pytest.raises(ConfigError, match="--end: 'yesterday'"):
        parse_time("yesterday", "--end")
