"""Places of a message's fields in the context array, and the words that name them. Internal to this folder."""

from __future__ import annotations

from ringcollect.decode.keys import key_table
from ringcollect.decode.text import packed
from ringcollect.exchanges.hot import C_FIELDS

# Behind the symbol, see exchanges.scanning.
F_SEEN, F_KIND, F_FORMS, F_TS, F_PRICE, F_SIZE, F_SIDE, F_ID, F_SNAPSHOT, F_BIDS, F_ASKS = range(
    C_FIELDS + 2, C_FIELDS + 13
)

KIND_NONE, KIND_BOOK, KIND_TRADE = range(3)
K_TYPE, K_CODE, K_TIME, K_UNITS, K_PRICE, K_SIZE, K_SIDE, K_ID, K_STREAM = range(9)
U_ASK, U_BID, U_ASK_SIZE, U_BID_SIZE = range(4)
DEFAULT, SIMPLE = 1, 2
"""The format a key belongs to; a message has one."""

_KEYS = (
    ("type", "ty"), ("code", "cd"), ("timestamp", "tms"), ("orderbook_units", "obu"), ("trade_price", "tp"),
    ("trade_volume", "tv"), ("ask_bid", "ab"), ("sequential_id", "sid"), ("stream_type", "st"),
)  # fmt: skip
"""Each K_ key in both formats."""
_UNIT_KEYS = (("ask_price", "ap"), ("bid_price", "bp"), ("ask_size", "as"), ("bid_size", "bs"))
"""Each U_ key in both formats."""
ANSWER = 255
"""A key that only answers have."""


def _numbers(keys: tuple[tuple[str, str], ...]) -> dict[str, int]:
    """Twice the place of a key, plus one in the format SIMPLE."""
    return {name: 2 * k + form for k, names in enumerate(keys) for form, name in enumerate(names)}


TABLE = key_table(_numbers(_KEYS) | dict.fromkeys(("error", "status", "method"), ANSWER))
UNIT_TABLE = key_table(_numbers(_UNIT_KEYS))
BOOK, TRADE, BID, ASK, SNAPSHOT = packed("orderbook"), packed("trade"), packed("BID"), packed("ASK"), packed("SNAPSHOT")


def bits(*keys: int) -> int:
    """Mask of several keys."""
    return sum(1 << key for key in keys)


NEEDED_BOOK = bits(K_TYPE, K_CODE, K_TIME, K_UNITS)
NEEDED_TRADE = bits(K_TYPE, K_CODE, K_TIME, K_PRICE, K_SIZE, K_SIDE, K_ID)
NEEDED_UNIT = bits(U_ASK, U_BID, U_ASK_SIZE, U_BID_SIZE)
