"""Rings as lines, one per record or frame, for ``tail``."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

import msgspec
import numpy as np

from ringcollect.records import RECORD, WHOLE_EXCHANGE, Channel, Flag, Kind, Status
from ringcollect.ring.attach import Reader
from ringcollect.ring.layout import FRAME_ENTRY

_SIDES = {1: "buy", -1: "sell", 0: "-"}
_PAYLOAD_SHOWN = 200


class More(NamedTuple):
    """What came since the look before, and the positions ``[lost[0], lost[1])`` that were lost before it."""

    lines: list[str]
    lost: tuple[int, int]


class Lines(Protocol):
    """A ring as lines."""

    def newest(self, count: int) -> list[str]:
        """The newest ``count`` lines; ``more`` goes on behind them."""

    def more(self) -> More:
        """What came since; never waits. Raises RingReset when the ring is over."""


def open_lines(reader: Reader, *, as_json: bool) -> Lines:
    """The lines of ``reader``'s ring: of records with any dtype, or of frames."""
    return FrameLines(reader, as_json) if reader.dtype == FRAME_ENTRY else RecordLines(reader, as_json)


class RecordLines:
    """Records; JSON gives every field, the text the telling ones."""

    def __init__(self, reader: Reader, as_json: bool) -> None:
        self._reader = reader
        self._json = as_json
        self._symbols: dict[int, str] = {WHOLE_EXCHANGE: "*"}

    def newest(self, count: int) -> list[str]:
        """Out of everything the ring still holds, as many as pass the reader's filter."""
        reader = self._reader
        end = reader.cursor = reader.head
        span = count
        while True:
            found = reader.last(span)
            found = found[found["seq"] < end]
            if len(found) >= count or span >= reader.capacity:
                return self._lines(found[len(found) - min(count, len(found)) :])
            span = min(span * 4, reader.capacity)

    def more(self) -> More:
        records, lost = self._reader.read()
        return More(self._lines(records), lost)

    def _lines(self, records: np.ndarray) -> list[str]:
        return list(self._spell(records))

    def _spell(self, records: np.ndarray) -> Iterator[str]:
        names = records.dtype.names or ()
        for record in records:
            fields = {name: record[name].item() for name in names if record[name].ndim == 0}
            symbol = self._symbol(fields["instrument"]) if "instrument" in fields else ""
            if self._json:
                yield msgspec.json.encode({"symbol": symbol} | _spelled(fields)).decode()
            elif records.dtype == RECORD:
                yield _record_text(fields, symbol)
            else:
                yield _row_text(fields, symbol)

    def _symbol(self, number: int) -> str:
        if number not in self._symbols:
            if number >= self._reader.instrument_count:
                return f"#{number}"
            instrument = self._reader.instrument(number)
            self._symbols[number] = f"{instrument.market}:{instrument.symbol}"
        return self._symbols[number]


class FrameLines:
    """Frames with the beginning of their payload, or all of it as JSON."""

    def __init__(self, reader: Reader, as_json: bool) -> None:
        from ringcollect.ring.frames import FrameReader  # loads the kernels, which plain records do not need

        self._frames = FrameReader(reader)
        self._json = as_json

    def newest(self, count: int) -> list[str]:
        """The newest frames, as far as their payloads are still there."""
        ring = self._frames.ring
        end = ring.head
        ring.cursor = max(0, end - min(count, ring.capacity))
        return self.more().lines if count else []

    def more(self) -> More:
        entries, lost = self._frames.read()
        return More([self._spell(entry) for entry in entries], lost)

    def _spell(self, entry: Any) -> str:
        payload = entry.payload.decode(errors="replace")
        if self._json:
            content = entry._asdict() | {"direction": entry.direction.name.lower(), "payload": payload}
            return msgspec.json.encode(content).decode()
        shown = payload[:_PAYLOAD_SHOWN] + ("…" if len(payload) > _PAYLOAD_SHOWN else "")
        words = [f"{entry.seq:>10}", clock(entry.ts_recv), f"conn {entry.conn}", entry.direction.name.lower()]
        return "  ".join([*words, *filter(None, (entry.reason, entry.url)), shown])


def clock(ns: int) -> str:
    """UTC time of day to the microsecond, ``-`` for 0."""
    if not ns:
        return "-"
    moment = datetime.datetime.fromtimestamp(ns // 10**9, datetime.UTC)
    return f"{moment:%H:%M:%S}.{ns % 10**9 // 1000:06d}"


def _record_text(fields: dict[str, Any], symbol: str) -> str:
    kind, sub = fields["kind"], fields["sub"]
    what = _name(Kind, kind)
    if kind == Kind.STATUS:
        channel = _name(Channel, fields["side"])
        detail = f"{_name(Status, sub)} {channel} id {fields['id']} aux {fields['aux']}"
    else:
        detail = (
            f"{_SIDES.get(fields['side'], '?'):4} {fields['price']!r:>14} x {fields['size']!r:<12} id {fields['id']}"
        )
    flags = "|".join(flag.name or "" for flag in Flag if fields["flags"] & flag)
    return f"{fields['seq']:>10}  {clock(fields['ts_recv'])}  {symbol:16} {what:13} {detail}  {flags}".rstrip()


def _row_text(fields: dict[str, Any], symbol: str) -> str:
    rest = {name: value for name, value in fields.items() if name not in ("seq", "instrument", "reserved", "bar")}
    if "ts_open_ns" in rest:
        when = f"{clock(rest.pop('ts_open_ns'))} to {clock(rest.pop('ts_close_ns'))}"
    else:
        when = clock(rest.pop("ts_ns", 0))
    words = (f"{name}={value:.10g}" if isinstance(value, float) else f"{name}={value}" for name, value in rest.items())
    return f"{fields['seq']:>10}  {when}  {symbol:16} {'  '.join(words)}"


def _spelled(fields: dict[str, Any]) -> dict[str, Any]:
    """JSON has no NaN: it becomes null; a record's kind gets its name beside its code."""
    spelled = {k: None if isinstance(v, float) and v != v else v for k, v in fields.items()}
    if "kind" in fields:
        spelled["kind_name"] = _name(Kind, fields["kind"])
    return spelled


def _name(codes: Any, code: int) -> str:
    return codes(code).name.lower() if code in set(codes) else f"code {code}"
