"""Garbage, truncated, wrong-typed, huge and nested frames: rejected with a short reason; the kernel says SLOW."""

from __future__ import annotations

import re

import pytest

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges import binance
from ringcollect.exchanges.protocol import Code, Outcome
from tests.exchanges.frames import new_decoder

NOW = 1_723_161_255_000_000_000
DEPTH = (
    b'{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1723161255208,"T":1723161255207,"s":"BTCUSDT",'
    b'"U":50093239189,"u":50093239202,"pu":50093239188,"b":[["61737.63000000","0.00000000"],["1e3","2"]],'
    b'"a":[["61837.64000000","1.54698000"]]}}'
)
TRADE = (
    b'{"e":"trade","E":1723161255343,"s":"BTCUSDT","t":3735683259,"p":"61837.63000000","q":"0.02000000",'
    b'"T":1723161255342,"m":true,"X":"MARKET"}'
)
TICKER = b'{"u":400900217,"s":"BTCUSDT","b":"25.35190000","B":"31.21000000","a":"25.36520000","A":"40.66000000"}'
AGGREGATE = (
    b'{"e":"aggTrade","E":1672515782136,"s":"BTCUSDT","a":12345,"p":"0.001","q":"100","f":100,"l":105,'
    b'"T":1672515782136,"m":true,"M":true}'
)
FORCE = (
    b'{"e":"forceOrder","E":1568014460893,"o":{"s":"BTCUSDT","S":"SELL","o":"LIMIT","q":"0.014","p":"9910",'
    b'"ap":"9911","X":"FILLED","l":"0.014","z":"0.014","T":1568014460893}}'
)
MARK = (
    b'{"e":"markPriceUpdate","E":1562305380000,"s":"BTCUSDT","p":"11794.15","i":"11784.6","r":"0.0003",'
    b'"T":1562306400000}'
)
FRAMES = {"depth": DEPTH, "trade": TRADE, "ticker": TICKER, "aggregate": AGGREGATE, "force": FORCE, "mark": MARK}


def rejected(frame: bytes) -> str:
    """The reason; the kernel must have said SLOW."""
    decoder = new_decoder(("BTCUSDT",))
    ctx = decoder.context("linear", 0)
    assert binance.decode_hot(frame, ctx, NOW) == Code.SLOW
    with pytest.raises(RejectedFrame) as caught:
        decoder.cold(frame, ctx, NOW)
    assert 0 < len(caught.value.reason) <= 200
    return caught.value.reason


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_cut_at_any_byte_is_rejected(name: str) -> None:
    frame = FRAMES[name]
    decoder = new_decoder(("BTCUSDT",))
    ctx = decoder.context("linear", 0)
    for end in range(len(frame)):
        assert binance.decode_hot(frame[:end], ctx, NOW) == Code.SLOW
        with pytest.raises(RejectedFrame):
            decoder.cold(frame[:end], ctx, NOW)
    assert decoder.cold(frame, ctx, NOW).outcome is Outcome.DECODED


@pytest.mark.parametrize("tail", [b"x", b",", b"}", b"{}", b"\x00", b"null", b"//"])
def test_anything_behind_a_frame_rejects_it(tail: bytes) -> None:
    for frame in FRAMES.values():
        rejected(frame + tail)


@pytest.mark.parametrize(
    "frame",
    [b"", b" ", b"pong", b"null", b"1", b'"x"', b"true", b"{}", b'{"a":1}', b"\x00" * 100, b"\xff\xfe{}",
     b"<html>502</html>", b'{"stream":"btcusdt@trade"}', b'{"data":{}}', b'{"stream":"a","data":null}',
     b'{"stream":"a","data":[1]}', b'{"stream":1,"data":{"e":"kline"}}', b'{"e":"nonsense","s":"BTCUSDT"}', b'{"e":1}',
     b"[1]", b"[[]]"],
)  # fmt: skip
def test_what_is_no_message_of_binance_is_rejected(frame: bytes) -> None:
    rejected(frame)


@pytest.mark.parametrize(
    "value", [b"null", b"[]", b"{}", b"true", b'"x"', b"1.5", b"-1", b"99999999999999999999", b"{"]
)
def test_every_needed_field_of_the_wrong_type_rejects_the_frame(value: bytes) -> None:
    """Each needed value in turn is replaced; what still fits its field's type is left out."""
    needed = {
        "depth": (b"E", b"T", b"s", b"U", b"u", b"pu", b"b", b"a"),
        "trade": (b"s", b"t", b"p", b"q", b"T", b"m", b"X"),
        "ticker": (b"u", b"s", b"b", b"B", b"a", b"A"),
        "aggregate": (b"s", b"a", b"p", b"q", b"f", b"l", b"T", b"m"),
        "force": (b"s", b"S", b"p", b"q", b"T"),
        "mark": (b"E", b"s", b"p", b"i", b"r", b"T"),
    }
    fits = {
        b'"x"': (b"s",),
        b"true": (b"m",),
        b"[]": (b"b", b"a"),  # of depth only, below
        b"1.5": (b"p", b"q", b"b", b"B", b"a", b"A", b"i", b"r"),
        b"-1": (b"p", b"q", b"b", b"B", b"a", b"A", b"i", b"r"),
        b"99999999999999999999": (b"p", b"q", b"b", b"B", b"a", b"A", b"i", b"r"),
    }
    for name, keys in needed.items():
        for key in keys:
            is_list = name == "depth" and key in (b"a", b"b")
            if key in fits.get(value, ()) and is_list == (value == b"[]") and not (name == "aggregate" and key == b"a"):
                continue
            pattern = rb'"' + key + rb'":(\[\[.*?\]\]|"[^"]*"|[a-z0-9]+)'
            frame, count = re.subn(pattern, b'"' + key + b'":' + value, FRAMES[name], count=1)
            assert count == 1, (name, key)
            if name == "force" and key == b"s" and value == b'"x"':
                continue
            rejected(frame)


@pytest.mark.parametrize("key", ["s", "U", "u", "pu", "E", "b", "a"])
def test_a_depth_frame_without_a_needed_field_is_rejected(key: str) -> None:
    frame = re.sub(rb'"' + key.encode() + rb'":(\[\[.*?\]\]|"[^"]*"|\d+),?', b"", DEPTH, count=1).replace(b",}", b"}")
    assert "missing" in rejected(frame) or key == "pu"


@pytest.mark.parametrize(
    "level",
    [b'["1"]', b'["1","2","3"]', b"[]", b'"1"', b'["1",null]', b'["nan","1"]', b'["inf","1"]', b'["1e400","1"]',
     b'["","1"]', b'["1 ","1"]', b'["0x1","1"]', b'["1_0","1"]', b'["1","1"',],
)  # fmt: skip
def test_a_level_that_is_no_price_and_size_rejects_the_frame(level: bytes) -> None:
    rejected(DEPTH.replace(b'["1e3","2"]', level))


@pytest.mark.parametrize("time", [b"-1", b"9223372036855", b"999999999999999", b"9223372036854776", b"1e12"])
def test_a_time_that_does_not_fit_is_rejected(time: bytes) -> None:
    rejected(TRADE.replace(b'"T":1723161255342', b'"T":' + time))


def test_ten_megabytes_are_rejected_without_being_read() -> None:
    for filler in (b" " * 10_000_000, b"[" * 10_000_000, b'"' + b"x" * 10_000_000 + b'"'):
        assert "bytes are more than" in rejected(filler)


def test_three_megabytes_of_garbage_are_rejected_quickly_and_without_recursion() -> None:
    for garbage in (b"[" * 3_000_000, b'{"a":' * 600_000, b"[{" * 1_500_000, b"1" * 3_000_000, b"\\" * 3_000_000):
        rejected(garbage)


@pytest.mark.parametrize("levels", [62, 63, 64, 500, 5000, 100_000])
def test_nesting_in_an_unknown_key_is_bounded(levels: int) -> None:
    for opening, closing in ((b"[", b"]"), (b'{"x":', b"}")):
        frame = TRADE[:-1] + b',"zz":' + opening * levels + b"1" + closing * levels + b"}"
        if levels <= 63:  # one more for the frame itself
            decoder = new_decoder(("BTCUSDT",))
            assert decoder.cold(frame, decoder.context("linear", 0), NOW).outcome is Outcome.DECODED
        else:
            rejected(frame)


def test_an_array_with_one_bad_event_is_rejected_as_a_whole() -> None:
    rejected(b"[" + MARK + b"," + MARK.replace(b'"p":"11794.15"', b'"p":"x"') + b"]")


def test_every_byte_replaced_by_every_kind_of_byte_never_crashes_and_never_divides_the_paths() -> None:
    from tests.exchanges.frames import same

    decoder = new_decoder(("BTCUSDT",))
    ctx = decoder.context("linear", 0)
    for frame in (DEPTH, TRADE, TICKER, AGGREGATE):
        for at in range(len(frame)):
            for byte in b'{}[]",:\\0-.eEx \x00\x1f\x80\xff':
                damaged = frame[:at] + bytes([byte]) + frame[at + 1 :]
                answer = binance.decode_hot(damaged, ctx, NOW)
                if answer >= 0:
                    (batch,) = decoder.cold(damaged, ctx, NOW).batches
                    assert same(decoder.taken(ctx), batch), damaged
