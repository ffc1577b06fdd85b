"""Replays for tests: a capture, or the beginning of one, into a lake."""

from __future__ import annotations

import gzip
import hashlib
import itertools
from pathlib import Path

from ringcollect.config import Config, Storage
from ringcollect.sources.replay import replay
from ringcollect.sources.report import ReplayReport
from ringcollect.sources.stage import Settings

CONFIG = Config(storage=Storage(fsync="off"))


def replayed(
    capture: Path, data: Path, *, market: str = "", config: Config = CONFIG, raw_only: bool = False, speed: float = 0.0
) -> ReplayReport:
    """Replay ``capture`` into ``data``; ``market`` is what the flag --market says."""
    exchange = "binance" if market else ""
    settings = Settings(data=data, config=config, exchange=exchange, market=market, raw_only=raw_only, speed=speed)
    return replay(capture, settings)


def cut(capture: Path, to: Path, lines: int) -> Path:
    """The first ``lines`` lines of ``capture`` as a capture of its own."""
    to.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(capture, "rb") as source, gzip.open(to, "wb", compresslevel=1) as target:
        target.writelines(itertools.islice(source, lines))
    return to


def file_hashes(data: Path) -> dict[str, str]:
    """Relative path -> SHA-256 of every file of a lake: Parquet and certificates."""
    files = sorted(path for path in data.rglob("*") if path.is_file() and not path.name.endswith(".lock"))
    return {str(path.relative_to(data)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
