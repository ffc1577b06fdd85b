"""Which segments somebody means: a segment is chosen whole if anything in it is."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import msgspec

from ringcollect.errors import LakeError
from ringcollect.store.archive.sending import Entry
from ringcollect.store.naming import TOKENS
from ringcollect.store.selection import Selection


class _Instrument(msgspec.Struct, frozen=True):
    symbol: str
    unified: str = ""


class Segment(msgspec.Struct, frozen=True):
    """What choosing and moving a segment needs of its certificate."""

    exchange: str
    stream_ns: tuple[int, int] | None
    files: list[Entry]
    instruments: list[_Instrument] = []

    @property
    def bytes(self) -> int:
        """Of its files."""
        return sum(file.bytes for file in self.files)

    def is_in(self, selection: Selection) -> bool:
        """Whether ``selection`` names anything of it."""
        if selection.exchanges and self.exchange not in selection.exchanges:
            return False
        if self.stream_ns is not None and not (
            self.stream_ns[0] < selection.end_ns and self.stream_ns[1] >= selection.start_ns
        ):
            return False
        if not (selection.types or selection.markets or selection.symbols):
            return True
        unified = {instrument.symbol: instrument.unified for instrument in self.instruments}
        return any(_is_wanted(file.path, selection, unified) for file in self.files)


def decode(content: bytes, place: str) -> Segment:
    """A certificate as a segment. LakeError if it is none."""
    try:
        return msgspec.json.decode(content, type=Segment)
    except msgspec.MsgspecError as error:
        raise LakeError(f"{place}: is no certificate: {error}") from error


def _is_wanted(path: str, selection: Selection, unified: dict[str, str]) -> bool:
    tier, second, *_ = path.split("/")
    table = tier if tier in TOKENS else second
    values: dict[str, Any] = {
        name: unquote(value) for name, found, value in (part.partition("=") for part in path.split("/")) if found
    }
    market, symbol = values.get("market", ""), values.get("symbol", "")
    return (
        selection.wants_table(tier, table)
        and (not selection.markets or market in selection.markets)
        and selection.wants_symbol(symbol, unified.get(symbol, ""))
    )
