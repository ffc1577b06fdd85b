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


MESSAGES: dict[tuple[str, str], Any] = {
    ("binance", "book"): BinanceDepth,
    ("binance", "trade"): BinanceTrade,
    ("binance", "bbo"): BinanceTicker,
}


def decoder(exchange: str, channel: str, frame: str, number: type) -> msgspec.json.Decoder[Any]:
    """A decoder of frames like ``frame``; ``number`` is ``str`` (text left alone) or ``float``.

    Raises LookupError where nobody wrote the structs.
    """
    message = MESSAGES[exchange, channel][number]
    envelope: Any = Combined
    whole = envelope[message] if exchange == "binance" and '"stream"' in frame else message
    return msgspec.json.Decoder(whole, strict=number is str)
