"""One unified object of ccxt as one frame: written by the feed, read by :mod:`~ringcollect.exchanges.ccxt.cold`.

The frames are ours, JSON, and the only thing a recording holds of ccxt: what reads them needs no ccxt. Times are ms
since the epoch, None where ccxt has none; prices and sizes are the numbers ccxt made of the exchange's text.
"""

from __future__ import annotations

from msgspec import Struct

Level = tuple[float, float]
Wanted = tuple[str, str, int]
"""Symbol, channel name, depth."""


class Head(Struct):
    """Enough of any frame to tell what it is; ``s`` is ccxt's unified symbol."""

    c: str
    s: str = ""


class Book(Struct):
    """``watchOrderBook``: the whole book, cut to what was asked for; best level first."""

    s: str
    b: list[Level]
    a: list[Level]
    c: str = "book"
    t: int | None = None


class Trade(Struct, array_like=True):
    """One print; ``side`` as ccxt says it."""

    id: str | int | None
    t: int | None
    price: float
    size: float
    side: str | None


class Trades(Struct):
    """``watchTrades``: what is new since the last call.

    ``lost``: as many as ccxt keeps, so that older ones may have been pushed out unseen. ``since``: ms at which the
    subscription began, in its first delivery only: what is older is history.
    """

    s: str
    d: list[Trade]
    c: str = "trade"
    lost: bool = False
    since: int = 0


class Best(Struct):
    """``watchBidsAsks`` or ``watchTicker``: best prices and sizes."""

    s: str
    c: str = "bbo"
    t: int | None = None
    bid: float | None = None
    bid_size: float | None = None
    ask: float | None = None
    ask_size: float | None = None


class Ticker(Struct):
    """``watchTicker``: last price and 24 h statistics."""

    s: str
    c: str = "ticker"
    t: int | None = None
    last: float | None = None
    open: float | None = None
    high: float | None = None
    low: float | None = None
    base: float | None = None
    quote: float | None = None


class Funding(Struct):
    """``watchFundingRate``, or ``fetchFundingRate`` (``rest``); ``interval`` in ms, 0 unknown."""

    s: str
    c: str = "funding"
    t: int | None = None
    rate: float | None = None
    next: float | None = None
    at: int | None = None
    interval: int = 0
    rest: bool = False


class OpenInterest(Struct):
    """``fetchOpenInterest``."""

    s: str
    c: str = "open_interest"
    t: int | None = None
    amount: float | None = None
    value: float | None = None


class Said(Struct):
    """What ccxt's side of the connection says about request ``id`` and the ``w`` (symbol, channel name) of it."""

    id: int
    ok: bool
    w: list[tuple[str, str]]
    c: str = "answer"
    m: str = ""


class Broken(Struct):
    """An object of ccxt that has not the form it should have: kept for the record, and rejected."""

    m: str
    c: str = "broken"
    s: str = ""


class Asked(Struct):
    """What the feed sends: ``do`` is subscribe or unsubscribe."""

    id: int
    do: str
    w: list[Wanted]


class Instrument(Struct, omit_defaults=True):
    """One market as ccxt lists it."""

    s: str
    base: str = ""
    quote: str = ""
    kind: str = "spot"
    expiry: str = ""
    contract: float = 0.0
    tick: float | None = None
    lot: float | None = None
    active: bool = True
