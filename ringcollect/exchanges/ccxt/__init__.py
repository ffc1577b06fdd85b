"""Any exchange that the ccxt package has WebSocket feeds for; :func:`exchange` gives the one of a name.

Nothing in this folder imports ccxt: it reads the frames that the feed makes of ccxt's objects, live and in replay.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from ringcollect.exchanges.ccxt import endpoints, instruments, streams
from ringcollect.exchanges.ccxt import subscribe as requests
from ringcollect.exchanges.ccxt.continuity import follows
from ringcollect.exchanges.ccxt.decoder import Decoder
from ringcollect.exchanges.ccxt.trades import DENSE
from ringcollect.exchanges.hot import no_kernel
from ringcollect.exchanges.no_trades import last_trade_call, trades_call
from ringcollect.exchanges.protocol import Code, Leg, Listing, RestCall, Rule, Want
from ringcollect.records import Channel


class CcxtExchange:
    """The :class:`~ringcollect.exchanges.protocol.Exchange` of one ccxt class; ``name`` is ``ccxt_kucoin``."""

    markets = endpoints.MARKETS
    acknowledges = True
    limits = staticmethod(endpoints.limits)
    keepalive = staticmethod(endpoints.keepalive)
    read_url = staticmethod(endpoints.read_url)
    read_rest = staticmethod(endpoints.read_rest)
    read_stream = staticmethod(streams.read_stream)
    subscribe = staticmethod(requests.subscribe)
    unsubscribe = staticmethod(requests.unsubscribe)
    listings = staticmethod(instruments.listings)
    guessed = staticmethod(instruments.guessed)
    volumes = staticmethod(instruments.volumes)
    last_trade_call = staticmethod(last_trade_call)
    trades_call = staticmethod(trades_call)

    def __init__(self, name: str) -> None:
        self.name = name

    on_hot_frames = staticmethod(no_kernel)

    def decode_hot(self, frame: bytes, ctx: np.ndarray, ts_recv: int, /) -> int:
        """There is no kernel: every frame goes the typed way."""
        return int(Code.SLOW)

    def warm(self) -> None:
        """There is nothing to compile."""

    def decoder(self, *, capacity: int = 16, max_past_ns: int, max_future_skew_ns: int) -> Decoder:
        """A decoder that knows what this exchange's trades are."""
        return Decoder(self.name, capacity=capacity, max_past_ns=max_past_ns, max_future_skew_ns=max_future_skew_ns)

    def channels(self, market: str) -> tuple[Channel, ...]:
        """What ccxt has one way of asking for; whether the class has it, the answer to a subscription says."""
        return streams.CHANNELS if market != "spot" else streams.CHANNELS[:4]

    def polled(self, market: str) -> tuple[Channel, ...]:
        """None by us: what ccxt has to poll comes as frames, too."""
        return ()

    def dense_trade_ids(self, market: str) -> bool:
        """Where it is known."""
        return self.name in DENSE

    def book_base(self, market: str, kind: str = "") -> Literal["rest", "stream"]:
        """Every frame is a complete book."""
        return "stream"

    def numbered_books(self, market: str) -> bool:
        """ccxt's ``nonce`` means something else at every exchange."""
        return False

    def book_depth(self, market: str, depth: int) -> int:
        """No limit: every frame says all there is."""
        return 0

    def accept(self, market: str) -> Rule:
        """Does a delta follow a delta? There are none."""
        return follows

    def join(self, market: str) -> Rule:
        """Does a delta follow a snapshot? There are none."""
        return follows

    def legs(self, market: str, wants: Sequence[Want], url: str = "") -> list[Leg]:
        """Few streams on each; where ccxt connects to is not told by ``url``."""
        return requests.legs(self.name, market, wants)

    def instruments_calls(self, market: str, rest_url: str = "") -> list[RestCall]:
        """One question for all instruments of the market."""
        return [endpoints.instruments_call(self.name, market)]

    def volumes_calls(self, market: str, rest_url: str = "") -> list[RestCall]:
        """One question for the tickers of all instruments; a class without them answers with none."""
        return [endpoints.volumes_call(self.name, market)]

    def next_instruments_call(self, call: RestCall, body: bytes) -> RestCall | None:
        """Every answer is whole."""
        return None

    def snapshot_call(self, market: str, symbol: str, depth: int = 0, rest_url: str = "") -> RestCall:
        """Books are renewed by subscribing anew."""
        raise ValueError("ccxt fetches the snapshots of its books itself")

    def open_interest_call(self, market: str, symbol: str, rest_url: str = "") -> RestCall:
        """Nothing is polled by us."""
        raise ValueError("ccxt polls itself")

    def market_of(self, market: str, symbol: str, listed: Sequence[str]) -> str:
        """Each connection has one."""
        return market

    def resolve(self, market: str, spelling: str, known: Sequence[Listing]) -> str:
        """Native symbol of any accepted spelling; raises ConfigError with the nearest known names."""
        return instruments.resolve(self.name, market, spelling, known)


def exchange(name: str) -> Any:
    """The exchange of a name like ``ccxt_kucoin``."""
    return CcxtExchange(name)
