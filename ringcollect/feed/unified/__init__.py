"""The feed's side of ccxt: its calls are made to look like connections, its objects like frames.

A connection is a task per (symbol, channel) that calls one of ccxt's methods again and again; what it returns becomes a
frame at once, in the same step, and goes the way of every frame. So there is no queue of ours, ledger and gaps are the
session's, and a recording replays without ccxt.
"""

from __future__ import annotations

import os

from ringcollect.config import Config
from ringcollect.feed.unified.library import Library
from ringcollect.feed.unified.link import Link

__all__ = ["Library", "Link", "link"]


def link(config: Config, exchange: str) -> Link:
    """What a feed of ``exchange`` (``ccxt_kucoin``) connects by.

    Raises ConfigError if ccxt is not installed or has no such class.
    """
    library = Library(config.ccxt_of(exchange), dict(os.environ))
    return Link(library, config.websocket.of(exchange).open_interest_poll_ns / 1e9)
