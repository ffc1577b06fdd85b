"""No symbol leaves the lake, hides in it, or lands in another's place."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringcollect.errors import LakeError
from ringcollect.records import WHOLE_EXCHANGE
from ringcollect.store import naming

NS = 1_795_275_000_123_456_789  # 2026-11-21 15:30:00.123456789 UTC (date -u -d @1795275000)
HOSTILE = [
    "../../etc/passwd", "..", ".", "/", "a/b", "BTC/USD", "a\\b", "\0", "a\0b", "\n", "_exchange", "_instrument-5",
    "__HIVE_DEFAULT_PARTITION__", "x" * 300, "é" * 150, "数" * 63, "symbol=BTC", "%2F", "%", "~", "a b", "a?*[", "-",
    "\ud800", "CON", "exchange", "x" * 200 + "~", ".hidden", "BTC-USD", "BTC%2FUSD",
]  # fmt: skip


def _file(symbol: str) -> PurePosixPath:
    owner = naming.owner_of_instrument("spot", symbol)
    folder = naming.table_folder("raw", "trades", exchange="binance", owner=owner, ns=NS)
    return folder / naming.file_name(owner.stem, "trades", "raw", NS)


def test_the_layout_is_the_documented_one() -> None:
    assert str(_file("BTCUSDT")) == (
        "raw/trades/exchange=binance/market=spot/symbol=BTCUSDT/date=2026-11-21/BTCUSDT_trades_raw_20261121_153000.123.parquet"
    )
    owner = naming.owner_of_instrument("linear", "BTC/USD")
    features = naming.table_folder("sync", "features", exchange="okx", owner=owner, ns=NS, step=("grid", "100ms"))
    assert str(features) == "sync/features/grid=100ms/exchange=okx/market=linear/symbol=BTC%2FUSD/date=2026-11-21"
    assert naming.file_name(owner.stem, "orderbooks", "sync", NS) == "BTC-USD_ob_sync_20261121_153000.123.parquet"


def test_every_table_has_its_token() -> None:
    assert naming.TOKENS == {
        "orderbooks": "ob", "trades": "trades", "quotes": "quotes", "liquidations": "liquidations",
        "fundings": "funding", "open_interests": "oi", "mark_prices": "mark", "index_prices": "index",
        "tickers": "ticker", "book_checks": "checks", "status": "status", "others": "others", "features": "features",
        "bars": "bars", "frames": "frames", "rejects": "rejects", "snapshots": "snapshots", "books": "book",
        "venues": "venues",
    }  # fmt: skip


def _harmless(path: PurePosixPath) -> None:
    for part in path.parts:
        assert part not in ("", ".", "..")
        assert "/" not in part and "\0" not in part
        assert len(part.encode()) <= 255
        assert not part.startswith((".", "_")), "readers skip hidden files"
        assert part.isprintable()
    assert len(path.parts) == 7
    assert not path.is_absolute()


@pytest.mark.parametrize("symbol", HOSTILE)
def test_a_hostile_symbol_stays_in_its_folder(symbol: str, tmp_path: Path) -> None:
    path = _file(symbol)
    _harmless(path)
    target = tmp_path / path
    target.parent.mkdir(parents=True)
    target.write_bytes(b"")  # the file system agrees
    assert target.resolve().is_relative_to(tmp_path.resolve())


@given(st.text(st.characters(), min_size=1, max_size=300))
def test_no_text_at_all_leaves_its_folder(symbol: str) -> None:
    _harmless(_file(symbol))


def test_hostile_symbols_do_not_collide() -> None:
    folders = [naming.owner_of_instrument("spot", symbol).symbol for symbol in HOSTILE]
    folders += [naming.owner_of_number(WHOLE_EXCHANGE).symbol, naming.owner_of_number(5).symbol]
    assert len(set(folders)) == len(folders)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60))
def test_short_folder_values_give_the_symbol_back(symbol: str) -> None:
    value = naming.folder_value(symbol)
    if "~" not in value:
        assert unquote(value) == symbol


def test_the_whole_exchange_has_a_folder_no_symbol_can_have() -> None:
    assert naming.owner_of_number(WHOLE_EXCHANGE).symbol == "_exchange"
    assert naming.folder_value("_exchange") == "%5Fexchange"


def test_times_no_file_can_be_named_after_are_refused() -> None:
    for ns in (-1, 10**21):
        with pytest.raises(LakeError):
            naming.stamp_of(ns)


def test_journal_names_sort_by_position_and_give_it_back() -> None:
    stems = [naming.journal_stem("binance.100ms.row", 17, seq) for seq in (0, 9, 10, 10**18)]
    assert stems == sorted(stems)
    assert [naming.parse_journal_stem(stem) for stem in stems] == [
        ("binance.100ms.row", 17, seq) for seq in (0, 9, 10, 10**18)
    ]
    assert naming.parse_journal_stem("../x-1-2") is None
