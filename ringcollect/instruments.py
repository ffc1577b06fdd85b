"""Instruments: what a record's ``instrument`` number means, for ever.

The registry is one append-only JSON-lines file per exchange. A line is one version of one instrument; a number
belongs to one (exchange, market, symbol) across reload, relisting and reboot. Rings hold a copy of the latest
versions as rows of 256 bytes (``INSTRUMENT_ROW``).
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from ringcollect.errors import RingcollectError

MAX_INSTRUMENTS = 4096
MAX_SYMBOL_BYTES = 63
MARKETS = ("spot", "linear", "inverse", "option")
SIZE_UNITS = ("base", "quote", "contract")
_UNKNOWN_PRECISION = -1

INSTRUMENT_ROW = np.dtype(
    [
        ("version", "<i8"),  # odd while the producer rewrites the row; 0 = empty
        ("valid_from_ns", "<i8"),
        ("tick_size", "<f8"),
        ("lot_size", "<f8"),
        ("multiplier", "<f8"),
        ("funding_interval_ns", "<i8"),
        ("book_depth", "<i4"),
        ("number", "<u2"),
        ("price_precision", "<i2"),
        ("size_precision", "<i2"),
        ("market", "u1"),
        ("size_unit", "u1"),
        ("inverse", "u1"),
        ("inferred", "u1"),
        ("reserved", "S2"),
        ("symbol", "S64"),
        ("unified", "S48"),
        ("exchange", "S16"),
        ("base", "S24"),
        ("quote", "S24"),
        ("status", "S16"),
    ]
)
assert INSTRUMENT_ROW.itemsize == 256


class Instrument(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One version of one instrument. Sizes of its records are in ``size_unit``; see :func:`to_base`."""

    number: int
    exchange: str
    market: str
    symbol: str
    unified: str = ""
    base: str = ""
    quote: str = ""
    size_unit: str = "base"
    multiplier: float = 1.0
    inverse: bool = False
    tick_size: float | None = None
    lot_size: float | None = None
    price_precision: int = _UNKNOWN_PRECISION
    size_precision: int = _UNKNOWN_PRECISION
    funding_interval_ns: int = 0
    book_depth: int = 0
    status: str = "trading"
    inferred: bool = False
    valid_from_ns: int = 0
    version: int = 1


def to_base(size: Any, price: Any, instrument: Instrument) -> Any:
    """``size`` (float or array, the venue's own unit) in base units, at ``price`` (quote per base).

    base: unchanged; quote: divided by price; contract: times the multiplier, and for inverse contracts, whose
    multiplier is an amount of quote currency, divided by price.
    """
    if instrument.size_unit == "base":
        return size
    if instrument.size_unit == "quote":
        return size / price
    if instrument.inverse:
        return size * instrument.multiplier / price
    return size * instrument.multiplier


def check_symbol(symbol: str) -> None:
    """Refuse what no ring row can hold: empty, over 63 UTF-8 bytes, control characters, lone surrogates."""
    try:
        raw = symbol.encode()
    except UnicodeEncodeError as error:
        raise RingcollectError(f"symbol {symbol!r} is not valid Unicode") from error
    if not raw or len(raw) > MAX_SYMBOL_BYTES:
        raise RingcollectError(f"symbol {symbol!r} has {len(raw)} UTF-8 bytes; 1 to {MAX_SYMBOL_BYTES} are allowed")
    if any(ord(c) < 32 or ord(c) == 127 for c in symbol):
        raise RingcollectError(f"symbol {symbol!r} has control characters")


def _fit(text: str, size: int) -> bytes:
    """``text`` as UTF-8 cut to ``size`` bytes at a character boundary."""
    return text.encode()[:size].decode(errors="ignore").encode()


def pack_instrument(instrument: Instrument) -> bytes:
    """One INSTRUMENT_ROW (256 bytes). Only descriptive texts may be cut; symbols are refused before."""
    check_symbol(instrument.symbol)
    row = np.zeros(1, INSTRUMENT_ROW)
    for name in (
        "valid_from_ns", "multiplier", "funding_interval_ns", "book_depth", "number",
        "price_precision", "size_precision", "inverse", "inferred",
    ):  # fmt: skip
        row[name] = getattr(instrument, name)
    row["version"] = instrument.version * 2
    row["tick_size"] = math.nan if instrument.tick_size is None else instrument.tick_size
    row["lot_size"] = math.nan if instrument.lot_size is None else instrument.lot_size
    row["market"] = MARKETS.index(instrument.market)
    row["size_unit"] = SIZE_UNITS.index(instrument.size_unit)
    for name in ("symbol", "unified", "exchange", "base", "quote", "status"):
        row[name] = _fit(getattr(instrument, name), INSTRUMENT_ROW[name].itemsize)
    return row.tobytes()


def unpack_instrument(raw: bytes) -> Instrument:
    """The inverse of :func:`pack_instrument`."""
    row = np.frombuffer(raw, INSTRUMENT_ROW, 1)[0]
    tick, lot = float(row["tick_size"]), float(row["lot_size"])
    return Instrument(
        number=int(row["number"]),
        exchange=row["exchange"].decode(),
        market=MARKETS[row["market"]],
        symbol=row["symbol"].decode(),
        unified=row["unified"].decode(),
        base=row["base"].decode(),
        quote=row["quote"].decode(),
        size_unit=SIZE_UNITS[row["size_unit"]],
        multiplier=float(row["multiplier"]),
        inverse=bool(row["inverse"]),
        tick_size=None if math.isnan(tick) else tick,
        lot_size=None if math.isnan(lot) else lot,
        price_precision=int(row["price_precision"]),
        size_precision=int(row["size_precision"]),
        funding_interval_ns=int(row["funding_interval_ns"]),
        book_depth=int(row["book_depth"]),
        status=row["status"].decode(),
        inferred=bool(row["inferred"]),
        valid_from_ns=int(row["valid_from_ns"]),
        version=int(row["version"]) // 2,
    )


class Registry:
    """Numbers of one exchange's instruments; ``path=None`` keeps them in memory (replay).

    Appending is one ``write`` of one line. A torn last line (power cut) is cut off on open: its number was not
    yet used by any record that reached the disk. Any other bad line is an error naming file and line.
    ``append_errors`` counts versions the disk refused; the numbers stay valid in memory and in the ring.
    """

    def __init__(self, path: Path | None, exchange: str) -> None:
        self.exchange = exchange
        self.append_errors = 0
        self._path = path
        self._latest: list[Instrument] = []
        self._numbers: dict[tuple[str, str], int] = {}
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.exists():
                self._load(path)

    def _load(self, path: Path) -> None:
        raw = path.read_bytes()
        whole = raw[: raw.rfind(b"\n") + 1]
        if len(whole) < len(raw):
            os.truncate(path, len(whole))
        for number, line in enumerate(whole.splitlines(), 1):
            try:
                instrument = msgspec.json.decode(line, type=Instrument)
            except msgspec.DecodeError as error:
                raise RingcollectError(f"{path}: line {number}: {error}") from error
            self._store(instrument, f"{path}: line {number}")

    def _store(self, instrument: Instrument, where: str) -> None:
        key = (instrument.market, instrument.symbol)
        expected = self._numbers.get(key, len(self._latest))
        if instrument.number != expected or instrument.exchange != self.exchange:
            raise RingcollectError(f"{where}: {key} has number {instrument.number}, expected {expected}")
        if expected == len(self._latest):
            self._latest.append(instrument)
            self._numbers[key] = expected
        else:
            self._latest[expected] = instrument

    def get(self, market: str, symbol: str) -> Instrument | None:
        """Latest version of the instrument, or None."""
        number = self._numbers.get((market, symbol))
        return None if number is None else self._latest[number]

    def by_number(self, number: int) -> Instrument:
        """Latest version of instrument ``number``; IndexError if there is none."""
        return self._latest[number]

    def rows(self) -> list[Instrument]:
        """Latest version of every instrument, by number."""
        return list(self._latest)

    def adopt(self, table: Sequence[Instrument | None]) -> bool:
        """Take over the numbers of a ring that outlived this file; False, and nothing changed, if they contradict it.

        ``table`` is the ring's instrument table, by number; None is a row its producer died in. A lake that was moved
        or deleted while its rings stayed in memory must not give the ring's numbers another meaning.
        """
        known = len(self._latest)
        fresh = []
        for number, instrument in enumerate(table):
            if instrument is None:
                if number >= known:
                    return False
                continue
            own = self._numbers.get((instrument.market, instrument.symbol))
            if (own is not None or number < known) and own != number:
                return False
            if number >= known:
                fresh.append(instrument)
        for instrument in fresh:
            self._store(instrument, f"adopt {instrument.symbol}")
            self._append(instrument)
        return True

    def register(self, market: str, symbol: str, valid_from_ns: int, **metadata: Any) -> tuple[Instrument, bool, bool]:
        """Make (market, symbol) known with ``metadata``; returns (instrument, is_new, is_changed).

        Fields not named keep their last value, so that a partial source never erases what is known.
        """
        check_symbol(symbol)
        if market not in MARKETS:
            raise RingcollectError(f"market {market!r} is none of {', '.join(MARKETS)}")
        known = self.get(market, symbol)
        if known is None:
            if len(self._latest) >= MAX_INSTRUMENTS:
                raise RingcollectError(f"{self.exchange} has {MAX_INSTRUMENTS} instruments: {symbol} does not fit")
            instrument = Instrument(
                number=len(self._latest),
                exchange=self.exchange,
                market=market,
                symbol=symbol,
                valid_from_ns=valid_from_ns,
                **metadata,
            )
        else:
            instrument = msgspec.structs.replace(known, **metadata)
            if instrument == known:
                return known, False, False
            instrument = msgspec.structs.replace(instrument, valid_from_ns=valid_from_ns, version=known.version + 1)
        self._store(instrument, f"register {symbol}")
        self._append(instrument)
        return instrument, known is None, known is not None

    def _append(self, instrument: Instrument) -> None:
        if self._path is None:
            return
        line = msgspec.json.encode(instrument) + b"\n"
        try:
            with open(self._path, "ab", buffering=0) as file:
                file.write(line)
                os.fsync(file.fileno())
        except OSError:
            self.append_errors += 1
