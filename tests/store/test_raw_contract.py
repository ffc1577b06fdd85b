"""raw/ holds what came over the WebSocket, as it came and once; all else is elsewhere. No name leaves its folder."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringcollect.instruments import Instrument
from ringcollect.records import RECORD, Flag, Kind
from ringcollect.ring.producer import Producer
from ringcollect.store import naming, parts
from ringcollect.store.chunk import Chunk, RingKind
from ringcollect.store.drain import RingJournal
from ringcollect.store.journal import Header
from ringcollect.store.parts import Segment
from ringcollect.store.seal import seal_all
from ringcollect.store.tables import NOT_LIVE
from ringcollect.store.verify import verify
from tests import synthetic
from tests.store import lake

BEHIND = int(Flag.REST), int(Flag.BACKFILLED), int(Flag.REPLAYED)
KINDS = (Kind.BOOK_DELTA, Kind.TRADE, Kind.FUNDING, Kind.OPEN_INTEREST, Kind.MARK_PRICE)
SYMBOLS = [
    "../../etc/passwd", "..", "a/b", "a-b", "a%2Fb", "A/B", "BTC/USD", "btc/usd", "BTC%2FUSD", "_exchange", "数字",
    "é" * 31, "x" * 63, "x" * 62 + "y", ".hidden", "a\\b", "symbol=BTC", "a b?*[",
]  # fmt: skip


def _segment(records: np.ndarray) -> Segment:
    header = Header(ring="binance.rec", generation=lake.GENERATION, seq_from=0, first_seq=0, dtype=[], itemsize=64)
    stream = np.maximum.accumulate(records["ts_recv"])
    known = {one.number: one for one in synthetic.instruments()}
    return Segment(header, len(records), stream, Chunk(records), 0, known)


flags = st.sampled_from([0, *BEHIND, BEHIND[0] | BEHIND[2], int(Flag.UNSYNCED), int(Flag.SNAPSHOT), int(Flag.GAP)])
rows = st.tuples(st.sampled_from(KINDS), st.integers(0, 2), flags, st.integers(-5_000_000_000, 5_000_000_000))


@settings(max_examples=40, deadline=None)
@given(st.lists(rows, min_size=1, max_size=60))
def test_raw_has_live_records_only_each_once_in_arrival_order_and_as_they_were(content: list[tuple]) -> None:
    records = np.zeros(len(content), RECORD)
    for at, (kind, instrument, flag, jump) in enumerate(content):  # clocks step, forwards and back
        records[at] = (at, 7, lake.GENERATION + jump, 1.5, 2.0, at, at, instrument, 0, 0, kind, 0, flag | Flag.LAST)
    seen: list[int] = []
    for part in parts.parts(_segment(records), RingKind.RECORDS):
        own = part.chunk.records
        assert ((own["flags"] & NOT_LIVE) != 0).all() == (part.tier == "rest")
        assert ((own["flags"] & NOT_LIVE) == 0).all() == (part.tier == "raw")
        assert part.folder.parts[0] == part.tier
        values = part.to_columns(part.chunk)
        assert (np.diff(values["seq"]) > 0).all(), "in the order of the ring, which is that of arrival"
        assert np.array_equal(own, records[own["seq"]]), "nothing corrected, nothing filled"
        for name in ("ts_recv", "ts_event", "flags", "conn"):
            assert np.array_equal(values[name], records[name][own["seq"]])
        seen += own["seq"].tolist()
    assert sorted(seen) == list(range(len(records)))


def test_a_lake_keeps_what_came_behind_in_rest_and_both_together_are_the_ring(tmp_path: Path) -> None:
    records = synthetic.stream(150)
    data = lake.make_lake(tmp_path, records)
    behind = set(records["seq"][(records["flags"] & NOT_LIVE) != 0].tolist())
    assert behind, "the stream has REST and REPLAYED records"
    found = {
        tier: [seq for path in lake.parquet_files(data, tier) for seq in pq.read_table(path)["seq"].to_pylist()]
        for tier in ("raw", "rest")
    }
    assert set(found["rest"]) == behind and not behind & set(found["raw"])
    assert lake.rows_by_seq(data) == lake.expected_by_seq(records)


def _of_symbols(folder: Path, symbols: list[str]) -> tuple[Path, np.ndarray]:
    """A lake of one trade after another, of one symbol after another."""
    ring = Producer.open(folder / "run", "binance.rec", capacity=1 << 12, generation=lake.GENERATION)
    for number, symbol in enumerate(symbols):
        ring.instruments.put(Instrument(number=number, exchange="binance", market="spot", symbol=symbol))
    records = lake.trades(10 * len(symbols))
    records["instrument"] = np.arange(len(records)) % len(symbols)
    lake.publish(ring, records)
    journal = RingJournal(folder / "data", lake.reader(ring), resume=False)
    journal.drain()
    seal_all(journal.close(final=True), folder / "data", sync=False)
    ring.close()
    return folder / "data", records


def test_hostile_symbols_stay_in_the_lake_and_each_in_its_own_folder(tmp_path: Path) -> None:
    data, records = _of_symbols(tmp_path, SYMBOLS)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "run"]
    folders = {}
    for path in lake.parquet_files(data, "raw", "trades"):
        assert path.resolve().is_relative_to(data.resolve())
        (symbol,) = set(pq.read_table(path, partitioning=None)["native_symbol"].to_pylist())
        folder = next(part for part in path.parts if part.startswith("symbol=")).removeprefix("symbol=")
        assert unquote(folder) == symbol
        assert folders.setdefault(folder, symbol) == symbol
    assert sorted(folders.values()) == sorted(SYMBOLS)
    report = verify(data, strict=True)
    assert (report.problems, report.records) == ([], len(records))


def test_where_names_differ_by_case_alone_and_the_disk_does_not_tell_nothing_is_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on macOS: both symbols have one folder and would have one file."""
    told = naming.owner_of_instrument
    monkeypatch.setattr(
        parts, "owner_of_instrument", lambda market, symbol: told(market, symbol.lower())._replace(native_symbol=symbol)
    )
    data, records = _of_symbols(tmp_path, ["BTCUSDT", "btcusdt", "BtcUsdt"])
    files = lake.parquet_files(data, "raw", "trades")
    assert len(files) == 3 and len({path.parent for path in files}) == 1
    assert lake.rows_by_seq(data) == lake.expected_by_seq(records)


@settings(max_examples=120, deadline=None)
@given(st.lists(st.text(st.characters(), min_size=1, max_size=300), min_size=2, max_size=5, unique=True))
def test_no_two_symbols_share_a_folder(symbols: list[str]) -> None:
    assert len({naming.folder_value(symbol) for symbol in symbols}) == len(symbols)
