"""What the host must offer, checked before anything starts: a refusal later would come from a restarting child."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from ringcollect.config import Config
from ringcollect.errors import EnvironmentRefused
from ringcollect.instruments import INSTRUMENT_ROW, MAX_INSTRUMENTS
from ringcollect.records import RECORD_BYTES
from ringcollect.ring.paths import ensure_runtime_dir
from ringcollect.store.archive.settings import target_of
from ringcollect.store.location import credentials
from ringcollect.sync.across_plan import across_plans
from ringcollect.sync.bar_record import BAR_RING_BYTES
from ringcollect.sync.snapshot_record import SNAPSHOT

_MIB = 1 << 20
ROW_BYTES = 256  # of the widest feature set so far, from above; asking the catalogue would load numba
ACROSS_BYTES = 56  # a row of group O
_OVERHEAD = MAX_INSTRUMENTS * INSTRUMENT_ROW.itemsize + _MIB  # instrument table, ledger, control file, header


def check_host(config: Config) -> None:
    """Raise EnvironmentRefused if the runtime folder is too small or unwritable, or the data folder unwritable.

    ConfigError for an archive without a bucket or credentials.
    """
    if target_of(config) is not None:
        credentials(os.environ)
    runtime = ensure_runtime_dir(config.runtime_path())
    _check_space(runtime, needed_bytes(config))
    _check_data(config.data_path())


def needed_bytes(config: Config) -> int:
    """What the rings of ``config`` take in the runtime folder, from above."""
    ring = config.ring
    per_exchange = ring.capacity * RECORD_BYTES + _OVERHEAD
    per_exchange += ring.frame_entries * RECORD_BYTES + config.frame_ring_bytes + _OVERHEAD
    exchanges = config.exchanges()
    row_rings = sum(len(config.row_plans(exchange)) for exchange in exchanges) if config.sync.enabled else 0
    per_grid = ring.capacity * ROW_BYTES + _OVERHEAD
    if config.sync.tables:
        per_grid += ring.capacity * SNAPSHOT.itemsize + _OVERHEAD
    if config.sync.output.books:
        per_grid += ring.capacity * RECORD_BYTES + _OVERHEAD
    compared = across_plans(config, exchanges) if config.sync.enabled else ()
    across = sum(len(plan.exchanges) for plan in compared) * (ring.capacity * ACROSS_BYTES + _OVERHEAD)
    return per_exchange * len(exchanges) + row_rings * per_grid + across + _bar_bytes(config)


def _bar_bytes(config: Config) -> int:
    plans = [plan for exchange in config.exchanges() for plan in config.row_plans(exchange) if plan.makes_once]
    kinds = len(config.sync.bars) if config.sync.enabled else 0
    return len(plans) * kinds * (BAR_RING_BYTES + _OVERHEAD)


def _check_space(runtime: Path, needed: int) -> None:
    there = sum(path.stat().st_size for path in runtime.glob("*.ring"))  # taken over, or replaced one by one
    facts = os.statvfs(runtime)
    free = facts.f_bavail * facts.f_frsize
    if free + there < needed:
        raise EnvironmentRefused(
            f"the rings need {needed // _MIB} MiB in {runtime}, which has {(free + there) // _MIB} MiB: enlarge it "
            "(Docker: --shm-size), choose another [collector] runtime_dir, or lower [ring] capacity"
        )


def _check_data(data: Path) -> None:
    try:
        data.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=data) as probe:
            probe.write(bytes(4096))
    except OSError as error:
        raise EnvironmentRefused(f"cannot write to the data folder {data}: {error.strerror}") from error
