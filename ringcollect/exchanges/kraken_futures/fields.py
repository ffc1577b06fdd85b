"""Places of a frame's fields in the context array, and the words that name them. Internal to this folder."""

from __future__ import annotations

from ringcollect.decode.text import packed
from ringcollect.exchanges.hot import C_FIELDS

# Behind the symbol, see exchanges.scanning. Prices and sizes as bits of a float64, times in ns.
F_FEED, F_SIDE, F_SEQ, F_PRICE, F_SIZE, F_TIMESTAMP, F_TIME, F_UID_HIGH, F_UID_LOW = range(C_FIELDS + 2, C_FIELDS + 11)

FEED_BOOK, FEED_TRADE = 1, 2

# Bits of the keys that were there.
B_FEED, B_PRODUCT, B_SIDE, B_SEQ, B_PRICE, B_SIZE, B_TIMESTAMP, B_TIME, B_UID, B_TYPE = (1 << k for k in range(10))
_BOTH = B_FEED | B_PRODUCT | B_SIDE | B_SEQ | B_PRICE | B_SIZE
NEEDED_BOOK = _BOTH | B_TIMESTAMP
NEEDED_TRADE = _BOTH | B_TIME | B_UID | B_TYPE

FEED, PRODUCT, SIDE, SEQ, PRICE, SIZE = (
    packed("feed"), packed("product_id"), packed("side"), packed("seq"), packed("price"), packed("qty"),
)  # fmt: skip
TIMESTAMP, TIME, UID, TYPE = packed("timestamp"), packed("time"), packed("uid"), packed("type")
EVENT = packed("event")
"""A key that only messages about the connection have."""
BOOK, TRADE, BUY, SELL, FILL = packed("book"), packed("trade"), packed("buy"), packed("sell"), packed("fill")
