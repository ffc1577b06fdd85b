"""One exchange, day after day: status records, rows and certificates of a lake into facts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

import numpy as np

from ringcollect.errors import LakeError
from ringcollect.records import CHANNEL_NAMES, CHANNELS_BY_NAME, Channel, Status
from ringcollect.store.files import LakeFile, files, open_file
from ringcollect.store.location import Lake
from ringcollect.store.naming import DAY_NS, TABLES_OF_CHANNEL, folder_value
from ringcollect.store.quality.alive import Alive
from ringcollect.store.quality.counters import Counted, Counters, Key
from ringcollect.store.quality.events import COLUMNS as EVENT_COLUMNS
from ringcollect.store.quality.events import WHOLE, Instruments, Piece, events_of
from ringcollect.store.quality.facts import SHOWN, Clock, DayFacts, LostRange, StreamFacts
from ringcollect.store.quality.presence import Presence
from ringcollect.store.quality.rows import COLUMNS as ROW_COLUMNS
from ringcollect.store.quality.rows import RowFacts, Rows
from ringcollect.store.quality.streams import COLLECTOR, Stream
from ringcollect.store.quality.windows import clip, total_ns
from ringcollect.store.selection import Selection

_CHANNEL_OF_TABLE = {table: CHANNELS_BY_NAME[channel] for channel, table in TABLES_OF_CHANNEL.items()}
_QUOTES = ("bid_price", "ask_price")
Progress = Callable[[int, int], None]


class ExchangeDays:
    """The days of one exchange in order; what one day leaves open goes on into the next."""

    def __init__(self, lake: Lake, server: str, exchange: str, selection: Selection) -> None:
        self._lake = lake
        self._server = server
        self._exchange = exchange
        self._selection = selection
        self._instruments = Instruments()
        self._streams: dict[Key, Stream] = {}
        self._presence = Presence()
        self._counters = Counters()
        self._alive = Alive()

    def before(self, date: str, found: list[LakeFile]) -> None:
        """Take the day before the first one asked for: how it ended is how that one begins."""
        events = self._events(found)
        self._fold(events, found, _start_of(date))
        self._counters.day(events)

    def day(self, date: str, from_ns: int, until_ns: int, found: list[LakeFile]) -> DayFacts:
        """The facts of one day, from its ``found`` files; it is judged from ``from_ns`` to ``until_ns``."""
        events = self._events(found)
        rows = self._fold(events, found, _start_of(date))
        counted = self._counters.day(events)
        streams = [
            self._stream(key, rows.get(key), counted.get(key, Counted()), from_ns, until_ns)
            for key in sorted(self._streams.keys() | rows.keys())
            if self._wants(key)
        ]
        streams = [stream for stream in streams if stream.rows or stream.rest_rows or stream.wanted_s]
        offline = clip(self._presence.offline, from_ns, until_ns)
        self._presence.forget(until_ns)
        for stream in self._streams.values():
            stream.forget(until_ns)
        return DayFacts(
            exchange=self._exchange,
            server=self._server,
            date=date,
            from_ns=from_ns,
            until_ns=until_ns,
            streams=streams,
            offline=offline,
            offline_s={
                cause: total_ns(w for w in offline if w.cause == cause) / 1e9
                for cause in sorted({w.cause for w in offline})
            },
            clock=_clock(events, streams),
            rejected_frames=int(np.nansum(events["number_1"][events["code"] == Status.REJECTED])),
            lost=self._lost(date),
            lost_by_consumers=int(np.count_nonzero(events["code"] == Status.LOST)),
        )

    def _wants(self, key: Key) -> bool:
        market, symbol = self._instruments.names[key[0]]
        chosen = self._selection
        return (not chosen.markets or market in chosen.markets) and chosen.wants_symbol(symbol)

    def _events(self, found: list[LakeFile]) -> np.ndarray:
        pieces = []
        for file in found:
            if file.table == "status":
                number = self._instruments.number(file.market, file.symbol)
                with open_file(self._lake, file) as opened:
                    pieces.append(Piece(number, opened.read(columns=EVENT_COLUMNS)))
        events = events_of(pieces)
        for row in events[events["code"] == Status.START]:
            self._alive.begin_at(int(row["generation"]), int(row["seq"]))
        return events

    def _fold(self, events: np.ndarray, found: list[LakeFile], day_ns: int) -> dict[Key, _Tables]:
        rows: dict[Key, _Tables] = {}
        for (number, table), own in groupby(sorted(found, key=self._order), key=lambda f: self._order(f)[:2]):
            channel = _CHANNEL_OF_TABLE.get(table)
            tables = self._read(own, day_ns)
            if number != WHOLE and channel is not None:
                rows[number, int(channel)] = tables
        for row in events[events["code"] != Status.COUNTERS]:
            self._event(row, day_ns)
        if not self._presence.is_known:
            for key in [key for key in rows if key not in self._streams and rows[key].raw.rows]:
                self._begin(key, day_ns)
        return rows

    def _order(self, file: LakeFile) -> tuple[int, str, str, str]:
        return self._instruments.number(file.market, file.symbol), file.table, file.tier, file.path

    def _read(self, own: Iterable[LakeFile], day_ns: int) -> _Tables:
        """All rows of one stream, WebSocket's and REST's apart."""
        tiers = {"raw": Rows(day_ns), "rest": Rows(day_ns)}
        for file in own:
            wanted = [*ROW_COLUMNS, *(_QUOTES if file.table == "quotes" else ())]
            rows = tiers[file.tier]
            with open_file(self._lake, file) as opened:
                for batch in opened.iter_batches(1 << 16, columns=wanted):
                    columns = {name: batch[name].to_numpy(zero_copy_only=False) for name in wanted}
                    self._alive.add(columns["generation"], columns["seq"], columns["ts_recv"])
                    rows.add(columns["ts_event"], columns["ts_recv"], columns["flags"])
                    if file.table == "quotes":
                        rows.quotes(columns["ts_recv"], columns["bid_price"], columns["ask_price"])
        return _Tables(tiers["raw"].facts(), tiers["rest"].rows)

    def _begin(self, key: Key, day_ns: int) -> Stream:
        """A stream not heard of before. Of a run whose START is in no file, it is one that flowed already."""
        stream = self._streams[key] = Stream()
        if not self._presence.is_known:
            stream.assume(day_ns)
        return stream

    def _event(self, row: np.void, day_ns: int) -> None:
        between = self._presence.event(row, self._alive)
        code = int(row["code"])
        if code == Status.START:
            for stream in self._streams.values():
                if between is not None and between.cause != "stop":
                    stream.stopped(between.from_ns, between.cause)
                stream.started(int(row["ts_recv"]))
        elif code == Status.STOP:
            for stream in self._streams.values():
                stream.stopped(int(row["ts_recv"]), "stop")
        elif int(row["instrument"]) != WHOLE and row["channel"] != Channel.NONE:
            key = int(row["instrument"]), int(row["channel"])
            (self._streams.get(key) or self._begin(key, day_ns)).event(row)

    def _stream(self, key: Key, tables: _Tables | None, counted: Counted, from_ns: int, until_ns: int) -> StreamFacts:
        market, symbol = self._instruments.names[key[0]]
        stream = self._streams.get(key, Stream())
        raw, rest_rows = tables or _Tables(Rows(from_ns).facts(), 0)
        wanted = total_ns(clip(stream.wanted, from_ns, until_ns))
        missing = [
            part
            for span in clip(stream.wanted, from_ns, until_ns)
            for part in clip([*stream.gaps, *stream.resyncs], span.from_ns, span.to_ns or until_ns)
        ]
        own = [gap for gap in stream.gaps if not gap.cause.startswith(COLLECTOR)]
        gaps = clip([*own, *stream.resyncs], from_ns, until_ns)
        sequence = clip(stream.sequence, from_ns, until_ns, moments=True)
        covered = wanted - total_ns(missing)
        return StreamFacts(
            market=market,
            symbol=symbol,
            channel=CHANNEL_NAMES[Channel(key[1])],
            rows=raw.rows,
            rest_rows=rest_rows,
            frames=counted.frames,
            duplicates_dropped=counted.duplicates,
            duplicate_flags=raw.duplicate_flags,
            first_ns=raw.first_ns,
            last_ns=raw.last_ns,
            wanted_s=wanted / 1e9,
            covered_s=covered / 1e9,
            coverage=covered / wanted if wanted else None,
            gaps=gaps[:SHOWN],
            gap_count=len(gaps),
            gap_s=total_ns(gaps) / 1e9,
            gap_flags=raw.gap_flags,
            sequence_gaps=sequence[:SHOWN],
            sequence_gap_count=len(sequence),
            longest_silence_s=raw.silence_ns / 1e9,
            silent_from_ns=raw.silent_from_ns,
            crossed_s=raw.crossed_ns / 1e9,
            crossings=raw.crossings,
            bad_ts=raw.bad_ts,
            unsynced_rows=raw.unsynced,
            latency=raw.latency,
            hours_p50_ns=raw.hours_p50_ns,
            hours_p99_ns=raw.hours_p99_ns,
            minutes=raw.minutes.tolist(),
        )

    def _lost(self, date: str) -> list[LostRange]:
        lost = []
        server = f"/server={folder_value(self._server)}" if self._server else ""
        folder = f"certificates/exchange={folder_value(self._exchange)}{server}/date={date}"
        for entry in self._lake.files(folder):
            if not entry.key.endswith(".json"):
                continue
            try:
                content = json.loads(self._lake.read(entry.key))
                ring, generation, ranges = content["ring"], content["generation"], content["lost"]
            except (ValueError, KeyError, TypeError) as error:
                raise LakeError(f"{entry.key}: is not a certificate: {error!r}") from error
            lost += [
                LostRange(ring=ring, generation=generation, seq_from=first, seq_to=last, cause=cause)
                for first, last, cause in ranges
            ]
        return lost


class _Tables(NamedTuple):
    """The rows of one stream: by WebSocket, and how many by REST."""

    raw: RowFacts
    rest_rows: int


def _clock(events: np.ndarray, streams: list[StreamFacts]) -> Clock:
    samples = events[events["code"] == Status.CLOCK]
    offsets = samples["number_1"][~np.isnan(samples["number_1"])]
    return Clock(
        steps_s=events["number_1"][events["code"] == Status.CLOCK_STEP].tolist(),
        samples=len(samples),
        undisciplined=len(samples) - len(offsets),
        offset_max_s=float(np.abs(offsets).max()) if len(offsets) else None,
        dispersion_max_s=float(samples["number_2"].max()) if len(samples) else None,
        bad_ts=sum(stream.bad_ts for stream in streams),
        negative_latency=sum(stream.latency.negative for stream in streams if stream.latency),
    )


def _start_of(date: str) -> int:
    return int(np.datetime64(date, "ns").astype(np.int64))


def days_of(lake: Lake, selection: Selection, now_ns: int, progress: Progress | None = None) -> Iterator[DayFacts]:
    """Every collector (of an archive that several share), exchange and day of the selection that the lake has sealed
    files of, in order.

    Memory: one day's status records of one exchange, and 12 kB per stream of it.
    """
    found: dict[tuple[str, str], dict[str, list[LakeFile]]] = {}
    asked = Selection(
        start_ns=max(0, selection.start_ns - DAY_NS), end_ns=selection.end_ns, exchanges=selection.exchanges
    )
    for file in files(lake, asked, ("raw", "rest")):
        found.setdefault((file.value("server"), file.exchange), {}).setdefault(file.date, []).append(file)
    first, last = selection.dates()
    total = sum(first <= date <= last for days in found.values() for date in days)
    done = 0
    for server, exchange in sorted(found):
        worker = ExchangeDays(lake, server, exchange, selection)
        days = found[server, exchange]
        for date in sorted(days):
            day_ns = _start_of(date)
            end_ns = min(day_ns + DAY_NS, selection.end_ns)
            if date < first:
                worker.before(date, days[date])
            elif max(day_ns, selection.start_ns) < end_ns:
                if progress is not None:
                    progress(done, total)
                begin_ns = max(day_ns, selection.start_ns)
                yield worker.day(date, begin_ns, max(begin_ns, min(end_ns, now_ns)), days[date])
                done += 1
