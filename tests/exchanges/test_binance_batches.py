"""Frames given in lists leave the same bytes in ring, counters and hot rows as those given one by one."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringcollect.exchanges import binance, hot
from ringcollect.exchanges.binance.decoder import Decoder
from ringcollect.exchanges.protocol import Code
from ringcollect.records import RECORD, Channel
from ringcollect.ring.layout import LEDGER_ROW, Layout, write_header
from tests.exchanges.frames import lines, new_decoder, on_hot_frame
from tests.exchanges.test_binance_bad_input import AGGREGATE, DEPTH, TICKER, TRADE

NOW = 1_723_161_254_000_000_000
CAPACITY = 1 << 12


class Station:
    """A decoder with a ring in plain memory whose trade and bbo rows are open."""

    def __init__(self, symbols: tuple[str, ...] = ("BTCUSDT", "ETHUSDT"), market: str = "spot") -> None:
        layout = Layout("test.rec", RECORD, CAPACITY, (), {})
        self.ring = np.zeros(layout.places().file_bytes // 8, np.int64)
        write_header(self.ring, layout, generation=1)
        self.counters = {name: np.zeros(1, np.int64) for name in hot.COUNTED}
        self.decoder: Decoder = new_decoder(symbols)
        self.decoder.attach_ring(self.ring, CAPACITY // 8, self.counters)
        self.ctx = self.decoder.context(market, 0)
        self.ledger = np.zeros((len(symbols), 4), LEDGER_ROW)
        for instrument in range(len(symbols)):
            for channel in (Channel.TRADE, Channel.BBO, Channel.BOOK):
                row = self.decoder.hot.row(instrument, channel)
                row[hot.OPEN] = hot.OPEN_TO_ALL
                row[hot.LEDGER] = self.ledger[instrument, channel : channel + 1].ctypes.data

    def state(self) -> list[bytes]:
        """Everything the kernel may have written, but the addresses."""
        rows = [self.decoder.hot.row(i, c)[: hot.LAST_ID + 1] for c in hot.HOT_CHANNELS for i in range(4)]
        return [array.tobytes() for array in (self.ring, *rows, self.ledger, *self.counters.values())]

    def one_by_one(self, frames: list[bytes]) -> list[int]:
        """The answers, frame by frame."""
        return [on_hot_frame(binance, frame, self.ctx, NOW) for frame in frames]

    def together(self, frames: list[bytes], sizes: list[int]) -> list[int]:
        """Codes of the frames the kernel did not take, 0 for the others; lists of the given sizes, again and again."""
        codes: list[int] = []
        at = turn = 0
        while at < len(frames):
            part = frames[at : at + sizes[turn % len(sizes)]]
            turn += 1
            while part:
                taken = binance.on_hot_frames(part, self.ctx, NOW)
                codes += [0] * taken
                at += taken
                if taken == len(part):
                    break
                codes.append(int(self.ctx[hot.C_CODE]))
                at += 1
                part = part[taken + 1 :]
        return codes


def ticker(last: int, symbol: str = "BTCUSDT") -> bytes:
    return f'{{"u":{last},"s":"{symbol}","b":"1.5","B":"2","a":"1.6","A":"3"}}'.encode()


def some_frames(seed: int) -> list[bytes]:
    """Good and bad ones, in an order that makes every code appear."""
    rng = random.Random(seed)
    made = []
    for k in range(rng.randrange(1, 60)):
        good = [ticker(k), ticker(k, "ETHUSDT"), TRADE, AGGREGATE, DEPTH, TICKER]
        bad = [b"", b"{", b"[]", b'{"e":"kline"}', b"\xff", ticker(k, "XRPUSDT"), ticker(k // 2), TRADE[:-1]]
        made.append(rng.choice(good if rng.random() < 0.7 else bad))
    return made


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.integers(0, 2**32), st.lists(st.integers(1, 20), min_size=1, max_size=6))
def test_any_cutting_of_any_frames_gives_the_same_answers_and_the_same_bytes(seed: int, sizes: list[int]) -> None:
    frames = some_frames(seed)
    single, lists = Station(), Station()
    answers = single.one_by_one(frames)
    assert lists.together(frames, sizes) == [min(answer, 0) for answer in answers]
    assert lists.state() == single.state()


@pytest.mark.parametrize(("name", "market"), [("binance_spot_2024", "spot"), ("binance_usdm_2021b", "linear")])
def test_a_capture_in_lists_leaves_the_same_ring_as_frame_by_frame(captures: Path, name: str, market: str) -> None:
    frames = []
    for line in lines(captures / f"{name}.jsonl.gz"):
        if line["d"] == "in" and len(frames) < 3000:
            frames.append(line["f"].encode())
    symbols = ("BTCUSDT", "ETHUSDT", "BATUSDT", "CTKUSDT", "NEOUSDT", "SANDUSDT", "CHRUSDT")
    single = Station(symbols, market)
    answers = single.one_by_one(frames)
    assert sum(answer > 0 for answer in answers) > 1000
    for sizes in ([16], [1, 7, 100], [3000]):
        lists = Station(symbols, market)
        assert lists.together(frames, sizes) == [min(answer, 0) for answer in answers]
        assert lists.state() == single.state()


def test_an_item_that_is_no_bytes_object_is_left_to_the_caller_without_an_exception() -> None:
    station = Station()
    frames = [ticker(1), "text", ticker(2), None, bytearray(ticker(3))]
    assert binance.on_hot_frames(frames, station.ctx, NOW) == 1
    assert station.ctx[hot.C_CODE] == Code.SLOW
    assert binance.on_hot_frames(frames[2:], station.ctx, NOW) == 1
    assert binance.on_hot_frames([], station.ctx, NOW) == 0


@pytest.mark.parametrize("frames", [(b"{}",), b"{}", None, 5])
def test_anything_but_a_list_is_refused(frames: object) -> None:
    with pytest.raises((TypeError, SystemError)):
        binance.on_hot_frames(frames, Station().ctx, NOW)


def test_anything_but_a_context_is_refused() -> None:
    for ctx in (None, 5, [1], b"context"):
        with pytest.raises((TypeError, ValueError)):
            binance.on_hot_frames([b"{}"], ctx, NOW)


LEAK = """
import gc, sys
from tests.exchanges.test_binance_batches import NOW, Station, ticker
from ringcollect.exchanges import binance
station = Station()
frames = [ticker(k) for k in range(50)] + ["x"]
before = [sys.getrefcount(frame) for frame in frames], sys.getrefcount(frames), sys.getrefcount(station.ctx)
for _ in range(1000):
    binance.on_hot_frames(frames, station.ctx, NOW)
after = [sys.getrefcount(frame) for frame in frames], sys.getrefcount(frames), sys.getrefcount(station.ctx)
assert before == after
print("same")
"""


def test_no_reference_is_kept_or_lost() -> None:
    done = subprocess.run([sys.executable, "-c", LEAK], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "same"), done.stderr
