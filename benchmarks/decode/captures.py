"""Captured frames, sorted into cases by what our own decoder makes of them.

A new exchange needs one row in :data:`CAPTURES`. Nothing here knows a venue's messages: the market comes from the
connection's URL (or the row), the channel from the decoder, symbols are made known when they first appear.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.form import Form
from ringcollect.errors import RejectedFrame
from ringcollect.exchanges import NAMES, load
from ringcollect.exchanges.protocol import Code, Decoded, Decoder, Exchange, Outcome, Purpose
from ringcollect.records import Channel
from ringcollect.sources.capture import CaptureReader
from ringcollect.sources.events import EventKind

DAY_NS = 86_400 * 10**9
FRAMES = 10_000
LEAST_HOT = 100
"""A hot case of fewer frames says nothing."""


@dataclass(frozen=True)
class Capture:
    """``name``: the file without its ending. ``market``: of connections whose URL does not say it.

    ``cold_only``: single frames from here and there; no stream that a book could follow.
    """

    name: str
    exchange: str
    market: str
    cold_only: bool = False


CAPTURES = (
    Capture("binance_spot_2024", "binance", "spot"),
    Capture("binance_usdm_2021b", "binance", "linear"),
    Capture("frames_binance_spot", "binance", "spot", cold_only=True),
    Capture("frames_binance_usdm", "binance", "linear", cold_only=True),
)


@dataclass
class Frames:
    """The frames of one case. ``way``: ``hot`` or ``cold``, the way our decoder takes them, or ``rest``.

    ``seeds``: REST snapshots that books start from, (symbol, url, body, time). ``symbols``: what appears, with what
    the exchange's names say of it.
    """

    capture: str
    exchange: str
    market: str
    way: str
    channel: str
    url: str = ""
    frames: list[tuple[int, str]] = field(default_factory=list)
    seeds: list[dict[str, Any]] = field(default_factory=list)
    symbols: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """``binance_spot_2024 book``; one word more for the ways that are not hot."""
        market = "" if self.market in self.capture else f" {self.market}"
        return f"{self.capture}{market} {self.channel}" + ("" if self.way == "hot" else f" ({self.way})")

    @property
    def detail(self) -> str:
        """How many and how long."""
        size = sum(len(frame) for _, frame in self.frames) / len(self.frames)
        return f"{len(self.frames)} frames of {len(self.symbols)} instruments, {size:,.0f} bytes on average"

    def write(self, folder: Path) -> Path:
        """For the workers."""
        path = folder / (self.name.replace(" ", "_").replace("(", "").replace(")", "").replace(",", "") + ".json")
        path.write_text(json.dumps(vars(self)), encoding="utf-8")
        return path


def cases(form: Form) -> tuple[list[Frames], list[str]]:
    """Every case of every capture there is, and notes about those that are not."""
    folder = Path(os.environ["RINGCOLLECT_CAPTURES"])
    found: list[Frames] = []
    notes: list[str] = []
    for capture in CAPTURES:
        path = folder / f"{capture.name}.jsonl.gz"
        if capture.exchange not in NAMES:
            notes.append(f"{capture.name}: no decoder for {capture.exchange} here")
        elif not path.is_file():
            notes.append(f"{capture.name}: not among the captures")
        else:
            found += Sorter(capture, form).sort(path)
    return found, notes


class Sorter:
    """Reads one capture through our decoder."""

    def __init__(self, capture: Capture, form: Form) -> None:
        self._capture = capture
        self._most = form.amount(FRAMES, 200)
        self._exchange: Exchange = load(capture.exchange)
        self._decoder: Decoder = self._exchange.decoder(max_past_ns=DAY_NS, max_future_skew_ns=DAY_NS)
        self._numbers: dict[tuple[str, str], int] = {}
        self._cases: dict[tuple[str, str, str], Frames] = {}
        self._based: dict[tuple[str, str], int] = {}
        self._seeds: dict[str, list[dict[str, Any]]] = {}

    def sort(self, path: Path) -> list[Frames]:
        """The cases of the capture, hot ones first."""
        legs: dict[int, tuple[str, tuple[str, ...], str]] = {}
        events = list(CaptureReader(path))
        for event in events:  # a snapshot arrives behind frames that follow it
            if event.kind == EventKind.REST:
                self._rest(event.url, event.payload, event.ts)
        for event in events:
            if event.kind == EventKind.OPEN:
                meaning = self._exchange.read_url(event.url)
                market, streams = (meaning.market, meaning.streams) if meaning else (self._capture.market, ())
                legs[event.conn] = (market or self._capture.market, streams, event.url)
            elif event.kind == EventKind.IN:
                market, streams, url = legs.get(event.conn, (self._capture.market, (), ""))
                conn = 0 if self._capture.cold_only else event.conn
                self._frame(event.payload, self._decoder.context(market, conn, streams), market, url, event.ts)
        for case in self._cases.values():
            if case.channel == "book" and case.way == "hot":
                case.seeds = self._seeds.get(case.market, [])
        kept = [case for case in self._cases.values() if self._worth(case)]
        return sorted(kept, key=lambda case: (case.way != "hot", case.market))

    def _worth(self, case: Frames) -> bool:
        return case.way != "hot" if self._capture.cold_only else len(case.frames) >= LEAST_HOT or case.way != "hot"

    def _frame(self, frame: bytes, ctx: np.ndarray, market: str, url: str, ts: int) -> None:
        answer = self._exchange.decode_hot(frame, ctx, ts)
        while answer == Code.UNKNOWN_SYMBOL:
            self._learn(market, self._decoder.unknown_symbol(frame, ctx))
            answer = self._exchange.decode_hot(frame, ctx, ts)
        if answer >= 0:
            batch = self._decoder.taken(ctx)
            known = self._based.get((market, self._symbol(market, batch.instrument)))
            if batch.channel == Channel.BOOK and self._needs_base(market) and (known is None or batch.last_id <= known):
                return  # before its book has a base
            self._add(market, "hot", batch.channel.name.lower(), frame, url, ts, (batch.instrument,))
            return
        try:
            decoded = self._cold(frame, ctx, market, ts)
        except RejectedFrame:
            return
        if decoded.outcome == Outcome.DECODED:
            channel = decoded.batches[0].channel.name.lower()  # a markPrice holds three; it is called by its first
        else:
            channel = decoded.outcome.name.lower()
        self._add(market, "cold", channel, frame, url, ts, tuple(batch.instrument for batch in decoded.batches))

    def _cold(self, frame: bytes, ctx: np.ndarray, market: str, ts: int) -> Decoded:
        decoded = self._decoder.cold(frame, ctx, ts)
        for symbol in decoded.unknown:
            self._learn(market, symbol)
        return self._decoder.cold(frame, ctx, ts) if decoded.unknown else decoded

    def _rest(self, url: str, body: bytes, ts: int) -> None:
        meaning = self._exchange.read_rest(url)
        if meaning is None or meaning.purpose != Purpose.SNAPSHOT:
            return
        self._learn(meaning.market, meaning.symbol)
        try:
            decoded = self._decoder.rest(meaning, body, ts)
        except RejectedFrame:
            return
        if (meaning.market, meaning.symbol) in self._based:
            return  # a book starts once
        self._based[meaning.market, meaning.symbol] = decoded.batches[0].last_id
        seed = {"symbol": meaning.symbol, "url": url, "body": body.decode(), "time": ts}
        self._seeds.setdefault(meaning.market, []).append(seed)
        self._add(meaning.market, "rest", "book snapshot", body, url, ts, (decoded.batches[0].instrument,))

    def _needs_base(self, market: str) -> bool:
        """Books that start from a REST snapshot; the others' snapshots are among the frames."""
        return any(of_market == market for of_market, _ in self._based) or self._capture.exchange == "binance"

    def _learn(self, market: str, symbol: str) -> None:
        number = self._numbers.setdefault((market, symbol), len(self._numbers))
        self._decoder.add_symbol(market, symbol, number)

    def _symbol(self, market: str, number: int) -> str:
        return next(name for (of, name), known in self._numbers.items() if known == number and of == market)

    def _add(
        self, market: str, way: str, channel: str, frame: bytes, url: str, ts: int, numbers: tuple[int, ...]
    ) -> None:
        case = self._cases.setdefault(
            (market, way, channel), Frames(self._capture.name, self._capture.exchange, market, way, channel, url)
        )
        if len(case.frames) >= self._most:
            return
        case.frames.append((ts, frame.decode()))
        for number in numbers:
            symbol = self._symbol(market, number)
            if symbol not in case.symbols:
                case.symbols[symbol] = dict(self._exchange.guessed(market, symbol).metadata)
