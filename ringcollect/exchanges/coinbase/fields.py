"""Places of a message's fields in the context array, and the words that name them. Internal to this folder."""

from __future__ import annotations

from ringcollect.decode.keys import key_table
from ringcollect.decode.text import packed
from ringcollect.exchanges.hot import C_FIELDS

# Behind the symbol, see exchanges.scanning. F_KIND: what the message is; F_COUNT: records written; F_TS: its own time.
F_KIND, F_COUNT, F_SNAPSHOT, F_TS, F_SIDE, F_ID, F_BIDS_AT, F_ASKS_AT = range(C_FIELDS + 2, C_FIELDS + 10)
F_NUMBERS = C_FIELDS + 10
F_SIZE, F_BID, F_BID_SIZE, F_ASK, F_ASK_SIZE, F_PRICE = range(F_NUMBERS, F_NUMBERS + 6)
F_SEEN = F_NUMBERS + 10
"""Which keys a ticker has. Its statistics begin at F_PRICE, as exchanges.statistics wants them."""

KIND_NONE, KIND_BOOK, KIND_TRADE, KIND_BEST = range(4)

# The envelope of Advanced Trade.
CHANNEL, TIMESTAMP, SEQUENCE, EVENTS = packed("channel"), packed("timestamp"), packed("sequence_num"), packed("events")
TYPE, PRODUCT_ID, TIME, SIDE = packed("type"), packed("product_id"), packed("time"), packed("side")
L2_DATA, MARKET_TRADES, TICKER = packed("l2_data"), packed("market_trades"), packed("ticker")
SNAPSHOT, UPDATE = packed("snapshot"), packed("update")
UPDATES, TRADES, TICKERS = packed("updates"), packed("trades"), packed("tickers")
EVENT_TIME, PRICE_LEVEL, NEW_QUANTITY = packed("event_time"), packed("price_level"), packed("new_quantity")
BID, OFFER, BUY, SELL = packed("bid"), packed("offer"), packed("BUY"), packed("SELL")
TRADE_ID, PRICE, SIZE = packed("trade_id"), packed("price"), packed("size")

# The Exchange feed.
L2UPDATE, MATCH, LAST_MATCH = packed("l2update"), packed("match"), packed("last_match")
LOWER_BUY, LOWER_SELL = packed("buy"), packed("sell")

# Bits of keys that were there: of a message, an event, a level, a trade.
B_CHANNEL, B_TIMESTAMP, B_SEQUENCE, B_EVENTS = (1 << k for k in range(4))
E_TYPE, E_PRODUCT, E_LIST = (1 << k for k in range(3))
L_SIDE, L_PRICE, L_SIZE, L_TIME = (1 << k for k in range(4))
T_PRODUCT, T_ID, T_PRICE, T_SIZE, T_SIDE, T_TIME = (1 << k for k in range(6))

# The keys of the Exchange feed's messages: first those whose value is a price or size, kept at F_NUMBERS + key.
(
    N_SIZE, N_BID, N_BID_SIZE, N_ASK, N_ASK_SIZE, N_PRICE, N_OPEN, N_HIGH, N_LOW, N_VOLUME, N_TYPE, N_PRODUCT, N_TIME,
    N_CHANGES, N_BIDS, N_ASKS, N_ID, N_SIDE, N_CHANNEL,
) = range(19)  # fmt: skip
N_LAST_NUMBER = N_VOLUME
EXCHANGE_TABLE = key_table({
    "price": N_PRICE, "size": N_SIZE, "best_bid": N_BID, "best_bid_size": N_BID_SIZE, "best_ask": N_ASK,
    "best_ask_size": N_ASK_SIZE, "type": N_TYPE, "product_id": N_PRODUCT, "time": N_TIME, "changes": N_CHANGES,
    "bids": N_BIDS, "asks": N_ASKS, "trade_id": N_ID, "side": N_SIDE, "channel": N_CHANNEL,
    "open_24h": N_OPEN, "high_24h": N_HIGH, "low_24h": N_LOW, "volume_24h": N_VOLUME,
})  # fmt: skip
TICKER_TABLE = key_table({
    "product_id": N_PRODUCT, "best_bid": N_BID, "best_ask": N_ASK, "price": N_PRICE, "high_24_h": N_HIGH,
    "low_24_h": N_LOW, "volume_24_h": N_VOLUME,
})  # fmt: skip
"""A ticker of Advanced Trade by the same numbers; the names of its two sizes are too long for a table."""
X_TYPE, X_PRODUCT, X_CHANGES, X_BIDS, X_ASKS = (1 << key for key in (N_TYPE, N_PRODUCT, N_CHANGES, N_BIDS, N_ASKS))
X_ID, X_SIDE, X_PRICE, X_SIZE = (1 << key for key in (N_ID, N_SIDE, N_PRICE, N_SIZE))
NEEDED_BEST = sum(1 << key for key in (N_PRODUCT, N_BID, N_ASK, N_BID_SIZE, N_ASK_SIZE))
