"""Tickers as records: what Upbit says of 24 h. Its open, high and low are of the day since 00:00 UTC, and left out."""

from __future__ import annotations

from ringcollect.exchanges.numbers import epoch_to_ns
from ringcollect.exchanges.protocol import Batch
from ringcollect.exchanges.typed import Arrival, statistics
from ringcollect.exchanges.upbit.messages import SimpleTicker, Ticker
from ringcollect.records import TickerField

KEYS = {
    TickerField.LAST: "trade_price",
    TickerField.BASE_VOLUME: "acc_trade_volume_24h",
    TickerField.QUOTE_VOLUME: "acc_trade_price_24h",
}
"""Where ``ticker`` says what, in the format DEFAULT."""


def ticker_records(ticker: Ticker | SimpleTicker, arrival: Arrival, instrument: int, extra: int) -> tuple[Batch, ...]:
    """The statistics that are there. ``extra`` flags are on all of them."""
    sent = {field: getattr(ticker, name) for field, name in KEYS.items()}
    return statistics(arrival, instrument, epoch_to_ns(ticker.timestamp), sent, extra)
