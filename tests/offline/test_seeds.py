"""A build that begins in the middle takes its books from snapshots that were kept, if the chain proves them."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from ringcollect.records import RECORD, Flag, Kind
from ringcollect.store.cursor import journal_folder
from ringcollect.store.journal import JournalWriter, header_for
from ringcollect.store.rotation import Segment
from ringcollect.store.seal import seal_all
from ringcollect.sync.engine import Engine
from ringcollect.sync.process import parameters_of
from ringcollect.sync.rows import RowFlag
from tests import synthetic
from tests.offline.rows import built, quick_config, quick_lake, tables

pytestmark = pytest.mark.usefixtures("sealed_here")
BTC, ETH = "grid=100ms/market=spot/symbol=BTCUSDT", "grid=100ms/market=spot/symbol=ETHUSDT"
GENERATION = synthetic.START_NS
NUMBERS = {BTC: 0, ETH: 1}


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    return quick_lake(tmp_path / "replayed")


def third_segment(lake: Path) -> dict:
    return msgspec.json.decode(sorted((lake / "certificates").rglob("*.rec-*.json"))[2].read_bytes())


def kept_book(lake: Path, before: int, number: int, shift: int = 0) -> np.ndarray:
    """The book of an instrument as it was before record ``before``, as records of a ``.book`` ring."""
    stream = synthetic.stream(900)[:before]
    table = {instrument.number: instrument for instrument in synthetic.instruments()}
    engine = Engine(parameters_of(quick_config(lake)), table.__getitem__)
    engine.collect(np.ascontiguousarray(stream))
    engine.collect_rest()
    bids, asks = engine.book(number)
    out = np.zeros(len(bids) + len(asks), RECORD)
    out["price"] = np.concatenate((bids[:, 0], asks[:, 0]))
    out["size"] = np.concatenate((bids[:, 1], asks[:, 1]))
    out["side"] = np.repeat((1, -1), (len(bids), len(asks)))
    changes = stream[(stream["instrument"] == number) & (stream["kind"] == Kind.BOOK_DELTA)]
    out["id"], out["aux"], out["kind"], out["instrument"] = changes["id"][-1] + shift, -1, Kind.BOOK_SNAPSHOT, number
    out["ts_event"], out["ts_recv"] = changes["ts_event"][-1], stream["ts_recv"][-1]
    out["flags"] = Flag.SNAPSHOT | Flag.DERIVED
    out["flags"][0] |= np.uint16(Flag.CLEAR)
    out["flags"][-1] |= np.uint16(Flag.LAST)
    return out


def keep(lake: Path, *books: np.ndarray) -> None:
    """Seal ``books`` as a segment of ``binance.book``."""
    records = np.concatenate(books)
    records["seq"] = np.arange(len(records))
    meta = {"kind": "book", "source_generation": GENERATION}
    header = header_for(
        "binance.book", GENERATION, RECORD, 0, 0, segment=Segment(), meta=meta, instruments=synthetic.instruments()
    )
    writer = JournalWriter.create(journal_folder(lake), header)
    writer.append(records)
    writer.add_end()
    writer.flush()
    writer.close()
    seal_all([writer.path], lake, sync=False)


def books_of(out: Path, key: str) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """(has a book, columns of it) by row."""
    table = tables(out)[key]
    names = ("ts_ns", "ts_book_ns", "ob_mid_price", "ob_spread")
    has = (np.asarray(table["row_flags"]) & RowFlag.HAS_BOOK) != 0
    return has, {name: np.asarray(table[name]) for name in names}


def test_books_begin_with_what_was_kept_and_are_those_of_the_whole(lake: Path, tmp_path: Path) -> None:
    """BTC was kept right before the segment, as at midnight; ETH a while later; the third instrument never."""
    segment = third_segment(lake)
    begin, later = segment["seq_from"], segment["seq_from"] + 300
    keep(lake, kept_book(lake, begin, 0), kept_book(lake, later, 1))
    start = segment["stream_ns"][0]
    assert built(lake, tmp_path / "whole").problems() == []
    assert built(lake, tmp_path / "out", start_ns=start).problems() == []
    for key, wait_ns in ((BTC, 2 * 10**9), (ETH, 10 * 10**9)):
        has, ours = books_of(tmp_path / "out", key)
        _, whole = books_of(tmp_path / "whole", key)
        assert has.all() == (key == BTC)
        first = int(ours["ts_ns"][has][0])
        assert start <= first <= start + wait_ns
        assert has[ours["ts_ns"] >= first].all()
        at = np.searchsorted(whole["ts_ns"], ours["ts_ns"][has])
        for name, values in ours.items():
            assert np.array_equal(values[has], whole[name][at]), name
    has, _ = books_of(tmp_path / "out", "grid=100ms/market=linear/symbol=BTCUSDT")
    assert not has.any()


def test_a_snapshot_that_the_chain_does_not_go_on_from_is_no_book(lake: Path, tmp_path: Path) -> None:
    segment = third_segment(lake)
    keep(lake, kept_book(lake, segment["seq_from"], 0, shift=-1))
    built(lake, tmp_path / "out", start_ns=segment["stream_ns"][0])
    has, _ = books_of(tmp_path / "out", BTC)
    assert not has.any()
