"""A snapshot as text: aligned columns for people, the same on a terminal, in a pipe and in the live table."""

from __future__ import annotations

from collections.abc import Sequence

from ringcollect.observe.rings import Leg, RingReport, Subscription
from ringcollect.observe.snapshot import Archive, ProcessReport, Snapshot, iso

MISSING = "-"


def render(now: Snapshot) -> str:
    """The whole collector: state, processes, rings with their readers, losses, journals."""
    parts = [
        headline(now),
        columns(_PROCESS_HEAD, [*map(_process_row, now.processes), _sum_row(now)]),
        rings_text(now.rings),
        _below(now),
    ]
    return "\n\n".join(part for part in parts if part)


def headline(now: Snapshot) -> str:
    """State, since when, why."""
    reason = f": {now.reason}" if now.reason else ""
    return f"{now.state} since {iso(now.since_ns)}{reason} · up {span(now.uptime_s)} · data in {now.data}"


def one_line(now: Snapshot) -> str:
    """One line of progress for logs and pipes."""
    frames = sum(ring.counters.get("frames_in", 0) for ring in now.rings)
    feeds = [ring for ring in now.rings if ring.kind == "rec"]
    rows = sum(ring.head for ring in now.rings if ring.kind == "row")
    rate = sum(max(0.0, ring.rate) for ring in feeds)
    lost = sum(consumer.lost for ring in now.rings for consumer in ring.consumers)
    gaps = now.windows["gaps"].total if "gaps" in now.windows else 0
    memory = f"{now.pss_sum / 1e6:.0f} MB" if now.pss_sum >= 0 else MISSING
    return (
        f"{now.uptime_s:5.0f} s  {now.state}  frames {frames:,}  records {sum(ring.head for ring in feeds):,} "
        f"({rate:,.0f}/s)  rows {rows:,}  fill {max((ring.fill for ring in now.rings), default=0):.0%}  "
        f"lost {lost:,}  gaps {gaps:,}  memory {memory}"
    )


def rings_text(rings: Sequence[RingReport]) -> str:
    """Rings and, indented, their readers."""
    rows: list[list[str]] = []
    for ring in rings:
        rows.append(
            [
                ring.name,
                f"{ring.head:,}",
                MISSING if ring.rate < 0 else f"{ring.rate:,.0f}",
                f"{ring.fill:.1%}",
                "",
                "live" if ring.alive else f"no producer ({ring.state})",
            ]
        )
        for reader in ring.consumers:
            what = f"at {reader.committed:,}{', required' if reader.required else ''}"
            rows.append([f"  {reader.name}", f"{reader.lag:,}", "", f"{reader.fill:.1%}", f"{reader.lost:,}", what])
    return columns(["ring / reader", "head / lag", "rec/s", "fill", "lost", ""], rows) if rows else ""


def subscriptions_text(rows: Sequence[Subscription], now_ns: int) -> str:
    """The ledger: what was asked for and what became of it; ``now_ns`` is wall time."""
    head = [
        "exchange", "market", "symbol", "channel", "state", "for", "last data", "frames", "gaps", "missing", "filled",
        "late", "dup", "copies", "silences", "silent now", "reason",
    ]  # fmt: skip
    table = [
        [
            row.exchange, row.market, row.symbol, row.channel, row.state,
            span((now_ns - row.since_ns) / 1e9),
            span((now_ns - row.last_data_ns) / 1e9) + " ago" if row.last_data_ns else "never",
            f"{row.frames:,}", _known(row.gaps), _missing(row), f"{row.backfilled:,}", f"{row.out_of_order:,}",
            f"{row.duplicates:,}", f"{row.dropped:,}", _silences(row),
            span(row.silent_ms / 1e3) if row.silent_ms else "", row.reason,
        ]
        for row in rows
    ]  # fmt: skip
    return columns(head, table)


def legs_text(legs: Sequence[Leg], now_ns: int) -> str:
    """Connections: where they stand, and of two that carry the same who was first how often; "" without any."""
    head = [
        "ring", "leg", "shard", "market", "state", "for", "conn", "streams", "frames", "first", "copies", "lead",
        "failures",
    ]  # fmt: skip
    rows = [
        [
            leg.ring, str(leg.number), str(leg.shard), leg.market, leg.state,
            span((now_ns - leg.since_ns) / 1e9) if leg.since_ns else "",
            str(leg.conn) if leg.conn >= 0 else "", f"{leg.streams:,}", f"{leg.frames:,}", f"{leg.firsts:,}",
            f"{leg.dropped:,}", f"{leg.lead_ms:.1f} ms" if leg.firsts else "", f"{leg.attempts:,}",
        ]
        for leg in legs
    ]  # fmt: skip
    return columns(head, rows) if rows else ""


def _known(count: int | str) -> str:
    return f"{count:,}" if isinstance(count, int) else count


def _missing(row: Subscription) -> str:
    return _known(row.missing) + (f" (+{row.behind:,})" if row.behind else "")


def _silences(row: Subscription) -> str:
    return f"{row.silence_gaps:,} ({span(row.silence_ms / 1e3)})" if row.silence_gaps else "0"


def columns(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Aligned columns: the first to the left, numbers to the right, two blanks between."""
    table = [list(head), *[list(row) for row in rows]]
    widths = [max(len(row[i]) for row in table) for i in range(len(head))]
    right = [all(_is_number(row[i]) for row in rows) for i in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(row, widths, right, strict=True)
        ).rstrip()
        for row in table
    )


def span(seconds: float) -> str:
    """A duration in its two largest units: ``3h 12m``."""
    whole = max(0, round(seconds))
    for size, unit, smaller, small_unit in ((86_400, "d", 3600, "h"), (3600, "h", 60, "m"), (60, "m", 1, "s")):
        if whole >= size:
            return f"{whole // size}{unit} {whole % size // smaller}{small_unit}"
    return f"{whole}s"


def size(count: int) -> str:
    """Bytes in MB, ``-`` if unknown."""
    return MISSING if count < 0 else f"{count / 1e6:.1f}"


_PROCESS_HEAD = ["process", "pid", "state", "restarts", "cpu %", "PSS MB", "rings MB", "RSS MB", "last exit"]


def _process_row(process: ProcessReport) -> list[str]:
    return [
        process.name if process.counted else f"({process.name})",
        str(process.pid) if process.pid else MISSING,
        process.state,
        str(process.restarts),
        MISSING if process.cpu < 0 else f"{process.cpu * 100:.1f}",
        size(process.pss),
        size(process.ring_pss),
        size(process.rss),
        process.last_exit,
    ]


def _sum_row(now: Snapshot) -> list[str]:
    return ["sum", "", "", "", "", size(now.pss_sum), size(now.ring_pss_sum), "", ""]


def _below(now: Snapshot) -> str:
    lines = []
    if now.windows:
        rows = [
            [name, f"{w.last_1m:,}", f"{w.last_5m:,}", f"{w.last_15m:,}", f"{w.total:,}"]
            for name, w in sorted(now.windows.items())
        ]
        lines.append(columns(["events in", "1 min", "5 min", "15 min", "since start"], rows))
    if now.subscriptions:
        lines.append("subscriptions: " + ", ".join(f"{count} {name}" for name, count in now.subscriptions.items()))
    silent = sum(ring.silent for ring in now.rings)
    if silent:
        lines.append(f"silent: {silent} subscriptions without a record for longer than their limit (--subscriptions)")
    unsealed = now.journals
    lines.append(
        f"unsealed journals: {unsealed.count}, {unsealed.bytes / 1e6:.1f} MB, oldest written {span(unsealed.oldest_s)} "
        "ago"
    )
    if unsealed.error:
        lines.append(f"writer: {unsealed.error}")
    if now.archive is not None:
        lines += _archive_lines(now.archive)
    lines.extend(f"symbols: {problem}" for problem in now.problems)
    lines.extend(f"unreadable: {reason}" for reason in now.unreadable.values())
    return "\n".join(lines)


def _archive_lines(archive: Archive) -> list[str]:
    lines = [
        f"archive: {archive.waiting_files:,} files wait ({archive.waiting_bytes / 1e6:.1f} MB, oldest sealed "
        f"{span(archive.oldest_s)} ago); sent {archive.files:,} files, {archive.bytes / 1e6:.1f} MB, "
        f"{archive.retries:,} retries, {sum(archive.failures.values()):,} failures"
    ]
    if archive.error:
        lines.append(f"archive has failed for {span(archive.failing_s)}: {archive.error}")
    return lines


def _is_number(cell: str) -> bool:
    return not cell or cell == MISSING or cell.lstrip("-").replace(",", "").replace(".", "").rstrip("%").isdecimal()
