"""The report as data: what ``--format json`` writes and the pages are drawn from. Times are ns since the epoch, UTC."""

from __future__ import annotations

import msgspec

from ringcollect.store.naming import folder_value
from ringcollect.store.quality.windows import Window

SHOWN = 200
"""So many windows of one stream are listed; the counts and seconds are of all."""


class Latency(msgspec.Struct, kw_only=True):
    """``ts_recv - ts_event`` in ns of live rows; percentiles at most 1.1 % above the true ones."""

    rows: int
    min_ns: int
    p50_ns: int
    p90_ns: int
    p99_ns: int
    p999_ns: int
    max_ns: int
    negative: int


class StreamFacts(msgspec.Struct, kw_only=True):
    """One (symbol, channel) of one day. ``coverage``: share of the time it was wanted in which it flowed and its book,
    if it is one, had a base; None if no status record speaks of it. ``gaps`` are the stream's own; the time without the
    collector (``DayFacts.offline``) is not repeated in them, but takes its part of ``coverage``."""

    market: str
    symbol: str
    channel: str
    rows: int
    rest_rows: int
    frames: int
    duplicates_dropped: int
    duplicate_flags: int
    first_ns: int
    last_ns: int
    wanted_s: float
    covered_s: float
    coverage: float | None
    gaps: list[Window]
    gap_count: int
    gap_s: float
    gap_flags: int
    sequence_gaps: list[Window]
    sequence_gap_count: int
    longest_silence_s: float
    silent_from_ns: int
    crossed_s: float
    crossings: int
    bad_ts: int
    unsynced_rows: int
    latency: Latency | None
    hours_p50_ns: list[int | None]
    hours_p99_ns: list[int | None]
    minutes: list[int]


class Clock(msgspec.Struct, kw_only=True):
    """What is known of this host's clock: steps seen, samples of its offset (``undisciplined``: of a clock nobody
    corrects, so without one), rows that came before they happened."""

    steps_s: list[float]
    samples: int
    undisciplined: int
    offset_max_s: float | None
    dispersion_max_s: float | None
    bad_ts: int
    negative_latency: int


class LostRange(msgspec.Struct, kw_only=True):
    """Records that are in no file, certified as lost."""

    ring: str
    generation: int
    seq_from: int
    seq_to: int
    cause: str


class DayFacts(msgspec.Struct, kw_only=True):
    """One exchange and UTC day. ``server`` names the collector where several share an archive; ``until_ns``: to where
    the day is judged (its end, or now)."""

    exchange: str
    server: str = ""
    date: str
    from_ns: int
    until_ns: int
    streams: list[StreamFacts]
    offline: list[Window]
    offline_s: dict[str, float]
    clock: Clock
    rejected_frames: int
    lost: list[LostRange]
    lost_by_consumers: int

    @property
    def name(self) -> str:
        """Of whom the day is: the exchange, and the collector where it has a name."""
        return f"{self.exchange} by {self.server}" if self.server else self.exchange

    @property
    def folder(self) -> str:
        """Where its report goes, below ``--out``."""
        return "/".join(folder_value(part) for part in (self.server, self.exchange) if part)

    @property
    def is_whole(self) -> bool:
        """Nothing is known to be missing on this day."""
        return not (
            self.offline or self.lost or self.rejected_frames or self.lost_by_consumers
            or any(stream.gap_count or stream.sequence_gap_count for stream in self.streams)
        )  # fmt: skip
