"""Tickers in any spelling, with any of their members missing, and damaged: kernel and typed path say the same."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges import load
from ringcollect.exchanges.protocol import Code
from tests.exchanges import (
    bybit_frames,
    coinbase_frames,
    deribit_frames,
    kraken_futures_frames,
    okx_frames,
    upbit_frames,
)
from tests.exchanges.frames import DAY_NS, SKEW_NS, same
from tests.exchanges.spelling import DAMAGE, EXTRA, TEXTS, Spelling, damaged

NOW = bybit_frames.NOW


class Case(NamedTuple):
    market: str
    symbol: str
    frame: dict[str, Any]


BYBIT = {
    "lastPrice": "1", "prevPrice24h": "1", "highPrice24h": "1", "lowPrice24h": "1", "volume24h": "1",
    "turnover24h": "1",
}  # fmt: skip
OKX = {
    "instType": "SPOT", "instId": "BTC-USDT", "last": "1", "lastSz": "1", "askPx": "1", "open24h": "1", "high24h": "1",
    "low24h": "1", "volCcy24h": "1", "vol24h": "1", "ts": str(okx_frames.NOW // 10**6),
}  # fmt: skip
COINBASE = dict.fromkeys(("price", "high_24_h", "low_24_h", "volume_24_h", "best_bid", "best_ask_quantity"), "1")
EXCHANGE = dict.fromkeys(("price", "open_24h", "high_24h", "low_24h", "volume_24h", "best_ask"), "1")
UPBIT = {
    "type": "ticker", "code": "KRW-BTC", "timestamp": upbit_frames.MS, "stream_type": "REALTIME", "trade_price": 1.5,
    "acc_trade_volume_24h": 2.5, "acc_trade_price_24h": 3.5, "opening_price": 4.5,
}  # fmt: skip
KRAKEN = {
    "symbol": "BTC/USD", "bid": 1.5, "bid_qty": 2.5, "ask": 3.5, "ask_qty": 4.5, "last": 5.5, "volume": 6.5, "low": 7.5,
    "high": 8.5, "vwap": 9.5, "timestamp": "2026-09-25T17:48:26.844359Z",
}  # fmt: skip
FUTURES = {"open": 1.5, "high": 2.5, "low": 3.5, "volumeQuote": 4.5}
STATS = {"high": 1.5, "low": 2.5, "volume": 3.5, "volume_usd": 4.5}
CASES = {
    "bybit-spot": Case("spot", "BTCUSDT", bybit_frames.ticker("snapshot", **BYBIT)),
    "bybit-linear": Case("linear", "BTCUSDT", bybit_frames.ticker(**BYBIT, markPrice="1", singleOpenInterest="2")),
    "bybit-inverse": Case("inverse", "BTCUSDT", bybit_frames.ticker(**BYBIT, indexPrice="1")),
    "coinbase-spot": Case("spot", "BTC-USD", coinbase_frames.ticker(**COINBASE)),
    "coinbase_exchange-spot": Case("spot", "SKL-BTC", coinbase_frames.exchange_ticker(**EXCHANGE)),
    "deribit-inverse": Case("inverse", "BTC-PERPETUAL", json.loads(deribit_frames.ticker(stats=STATS))),
    "kraken-spot": Case("spot", "BTC/USD", {"channel": "ticker", "type": "update", "data": [KRAKEN]}),
    "kraken_futures-linear": Case("linear", "PF_XBTUSD", kraken_futures_frames.ticker(**FUTURES)),
    "upbit-spot": Case("spot", "KRW-BTC", UPBIT),
    "okx-spot": Case("spot", "BTC-USDT", {"arg": {"channel": "tickers", "instId": "BTC-USDT"}, "data": [OKX]}),
}


def spelled(value: Any, spelling: Spelling, extra: dict[str, Any], lossy: bool) -> str:
    """``value`` as JSON: members in any order, numbers and texts of numbers any number, some members missing."""
    rng = spelling.rng
    if isinstance(value, dict):
        members = [(key, spelled(inner, spelling, extra, lossy)) for key, inner in value.items()]
        members = [one for one in members if not lossy or rng.random() < 0.95]
        members += [(f"x_{key}", json.dumps(inner)) for key, inner in extra.items()]
        rng.shuffle(members)
        return spelling.join(
            "{", [f"{json.dumps(key)}{spelling.gap()}:{spelling.gap()}{inner}" for key, inner in members], "}"
        )
    if isinstance(value, list):
        return spelling.join("[", [spelled(inner, spelling, extra, lossy) for inner in value], "]")
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if lossy and rng.random() < 0.05:
        return rng.choice(['""', "null", "0", '"0"', "-1", '"x"', "[]", "{}", "1e999", '"1e-400"'])
    if isinstance(value, str) and value in ("1", "2"):
        return f'"{rng.choice(TEXTS)}"'
    if isinstance(value, float):
        return rng.choice(TEXTS)
    return json.dumps(value)


class Desk:
    """An exchange's decoder that knows one symbol."""

    def __init__(self, name: str) -> None:
        self.case = CASES[name]
        self.module: Any = load(name.rpartition("-")[0].removesuffix("_exchange"))
        self.decoder = self.module.decoder(capacity=65536, max_past_ns=DAY_NS, max_future_skew_ns=SKEW_NS)
        self.decoder.add_symbol(self.case.market, self.case.symbol, 3)
        self.ctx = self.decoder.context(self.case.market, 0)

    def agree(self, frame: bytes) -> bool:
        """Whether the kernel took it; whatever it said, the typed path says too."""
        answer = self.module.decode_hot(frame, self.ctx, NOW)
        taken = self.decoder.all_taken(self.ctx) if answer >= 0 else None
        try:
            decoded = self.decoder.cold(frame, self.ctx, NOW)
        except RejectedFrame:
            assert answer == Code.SLOW, frame
            return False
        if taken is not None:
            assert len(taken) == len(decoded.batches) and all(map(same, taken, decoded.batches)), frame
        else:
            assert answer in (Code.SLOW, Code.UNKNOWN_SYMBOL), frame
        return taken is not None


DESKS = {name: Desk(name) for name in CASES}


@pytest.mark.parametrize("name", CASES)
@settings(max_examples=150, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32), extra=EXTRA, lossy=st.booleans())
def test_a_ticker_in_any_spelling_gives_the_same_records_both_ways(
    name: str, seed: int, extra: dict[str, Any], lossy: bool
) -> None:
    desk = DESKS[name]
    frame = spelled(desk.case.frame, Spelling(seed), extra, lossy).encode()
    escaped = any("\\" in json.dumps(key) for key in extra)
    assert desk.agree(frame) or lossy or escaped, frame


@pytest.mark.parametrize("name", CASES)
@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**32), how=DAMAGE, where=st.integers(0, 2**31), length=st.integers(1, 12),
    byte=st.integers(0, 255),
)  # fmt: skip
def test_a_damaged_ticker_gives_the_same_records_both_ways_or_none(
    name: str, seed: int, how: str, where: int, length: int, byte: int
) -> None:
    frame = spelled(DESKS[name].case.frame, Spelling(seed), {}, False).encode()
    DESKS[name].agree(damaged(frame, how, where, length, byte))
