"""Places of a message's fields in the context array, and the words that name them. Internal to this folder."""

from __future__ import annotations

from ringcollect.decode.keys import key_table
from ringcollect.decode.text import packed
from ringcollect.exchanges.hot import C_FIELDS

# Behind the symbol, see exchanges.scanning.
F_CHANNEL, F_SEEN, F_TS, F_LEVELS, F_CHECKSUM, F_ASKS_AT = range(C_FIELDS + 2, C_FIELDS + 8)
F_WHOLE = C_FIELDS + 8  # 1: the state or the history that a subscription begins with, no news
F_BEST = C_FIELDS + 9  # bid, its size, ask, its size; then the statistics, as exchanges.statistics wants them
F_STATISTICS = F_BEST + 4

CH_NONE, CH_BOOK, CH_TRADE, CH_TICKER = range(4)

CHANNEL, TYPE, DATA = packed("channel"), packed("type"), packed("data")
OTHERS = (
    packed("method"), packed("error"), packed("success"), packed("result"), packed("req_id"), packed("symbol"),
)  # fmt: skip
"""Keys that only answers have."""
BOOK, TRADE, TICKER = packed("book"), packed("trade"), packed("ticker")
UPDATE, SNAPSHOT = packed("update"), packed("snapshot")
T_SYMBOL, T_TIME = 10, 11
TICKER_TABLE = key_table({
    "bid": 0, "bid_qty": 1, "ask": 2, "ask_qty": 3, "last": 4, "high": 6, "low": 7, "volume": 8, "symbol": T_SYMBOL,
    "timestamp": T_TIME,
})  # fmt: skip
"""Keys of a ticker: what is below T_SYMBOL is a number, and its place behind F_BEST."""
SYMBOL, BIDS, ASKS, CHECKSUM, TIMESTAMP = (
    packed("symbol"), packed("bids"), packed("asks"), packed("checksum"), packed("timestamp"),
)  # fmt: skip
PRICE, QTY, SIDE, TRADE_ID = packed("price"), packed("qty"), packed("side"), packed("trade_id")
BUY, SELL = packed("buy"), packed("sell")

B_SYMBOL, B_BIDS, B_ASKS, B_CHECKSUM, B_TIME, B_PRICE, B_QTY, B_SIDE, B_ID = (1 << k for k in range(9))
NEEDED_BOOK = B_SYMBOL | B_BIDS | B_ASKS
NEEDED_TRADE = B_SYMBOL | B_TIME | B_PRICE | B_QTY | B_SIDE | B_ID
NEEDED_TICKER = 1 << T_SYMBOL | 15
