"""The writer killed -9 at every named step, with real processes: after a restart each record is there exactly once."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import numpy as np
import pytest

from ringcollect.sources.offline import failpoint_names as offline
from ringcollect.store.archive import failpoint_names as archive
from ringcollect.store.compaction import failpoint_names as compaction
from ringcollect.store.cursor import journal_files
from ringcollect.store.failpoint_names import FAILPOINTS, SEAL
from ringcollect.store.retention import failpoint_names as retention
from ringcollect.store.verify import verify
from tests import synthetic
from tests.store import lake, one_writer

ROOT = Path(__file__).parents[2]
CUT = 700  # records published before the kill


@pytest.fixture(scope="module")
def records() -> np.ndarray:
    whole = synthetic.stream(150)
    ends = np.flatnonzero(whole["flags"] & 1) + 1
    return whole[: int(ends[ends > CUT + 300][0])]


@pytest.fixture(scope="module")
def few_tables() -> np.ndarray:
    """Trades and quotes of one instrument only: few files, so that many kills take little time."""
    whole = synthetic.stream(800)
    kept = whole[(whole["instrument"] == 0) & np.isin(whole["kind"], (4, 5))][: CUT + 60]
    kept = kept[: int(np.flatnonzero(kept["flags"] & 1)[-1]) + 1]
    kept["seq"] = np.arange(len(kept))
    return kept


def _kill_and_restart(folder: Path, records: np.ndarray, fail: str) -> None:
    ring, data = lake.producer(folder / "run"), folder / "data"
    half = int(np.flatnonzero(records["flags"][:CUT] & 1)[-1]) + 1
    lake.publish(ring, records[:half])
    if fail.startswith("journal.after_cut"):  # it takes a torn tail
        assert one_writer.run("journal.after_write:2", ring.path, data) == -signal.SIGKILL
        torn = journal_files(data)[-1].path
        torn.write_bytes(torn.read_bytes()[:-9])
    assert one_writer.run(fail, ring.path, data) == -signal.SIGKILL, f"{fail} was never reached"
    assert verify(data).problems == [], "a lake interrupted anywhere is still sound"
    lake.publish(ring, records[half:])
    assert one_writer.run("", ring.path, data) == 0
    ring.close()
    assert lake.rows_by_seq(data) == lake.expected_by_seq(records)
    report = verify(data, strict=True)
    assert (report.problems, report.lost, report.notes) == ([], [], [])
    assert (report.records, report.unsealed_journals) == (len(records), 0)
    leftovers = [path.name for path in data.rglob("*") if path.name.endswith((".tmp", ".new"))]
    assert leftovers == []


@pytest.mark.parametrize("name", FAILPOINTS)
def test_killed_at_every_failpoint_each_record_is_stored_exactly_once(
    name: str, ram: Path, few_tables: np.ndarray
) -> None:
    _kill_and_restart(ram, few_tables, f"{name}:1")


PER_WRITE = ("journal.before_write", "journal.after_write", "journal.after_fsync")
LATER = [
    (name, passage)
    for name in FAILPOINTS
    for passage in ((2, 5, 8) if name in PER_WRITE or (name in SEAL and name.count(".") == 1) else (2,))
    if name not in ("journal.after_cut", "journal.after_end")  # once in a life
    and not (passage > 2 and name in ("seal.start", "seal.before_delete", "seal.after_delete"))  # once per segment
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "passage"), LATER)
def test_killed_at_later_passages_too(name: str, passage: int, ram: Path, records: np.ndarray) -> None:
    _kill_and_restart(ram, records, f"{name}:{passage}")


def test_the_documentation_names_every_failpoint_and_no_other() -> None:
    lines = (ROOT / "docs" / "failpoints.md").read_text().splitlines()
    rows = [line.split("|")[1].strip().strip("`") for line in lines if line.startswith("| `")]
    elsewhere = ("sync.", "checkpoint.", "ring.")
    named = FAILPOINTS | offline.FAILPOINTS | compaction.FAILPOINTS | retention.FAILPOINTS | archive.FAILPOINTS
    assert {row for row in rows if not row.startswith(elsewhere)} == set(named)
    files = [path for folder in ("sync", "ring") for path in (ROOT / "ringcollect" / folder).glob("*.py")]
    sources = "\n".join(path.read_text() for path in files)
    assert {row for row in rows if row.startswith(elsewhere)} == set(re.findall(r'fail\("([a-z_.]+)"\)', sources))
