"""Places of a frame's fields in the context array, and the words that name them. Internal to this folder."""

from __future__ import annotations

from ringcollect.decode.text import packed
from ringcollect.exchanges.hot import C_FIELDS
from ringcollect.records import TradeSub

# Behind the symbol, see exchanges.scanning. Prices and sizes as bits of a float64, times in ns.
F_FEED, F_SIDE, F_SEQ, F_PRICE, F_SIZE, F_TIMESTAMP, F_TIME, F_UID_HIGH, F_UID_LOW = range(C_FIELDS + 2, C_FIELDS + 11)
F_SUB, F_COUNT, F_BIDS_AT, F_ASKS_AT, F_TRADES_AT = range(C_FIELDS + 11, C_FIELDS + 16)
"""What kind of trade; records in the batch; where lists begin, which are read when it is known whose they are."""

FEED_BOOK, FEED_TRADE, FEED_WHOLE, FEED_HISTORY = range(1, 5)

# Bits of the keys that were there.
B_FEED, B_PRODUCT, B_SIDE, B_SEQ, B_PRICE, B_SIZE, B_TIMESTAMP, B_TIME, B_UID, B_TYPE, B_BIDS, B_ASKS, B_TRADES = (
    1 << k for k in range(13)
)
_BOTH = B_PRODUCT | B_SIDE | B_SEQ | B_PRICE | B_SIZE
NEEDED_BOOK = _BOTH  # in 2019 there was no timestamp
NEEDED_TRADE = _BOTH | B_TIME  # nor a uid
NEEDED_WHOLE = B_PRODUCT | B_SEQ | B_TIMESTAMP | B_BIDS | B_ASKS
NEEDED_HISTORY = B_PRODUCT | B_TRADES

FEED, PRODUCT, SIDE, SEQ, PRICE, SIZE = (
    packed("feed"), packed("product_id"), packed("side"), packed("seq"), packed("price"), packed("qty"),
)  # fmt: skip
TIMESTAMP, TIME, UID, TYPE = packed("timestamp"), packed("time"), packed("uid"), packed("type")
BIDS, ASKS, TRADES = packed("bids"), packed("asks"), packed("trades")
EVENT = packed("event")
"""A key that only messages about the connection have."""
FEEDS = (packed("book"), packed("trade"), packed("book_snapshot"), packed("trade_snapshot"))
"""In the order of their numbers, from 1 on."""
BUY, SELL = packed("buy"), packed("sell")
TYPES = (
    packed("fill"), packed("liquidation"), packed("block"), packed("assignment"), packed("termination"),
)  # fmt: skip
SUBS = (
    int(TradeSub.ORDINARY), int(TradeSub.LIQUIDATION), int(TradeSub.BLOCK), int(TradeSub.ADL_INSURANCE),
    int(TradeSub.ADL_INSURANCE),
)  # fmt: skip
"""What each of TYPES is in a record."""
