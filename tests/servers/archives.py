"""A lake whose segments are large enough to be cut off in the middle, and what a store holds of it."""

from __future__ import annotations

import hashlib
import json
import os
import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from ringcollect.store.archive.sender import arguments_of
from ringcollect.store.archive.settings import Target
from ringcollect.store.location import Lake

DAY = "exchange=binance/market=spot/symbol=BTCUSDT/date=2026-11-21"


def large_segment(data: Path, number: int, sizes: Sequence[int]) -> Path:
    """Files of random bytes with a certificate that names them: all that archiving looks at. Returns its path."""
    files = []
    for n, size in enumerate(sizes):
        path = data / f"raw/trades/{DAY}/BTCUSDT_trades_raw_20261121_1530{number:02d}.{n:03d}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        content = random.Random(f"{number}/{n}").randbytes(size)
        path.write_bytes(content)
        place = path.relative_to(data).as_posix()
        files.append({"path": place, "bytes": size, "sha256": hashlib.sha256(content).hexdigest()})
    certificate = data / f"certificates/exchange=binance/date=2026-11-21/binance.rec-1-{number:019d}.json"
    certificate.parent.mkdir(parents=True, exist_ok=True)
    certificate.write_text(json.dumps({"files": files}))
    return certificate


def stored(uri: str) -> dict[str, bytes]:
    """Everything in a bucket, by key."""
    lake = Lake.open(uri)
    return {entry.key: lake.read(entry.key) for entry in lake.files()}


def work(
    data: Path,
    target: Target,
    certificates: Sequence[Path],
    *,
    remove: bool,
    fail: str = "",
    prefix: Sequence[str] = (),
) -> subprocess.CompletedProcess[bytes]:
    """The archiver's child in a process of its own; ``prefix`` stands before its command line."""
    environment = os.environ | ({"RINGCOLLECT_FAIL": fail} if fail else {})
    read, write = os.pipe()  # it ends when nobody can write to its standard input any more
    try:
        return subprocess.run(
            [
                *prefix, sys.executable, "-m", "ringcollect.store.archive.work",
                *arguments_of(data, target, remove=remove), *map(str, certificates),
            ],
            env=environment, stdin=read, capture_output=True, check=False,
        )  # fmt: skip
    finally:
        os.close(read)
        os.close(write)
