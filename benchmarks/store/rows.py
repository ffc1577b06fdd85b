"""The rows that are stored, from real captures and from the simulator: once as a ring holds them, once as tables."""

from __future__ import annotations

import gzip
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ringcollect.config import Config, Storage
from ringcollect.records import RECORD
from ringcollect.sim.world import Options
from ringcollect.sim.write import write_capture
from ringcollect.sources.replay import replay
from ringcollect.sources.stage import Settings
from ringcollect.store import parquet
from ringcollect.store.parts import columns_for, rebuild
from ringcollect.store.schema import Column
from ringcollect.store.tables import Columns

BUSY = "binance_spot_2024.jsonl.gz"
OTHERS = (
    "bybit_v5_2026.jsonl.gz", "coinbase_adv_2026.jsonl.gz", "binance_usdm_2021b.jsonl.gz", "okx_v5_2022_05.jsonl.gz",
)  # fmt: skip
START_NS = 1_790_000_000_000_000_000
LINES_IN_CI = 1000
ONE_SEGMENT = Config(storage=Storage(fsync="off", rotate_time="1d", rotate_records=100_000_000))


@dataclass(frozen=True)
class Piece:
    """The rows of one file: as the sealer has them, and as an Arrow table for everybody else."""

    table: str
    columns: tuple[Column, ...]
    metadata: dict[str, Any]
    values: Columns
    arrow: pa.Table

    @property
    def rows(self) -> int:
        return self.arrow.num_rows


def beginning(capture: Path, folder: Path, lines: int | None) -> Path:
    """The capture, or one of its first ``lines``."""
    if lines is None:
        return capture
    cut = folder / capture.name
    with gzip.open(capture, "rb") as source, gzip.open(cut, "wb", compresslevel=1) as target:
        target.writelines(itertools.islice(source, lines))
    return cut


def lake_of(capture: Path, data: Path, config: Config = ONE_SEGMENT) -> Path:
    """The capture's records as a lake, without rows of the synchronizer."""
    plain = capture.name.startswith("binance")
    market = {True: "linear" if "usdm" in capture.name else "spot", False: ""}[plain]
    exchange = "binance" if plain else ""
    replay(capture, Settings(data=data, config=config, exchange=exchange, market=market, raw_only=True))
    return data


def simulated(folder: Path, seconds: int) -> Path:
    """A quiet market: one symbol of a perpetual, 20 frames a second."""
    said = write_capture(Options(spot=(), linear=("BTCUSDT",), rate=20.0, seed=5), folder, seconds * 10**9, START_NS)
    return Path(said["capture"])


def frames_of(capture: Path) -> Iterator[bytes]:
    """What the exchange sent, one frame after another, as NDJSON would keep it."""
    with gzip.open(capture, "rb") as file:
        for raw in file:
            line = json.loads(raw)
            if isinstance(line.get("f"), str) and line.get("d", "in") == "in":
                yield line["f"].encode()


def pieces(data: Path, table: str = "*") -> Iterator[Piece]:
    """The files of ``raw/`` with everything that is in them."""
    for path in sorted(data.glob(f"raw/{table}/**/*.parquet")):
        file = parquet.open_file(path)
        metadata = parquet.metadata_of(file)
        name = metadata["identity"]["table"].partition("/")[2]
        columns = columns_for(name, RECORD)
        arrow = file.read().replace_schema_metadata(None).combine_chunks()
        values = parquet.values_of(file, arrow, columns)
        yield Piece(name, columns, metadata, _as_sealed(values), arrow)


def _as_sealed(values: Columns) -> Columns:
    """As the sealer has them: one text for all rows where there is only one."""
    return values | {"native_symbol": (values["native_symbol"] or [""])[0]}


def records_of(data: Path) -> np.ndarray:
    """All records of a lake of one exchange, dtype RECORD, in ring order."""
    found = []
    for path in sorted([*data.glob("raw/**/*.parquet"), *data.glob("rest/**/*.parquet")]):
        file = parquet.open_file(path)
        identity = parquet.metadata_of(file)["identity"]
        name = identity["table"].partition("/")[2]
        for values in parquet.read(file, columns_for(name, RECORD)):
            found.append(rebuild(name, values, RECORD, identity["instrument"]).records)
    records = np.concatenate(found)
    return records[np.argsort(records["seq"], kind="stable")]
