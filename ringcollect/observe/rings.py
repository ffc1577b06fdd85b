"""One look at every ring in the runtime folder, from its header alone.

Reads words, never slots, and never loads numba: the supervisor looks once a second for months. Numbers of a ring that
is being written belong to slightly different moments; they are for people, not for protocols.
"""

from __future__ import annotations

import enum
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np

from ringcollect.errors import NotFoundError, RingcollectError
from ringcollect.feed.ledger import REASON_TEXT, Reason, State
from ringcollect.feed.leg_states import LEG_STATES, LegState
from ringcollect.instruments import INSTRUMENT_ROW, unpack_instrument
from ringcollect.records import CHANNEL_NAMES, Channel
from ringcollect.ring.control import Control
from ringcollect.ring.counters import Counters
from ringcollect.ring.layout import (
    H_CAPACITY,
    H_GENERATION,
    H_HEAD,
    H_HEARTBEAT_NS,
    H_PID,
    H_START_NS,
    H_STATE,
    H_TABLE_COUNT,
    H_TABLE_OFFSET,
    STATE_NAMES,
    read_header,
)
from ringcollect.ring.mapping import file_identity, is_locked, map_file, open_file
from ringcollect.ring.paths import control_path
from ringcollect.ring.table import Ledger


class Consumer(msgspec.Struct, frozen=True, kw_only=True):
    """A registered reader. ``lag`` counts records not yet committed, ``fill`` is lag/capacity, ``lost`` is for ever."""

    name: str
    lag: int
    fill: float
    lost: int
    committed: int
    pid: int
    heartbeat_ns: int
    required: bool


UNTRACKED: Literal["untracked"] = "untracked"
"""In the place of a number that nobody can know, as 0 would be a claim."""


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a feed's ledger. Times are wall ns, 0 for never.

    ``gaps``, the ids ``missing`` in them and their number by size (``ring.layout.GAP_SIZE_BOUNDS``, the last without a
    bound) are of streams whose ids or connection are numbered without holes; of all others they are "untracked".
    ``behind``: trades that REST says there are beyond our newest, after a reconnect and before trades flow again.
    ``silence_*``: time between two records longer than the limit, in total ms and by length (``SILENCE_BOUNDS_NS``);
    the one that lasts is not in them: it is ``silent_ms`` long by now (0: there is none).
    """

    exchange: str
    market: str
    symbol: str
    channel: str
    state: str
    reason: str
    since_ns: int
    last_data_ns: int
    frames: int
    records: int
    gaps: int | Literal["untracked"]
    missing: int | Literal["untracked"]
    gap_sizes: tuple[int, ...]
    backfilled: int
    behind: int
    out_of_order: int
    duplicates: int
    dropped: int
    silence_gaps: int
    silence_ms: int
    silences: tuple[int, ...]
    silence_limit_ms: int
    silent_ms: int


class Leg(msgspec.Struct, frozen=True, kw_only=True):
    """One connection of a feed. Legs of equal ``shard`` carry the same streams: what either brings first counts.

    ``conn`` is its present number in records, -1 none; ``attempts`` are failures in a row; ``firsts`` and ``dropped``
    are batches that it brought before its mate, and after it; ``lead_ms`` is by how much it was the first, last time.
    """

    ring: str
    number: int
    shard: int
    market: str
    state: str
    conn: int
    streams: int
    since_ns: int
    last_data_ns: int
    attempts: int
    frames: int
    firsts: int
    dropped: int
    lead_ms: float


class RingReport(msgspec.Struct, frozen=True, kw_only=True):
    """A ring now. ``rate`` is records per second since the look before, -1 at the first.

    ``silent``: subscriptions without a record for longer than their limit, now; ``silence_gaps``: how often one was.
    """

    name: str
    kind: str
    alive: bool
    state: str
    generation: int
    capacity: int
    head: int
    rate: float = -1.0
    fill: float = 0.0
    bytes: int = 0
    pid: int = 0
    start_ns: int = 0
    heartbeat_ns: int = 0
    instruments: int = 0
    silence_gaps: int = 0
    silent: int = 0
    legs: tuple[Leg, ...] = ()
    counters: dict[str, int] = {}
    consumers: tuple[Consumer, ...] = ()


class RingView:
    """A ring mapped read-only for its header; stays valid when the ring is replaced (``replaced`` says so)."""

    def __init__(self, path: Path) -> None:
        """Raises NotFoundError, RingError or EnvironmentRefused as ``attach`` does."""
        self.path = path
        fd = open_file(path, writable=False)
        try:
            self._file = file_identity(os.fstat(fd))
            self.words = map_file(fd, path, writable=False)
        finally:
            os.close(fd)
        self.layout = read_header(self.words, str(path))
        self._counters = Counters(self.words, self.layout.counters)
        self._ledger = Ledger(self.words)
        try:
            self._control: Control | None = Control(control_path(path), writable=False)
        except FileNotFoundError:
            self._control = None

    def replaced(self) -> bool:
        """True when the name now belongs to another file, or to none."""
        try:
            return file_identity(self.path.stat()) != self._file
        except FileNotFoundError:
            return True

    def close(self) -> None:
        """Give up the descriptors."""
        if self._control is not None:
            self._control.close()

    def report(self, now_ns: int) -> RingReport:
        """The ring as it is at ``now_ns`` (wall time)."""
        words = self.words
        ledger = self._ledger.rows()
        capacity, head = int(words[H_CAPACITY]), int(words[H_HEAD])
        consumers = tuple(self._consumers(head, capacity))
        return RingReport(
            name=self.layout.name,
            kind=_kind(self.layout.name),
            alive=self._alive(),
            state=STATE_NAMES.get(int(words[H_STATE]), "unknown"),
            generation=int(words[H_GENERATION]),
            capacity=capacity,
            head=head,
            fill=max((consumer.fill for consumer in consumers), default=0.0),
            bytes=words.nbytes,
            pid=int(words[H_PID]),
            start_ns=int(words[H_START_NS]),
            heartbeat_ns=int(words[H_HEARTBEAT_NS]),
            instruments=int(words[H_TABLE_COUNT]),
            silence_gaps=int(ledger["silence_gaps"].sum()),
            silent=int(np.count_nonzero(_silent_ns(ledger, now_ns))),
            counters=dict(self._counters),
            consumers=consumers,
            legs=self.legs(),
        )

    def legs(self) -> tuple[Leg, ...]:
        """The feed's connections, none for other rings. Those that ended are left out."""
        return tuple(
            Leg(
                ring=self.layout.name, number=int(row["number"]), shard=int(row["shard"]),
                market=row["market"].decode(errors="replace"), state=_word(LEG_STATES, LegState, int(row["state"])),
                conn=int(row["conn"]), streams=int(row["streams"]), since_ns=int(row["since_ns"]),
                last_data_ns=int(row["last_data_ns"]), attempts=int(row["attempts"]), frames=int(row["frames"]),
                firsts=int(row["firsts"]), dropped=int(row["dropped"]), lead_ms=int(row["lead_ns"]) / 1e6,
            )
            for row in self._ledger.legs()
            if row["state"] != LegState.ENDED
        )  # fmt: skip

    def subscriptions(self, now_ns: int) -> list[Subscription]:
        """The feed's ledger at ``now_ns`` (wall time), empty for other rings."""
        found = []
        rows = self._ledger.rows()
        for row, silent in zip(rows, _silent_ns(rows, now_ns), strict=True):
            exchange, market, symbol = self._instrument(int(row["instrument"]))
            found.append(
                Subscription(
                    exchange=exchange,
                    market=market,
                    symbol=symbol,
                    channel=_word(CHANNEL_NAMES, Channel, int(row["channel"])),
                    state=_state_name(int(row["state"])),
                    reason=_word(REASON_TEXT, Reason, int(row["reason"])),
                    since_ns=int(row["since_ns"]),
                    last_data_ns=int(row["last_data_ns"]),
                    frames=int(row["frames"]),
                    records=int(row["records"]),
                    gaps=int(row["gaps"]) if row["tracked"] else UNTRACKED,
                    missing=int(row["missing"]) if row["tracked"] else UNTRACKED,
                    gap_sizes=tuple(row["gap_sizes"].tolist()),
                    backfilled=int(row["backfilled"]),
                    behind=int(row["behind"]),
                    out_of_order=int(row["out_of_order"]),
                    duplicates=int(row["duplicates"]),
                    dropped=int(row["dropped"]),
                    silence_gaps=int(row["silence_gaps"]),
                    silence_ms=int(row["silence_ns"]) // 1_000_000,
                    silences=tuple(row["silences"].tolist()),
                    silence_limit_ms=int(row["silence_limit_ns"]) // 1_000_000,
                    silent_ms=int(silent) // 1_000_000,
                )
            )
        return found

    def subscription_states(self) -> dict[str, int]:
        """How many rows of the ledger are in which state."""
        codes, counts = np.unique(self._ledger.rows()["state"], return_counts=True)
        return {_state_name(int(code)): int(count) for code, count in zip(codes, counts, strict=True)}

    def _alive(self) -> bool:
        try:
            return is_locked(self.path)
        except NotFoundError:
            return False

    def _consumers(self, head: int, capacity: int) -> list[Consumer]:
        rows = self._control.consumers() if self._control is not None else []
        return [
            Consumer(
                name=row.name,
                lag=max(0, head - row.committed),
                fill=min(1.0, max(0, head - row.committed) / capacity),
                lost=row.lost,
                committed=row.committed,
                pid=row.pid,
                heartbeat_ns=row.heartbeat_ns,
                required=row.required,
            )
            for row in rows
        ]

    def _instrument(self, number: int) -> tuple[str, str, str]:
        """(exchange, market, symbol) of a row; its number where the row is not there or just being rewritten."""
        if number >= int(self.words[H_TABLE_COUNT]):
            return "", "", f"#{number}"
        start = (int(self.words[H_TABLE_OFFSET]) + number * INSTRUMENT_ROW.itemsize) // 8
        row = self.words[start : start + INSTRUMENT_ROW.itemsize // 8]
        try:
            instrument = unpack_instrument(row.tobytes())
        except (RingcollectError, ValueError):
            return "", "", f"#{number}"
        return instrument.exchange, instrument.market, instrument.symbol


def find_rings(runtime: Path) -> list[Path]:
    """Ring files in ``runtime``, by name."""
    return sorted(runtime.glob("*.ring"))


class RingSet:
    """All rings of a runtime folder, mapped once and mapped again when replaced; rates from look to look."""

    def __init__(self, runtime: Path) -> None:
        self._runtime = runtime
        self._views: dict[Path, RingView] = {}
        self._before: dict[str, tuple[int, int, int]] = {}
        self.unreadable: dict[str, str] = {}

    def views(self) -> list[RingView]:
        """Views of the rings that are there now; what cannot be read is named in ``unreadable``."""
        self.unreadable = {}
        paths = find_rings(self._runtime)
        for path in [path for path, view in self._views.items() if path not in paths or view.replaced()]:
            self._views.pop(path).close()
        for path in paths:
            if path not in self._views:
                try:
                    self._views[path] = RingView(path)
                except RingcollectError as error:
                    self.unreadable[path.name] = str(error)
        return [self._views[path] for path in paths if path in self._views]

    def reports(self, now_ns: int, wall_ns: int = 0) -> list[RingReport]:
        """Every ring at ``now_ns`` (monotonic) and ``wall_ns``, with its rate since the call before."""
        reports = []
        for view in self.views():
            report = view.report(wall_ns)
            before = self._before.get(report.name)
            if before is not None and before[0] == report.generation and now_ns > before[2]:
                rate = (report.head - before[1]) * 1e9 / (now_ns - before[2])
                report = msgspec.structs.replace(report, rate=rate)
            self._before[report.name] = (report.generation, report.head, now_ns)
            reports.append(report)
        return reports


def _silent_ns(rows: np.ndarray, now_ns: int) -> np.ndarray:
    """Of each ledger row, how long the silence lasts that is going on at ``now_ns``; 0 where there is none."""
    silent = now_ns - rows["last_record_ns"]
    limit = rows["silence_limit_ns"]
    return np.where((limit > 0) & (rows["last_record_ns"] > 0) & (silent > limit), silent, 0)


def _kind(name: str) -> str:
    """``rec``, ``frm``, ``row``, ...: the last part of a ring's name."""
    return name.rpartition(".")[2]


def _state_name(code: int) -> str:
    return State(code).name.lower() if code in set(State) else f"state {code}"


def _word(names: Mapping[Any, str], codes: type[enum.IntEnum], code: int) -> str:
    return names[codes(code)] if code in set(codes) else f"code {code}"
