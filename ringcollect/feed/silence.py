"""How long a channel may be silent before it is news.

What is longer is counted when it ends (``exchanges.silence``), and shown while it lasts by whoever looks at the ledger:
a row has its last record and its limit.
"""

from __future__ import annotations

from ringcollect.feed.plan import Options
from ringcollect.records import Channel

_MARKET = frozenset({Channel.BOOK, Channel.TRADE, Channel.BBO})
_PRICE = frozenset({Channel.MARK_PRICE, Channel.INDEX_PRICE})
_RATE = frozenset({Channel.FUNDING, Channel.OPEN_INTEREST})


def silence_limit_ns(channel: Channel, options: Options) -> int:
    """The longest time between two records of ``channel`` that is no silence; 0: none is one (liquidations)."""
    if channel in _MARKET:
        return options.silence_market_ns
    if channel in _PRICE:
        return options.silence_price_ns
    return options.silence_rate_ns if channel in _RATE else 0
