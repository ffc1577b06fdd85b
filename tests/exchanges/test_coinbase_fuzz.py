"""Any spelling JSON allows, and any damage: the kernel reads it as the typed path does, or leaves it alone."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges import coinbase
from ringcollect.exchanges.protocol import Code
from tests.exchanges.coinbase_frames import (
    MATCHED,
    MATCHED_NS,
    NOW,
    SENT,
    SENT_NS,
    SYMBOLS,
    agree,
    exchange_ticker,
    l2_data,
    l2update,
    level,
    market_trades,
    match,
    new_decoder,
    snapshot,
    ticker,
    trade,
)
from tests.exchanges.spelling import DAMAGE, EXTRA, TEXTS, Spelling, bits, damaged, unknown_fields

DECODER = new_decoder()
CTX = DECODER.context("spot", 0)
KNOWN = {
    "channel", "timestamp", "sequence_num", "events", "type", "product_id", "updates", "trades", "tickers", "side",
    "event_time", "price_level", "new_quantity", "trade_id", "price", "size", "time", "best_bid", "best_ask", "changes",
    "best_bid_quantity", "best_ask_quantity", "bids", "asks", "best_bid_size", "best_ask_size", "message", "reason",
    "open_24h", "high_24h", "low_24h", "volume_24h", "high_24_h", "low_24_h", "volume_24_h",
}  # fmt: skip
POSITIVE = [text for text in TEXTS if not text.startswith("-")]
KINDS = ("l2_data", "market_trades", "ticker", "l2update", "snapshot", "match", "exchange_ticker")
Row = tuple[float, ...]


def build(kind: str, seed: int, symbol: str, extra: dict[str, Any]) -> tuple[bytes, list[Row]]:
    """(frame, expected (price, size, side, id, ts_event) rows), values by Python's own float."""
    spelling = Spelling(seed)
    rng = spelling.rng
    make = ADVANCED if kind in ADVANCED else EXCHANGE
    unknown = unknown_fields(extra, KNOWN)
    fields, rows = make[kind](spelling, symbol, unknown)
    if kind in ADVANCED:
        event = {"type": spelling.text(rng.choice(["update", "snapshot"]))} | fields | unknown
        fields = {
            "channel": spelling.text(kind), "timestamp": f'"{SENT}"', "sequence_num": str(rng.randrange(2**62)),
            "events": spelling.join("[", [spelling.event(event)], "]"),
        }  # fmt: skip
    return spelling.frame(spelling.event(fields | unknown)), rows


def _book(spelling: Spelling, symbol: str, unknown: dict[str, str]) -> tuple[dict[str, str], list[Row]]:
    rows: list[Row] = []
    parts = []
    for _ in range(spelling.rng.randrange(5)):
        price, size, side = spelling.rng.choice(TEXTS), spelling.rng.choice(POSITIVE), spelling.rng.choice([1, -1])
        timed = spelling.rng.random() < 0.8
        fields = {
            "side": spelling.text("bid" if side > 0 else "offer"), "price_level": spelling.number(price),
            "new_quantity": spelling.number(size),
        }  # fmt: skip
        parts.append(spelling.event(fields | ({"event_time": f'"{MATCHED}"'} if timed else {}) | unknown))
        rows.append((float(price), float(size), side, 0, MATCHED_NS if timed else SENT_NS))
    fields = {"product_id": spelling.text(symbol), "updates": spelling.join("[", parts, "]")}
    return fields, rows or [(float("nan"), 0.0, 0, 0, SENT_NS)]


def _trades(spelling: Spelling, symbol: str, unknown: dict[str, str]) -> tuple[dict[str, str], list[Row]]:
    rows: list[Row] = []
    parts = []
    for _ in range(1 + spelling.rng.randrange(4)):
        price, size, maker = (
            spelling.rng.choice(TEXTS),
            spelling.rng.choice(TEXTS),
            spelling.rng.choice(["BUY", "SELL"]),
        )
        identity = spelling.rng.randrange(2**62)
        fields = {
            "product_id": json.dumps(symbol), "trade_id": spelling.number(str(identity)), "side": spelling.text(maker),
            "price": spelling.number(price), "size": spelling.number(size), "time": f'"{MATCHED}"',
        }  # fmt: skip
        parts.append(spelling.event(fields | unknown))
        rows.append((float(price), float(size), -1 if maker == "BUY" else 1, identity, MATCHED_NS))
    return {"trades": spelling.join("[", parts, "]")}, rows


def _best(spelling: Spelling, suffix: str) -> tuple[dict[str, str], list[tuple[float, float]]]:
    bid, bid_size, ask, ask_size = (spelling.rng.choice([*TEXTS[:200], "0", "0.00"]) for _ in range(4))
    fields = {
        "best_bid": spelling.number(bid), "best_ask": spelling.number(ask),
        f"best_bid_{suffix}": spelling.number(bid_size), f"best_ask_{suffix}": spelling.number(ask_size),
    }  # fmt: skip
    pairs = ((bid, bid_size), (ask, ask_size))
    return fields, [(float(p), float(q)) if float(p) else (float("nan"), 0.0) for p, q in pairs]


def _day(spelling: Spelling, names: tuple[str, ...]) -> dict[str, str]:
    """Statistics, some of them missing, in the order of their fields."""
    return {name: spelling.rng.choice(TEXTS) for name in names if spelling.rng.random() < 0.8}


def _day_rows(day: dict[str, str], ts_event: int) -> list[Row]:
    return [(float(text), float("nan"), 0, 0, ts_event) for text in day.values()]


def _ticker(spelling: Spelling, symbol: str, unknown: dict[str, str]) -> tuple[dict[str, str], list[Row]]:
    fields, (bid, ask) = _best(spelling, "quantity")
    plain = {name: value for name, value in unknown.items() if name.isascii() and name.isprintable()}
    day = _day(spelling, ("price", "high_24_h", "low_24_h", "volume_24_h"))
    fields |= {name: spelling.number(text) for name, text in day.items()}
    members = list((fields | {"product_id": spelling.text(symbol)} | plain).items())
    spelling.rng.shuffle(members)  # keys of more than 16 characters are the kernel's only without escapes
    keys = [json.dumps(name) if len(name) > 16 else spelling.text(name) for name, _ in members]
    one = spelling.join("{", [f"{key}:{value}" for key, (_, value) in zip(keys, members, strict=True)], "}")
    rows = [(*bid, 1, 0, SENT_NS), (*ask, -1, 0, SENT_NS), *_day_rows(day, SENT_NS)]
    return {"tickers": spelling.join("[", [one], "]")}, rows


def _exchange_ticker(spelling: Spelling, symbol: str, unknown: dict[str, str]) -> tuple[dict[str, str], list[Row]]:
    fields, (bid, ask) = _best(spelling, "size")
    common = {"type": spelling.text("ticker"), "product_id": spelling.text(symbol), "time": f'"{MATCHED}"'}
    day = _day(spelling, ("price", "open_24h", "high_24h", "low_24h", "volume_24h"))
    fields |= {name: spelling.number(text) for name, text in day.items()}
    return fields | common, [(*bid, 1, 0, MATCHED_NS), (*ask, -1, 0, MATCHED_NS), *_day_rows(day, MATCHED_NS)]


def _l2update(spelling: Spelling, symbol: str, unknown: dict[str, str]) -> tuple[dict[str, str], list[Row]]:
    rows: list[Row] = []
    parts = []
    for _ in range(spelling.rng.randrange(5)):
        price, size, side = spelling.rng.choice(TEXTS), spelling.rng.choice(POSITIVE), spelling.rng.choice([1, -1])
        word = spelling.text("buy" if side > 0 else "sell")
        parts.append(spelling.join("[", [word, spelling.number(price), spelling.number(size)], "]"))
        rows.append((float(price), float(size), side, 0, MATCHED_NS))
    fields = {
        "type": spelling.text("l2update"), "product_id": spelling.text(symbol), "time": f'"{MATCHED}"',
        "changes": spelling.join("[", parts, "]"),
    }  # fmt: skip
    return fields, rows or [(float("nan"), 0.0, 0, 0, MATCHED_NS)]


def _snapshot(spelling: Spelling, symbol: str, unknown: dict[str, str]) -> tuple[dict[str, str], list[Row]]:
    sides = [
        [(spelling.rng.choice(TEXTS), spelling.rng.choice(POSITIVE)) for _ in range(spelling.rng.randrange(4))]
        for _ in range(2)
    ]
    fields = {"type": spelling.text("snapshot"), "product_id": spelling.text(symbol)}
    fields |= {name: spelling.levels(levels) for name, levels in zip(("bids", "asks"), sides, strict=True)}  # type: ignore[arg-type]
    rows = [(float(p), float(q), sign, 0, 0) for sign, levels in zip((1, -1), sides, strict=True) for p, q in levels]
    return fields, rows or [(float("nan"), 0.0, 0, 0, 0)]


def _match(spelling: Spelling, symbol: str, unknown: dict[str, str]) -> tuple[dict[str, str], list[Row]]:
    price, size, maker = spelling.rng.choice(TEXTS), spelling.rng.choice(TEXTS), spelling.rng.choice(["buy", "sell"])
    identity = spelling.rng.randrange(2**62)
    fields = {
        "type": spelling.text(spelling.rng.choice(["match", "last_match"])), "product_id": spelling.text(symbol),
        "trade_id": spelling.number(str(identity)), "side": spelling.text(maker), "price": spelling.number(price),
        "size": spelling.number(size), "time": f'"{MATCHED}"',
    }  # fmt: skip
    return fields, [(float(price), float(size), -1 if maker == "buy" else 1, identity, MATCHED_NS)]


ADVANCED = {"l2_data": _book, "market_trades": _trades, "ticker": _ticker}
EXCHANGE = {"l2update": _l2update, "snapshot": _snapshot, "match": _match, "exchange_ticker": _exchange_ticker}


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=100, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32), symbol=st.sampled_from(SYMBOLS), extra=EXTRA)
def test_the_kernel_reads_every_spelling_of_a_message(kind: str, seed: int, symbol: str, extra: dict[str, Any]) -> None:
    frame, rows = build(kind, seed, symbol, extra)
    answer, _ = agree(DECODER, CTX, frame, NOW)
    assert answer == len(rows), frame
    records = DECODER.batch[:answer]
    assert set(records["instrument"].tolist()) == {SYMBOLS.index(symbol)}
    names = ("price", "size", "side", "id", "ts_event")
    assert bits([tuple(row[name] for name in names) for row in records]) == bits(rows)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**32), extra=EXTRA, how=DAMAGE,
    where=st.integers(0, 2**31), length=st.integers(1, 12), byte=st.integers(0, 255),
)  # fmt: skip
def test_a_damaged_message_gives_the_same_records_both_ways_or_none(
    kind: str, seed: int, extra: dict[str, Any], how: str, where: int, length: int, byte: int
) -> None:
    decoder = new_decoder()
    ctx = decoder.context("spot", 0)
    frame, _ = build(kind, seed, "BTC-USD", extra)
    bad = damaged(frame, how, where, length, byte)
    try:
        agree(decoder, ctx, bad, NOW)
    except RejectedFrame as error:
        assert coinbase.decode_hot(bad, ctx, NOW) == Code.SLOW, bad
        assert len(error.reason) <= 200
        return
    json.loads(bad)


FRAMES = {
    "l2_data": orjson.dumps(l2_data(level("bid", "1.5", "2"), level("offer", "3e-5", "0"))),
    "market_trades": orjson.dumps(market_trades(trade(), trade(trade_id="7"))),
    "ticker": orjson.dumps(ticker()), "match": orjson.dumps(match()), "snapshot": orjson.dumps(snapshot()),
    "l2update": orjson.dumps(l2update(("buy", "1", "2"))), "exchange_ticker": orjson.dumps(exchange_ticker()),
}  # fmt: skip


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_cut_at_any_byte_is_rejected(name: str) -> None:
    frame = FRAMES[name]
    for end in range(len(frame)):
        assert coinbase.decode_hot(frame[:end], CTX, NOW) == Code.SLOW
        with pytest.raises(RejectedFrame):
            DECODER.cold(frame[:end], CTX, NOW)


@pytest.mark.parametrize("name", FRAMES)
def test_every_byte_replaced_by_every_kind_of_byte_never_divides_the_paths(name: str) -> None:
    frame = FRAMES[name]
    for at in range(len(frame)):
        for byte in b'{}[]",:\\0-.eEx \x00\x1f\x80\xff':
            bad = frame[:at] + bytes([byte]) + frame[at + 1 :]
            if coinbase.decode_hot(bad, CTX, NOW) >= 0:
                agree(DECODER, CTX, bad, NOW)


def test_a_long_key_spelled_with_escapes_is_left_to_the_typed_path() -> None:
    bad = FRAMES["ticker"].replace(b'"volume_24_h"', b'"best_bid_q\\u0075antity"')
    assert coinbase.decode_hot(bad, CTX, NOW) == Code.SLOW
    DECODER.cold(bad, CTX, NOW)


def test_a_message_with_keys_of_both_feeds_is_left_to_the_typed_path() -> None:
    mixed = FRAMES["match"].replace(b'"sequence"', b'"channel"')
    assert coinbase.decode_hot(mixed, CTX, NOW) == Code.SLOW


def test_a_book_that_does_not_fit_goes_the_typed_way() -> None:
    decoder = new_decoder(capacity=10)
    ctx = decoder.context("spot", 0)
    for count, fits in ((10, True), (11, False)):
        levels = [("buy", str(k), "1") for k in range(1, count + 1)]
        for frame in (
            orjson.dumps(l2_data(*(level("bid", price, size) for _, price, size in levels))),
            orjson.dumps(l2update(*levels)),
            orjson.dumps(snapshot(bids=[row[1:] for row in levels[2:]])),
        ):
            assert (coinbase.decode_hot(frame, ctx, NOW) == count) == fits
            assert len(decoder.cold(frame, ctx, NOW).batches[0].records) == count
