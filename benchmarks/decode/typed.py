"""The venues' messages as msgspec structs: the best a Python programmer does without code of their own in C.

Two forms of each: levels and numbers left as the text they are sent as, and converted to floats by msgspec itself.
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import msgspec

Number = TypeVar("Number", str, float)
Message = TypeVar("Message")


class Combined(msgspec.Struct, Generic[Message]):
    """Binance's envelope of combined streams."""

    stream: str
    data: Message


class BinanceDepth(msgspec.Struct, Generic[Number]):
    """depthUpdate; ``pu`` and ``T`` on futures only."""

    E: int
    s: str
    U: int
    u: int
    b: list[tuple[Number, Number]]
    a: list[tuple[Number, Number]]
    pu: int = -1
    T: int = 0


class BinanceTrade(msgspec.Struct, Generic[Number]):
    """trade and aggTrade: their keys in one struct."""

    E: int
    s: str
    p: Number
    q: Number
    T: int
    m: bool
    t: int = -1
    a: int = -1
    f: int = -1
    l: int = -1  # noqa: E741 - the venue's name


class BinanceTicker(msgspec.Struct, Generic[Number]):
    """bookTicker."""

    u: int
    s: str
    b: Number
    B: Number
    a: Number
    A: Number
    E: int = 0
    T: int = 0


class OkxLevels(msgspec.Struct, Generic[Number]):
    """One update of a book; ids and checksum where the year had them."""

    asks: list[tuple[Number, Number, str, str]]
    bids: list[tuple[Number, Number, str, str]]
    ts: str
    checksum: int = 0
    seqId: int = -1
    prevSeqId: int = -1


class OkxBook(msgspec.Struct, Generic[Number]):
    """books."""

    arg: dict[str, str]
    action: str
    data: list[OkxLevels[Number]]


class OkxPrint(msgspec.Struct, Generic[Number]):
    """One trade."""

    instId: str
    tradeId: str
    px: Number
    sz: Number
    side: str
    ts: str


class OkxTrades(msgspec.Struct, Generic[Number]):
    """trades."""

    arg: dict[str, str]
    data: list[OkxPrint[Number]]


class BybitLevels(msgspec.Struct, Generic[Number]):
    """Levels of one update."""

    s: str
    b: list[tuple[Number, Number]]
    a: list[tuple[Number, Number]]
    u: int
    seq: int


class BybitBook(msgspec.Struct, Generic[Number]):
    """orderbook."""

    topic: str
    type: str
    ts: int
    data: BybitLevels[Number]
    cts: int = 0


class BybitPrint(msgspec.Struct, Generic[Number]):
    """One trade."""

    T: int
    s: str
    S: str
    v: Number
    p: Number
    i: str
    BT: bool


class BybitTrades(msgspec.Struct, Generic[Number]):
    """publicTrade."""

    topic: str
    type: str
    ts: int
    data: list[BybitPrint[Number]]


MESSAGES: dict[tuple[str, str], Any] = {
    ("binance", "book"): BinanceDepth,
    ("binance", "trade"): BinanceTrade,
    ("binance", "bbo"): BinanceTicker,
    ("okx", "book"): OkxBook,
    ("okx", "trade"): OkxTrades,
    ("bybit", "book"): BybitBook,
    ("bybit", "trade"): BybitTrades,
}


def decoder(exchange: str, channel: str, frame: str, number: type) -> msgspec.json.Decoder[Any]:
    """A decoder of frames like ``frame``; ``number`` is ``str`` (text left alone) or ``float``.

    Raises LookupError where nobody wrote the structs.
    """
    if (exchange, channel) not in MESSAGES:
        raise LookupError(f"no structs were written for {exchange} {channel}")
    message = MESSAGES[exchange, channel][number]
    envelope: Any = Combined
    whole = envelope[message] if exchange == "binance" and '"stream"' in frame else message
    return msgspec.json.Decoder(whole, strict=number is str)
