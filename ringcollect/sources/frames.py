"""The lake's ``frames/`` folder: everything a live feed took in, replayed into the same records, byte for byte."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from ringcollect.errors import ConfigError, LakeError, NotFoundError
from ringcollect.exchanges import load
from ringcollect.feed.plan import Plan
from ringcollect.feed.recording import apply, instrument_of, plan_of
from ringcollect.feed.session import Session
from ringcollect.instruments import Instrument, Registry
from ringcollect.ring.frames import Direction, FrameEntry
from ringcollect.sources.pipeline import Pipeline
from ringcollect.sources.report import ReplayReport
from ringcollect.sources.runtime import private_runtime
from ringcollect.sources.stage import PROGRESS_EVENTS, ExchangeStage, Settings
from ringcollect.store import parquet
from ringcollect.store.frame_table import DIRECTIONS
from ringcollect.store.schema import FRAME_COLUMNS

_CODES = {name: Direction(code) for code, name in DIRECTIONS.items()}


class Recording(NamedTuple):
    """One generation of one exchange's frame ring: its files in order, and the positions they and the rejects hold."""

    exchange: str
    generation: int
    files: tuple[Path, ...]
    missing: int


def replay_frames(folder: Path, settings: Settings) -> ReplayReport:
    """Replay every recording under ``folder`` into ``settings.data``; exchange and markets are the recordings' own.

    Generations are the recordings' too, so that the files equal those of the live run. Raises NotFoundError if there
    is no recording, LakeError for a file that is none of ours, ConfigError if the target is the recordings' own lake.
    """
    begun = time.perf_counter()
    if folder.resolve().is_relative_to(settings.data.resolve()):
        raise ConfigError(f"{folder} belongs to the lake {settings.data}, which has its records already: give --data")
    recordings = find(folder)
    errors, exchanges, events = [], [], 0
    for recording in recordings:
        if recording.missing:
            errors.append(
                f"{folder}: {recording.missing} frames of {recording.exchange} (generation {recording.generation}) "
                "are not there: the records after the hole are not what they were"
            )
        with private_runtime() as runtime:
            player = _Player(recording, runtime, settings)
            try:
                events += player.run()
                if player.stage is None:
                    errors.append(f"{folder}: {recording.exchange} does not begin with a start; nothing to replay")
                    continue
                player.stage.seal()
                exchanges.append(player.stage.report())
            finally:
                if player.stage is not None:
                    player.stage.pipeline.close()
    return ReplayReport(
        source=str(folder),
        events=events,
        bad_lines=0,
        errors=tuple(errors),
        foreign=0,
        seconds=time.perf_counter() - begun,
        exchanges=tuple(exchanges),
    )


def find(folder: Path) -> list[Recording]:
    """The recordings under a ``frames`` folder, oldest first."""
    by_ring: dict[tuple[int, str], list[tuple[int, Path]]] = {}
    for path in sorted(folder.rglob("*.parquet")):
        identity = _identity(path)
        exchange = str(identity["ring"]).split(".", 1)[0]
        by_ring.setdefault((int(identity["generation"]), exchange), []).append((int(identity["seq_from"]), path))
    if not by_ring:
        raise NotFoundError(f"no recorded frames under {folder}")
    recordings = []
    for (generation, exchange), found in sorted(by_ring.items()):
        files = tuple(path for _, path in sorted(found))
        recordings.append(Recording(exchange, generation, files, _missing(folder, exchange, generation, files)))
    return recordings


def read(files: tuple[Path, ...], begin_file: Callable[[int], None] = lambda done: None) -> Iterator[FrameEntry]:
    """The entries of ``files``, in order, a slice of a file in memory at a time; ``begin_file`` is told how many
    files are done."""
    for done, path in enumerate(files):
        begin_file(done)
        for columns in parquet.read(parquet.open_file(path), FRAME_COLUMNS):
            rows = zip(
                *(
                    _plain(columns[name])
                    for name in (
                        "seq", "ts_recv", "conn", "direction", "opcode", "status", "whole_length", "url", "reason",
                        "payload",
                    )
                ),
                strict=True,
            )  # fmt: skip
            for seq, ts, conn, direction, *rest in rows:
                yield FrameEntry(seq, ts, conn, _CODES[direction], *rest)


class _Player:
    """One recording on its way through; a feed that was restarted begins a new session on the same rings."""

    def __init__(self, recording: Recording, runtime: Path, settings: Settings) -> None:
        self.stage: ExchangeStage | None = None
        self._recording = recording
        self._runtime = runtime
        self._settings = settings
        self._files_done = 0

    def _begin_file(self, done: int) -> None:
        self._files_done = done

    def run(self) -> int:
        """Give every entry to its session; returns how many there were."""
        entries = 0
        begin: FrameEntry | None = None
        known: list[Instrument] = []
        clock = time.perf_counter_ns
        before = clock()
        for entry in read(self._recording.files, self._begin_file):
            entries += 1
            if entries % PROGRESS_EVENTS == 0:
                done = self._files_done / len(self._recording.files)
                self._settings.progress(f"{self._recording.exchange} frames", done, entries)
            instrument = instrument_of(entry)
            if begin is not None and instrument is not None:
                known.append(instrument)
                continue
            if begin is not None:
                self._start(begin, known)
                begin, known = None, []
            if plan_of(entry) is not None:
                begin = entry
                continue
            now = clock()
            if self.stage is not None:
                self.stage.read_ns += now - before
                self._take(self.stage, entry)
                before = clock()
                self.stage.live_ns += before - now
        if begin is not None:
            self._start(begin, known)
        return entries

    def _take(self, stage: ExchangeStage, entry: FrameEntry) -> None:
        stage.pace.wait_for(entry.ts_recv)
        stage.pipeline.make_room()
        if entry.whole_length > len(entry.payload) and entry.direction in (Direction.IN, Direction.REST):
            stage.cut_frames += 1
        apply(stage.session, entry)
        stage.session.actions()

    def _start(self, entry: FrameEntry, known: list[Instrument]) -> None:
        plan = plan_of(entry)
        assert plan is not None
        if self.stage is None:
            pipeline = Pipeline(
                self._settings.data, self._runtime, plan.exchange, self._recording.generation, self._settings.config,
                raw_only=self._settings.raw_only,
            )  # fmt: skip
            self.stage = ExchangeStage(pipeline, self._session(pipeline, plan, known), self._settings.speed)
        else:
            self.stage.session = self._session(self.stage.pipeline, plan, known)
        self.stage.pipeline.make_room()
        apply(self.stage.session, entry)
        self.stage.session.actions()

    def _session(self, pipeline: Pipeline, plan: Plan, known: list[Instrument]) -> Session:
        """As it was recorded, but for the recording: its frames are in the lake already."""
        options = msgspec.structs.replace(plan.options, record_frames=False)
        plan = msgspec.structs.replace(plan, options=options)
        registry = Registry(self._registry(known, plan.exchange), plan.exchange)
        return Session(plan, load(plan.exchange), registry, pipeline.ring, pipeline.frames)

    def _registry(self, known: list[Instrument], exchange: str) -> Path:
        """The registry as it was at the start, versions included."""
        path = self._runtime / f"{exchange}.instruments.jsonl"
        path.write_bytes(b"".join(msgspec.json.encode(instrument) + b"\n" for instrument in known))
        return path


def _plain(column: Any) -> list[Any]:
    """A column as a list of plain Python values."""
    return list(column.tolist() if hasattr(column, "tolist") else column)


def _identity(path: Path) -> dict[str, Any]:
    identity = parquet.metadata_of(parquet.open_file(path)).get("identity")
    if not isinstance(identity, dict):
        raise LakeError(f"{path}: not a file of recorded frames")
    return identity


def _missing(folder: Path, exchange: str, generation: int, files: tuple[Path, ...]) -> int:
    """Entries that are neither in these files nor among the rejects beside them: the ring's positions have no holes."""
    rejects = folder.parent / "rejects" / f"exchange={exchange}"
    others = [path for path in rejects.rglob("*.parquet") if _identity(path)["generation"] == generation]
    seqs: list[int] = []
    for path in (*files, *others):
        seqs += parquet.open_file(path).read(columns=["seq"])["seq"].to_pylist()
    return max(seqs) + 1 - len(set(seqs)) if seqs else 0
