"""Places of a frame's fields in the context array and in hot rows, and the words that name keys. Internal here."""

from __future__ import annotations

from ringcollect.decode.text import packed
from ringcollect.exchanges.hot import C_FIELDS

MARKET_CODES = {"spot": 0, "linear": 1, "inverse": 2}

F_TOPIC, F_DEPTH, F_TYPE = range(C_FIELDS + 2, C_FIELDS + 5)  # behind the symbol, see exchanges.scanning
F_TS, F_CTS, F_UPDATE, F_LEVELS = range(C_FIELDS + 5, C_FIELDS + 9)

# What F_TOPIC and F_TYPE say.
TOPIC_NONE, TOPIC_BOOK, TOPIC_TRADE = range(3)
TYPE_NONE, TYPE_SNAPSHOT, TYPE_DELTA = range(3)

BEST = 1
"""The depth that is the bbo channel; every other is a book."""

R_DEPTH = 4
"""Word of a book's hot row: the depth that is its primary book, 0 = not yet known."""
R_BID, R_BID_SIZE, R_ASK, R_ASK_SIZE = range(4, 8)
"""Words of an instrument's row of no channel: best prices and sizes as bits of a float64, for deltas of depth 1; price
0 = none."""

# Bits of the keys of a book that were there, and of those of a print.
B_SYMBOL, B_BIDS, B_ASKS, B_UPDATE = (1 << k for k in range(4))
T_SYMBOL, T_ID, T_TIME, T_PRICE, T_SIZE, T_SIDE, T_BLOCK, T_RPI = (1 << k for k in range(8))

TOPIC, TYPE, TS, CTS, DATA = packed("topic"), packed("type"), packed("ts"), packed("cts"), packed("data")
ANSWERS = (packed("op"), packed("success"), packed("ret_msg"), packed("req_id"))
"""Keys that only answers have."""
SNAPSHOT, DELTA = packed("snapshot"), packed("delta")
S, B, A, U = packed("s"), packed("b"), packed("a"), packed("u")
IDENTITY, T, P, V, SIDE, BT, RPI = (
    packed("i"), packed("T"), packed("p"), packed("v"), packed("S"), packed("BT"), packed("RPI"),
)  # fmt: skip
BUY, SELL = packed("Buy"), packed("Sell")
