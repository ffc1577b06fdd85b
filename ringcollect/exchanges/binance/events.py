"""Places of an event's fields in the context array, and the words that name events. Internal to this folder."""

from __future__ import annotations

import numpy as np

from ringcollect.decode.text import packed
from ringcollect.exchanges.hot import C_FIELDS
from ringcollect.records import TradeSub

SPOT, LINEAR = 0, 1
RAW_DEPTH = 1
"""Variant of a connection on which a depthUpdate without stream name is of the diff stream."""
MARKET_CODES = {"spot": SPOT, "linear": LINEAR}

# Bits of F_SEEN, and, for numbers, the word F_VALUE + bit (integers exact, prices as the bits of a float64).
K_EVENT_TIME, K_TIME, K_FIRST, K_LAST, K_PREV, K_TRADE, K_FROM, K_TO, K_AGGREGATE = range(9)
K_PRICE, K_SIZE, K_BID, K_BID_SIZE, K_ASK, K_ASK_SIZE = range(9, 15)
K_MAKER, K_EVENT, K_TYPE, K_SYMBOL, K_BIDS, K_ASKS = range(15, 21)  # bids and asks as lists of levels
K_A, K_B = 21, 22  # the keys ``a`` and ``b``, whatever form their value has

F_SEEN = C_FIELDS
F_VALUE = C_FIELDS + 1  # 16 words
F_NAMES = C_FIELDS + 17  # the event's and the trade type's name, two words each
F_EVENT_LOW, F_EVENT_HIGH, F_TYPE_LOW, F_TYPE_HIGH, F_INSTRUMENT = range(F_NAMES, F_NAMES + 5)
F_LEVELS = C_FIELDS + 23  # levels read into the batch so far, -1 before the bids
F_ASKS_AT = C_FIELDS + 24  # where a list of asks that came before the bids begins, -1 = there is none
F_STREAM = C_FIELDS + 25

# What a key's value looks like; a place is ``form | key << 3``.
INTEGER, NUMBER, SIDE, FLAG, NAME, SYMBOL, PASSED_OVER = range(1, 8)
NOWHERE = 0
_PLACES = {
    "E": (INTEGER, K_EVENT_TIME), "T": (INTEGER, K_TIME), "U": (INTEGER, K_FIRST), "u": (INTEGER, K_LAST),
    "t": (INTEGER, K_TRADE), "f": (INTEGER, K_FROM), "l": (INTEGER, K_TO), "p": (NUMBER, K_PRICE),
    "q": (NUMBER, K_SIZE), "B": (NUMBER, K_BID_SIZE), "A": (NUMBER, K_ASK_SIZE), "b": (SIDE, K_BID), "a": (SIDE, K_ASK),
    "m": (FLAG, K_MAKER), "e": (NAME, K_EVENT), "X": (NAME, K_TYPE), "s": (SYMBOL, K_SYMBOL), "M": (PASSED_OVER, 0),
}  # fmt: skip
PLACES = np.zeros(128, np.int64)
"""The place of every key of one ASCII character; NOWHERE for one without meaning."""
for _name, (_form, _key) in _PLACES.items():
    PLACES[ord(_name)] = _form | _key << 3
PREV_PLACE = INTEGER | K_PREV << 3

STREAM_NONE, STREAM_DEPTH, STREAM_OTHER = 0, 1, 2

STREAM = packed("stream")
DATA = packed("data")
DEPTH = packed("depthUpdate")
TRADE = packed("trade")
AGGREGATE = packed("aggTrade")
TICKER = packed("bookTicker")
NO_TRADE = 255
TYPES = (
    packed("MARKET"), packed("NA"), packed("ADL"), packed("INSURANCE_FUND"), packed("LIQUIDATION"), packed("RPI"),
)  # fmt: skip
SUBS = (
    int(TradeSub.ORDINARY), NO_TRADE, int(TradeSub.ADL_INSURANCE), int(TradeSub.ADL_INSURANCE),
    int(TradeSub.LIQUIDATION), int(TradeSub.RPI),
)  # fmt: skip
"""What a trade of each of TYPES is in a record."""


def bits(*keys: int) -> int:
    """Mask of several keys."""
    return sum(1 << key for key in keys)
