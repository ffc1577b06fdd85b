"""Where everything lies in the lake: the one table of folders and tokens, and names no symbol can break out of.

Folder values are percent-encoded UTF-8; a value that begins with ``_`` is never a symbol (its own ``_`` would be
encoded), so ``symbol=_exchange`` is free for records of the whole exchange. File names keep the symbol readable
(``-`` for ``/``); they need not be reversible, because the folder and the file's metadata say which symbol it is.
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from typing import NamedTuple

from ringcollect.errors import LakeError
from ringcollect.records import WHOLE_EXCHANGE

DAY_NS = 86_400_000_000_000
MAX_VALUE_BYTES = 200  # of a folder value; file systems allow 255 for a whole name
MAX_STEM_BYTES = 80
JOURNAL_SUFFIX = ".journal"

# table (= folder under its tier) -> token in file names
TOKENS = {
    "orderbooks": "ob",
    "trades": "trades",
    "quotes": "quotes",
    "liquidations": "liquidations",
    "fundings": "funding",
    "open_interests": "oi",
    "mark_prices": "mark",
    "index_prices": "index",
    "tickers": "ticker",
    "book_checks": "checks",
    "status": "status",
    "others": "others",
    "features": "features",
    "venues": "venues",
    "bars": "bars",
    "snapshots": "snapshots",
    "books": "book",
    "frames": "frames",
    "rejects": "rejects",
}

# channel in configuration and CLI -> table
TABLES_OF_CHANNEL = {
    "book": "orderbooks",
    "trade": "trades",
    "bbo": "quotes",
    "liquidation": "liquidations",
    "funding": "fundings",
    "open_interest": "open_interests",
    "mark_price": "mark_prices",
    "index_price": "index_prices",
    "ticker": "tickers",
}

_STEM = re.compile(r"([a-z0-9_.]+)-([0-9]{1,19})-([0-9]{1,19})")
_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")


def folder_value(text: str) -> str:
    """``text`` as the value of a Hive folder: reversible by percent-decoding, never hidden, at most 200 bytes.

    Longer values are cut and end in ``~`` and a hash; ``~`` itself is encoded, so they collide with nothing.
    """
    raw = text.encode("utf-8", "surrogatepass")
    if not raw:
        raise LakeError("an empty name cannot be a folder of the lake")
    pieces = [chr(b) if b in _PLAIN else f"%{b:02X}" for b in raw]
    if pieces[0] in "._":
        pieces[0] = f"%{raw[0]:02X}"
    if sum(map(len, pieces)) <= MAX_VALUE_BYTES:
        return "".join(pieces)
    mark = "~" + hashlib.sha256(raw).hexdigest()[:32]
    cut = ""
    for piece in pieces:
        if len(cut) + len(piece) + len(mark) > MAX_VALUE_BYTES:
            break
        cut += piece
    return cut + mark


def file_stem(text: str) -> str:
    """``text`` at the start of a file name: ``-`` for ``/``, nothing unprintable, never hidden, at most 80 bytes."""
    out = ""
    for char in text:
        if char == "/":
            out += "-"
        elif not char.isprintable() or char in "\\%":
            out += "".join(f"%{b:02X}" for b in char.encode("utf-8", "surrogatepass"))
        else:
            out += char
    if out[:1] in (".", "_"):
        out = f"%{ord(out[0]):02X}{out[1:]}"
    if len(out.encode()) > MAX_STEM_BYTES:
        kept = out.encode()[: MAX_STEM_BYTES - 17].decode(errors="ignore")
        out = f"{kept}~{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"
    return out


def utc(ns: int) -> datetime:
    """``ns`` since the epoch as UTC, cut to the microsecond; LakeError outside the years 1970 to 9999."""
    if not 0 <= ns < 253_402_300_800_000_000_000:
        raise LakeError(f"{ns} ns is no time a file can be named after")
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=ns // 1000)


def date_of(ns: int) -> str:
    """UTC date, ``2026-11-21``."""
    return utc(ns).strftime("%Y-%m-%d")


def stamp_of(ns: int) -> str:
    """UTC stamp of file names, ``20261121_153000.123`` (cut, not rounded)."""
    moment = utc(ns)
    return f"{moment:%Y%m%d_%H%M%S}.{moment.microsecond // 1000:03d}"


class Owner(NamedTuple):
    """Whose file it is: folder values of market and symbol, the start of the file name, and the venue's own text."""

    market: str
    symbol: str
    stem: str
    native_symbol: str


def owner_of_instrument(market: str, symbol: str) -> Owner:
    """The owner of one instrument's files."""
    return Owner(folder_value(market), folder_value(symbol), file_stem(symbol), symbol)


def owner_of_number(number: int) -> Owner:
    """The owner of records of the whole exchange, or of a number the instrument table does not have."""
    if number == WHOLE_EXCHANGE:
        return Owner("_exchange", "_exchange", "exchange", "")
    return Owner("_unknown", f"_instrument-{number}", f"instrument-{number}", "")


def table_folder(
    tier: str, table: str, *, exchange: str, owner: Owner, ns: int, step: tuple[str, str] | None = None
) -> PurePosixPath:
    """Folder of one table of one instrument and day, relative to the lake.

    ``step`` is ``("grid", "100ms")`` or ``("duration", "1s")`` for tables that have one.
    """
    steps = [] if step is None else [f"{step[0]}={folder_value(step[1])}"]
    return PurePosixPath(
        tier,
        table,
        *steps,
        f"exchange={folder_value(exchange)}",
        f"market={owner.market}",
        f"symbol={owner.symbol}",
        f"date={date_of(ns)}",
    )


def frames_folder(table: str, *, exchange: str, ns: int) -> PurePosixPath:
    """Folder of ``frames`` or ``rejects`` of one exchange and day, relative to the lake."""
    return PurePosixPath(table, f"exchange={folder_value(exchange)}", f"date={date_of(ns)}")


def file_name(stem: str, table: str, mode: str, ns: int, suffix: str = "") -> str:
    """``BTCUSDT_trades_raw_20261121_153000.123.parquet``; ``mode`` is raw, rest or sync."""
    return f"{stem}_{TOKENS[table]}_{mode}_{stamp_of(ns)}{suffix}.parquet"


def certificate_path(exchange: str, journal_stem: str, ns: int) -> PurePosixPath:
    """The sidecar of one sealed journal, relative to the lake."""
    return PurePosixPath(
        "certificates", f"exchange={folder_value(exchange)}", f"date={date_of(ns)}", f"{journal_stem}.json"
    )


def journal_stem(ring: str, generation: int, seq_from: int) -> str:
    """Name of a journal without its suffix; sorts by generation and position."""
    return f"{ring}-{generation}-{seq_from:019d}"


def parse_journal_stem(stem: str) -> tuple[str, int, int] | None:
    """(ring, generation, seq_from), or None for a name that is not ours."""
    match = _STEM.fullmatch(stem)
    return None if match is None else (match[1], int(match[2]), int(match[3]))
