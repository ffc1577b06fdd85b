"""What reaches the disk for one record: journal and Parquet, by how often the journal is flushed and synced."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.figures import Case, Series
from benchmarks.store.rows import records_of
from ringcollect.config import Config
from ringcollect.config.profiles import PROFILE_VALUES
from ringcollect.ring.attach import Reader
from ringcollect.ring.producer import Producer
from ringcollect.store.drain import CONSUMER, RingJournal
from ringcollect.store.rotation import Policy
from ringcollect.store.seal import seal_all

PAGE = 4096
MOST_RECORDS = 300_000
ONE = Policy(time_ns=86_400_000_000_000, records=100_000_000)


def disk_cases(busy: Path, quiet: Path) -> list[Case]:
    """A busy and a quiet market under the default configuration, longer flushes, and the profile for SD cards."""
    default = Config().storage
    low = PROFILE_VALUES["low-power"]["storage"]
    ways: list[tuple[str, int, int]] = [
        (f"flush {default.flush}, the default", default.flush_ns, default.zstd_level),
        ("flush 5s", 5_000_000_000, default.zstd_level),
        ("flush 30s", 30_000_000_000, default.zstd_level),
        (f"profile low-power: flush {low.get('flush', default.flush)}", _flush_ns(low), int(low["zstd_level"])),
    ]
    return [_case(name, records_of(lake)[:MOST_RECORDS], ways) for name, lake in (("busy", busy), ("quiet", quiet))]


def _flush_ns(values: dict[str, object]) -> int:
    from ringcollect.durations import parse_duration

    return parse_duration(str(values.get("flush", Config().storage.flush)))


def _case(name: str, records: np.ndarray, ways: Sequence[tuple[str, int, int]]) -> Case:
    seconds = (int(records["ts_recv"].max()) - int(records["ts_recv"].min())) / 1e9
    series, checks = [], []
    for way, flush_ns, level in ways:
        journal, synced, sealed = written(records, flush_ns, level)
        series.append(Series(f"ringcollect, {way}", ((synced + sealed) / len(records),), True))
        checks.append(f"{way}: journal {journal / len(records):.1f}, with whole pages {synced / len(records):.1f},"
                      f" Parquet and certificate {sealed / len(records):.1f} bytes a record")  # fmt: skip
    return Case(
        f"to the disk for one record, {name}",
        f"{len(records):,} records, {len(records) / max(seconds, 1e-9):,.0f} a second of stream time",
        tuple(series),
        checks=tuple(checks),
    )


def written(records: np.ndarray, flush_ns: int, level: int) -> tuple[int, int, int]:
    """(bytes of the journal, bytes of the pages that its syncs write, bytes of files sealed from it).

    A sync writes every page that changed: the journal's last page is written again with the next flush, and the
    file's inode with each. What a file system or a card writes beside that is its own.
    """
    with TemporaryDirectory(prefix="ringcollect-bench-") as place:
        folder = Path(place)
        ring = Producer.open(folder / "run", "binance.rec", capacity=1 << 20, generation=1)
        journal = RingJournal(folder / "data", Reader(ring.path, register=CONSUMER), ONE, resume=False)
        pages = PAGE
        size = journal.path.stat().st_size
        turns = np.flatnonzero(np.diff(records["ts_recv"] // flush_ns)) + 1
        for part in np.split(records, turns):
            for batch in np.array_split(part, len(part) // 50_000 + 1):
                ring.publish(batch)
            journal.drain()
            before, size = size, journal.path.stat().st_size
            pages += (-(-size // PAGE) - before // PAGE) * PAGE + PAGE
        total = size
        seal_all(journal.close(final=True), folder / "data", level, sync=False)
        ring.close()
        sealed = sum(
            -(-path.stat().st_size // PAGE) * PAGE
            for path in (folder / "data").rglob("*")
            if path.suffix in (".parquet", ".json")
        )
    return total, pages, sealed
