"""What a replay did: plain data, for people and for ``--json``."""

from __future__ import annotations

from typing import Any

import msgspec

FATES = ("decoded", "control", "ignored", "rejected")


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """Time one stage took and what passed through it; seconds of one core (``seal`` runs beside the others)."""

    seconds: float
    frames: int
    records: int

    @property
    def frames_per_s(self) -> float:
        """Frames per second of this stage alone."""
        return self.frames / self.seconds if self.seconds else 0.0

    @property
    def records_per_s(self) -> float:
        """Records per second of this stage alone; in ``seal`` records and rows."""
        return self.records / self.seconds if self.seconds else 0.0


class ExchangeReport(msgspec.Struct, frozen=True, kw_only=True):
    """One exchange's part of a capture. ``lost`` is by ``ring/consumer``; ``stored`` by ring; ``sync`` is the sum
    over all grids."""

    exchange: str
    generation: int
    counters: dict[str, int]
    sync: dict[str, int]
    stored: dict[str, int]
    lost: dict[str, int]
    unsealed: tuple[str, ...]
    cut_frames: int
    files: int
    bytes: int
    stages: dict[str, Stage]

    @property
    def frames(self) -> int:
        """Frames received."""
        return self.counters["frames_in"]

    @property
    def gaps(self) -> int:
        """Places where the capture itself has holes: the venue's own ids say so."""
        return self.counters["seq_gaps"] + self.counters["trade_gaps"]

    def problems(self) -> list[str]:
        """Why not everything is well, one line each."""
        out = [f"{self.exchange}: {n} records lost at {where}" for where, n in self.lost.items() if n]
        out += [f"{self.exchange}: {name} was not sealed" for name in self.unsealed]
        if self.cut_frames:
            out.append(f"{self.exchange}: {self.cut_frames} frames were too long to be recorded whole")
        counted = sum(self.counters[name] for name in FATES)
        if counted != self.frames:
            out.append(f"{self.exchange}: {self.frames} frames in, but {counted} accounted for")
        if self.gaps:
            out.append(f"{self.exchange}: {self.gaps} gaps in what the exchange sent")
        for name, text in (("rejected", "frames rejected"), ("frame_errors", "frames not kept")):
            if self.counters[name]:
                out.append(f"{self.exchange}: {self.counters[name]} {text}")
        return out


class ReplayReport(msgspec.Struct, frozen=True, kw_only=True):
    """One capture or ``frames/`` folder. ``bad_lines`` could not be read; ``foreign`` belong to no known exchange."""

    source: str
    events: int
    bad_lines: int
    errors: tuple[str, ...]
    foreign: int
    seconds: float
    exchanges: tuple[ExchangeReport, ...]

    def problems(self) -> list[str]:
        """Why not everything is well, one line each; empty: nothing was lost."""
        out = list(self.errors)
        if self.bad_lines > len(out):
            out.append(f"{self.source}: {self.bad_lines} bad lines in all")
        if not self.exchanges:
            out.append(f"{self.source}: nothing to replay")
        return out + [problem for exchange in self.exchanges for problem in exchange.problems()]


def lines(report: ReplayReport) -> list[str]:
    """For a terminal or a log; what every stage did, the problems last."""
    out = [f"{report.source}: {report.events:,} events in {report.seconds:.1f} s"]
    for exchange in report.exchanges:
        fates = ", ".join(f"{exchange.counters[name]:,} {name}" for name in FATES)
        out.append(f"frames in     {exchange.frames:,} = {fates}")
        out += [f"published     {count:,} in {ring}" for ring, count in exchange.stored.items()]
        out.append(f"written       {exchange.files} files, {exchange.bytes / 1e6:.1f} MB")
        out += [f"lost          {count:,} of {where}" for where, count in exchange.lost.items()]
        out.append(f"gaps          {exchange.gaps:,}")
        for name, stage in exchange.stages.items():
            rates = f"{stage.frames_per_s:12,.0f} frames/s {stage.records_per_s:12,.0f} records/s"
            out.append(f"{name:<15}{stage.seconds:8.2f} s {rates}")
    return out + [f"PROBLEM: {problem}" for problem in report.problems()]


def encode(reports: list[ReplayReport]) -> list[dict[str, Any]]:
    """The reports as plain data with the rates."""
    content: list[dict[str, Any]] = msgspec.to_builtins(reports)
    for report, plain in zip(reports, content, strict=True):
        for exchange, entry in zip(report.exchanges, plain["exchanges"], strict=True):
            for name, stage in exchange.stages.items():
                entry["stages"][name]["frames_per_s"] = round(stage.frames_per_s)
                entry["stages"][name]["records_per_s"] = round(stage.records_per_s)
    return content
