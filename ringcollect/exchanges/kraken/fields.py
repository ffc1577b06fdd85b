"""Places of a message's fields in the context array, and the words that name them. Internal to this folder."""

from __future__ import annotations

from ringcollect.decode.text import packed
from ringcollect.exchanges.hot import C_FIELDS

# Behind the symbol, see exchanges.scanning.
F_CHANNEL, F_SEEN, F_TS, F_LEVELS, F_CHECKSUM, F_ASKS_AT = range(C_FIELDS + 2, C_FIELDS + 8)
F_BEST = C_FIELDS + 8  # bid, its size, ask, its size
F_WHOLE = C_FIELDS + 12  # 1: the state or the history that a subscription begins with, no news

CH_NONE, CH_BOOK, CH_TRADE, CH_TICKER = range(4)

CHANNEL, TYPE, DATA = packed("channel"), packed("type"), packed("data")
OTHERS = (
    packed("method"), packed("error"), packed("success"), packed("result"), packed("req_id"), packed("symbol"),
)  # fmt: skip
"""Keys that only answers have."""
BOOK, TRADE, TICKER = packed("book"), packed("trade"), packed("ticker")
UPDATE, SNAPSHOT = packed("update"), packed("snapshot")
BEST = (packed("bid"), packed("bid_qty"), packed("ask"), packed("ask_qty"))
SYMBOL, BIDS, ASKS, CHECKSUM, TIMESTAMP = (
    packed("symbol"), packed("bids"), packed("asks"), packed("checksum"), packed("timestamp"),
)  # fmt: skip
PRICE, QTY, SIDE, TRADE_ID = packed("price"), packed("qty"), packed("side"), packed("trade_id")
BUY, SELL = packed("buy"), packed("sell")

B_SYMBOL, B_BIDS, B_ASKS, B_CHECKSUM, B_TIME, B_PRICE, B_QTY, B_SIDE, B_ID = (1 << k for k in range(9))
NEEDED_BOOK = B_SYMBOL | B_BIDS | B_ASKS
NEEDED_TRADE = B_SYMBOL | B_TIME | B_PRICE | B_QTY | B_SIDE | B_ID
B_BEST = 1 << 9  # and the three bits above
NEEDED_TICKER = B_SYMBOL | B_BEST * 15
