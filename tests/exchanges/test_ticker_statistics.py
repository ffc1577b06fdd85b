"""Every 24 h statistic of every captured ticker, read once more by hand: JSON, exact decimals, the venue's own keys."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges import load
from ringcollect.exchanges.protocol import Batch, Code
from ringcollect.records import Channel, Flag
from tests.exchanges.frames import DAY_NS, SKEW_NS, lines, same

Values = dict[int, float]
"""By the field's code: 1 last, 2 open, 3 high, 4 low, 5 base volume, 6 quote volume."""
Reader = Callable[[dict[str, Any], int], Iterator[tuple[str, Values]]]


def by_key(data: dict[str, Any], *keys: str | None) -> Values:
    """Values of the keys of the six fields, rounded once; an empty text, and no key, say nothing."""
    sent = {code: data.get(key, "") for code, key in enumerate(keys, 1) if key is not None}
    return {code: float(Decimal(str(value))) for code, value in sent.items() if value != ""}


def bybit() -> Reader:
    """Deltas are completed by what was said before; all is told when one of the six is said."""
    known: dict[tuple[int, str], dict[str, Any]] = {}
    keys = ("lastPrice", "prevPrice24h", "highPrice24h", "lowPrice24h", "volume24h", "turnover24h")

    def read(frame: dict[str, Any], conn: int) -> Iterator[tuple[str, Values]]:
        name, _, symbol = frame.get("topic", "").partition(".")
        if name != "tickers":
            return
        data = frame["data"]
        state = known.setdefault((conn, symbol), {})
        if frame["type"] == "snapshot":
            state.clear()
        state.update(data)
        if any(data.get(key) for key in keys):
            yield symbol, by_key(state, *keys)

    return read


def coinbase() -> Reader:
    def read(frame: dict[str, Any], conn: int) -> Iterator[tuple[str, Values]]:
        if frame.get("channel") == "ticker":
            for row in (row for event in frame["events"] for row in event["tickers"]):
                yield row["product_id"], by_key(row, "price", None, "high_24_h", "low_24_h", "volume_24_h", None)
        elif frame.get("type") == "ticker":
            yield frame["product_id"], by_key(frame, "price", "open_24h", "high_24h", "low_24h", "volume_24h", None)

    return read


def kraken() -> Reader:
    def read(frame: dict[str, Any], conn: int) -> Iterator[tuple[str, Values]]:
        for row in frame.get("data", []) if frame.get("channel") == "ticker" else []:
            yield row["symbol"], by_key(row, "last", None, "high", "low", "volume", None)

    return read


def kraken_futures() -> Reader:
    def read(frame: dict[str, Any], conn: int) -> Iterator[tuple[str, Values]]:
        if frame.get("feed") == "ticker" and "event" not in frame:
            yield frame["product_id"], by_key(frame, "last", "open", "high", "low", "volume", "volumeQuote")

    return read


def upbit() -> Reader:
    """Its open, high and low are those of the day since midnight."""

    def read(frame: dict[str, Any], conn: int) -> Iterator[tuple[str, Values]]:
        if frame.get("type") == "ticker":
            yield (
                frame["code"],
                by_key(frame, "trade_price", *3 * [None], "acc_trade_volume_24h", "acc_trade_price_24h"),
            )

    return read


READERS: dict[str, tuple[Callable[[], Reader], tuple[str, ...]]] = {
    "bybit": (bybit, ("linear", "spot")),
    "coinbase": (coinbase, ("spot",)),
    "kraken": (kraken, ("spot",)),
    "kraken_futures": (kraken_futures, ("linear",)),
    "upbit": (upbit, ("spot",)),
}
"""By hand; the markets of a capture's connections."""
CAPTURES = {
    "bybit_v5_2026": ("bybit", 162),
    "frames_bybit_v5": ("bybit", 11),
    "coinbase_adv_2026": ("coinbase", 160),
    "coinbase_exchange_2021": ("coinbase", 107),
    "frames_coinbase_adv": ("coinbase", 3),
    "frames_coinbase_exchange": ("coinbase", 4),
    "frames_kraken_v2": ("kraken", 3),
    "frames_kraken_futures": ("kraken_futures", 13),
    "frames_upbit": ("upbit", 1),
}


class Desk:
    """A decoder of an exchange that gets to know symbols as they come, in the order they come."""

    def __init__(self, exchange: str, markets: tuple[str, ...]) -> None:
        self.module: Any = load(exchange)
        self.decoder = self.module.decoder(capacity=65536, max_past_ns=DAY_NS, max_future_skew_ns=SKEW_NS)
        self.contexts = [self.decoder.context(market, conn) for conn, market in enumerate(markets)]
        self.markets = markets
        self.symbols: list[str] = []

    def _learn(self, conn: int, symbol: str) -> None:
        self.decoder.add_symbol(self.markets[conn], symbol, len(self.symbols))
        self.symbols.append(symbol)

    def batches(self, frame: bytes, conn: int, ts_recv: int) -> tuple[Batch, ...] | None:
        """Of both ways, which agree; None for a rejected frame."""
        conn = min(conn, len(self.contexts) - 1)
        ctx = self.contexts[conn]
        try:
            decoded = self.decoder.cold(frame, ctx, ts_recv)
        except RejectedFrame:
            assert self.module.decode_hot(frame, ctx, ts_recv) == Code.SLOW
            return None
        for symbol in decoded.unknown:
            self._learn(conn, symbol)
        if decoded.unknown:
            decoded = self.decoder.cold(frame, ctx, ts_recv)
        answer = self.module.decode_hot(frame, ctx, ts_recv)
        if answer >= 0:
            taken = self.decoder.all_taken(ctx)
            assert len(taken) == len(decoded.batches) and all(map(same, taken, decoded.batches)), frame
        return decoded.batches


@pytest.mark.parametrize("name", CAPTURES)
def test_every_statistic_is_the_number_that_the_frame_says(captures: Path, name: str) -> None:
    exchange, count = CAPTURES[name]
    reader, markets = READERS[exchange]
    by_hand, desk, done = reader(), Desk(exchange, markets), 0
    for line in lines(captures / f"{name}.jsonl.gz"):
        if line.get("d", "in") != "in" or "ticker" not in line["f"]:
            continue
        batches = desk.batches(line["f"].encode(), line.get("c", 0), line["t"])
        if batches is None:  # as test_*_agreement says
            continue
        found = []
        for batch in batches:
            if batch.channel is Channel.TICKER:
                fields = batch.records["sub"].tolist()
                assert fields == batch.records["aux"].tolist()
                assert [flags & Flag.LAST for flags in batch.records["flags"].tolist()][:-1] == [0] * (len(fields) - 1)
                values = dict(zip(fields, batch.records["price"].tolist(), strict=True))
                found.append((desk.symbols[batch.instrument], values))
        frame = json.loads(line["f"], parse_float=Decimal)
        expected = [row for row in by_hand(frame, line.get("c", 0)) if row[1]]
        assert found == expected
        done += len(found)
    assert done == count
