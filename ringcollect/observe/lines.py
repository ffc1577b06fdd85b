"""Records as lines: one per record, for ``tail``."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np

from ringcollect.records import RECORD, WHOLE_EXCHANGE, Channel, Flag, Kind, Status
from ringcollect.ring.attach import Reader

_SIDES = {1: "buy", -1: "sell", 0: "-"}


class Printer:
    """Spells the records of one ring; ``as_json`` gives every field, the text the telling ones."""

    def __init__(self, reader: Reader, *, as_json: bool) -> None:
        self._reader = reader
        self._json = as_json
        self._symbols: dict[int, str] = {WHOLE_EXCHANGE: "*"}

    def lines(self, records: np.ndarray) -> Iterator[str]:
        """One line per record."""
        names = records.dtype.names or ()
        for record in records:
            fields = {name: record[name].item() for name in names if record[name].ndim == 0}
            symbol = self._symbol(fields["instrument"]) if "instrument" in fields else ""
            if self._json:
                yield msgspec.json.encode({"symbol": symbol} | _spelled(fields)).decode()
            elif records.dtype == RECORD:
                yield _record_text(fields, symbol)
            else:
                yield _other_text(fields, symbol)

    def _symbol(self, number: int) -> str:
        if number not in self._symbols:
            if number >= self._reader.instrument_count:
                return f"#{number}"
            instrument = self._reader.instrument(number)
            self._symbols[number] = f"{instrument.market}:{instrument.symbol}"
        return self._symbols[number]


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


def _other_text(fields: dict[str, Any], symbol: str) -> str:
    rest = {name: value for name, value in fields.items() if name not in ("seq", "instrument", "reserved")}
    when = next((clock(rest.pop(name)) for name in ("ts_ns", "ts_recv") if name in rest), "-")
    body = "  ".join(
        f"{name}={value:.10g}" if isinstance(value, float) else f"{name}={value}" for name, value in rest.items()
    )
    return f"{fields['seq']:>10}  {when}  {symbol:16} {body}"


def _spelled(fields: dict[str, Any]) -> dict[str, Any]:
    """JSON has no NaN: it becomes null; a record's kind gets its name beside its code."""
    spelled = {k: None if isinstance(v, float) and v != v else v for k, v in fields.items()}
    if "kind" in fields:
        spelled["kind_name"] = _name(Kind, fields["kind"])
    return spelled


def _name(codes: Any, code: int) -> str:
    return codes(code).name.lower() if code in set(codes) else f"code {code}"
