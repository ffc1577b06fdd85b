"""The whole collector at one moment: what ``status``, HTTP and the live table show. Plain data, JSON both ways."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec

from ringcollect.observe.health import State
from ringcollect.observe.rings import RingReport
from ringcollect.observe.windows import Windowed

STATE_FILE = "state.json"


class ProcessReport(msgspec.Struct, frozen=True, kw_only=True):
    """A process: bytes, CPU share since the look before (1.0 is a core; -1 unknown), when and how it last ended.

    ``pss`` is without ring pages. ``counted`` is false for what does not belong to the collector (a simulator).
    """

    name: str
    pid: int
    state: str
    restarts: int = 0
    started_ns: int = 0
    last_exit: str = ""
    rss: int = -1
    pss: int = -1
    ring_pss: int = -1
    cpu: float = -1.0
    counted: bool = True


class Journals(msgspec.Struct, frozen=True, kw_only=True):
    """What is written but not sealed yet. ``oldest_s``: seconds since the oldest was last written, which grows when
    sealing hangs."""

    count: int = 0
    bytes: int = 0
    oldest_s: float = 0.0
    error: str = ""


class Archive(msgspec.Struct, frozen=True, kw_only=True):
    """What waits for the archive, and what went there since its process started.

    ``there``: files it had already; ``seconds``: spent sending; ``failures`` by stage; ``error``: the last one, while
    archiving has failed for ``failing_s``.
    """

    uri: str = ""
    waiting_segments: int = 0
    waiting_files: int = 0
    waiting_bytes: int = 0
    oldest_s: float = 0.0
    segments: int = 0
    files: int = 0
    bytes: int = 0
    there: int = 0
    removed: int = 0
    seconds: float = 0.0
    retries: int = 0
    failures: dict[str, int] = {}
    error: str = ""
    failing_s: float = 0.0


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """Wall times in ns. ``windows`` counts gaps, lost, rejected, reconnects in 1, 5 and 15 minutes; ``problems`` are
    those of the configured symbols, with the paths of their keys; ``archive`` is None while none is configured."""

    at_ns: int
    started_ns: int
    state: State
    reason: str
    since_ns: int
    data: str
    runtime: str
    http: str = ""
    processes: tuple[ProcessReport, ...] = ()
    rings: tuple[RingReport, ...] = ()
    windows: dict[str, Windowed] = {}
    subscriptions: dict[str, int] = {}
    journals: Journals = Journals()
    archive: Archive | None = None
    unreadable: dict[str, str] = {}
    problems: tuple[str, ...] = ()

    @property
    def uptime_s(self) -> float:
        """Seconds since the supervisor started."""
        return max(0.0, (self.at_ns - self.started_ns) / 1e9)

    @property
    def pss_sum(self) -> int:
        """PSS bytes of all processes of the collector without ring pages, -1 if the host does not tell."""
        known = [process.pss for process in self.processes if process.counted and process.pss >= 0]
        return sum(known) if known else -1

    @property
    def ring_pss_sum(self) -> int:
        """PSS bytes of ring pages over all processes of the collector."""
        return sum(max(0, process.ring_pss) for process in self.processes if process.counted)


def encode(snapshot: Snapshot) -> bytes:
    """JSON with the derived numbers."""
    content = msgspec.to_builtins(snapshot)
    content["uptime_s"] = snapshot.uptime_s
    content["since"] = iso(snapshot.since_ns)
    content["pss_sum"] = snapshot.pss_sum
    content["ring_pss_sum"] = snapshot.ring_pss_sum
    return msgspec.json.encode(content)


def read_snapshot(runtime: Path) -> Snapshot | None:
    """The supervisor's last snapshot, None if there is none or it is of another version."""
    try:
        return msgspec.json.decode((runtime / STATE_FILE).read_bytes(), type=Snapshot)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def iso(wall_ns: int) -> str:
    """UTC to the second, ``2026-11-21T15:30:00Z``."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(wall_ns // 10**9))
