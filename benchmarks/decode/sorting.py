"""Captured frames, sorted into cases by what our own decoder makes of them.

Nothing here knows a venue's messages: the market comes from the connection's URL (or the capture's row), channel and
snapshots from the decoder; symbols are made known when they first appear.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.decode.captures import CAPTURES, HISTORY, SNAPSHOT, Capture, Frames
from benchmarks.form import Form
from ringcollect.errors import RejectedFrame
from ringcollect.exchanges import NAMES, load
from ringcollect.exchanges.hot import HOT_CHANNELS
from ringcollect.exchanges.protocol import Batch, Code, Decoded, Decoder, Exchange, Outcome, Purpose
from ringcollect.records import Channel, Flag, Kind
from ringcollect.sources.capture import CaptureReader
from ringcollect.sources.events import EventKind

DAY_NS = 86_400 * 10**9
MOST, MOST_IN_CI = 13_000, 200
"""Frames of a case: as many as the longest book has."""
MOST_ALONE = 5_000
"""Of channels whose frames do not build on each other: more of them say the same."""
LEAST_HOT = 5
"""A hot case of fewer frames says nothing; snapshots, of which a capture has few, are long."""


def cases(form: Form) -> tuple[list[Frames], list[str]]:
    """Every case of every capture there is, and notes about those that are not."""
    folder = Path(os.environ["RINGCOLLECT_CAPTURES"])
    found: list[Frames] = []
    absent: list[str] = []
    missing: list[str] = []
    skipped: list[str] = []
    for capture in CAPTURES:
        path = folder / f"{capture.name}.jsonl.gz"
        if capture.exchange not in NAMES:
            absent.append(capture.exchange)
        elif capture.cold_only and not form.peers:
            skipped.append(capture.name)
        elif not path.is_file():
            missing.append(capture.name)
        else:
            found += Sorter(capture, MOST if form.peers else MOST_IN_CI).sort(path)
    notes = [
        f"{what}: {', '.join(dict.fromkeys(names))}"
        for what, names in (
            ("exchanges that have no decoder yet", absent),
            ("not among the captures", missing),
            (f"left out of the {form.name} form", skipped),
        )
        if names
    ]
    return found, notes


class Sorter:
    """Reads one capture through our decoder."""

    def __init__(self, capture: Capture, most: int) -> None:
        self._capture = capture
        self._most = most
        self._exchange: Exchange = load(capture.exchange)
        self._decoder: Decoder = self._exchange.decoder(max_past_ns=DAY_NS, max_future_skew_ns=DAY_NS)
        self._numbers: dict[str, int] = {}
        self._cases: dict[tuple[str, str, str], Frames] = {}
        self._hot_books: set[str] = set()
        self._bases: dict[tuple[str, str], int] = {}
        self._seeds: dict[str, list[dict[str, Any]]] = {}
        self._preludes: dict[str, list[tuple[int, str]]] = {}

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
                market, streams = (meaning.market, meaning.streams) if meaning else ("", ())
                legs[event.conn] = (market or self._capture.market, streams, event.url)
            elif event.kind == EventKind.IN:
                market, streams, url = legs.get(event.conn, (self._capture.market, (), ""))
                conn = 0 if self._capture.cold_only else event.conn
                self._frame(event.payload, self._decoder.context(market, conn, streams), market, url, event.ts)
        for (market, way, channel), case in self._cases.items():
            if (way, channel) == ("hot", "book") and not self._capture.cold_only:
                case.follows = True
                case.way = "hot" if market in self._hot_books else "cold"
                case.seeds = [seed for seed in self._seeds.get(market, []) if seed["symbol"] in case.symbols]
                case.prelude = self._preludes.get(market, [])
            if not case.symbols:  # frames of which nothing is recorded are still about somebody
                case.symbols = self._of(market)
        kept = [case for case in self._cases.values() if self._is_worth_it(case)]
        return sorted(kept, key=lambda case: (case.way != "hot", case.market))

    def _of(self, market: str) -> dict[str, dict[str, Any]]:
        """Every symbol of a market that has appeared."""
        known = [name.partition(" ") for name in self._numbers]
        return {
            symbol: dict(self._exchange.guessed(of, symbol).metadata) | {"market": of}
            for of, _, symbol in known
            if of == market
        }

    def _is_worth_it(self, case: Frames) -> bool:
        return case.way != "hot" or case.stands_alone or len(case.frames) >= LEAST_HOT

    def _frame(self, frame: bytes, ctx: np.ndarray, market: str, url: str, ts: int) -> None:
        answer = self._exchange.decode_hot(frame, ctx, ts)
        while answer == Code.UNKNOWN_SYMBOL and self._learn(market, self._decoder.unknown_symbol(frame, ctx)):
            answer = self._exchange.decode_hot(frame, ctx, ts)
        if answer == Code.SLOW and self._is_first(frame, ctx, market, ts):
            answer = self._exchange.decode_hot(frame, ctx, ts)  # the shared kernel takes known symbols only
        if answer >= 0:
            taken = self._decoder.all_taken(ctx)
            if taken:  # a markPrice holds three channels; it is called by its first
                way = "hot" if taken[0].channel in HOT_CHANNELS else "cold"
                self._place(market, way, taken[0], frame, url, ts)
            else:
                self._add(market, "cold", Outcome.IGNORED.name.lower(), frame, url, ts)
            return
        try:
            decoded = self._cold(frame, ctx, market, ts)
        except RejectedFrame:
            return
        if decoded.batches:
            self._place(market, "cold", decoded.batches[0], frame, url, ts)
        else:
            self._add(market, "cold", decoded.outcome.name.lower(), frame, url, ts)

    def _place(self, market: str, way: str, batch: Batch, frame: bytes, url: str, ts: int) -> None:
        symbol = self._symbol(batch.instrument)
        if batch.channel == Channel.TRADE and len(batch.records) and int(batch.records["flags"][0]) & Flag.SNAPSHOT:
            self._add(market, way, HISTORY, frame, url, ts, symbol)  # prints of before the subscription
            return
        if batch.channel != Channel.BOOK or self._capture.cold_only:
            self._add(market, way, batch.channel.name.lower(), frame, url, ts, symbol)
            return
        base = self._bases.get((market, symbol))
        is_snapshot = len(batch.records) > 0 and int(batch.records[0]["kind"]) == Kind.BOOK_SNAPSHOT
        if is_snapshot:
            self._add(market, way, SNAPSHOT, frame, url, ts, symbol)
        if base is None and is_snapshot:
            self._bases[market, symbol] = batch.last_id
            self._preludes.setdefault(market, []).append((ts, frame.decode()))
        elif base is not None and (batch.last_id > base or batch.last_id <= 0 or is_snapshot):
            self._add(market, "hot", "book", frame, url, ts, symbol)
            if way == "hot":
                self._hot_books.add(market)

    def _is_first(self, frame: bytes, ctx: np.ndarray, market: str, ts: int) -> bool:
        """Whether the frame names somebody nobody knew; not any more then."""
        try:
            unknown = self._decoder.cold(frame, ctx, ts).unknown
        except RejectedFrame:
            return False
        learned = [self._learn(market, symbol) for symbol in unknown]
        return any(learned)

    def _cold(self, frame: bytes, ctx: np.ndarray, market: str, ts: int) -> Decoded:
        decoded = self._decoder.cold(frame, ctx, ts)
        for symbol in decoded.unknown:
            self._learn(market, symbol)
        return self._decoder.cold(frame, ctx, ts) if decoded.unknown else decoded

    def _rest(self, url: str, body: bytes, ts: int) -> None:
        meaning = self._exchange.read_rest(url)
        if meaning is None or meaning.purpose != Purpose.SNAPSHOT:
            return
        if (meaning.market, meaning.symbol) in self._bases or not self._learn(meaning.market, meaning.symbol):
            return  # a book starts once
        try:
            decoded = self._decoder.rest(meaning, body, ts)
        except RejectedFrame:
            return
        self._bases[meaning.market, meaning.symbol] = decoded.batches[0].last_id
        seed = {"symbol": meaning.symbol, "url": url, "body": body.decode(), "time": ts}
        self._seeds.setdefault(meaning.market, []).append(seed)
        self._add(meaning.market, "rest", SNAPSHOT, body, url, ts, meaning.symbol)

    def _learn(self, market: str, symbol: str) -> bool:
        """Make a symbol known; False where it is of a market nobody collects."""
        of = self._exchange.market_of(market, symbol, ())
        if of:
            self._decoder.add_symbol(of, symbol, self._numbers.setdefault(f"{of} {symbol}", len(self._numbers)))
        return bool(of)

    def _symbol(self, number: int) -> str:
        return next(name.partition(" ")[2] for name, known in self._numbers.items() if known == number)

    def _add(self, market: str, way: str, channel: str, frame: bytes, url: str, ts: int, symbol: str = "") -> None:
        case = self._cases.setdefault(
            (market, way, channel), Frames(self._capture.name, self._capture.exchange, market, way, channel, url)
        )
        if len(case.frames) >= (self._most if channel == "book" else min(self._most, MOST_ALONE)):
            return
        case.frames.append((ts, frame.decode()))
        if symbol and symbol not in case.symbols:
            of = self._exchange.market_of(market, symbol, ())
            case.symbols[symbol] = dict(self._exchange.guessed(of, symbol).metadata) | {"market": of}
