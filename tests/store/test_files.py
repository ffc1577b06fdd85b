"""What is listed of a lake: what may hold the selection's rows, and nothing that certainly does not."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from ringcollect.errors import ConfigError, LakeError, NotFoundError
from ringcollect.store import files
from ringcollect.store.selection import Selection, select
from tests import synthetic
from tests.store import lake as lakes
from tests.store.watching import Watch, watched

SECOND_NS = 1_000_000_000


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lakes.make_lake(tmp_path_factory.mktemp("files"), synthetic.stream(900))


def chosen(data: Path, **selection: object) -> list[str]:
    return [file.path for file in files.files(watched(data), select(**selection))]  # type: ignore[arg-type]


def test_without_a_selection_every_parquet_file_is_listed_with_what_its_folders_say(data: Path) -> None:
    found = list(files.files(watched(data)))
    assert sorted(file.path for file in found) == sorted(str(p.relative_to(data)) for p in data.rglob("*.parquet"))
    for file in found:
        parts = dict(part.split("=") for part in Path(file.path).parts if "=" in part)
        assert parts == {"exchange": file.exchange, "market": file.market, "symbol": file.symbol, "date": file.date}
        assert file.type == "/".join(Path(file.path).parts[:2]) and file.bytes == (data / file.path).stat().st_size


def test_types_exchanges_markets_and_symbols_choose(data: Path) -> None:
    assert {p.split("/")[1] for p in chosen(data, types=("trades",))} == {"trades"}
    assert {p.split("/")[0] for p in chosen(data, types=("orderbooks",))} == {"raw", "rest"}
    assert {p.split("/")[0] for p in chosen(data, types=("rest/orderbooks",))} == {"rest"}
    assert chosen(data, exchanges=("kraken",)) == []
    linear = chosen(data, markets=("linear",), types=("trades",))
    assert linear and all("/market=linear/" in path for path in linear)
    ether = chosen(data, symbols=("eth/usdt",))
    assert ether and all("/symbol=ETHUSDT/" in path for path in ether)


def test_a_unified_name_chooses_what_is_called_otherwise_by_its_venue(tmp_path: Path) -> None:
    data = lakes.make_lake(tmp_path, lakes.trades(10))
    for path in data.rglob("symbol=BTCUSDT"):
        path.rename(path.with_name("symbol=XBT_USD_SWAP"))  # its files still say what they are
    assert len(chosen(data, symbols=("BTC-USDT",))) == 1
    assert chosen(data, symbols=("ETH-USDT",)) == []


def test_days_outside_the_span_and_instruments_nobody_asked_for_are_not_even_listed(data: Path) -> None:
    watch = Watch()
    before = synthetic.MIDNIGHT_NS - 2 * 86_400 * SECOND_NS
    found = files.files(watched(data, watch), select(types=("raw/trades",), symbols=("BTCUSDT",), markets=("linear",)))
    assert list(found) and watch.opened == []
    assert not any("market=spot" in path or "/quotes" in path for path in watch.listed)
    watch = Watch()
    folder = dataclasses.replace(watched(data, watch), folder=data)
    assert list(files.files(folder, Selection(types=("raw/trades",), end_ns=before))) == []
    assert watch.listed and not any("date=" in path for path in watch.listed)


def test_nothing_hidden_is_data(tmp_path: Path) -> None:
    data = lakes.make_lake(tmp_path, lakes.trades(10))
    (only,) = chosen(data)
    path = data / only
    for name in (".BTCUSDT.parquet.tmp", ".swap.parquet", "_old.parquet", "note.txt"):
        path.with_name(name).write_bytes(b"not data")
    hidden = path.parent.with_name(".date=2026-09-21.new")
    hidden.mkdir()
    (hidden / path.name).write_bytes(path.read_bytes())
    assert chosen(data) == [only]


def test_a_file_says_what_it_is_and_one_that_is_none_is_named(data: Path, tmp_path: Path) -> None:
    lake = watched(data)
    file = next(files.files(lake, select(types=("trades",), symbols=("ETHUSDT",))))
    facts = files.metadata_of(lake, file)
    assert facts["native_symbol"] == "ETHUSDT" and facts["identity"]["table"] == "raw/trades"
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 but no more")
    with pytest.raises(LakeError, match=r"bad\.parquet"):
        files.metadata_of(watched(tmp_path), "bad.parquet")
    with pytest.raises(NotFoundError):
        files.metadata_of(watched(tmp_path), "gone.parquet")


def test_a_selection_that_cannot_be_is_a_usage_error() -> None:
    with pytest.raises(ConfigError, match="--type"):
        select(types=("trade",))
    with pytest.raises(ConfigError, match="--type"):
        select(types=("warm/trades",))
    with pytest.raises(ConfigError, match="--end"):
        select(start="2026-11-21", end="2026-11-21")
    assert select(start="2026-11-21T15:30", end="2026-11-21T17:30+01:00") == Selection(
        start_ns=1_795_275_000 * SECOND_NS, end_ns=(1_795_275_000 + 3600) * SECOND_NS
    )
