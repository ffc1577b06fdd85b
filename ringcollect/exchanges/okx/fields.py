"""Places of a frame's fields in the context array, and the words that name channels. Internal to this folder."""

from __future__ import annotations

from ringcollect.decode.text import packed
from ringcollect.exchanges.hot import C_FIELDS

MARKET_CODES = {"spot": 0, "linear": 1, "inverse": 2}

MIXED = 1
"""Variant bit of a connection that is not one of ours: it may carry instruments of any market."""

F_CHANNEL, F_ACTION = C_FIELDS + 2, C_FIELDS + 3  # behind the symbol, see exchanges.scanning
F_SEEN, F_TS, F_SEQ, F_PREV, F_CHECKSUM, F_LEVELS, F_ASKS_AT = range(C_FIELDS + 4, C_FIELDS + 11)
F_FIRST_ID, F_LAST_ID = C_FIELDS + 11, C_FIELDS + 12
F_HISTORY = C_FIELDS + 40  # subscriptions whose replay of old prints is awaited: those frames go the typed way

# What F_CHANNEL and F_ACTION say.
CH_NONE, CH_BOOK, CH_SHORT, CH_BEST, CH_TRADES = range(5)
ACTION_NONE, ACTION_UPDATE, ACTION_SNAPSHOT, ACTION_OTHER = range(4)

R_BOOK = 4
"""Word of a book's hot row that is ours: bits of what is known of it."""
HAS_WHOLE, HAS_NO_IDS = 1, 2

# Bits of F_SEEN for the keys of a book.
B_ASKS, B_BIDS, B_TS, B_SEQ, B_PREV, B_CHECKSUM = (1 << k for k in range(6))
# ... and of a print.
T_ID, T_PRICE, T_SIZE, T_SIDE, T_TS, T_COUNT, T_SYMBOL, T_SOURCE = (1 << k for k in range(8))

ARG, ACTION, DATA = packed("arg"), packed("action"), packed("data")
OTHERS = (packed("event"), packed("id"), packed("code"), packed("msg"))
"""Keys that only answers and events have."""
CHANNEL, INST_ID, INST_TYPE = packed("channel"), packed("instId"), packed("instType")
BOOKS, BOOKS_TBT, BOOKS50_TBT = packed("books"), packed("books-l2-tbt"), packed("books50-l2-tbt")
SHORT = packed("books5")
BBO, TRADES, TRADES_ALL = packed("bbo-tbt"), packed("trades"), packed("trades-all")
UPDATE, SNAPSHOT = packed("update"), packed("snapshot")
ASKS, BIDS, TS, SEQ, PREV, CHECKSUM = (
    packed("asks"), packed("bids"), packed("ts"), packed("seqId"), packed("prevSeqId"), packed("checksum"),
)  # fmt: skip
TRADE_ID, PX, SZ, SIDE, COUNT, SOURCE = (
    packed("tradeId"), packed("px"), packed("sz"), packed("side"), packed("count"), packed("source"),
)  # fmt: skip
BUY, SELL, RPI = packed("buy"), packed("sell"), packed("1")
