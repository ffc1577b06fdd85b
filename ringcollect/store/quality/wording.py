"""Numbers of the report as people read them: one way for the page and the text."""

from __future__ import annotations

from datetime import UTC, datetime

from ringcollect.store.quality.facts import DayFacts, StreamFacts
from ringcollect.store.quality.windows import Window

COLUMNS = (
    "market", "symbol", "channel", "rows", "coverage", "gaps", "without data", "id gaps", "duplicates",
    "crossed", "latency p50", "p99", "p99.9", "longest silence",
)  # fmt: skip


def clock_time(ns: int) -> str:
    """``15:30:00.123`` UTC; empty for 0."""
    return datetime.fromtimestamp(ns / 1e9, UTC).strftime("%H:%M:%S.%f")[:-3] if ns else ""


def seconds(value: float) -> str:
    """``2.5 s``, ``3 min 20 s``, ``5 h 10 min``; a dash for none."""
    if value < 0.0005:
        return "-"
    if value < 120:
        return f"{value:.3g} s"
    if value < 7200:
        return f"{value // 60:.0f} min {value % 60:.0f} s"
    return f"{value // 3600:.0f} h {value % 3600 // 60:.0f} min"


def delay(ns: int | None) -> str:
    """``850 us``, ``12.5 ms``, ``3.1 s``; a dash for none."""
    if ns is None:
        return "-"
    for unit, size in (("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000)):
        if abs(ns) >= size:
            return f"{ns / size:.3g} {unit}"
    return f"{ns} ns"


def share(value: float | None) -> str:
    """``99.98 %``, cut so that only a whole day says 100 %."""
    if value is None:
        return "not told"
    return "100 %" if value >= 1 else f"{min(int(value * 1e5) / 1e3, 99.999):.3f} %"


def cells(stream: StreamFacts) -> tuple[str, ...]:
    """One line of the table, in the order of :data:`COLUMNS`."""
    latency = stream.latency
    rows = f"{stream.rows:,}" + (f" (+{stream.rest_rows:,} REST)" if stream.rest_rows else "")
    return (
        stream.market,
        stream.symbol,
        stream.channel,
        rows,
        share(stream.coverage),
        str(stream.gap_count),
        seconds(stream.gap_s),
        str(stream.sequence_gap_count),
        f"{stream.duplicates_dropped + stream.duplicate_flags:,}",
        seconds(stream.crossed_s),
        delay(latency.p50_ns if latency else None),
        delay(latency.p99_ns if latency else None),
        delay(latency.p999_ns if latency else None),
        seconds(stream.longest_silence_s),
    )


def window_cells(window: Window) -> tuple[str, ...]:
    """From, to, seconds, cause."""
    to_ns = window.from_ns if window.to_ns is None else window.to_ns
    return clock_time(window.from_ns), clock_time(to_ns), seconds((to_ns - window.from_ns) / 1e9), window.cause


def missing(day: DayFacts) -> list[tuple[str, ...]]:
    """Every gap of every stream as one line: market, symbol, channel, from, to, seconds, cause."""
    return [
        (stream.market, stream.symbol, stream.channel, *window_cells(window))
        for stream in day.streams
        for window in [*stream.gaps, *stream.sequence_gaps]
    ]


def headline(day: DayFacts) -> str:
    """One sentence on the day."""
    if day.is_whole:
        return "Nothing is known to be missing."
    said = []
    if day.offline:
        parts = ", ".join(f"{cause} {seconds(total)}" for cause, total in day.offline_s.items())
        said.append(f"the collector was offline ({parts})")
    for count, what in (
        (sum(stream.gap_count for stream in day.streams), "windows without data"),
        (sum(stream.sequence_gap_count for stream in day.streams), "jumps in the venue's ids"),
        (sum(r.seq_to - r.seq_from for r in day.lost), "records lost by the writer"),
        (day.lost_by_consumers, "ranges lost by consumers"),
        (day.rejected_frames, "rejected frames"),
    ):
        if count:
            said.append(f"{what}: {count:,}")
    text = "; ".join(said)
    return text[:1].upper() + text[1:] + "."


def clock_lines(day: DayFacts) -> list[str]:
    """What is known of the host's clock."""
    clock = day.clock
    lines = [
        f"steps: {len(clock.steps_s)}"
        + (f" ({', '.join(f'{s:+.3g} s' for s in clock.steps_s[:10])})" if clock.steps_s else "")
    ]
    if clock.samples and clock.dispersion_max_s is not None:
        offset = "not known" if clock.offset_max_s is None else f"{clock.offset_max_s * 1e3:.3g} ms"
        bound = f"{clock.dispersion_max_s * 1e3:.3g} ms"
        lines.append(f"largest offset of {clock.samples} samples: {offset}; largest bound of its error: {bound}")
    if clock.undisciplined:
        lines.append(f"in {clock.undisciplined} samples nobody corrected this clock: is an NTP client running?")
    lines.append(f"{clock.bad_ts:,} rows with an impossible exchange time (BAD_TS)")
    lines.append(f"{clock.negative_latency:,} rows received before they happened")
    return lines
