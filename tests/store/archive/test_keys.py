"""Names in the archive: the seed's, ours, and never one name for two files."""

from __future__ import annotations

import calendar

import pytest

from ringcollect.errors import LakeError
from ringcollect.store.archive.keys import Keys
from ringcollect.store.naming import (
    TOKENS,
    certificate_path,
    file_name,
    frames_folder,
    owner_of_instrument,
    owner_of_number,
    table_folder,
)

NS = calendar.timegm((2026, 11, 21, 15, 30, 0)) * 10**9 + 123_000_000
DAY = "raw/trades/exchange=binance/market=spot/symbol=BTCUSDT/date=2026-11-21"
TRADES = f"{DAY}/BTCUSDT_trades_raw_20261121_153000.123.parquet"
CERTIFICATE = "certificates/exchange=binance/date=2026-11-21/binance.rec-1-0000000000000000000.json"


def paths() -> list[str]:
    """A file of every table of every tier, of symbols and markets that are alike."""
    found = []
    owners = [owner_of_number(65535), owner_of_number(7)] + [
        owner_of_instrument(market, symbol)
        for market in ("spot", "linear", "inverse")
        for symbol in ("BTCUSDT", "BTC/USDT", "BTC-USDT", "spot", "_exchange", "../x")
    ]
    steps = {"features": ("grid", "100ms"), "bars": ("duration", "1s")}
    for table in TOKENS:
        for suffix in ("", "-17", "-17-1790000000"):
            if table in ("frames", "rejects"):
                found.append(
                    str(
                        frames_folder(table, exchange="binance", ns=NS) / file_name("binance", table, "raw", NS, suffix)
                    )
                )
                continue
            for tier in ("raw", "rest", "sync"):
                for owner in owners:
                    folder = table_folder(
                        tier,
                        table,
                        exchange="binance",
                        owner=owner,
                        ns=NS,
                        step=steps.get(table) if tier == "sync" else None,
                    )
                    found.append(str(folder / file_name(owner.stem, table, tier, NS, suffix)))
    found.append(str(certificate_path("binance", "binance.rec-1-0000000000000000000", NS)))
    found.append(str(certificate_path("binance", "binance.frm-1-0000000000000000000", NS)))
    return found


def test_the_key_is_the_path_and_the_server_stands_before_the_date() -> None:
    assert Keys().key(TRADES) == TRADES
    assert Keys(server="tokyo 1").key(TRADES) == TRADES.replace("/date=", "/server=tokyo%201/date=")
    assert Keys(server="a").key(CERTIFICATE) == CERTIFICATE.replace("/date=", "/server=a/date=")


def test_flat_keys_are_the_seeds() -> None:
    """``{exchange}/{symbol}/{type}/[{server}/]{YYYY-MM-DD}/{epoch ms}.parquet`` with ``orderbook`` and ``trade``."""
    assert Keys("flat").key(TRADES) == "binance/BTCUSDT/trade/2026-11-21/1795275000123.parquet"
    books = TRADES.replace("trades", "orderbooks", 1)
    assert Keys("flat", "eu").key(books) == "binance/BTCUSDT/orderbook/eu/2026-11-21/1795275000123.parquet"


@pytest.mark.parametrize("layout", ["hive", "flat"])
@pytest.mark.parametrize("server", ["", "tokyo"])
def test_no_two_files_have_one_key(layout: str, server: str) -> None:
    every = paths()
    keys = {Keys(layout, server).key(path) for path in every}
    assert len(keys) == len(set(every))
    assert not any(part in ("", ".", "..") for key in keys for part in key.split("/"))


@pytest.mark.parametrize("layout", ["hive", "flat"])
@pytest.mark.parametrize("server", ["", "tokyo"])
def test_a_certificates_key_leads_back_to_its_path_and_anothers_leads_nowhere(layout: str, server: str) -> None:
    keys = Keys(layout, server)
    assert keys.certificate_of(keys.key(CERTIFICATE)) == CERTIFICATE
    assert Keys(layout, "other").certificate_of(keys.key(CERTIFICATE)) is None
    if server:
        assert Keys(layout).certificate_of(keys.key(CERTIFICATE)) is None
    assert keys.certificate_of(keys.key(TRADES)) is None


@pytest.mark.parametrize(
    "path", ["journal/binance.rec-1-0.journal", "raw/trades/x.parquet", "state/instruments/a.jsonl"]
)
def test_only_files_of_day_folders_have_a_place_in_an_archive(path: str) -> None:
    with pytest.raises(LakeError, match="no day folder"):
        Keys().key(path)
