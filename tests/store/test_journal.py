"""The journal keeps what it was given, through torn tails, damage, full disks and vanished folders."""

from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import pytest

from ringcollect import failpoints
from ringcollect.errors import EnvironmentRefused, LakeError
from ringcollect.instruments import Instrument
from ringcollect.records import RECORD
from ringcollect.store.framing import FrameType, JournalFrame, scan
from ringcollect.store.journal import Header, Journal, JournalWriter, header_for, read_journal
from ringcollect.store.rotation import Segment
from tests.store.lake import trades

ROW = np.dtype(
    [("seq", "<i8"), ("ts_ns", "<i8"), ("instrument", "<u2"), ("reserved", "<u2"), ("row_flags", "<u4"), ("x", "<f8")]
)


def _header(dtype: np.dtype = RECORD, seq: int = 0) -> Header:
    return header_for("binance.rec", 42, dtype, seq, 0, segment=Segment())


def _written(folder: Path, sizes: tuple[int, ...] = (3, 1, 5)) -> tuple[Path, np.ndarray]:
    """A journal of several frames, not ended."""
    records = trades(sum(sizes))
    writer = JournalWriter.create(folder, _header())
    at = 0
    for size in sizes:
        writer.append(records[at : at + size])
        at += size
    writer.close()
    return writer.path, records


def _records(journal: Journal) -> np.ndarray:
    chunks = [chunk.records for chunk in journal.chunks()]
    return np.concatenate(chunks) if chunks else np.empty(0, journal.dtype)


def test_records_come_back_as_they_were_written(tmp_path: Path) -> None:
    path, records = _written(tmp_path)
    journal = read_journal(path)
    assert _records(journal).tobytes() == records.tobytes()
    assert (journal.seq_to, journal.rows, journal.lost, journal.ended) == (9, 9, [], False)


def test_rows_of_any_dtype_come_back(tmp_path: Path) -> None:
    rows = np.zeros(5, ROW)
    rows["seq"], rows["x"] = np.arange(5), [1.5, -0.0, np.nan, 4, 5]
    writer = JournalWriter.create(tmp_path, _header(ROW))
    writer.append(rows)
    writer.close()
    journal = read_journal(writer.path)
    assert journal.dtype == ROW
    assert _records(journal).tobytes() == rows.tobytes()


def test_a_torn_journal_tail_is_cut_and_nothing_before_it_is_lost(tmp_path: Path) -> None:
    path, records = _written(tmp_path / "whole")
    content = path.read_bytes()
    ends = [part.end for part in scan(content) if isinstance(part, JournalFrame)]
    rows_at = dict(zip(ends, (0, 3, 4, 9), strict=True))
    for cut in range(ends[0], len(content) + 1):
        torn = tmp_path / "torn" / path.name
        torn.parent.mkdir(exist_ok=True)
        torn.write_bytes(content[:cut])
        writer, journal = JournalWriter.resume(torn)
        kept = rows_at[max(end for end in ends if end <= cut)]
        assert writer.seq_to == journal.seq_to == kept
        writer.append(records[kept:])  # what was cut is still in the ring
        writer.close()
        assert _records(read_journal(torn)).tobytes() == records.tobytes()


def test_damage_in_the_middle_costs_one_frame_and_is_an_exact_loss(tmp_path: Path) -> None:
    path, records = _written(tmp_path)
    content = bytearray(path.read_bytes())
    frames = [part for part in scan(bytes(content)) if isinstance(part, JournalFrame)]
    content[frames[2].at + 60] ^= 4
    path.write_bytes(bytes(content))
    journal = read_journal(path)
    assert journal.lost == [(3, 4, "damaged")]
    assert _records(journal).tobytes() == np.delete(records, 3).tobytes()
    assert journal.torn_bytes == 0


def test_any_flipped_bit_after_the_header_is_seen(tmp_path: Path) -> None:
    path, _ = _written(tmp_path, (2, 2))
    content = path.read_bytes()
    first = next(iter(scan(content))).end
    for bit in range(first * 8, len(content) * 8):
        changed = bytearray(content)
        changed[bit // 8] ^= 1 << bit % 8
        journal = Journal(path, bytes(changed))
        assert journal.damage, f"bit {bit}"
        assert journal.rows == 2


def test_a_damaged_header_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    path, _ = _written(tmp_path)
    content = bytearray(path.read_bytes())
    content[70] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(LakeError, match=path.name):
        read_journal(path)


def test_a_loss_of_the_writer_is_written_down_with_its_range(tmp_path: Path) -> None:
    writer = JournalWriter.create(tmp_path, _header())
    writer.append(trades(3))
    writer.append(trades(2, seq=10), lost=(3, 10))
    writer.close()
    journal = read_journal(writer.path)
    assert journal.lost == [(3, 10, "lapped")]
    assert _records(journal)["seq"].tolist() == [0, 1, 2, 10, 11]


def test_records_that_do_not_follow_are_refused(tmp_path: Path) -> None:
    writer = JournalWriter.create(tmp_path, _header())
    writer.append(trades(3))
    for wrong in (2, 4):
        with pytest.raises(LakeError, match="does not follow"):
            writer.append(trades(1, seq=wrong))
    writer.close()


def test_nothing_follows_the_end(tmp_path: Path) -> None:
    writer = JournalWriter.create(tmp_path, _header())
    writer.append(trades(1))
    writer.add_end()
    writer.flush()
    with pytest.raises(LakeError, match="end"):
        writer.append(trades(1, seq=1))
    writer.close()
    assert read_journal(writer.path).ended


def test_new_instruments_stand_before_the_records_that_use_them(tmp_path: Path) -> None:
    instrument = Instrument(number=0, exchange="binance", market="spot", symbol="BTCUSDT")
    writer = JournalWriter.create(tmp_path, _header())
    writer.add_instruments([instrument])
    writer.append(trades(1))
    writer.close()
    kinds = [part.type for part in scan(writer.path.read_bytes()) if isinstance(part, JournalFrame)]
    assert kinds == [FrameType.HEADER, FrameType.INSTRUMENTS, FrameType.ROWS]
    assert read_journal(writer.path).instruments == {0: instrument}


def test_two_writers_of_one_journal_are_impossible(tmp_path: Path) -> None:
    writer = JournalWriter.create(tmp_path, _header())
    with pytest.raises(EnvironmentRefused, match="in use"):
        JournalWriter.resume(writer.path)
    with pytest.raises(EnvironmentRefused, match="in use"):
        JournalWriter.create(tmp_path, _header())
    writer.close()


def test_a_full_disk_loses_nothing_that_was_handed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = JournalWriter.create(tmp_path, _header())
    writer.append(trades(3))
    size = writer.path.stat().st_size
    for name in ("journal.before_write", "journal.after_write"):
        monkeypatch.setitem(failpoints._armed, name, (1, "error"))
        before = writer.seq_to
        with pytest.raises(OSError) as refused:
            writer.append(trades(2, seq=before))
        assert refused.value.errno == errno.ENOSPC
        assert writer.path.stat().st_size == size, "nothing half-written stays"
        assert read_journal(writer.path).seq_to == before
        writer.flush()
        assert read_journal(writer.path).seq_to == before + 2
        size = writer.path.stat().st_size
    writer.close()
    assert _records(read_journal(writer.path))["seq"].tolist() == list(range(7))


def test_a_vanished_folder_comes_back_with_the_whole_journal(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "journal"
    folder.mkdir(parents=True)
    records = trades(5)
    writer = JournalWriter.create(folder, _header())
    writer.append(records[:3])
    writer.path.unlink()
    folder.rmdir()
    folder.parent.rmdir()
    writer.append(records[3:])
    writer.close()
    assert _records(read_journal(writer.path)).tobytes() == records.tobytes()
