"""Channels that are not hot: the kernel that all exchanges share publishes them by itself, as the typed path would."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import orjson
import pytest

from ringcollect.exchanges import binance, hot
from ringcollect.exchanges.binance.decoder import Decoder
from ringcollect.exchanges.protocol import Code
from ringcollect.records import RECORD, Channel, Flag, Kind
from ringcollect.ring.attach import attach
from ringcollect.ring.layout import LEDGER_ROW
from ringcollect.ring.producer import Producer
from tests.exchanges.frames import lines, new_decoder
from tests.exchanges.sessions import run

NOW = 1_723_161_255_000_000_000
MS = NOW // 10**6
MARKS = (Channel.MARK_PRICE, Channel.INDEX_PRICE, Channel.FUNDING)


class Bench:
    """Binance's decoder before a ring, and a ledger row for each channel."""

    def __init__(self, folder: Path) -> None:
        self.ring = Producer.open(folder, "test.rec", capacity=1 << 10, generation=1)
        self.counters = {name: np.zeros(1, np.int64) for name in hot.COUNTED}
        self.decoder: Decoder = new_decoder(("BTCUSDT", "ETHUSDT"))
        self.decoder.attach_ring(self.ring.words, 16, self.counters)
        self.ctx = self.decoder.context("linear", 0)
        self.ledger = np.zeros(len(Channel), LEDGER_ROW)

    def open(self, *channels: Channel, conn: int = 0) -> None:
        """The streams flow on that connection."""
        for channel in channels:
            row = self.decoder.hot.row(0, channel)
            row[hot.OPEN], row[hot.WANTED], row[hot.LAST_ID] = conn + 1, 1, 0
            row[hot.LEDGER] = self.ledger[channel : channel + 1].ctypes.data

    def __call__(self, frame: bytes) -> int:
        binance.on_hot_frames([frame], self.ctx, NOW)
        return int(self.ctx[hot.C_CODE])

    def published(self) -> np.ndarray:
        reader = attach(self.ring.path)
        reader.cursor = 0
        return reader.read(1 << 10).records

    def counts(self) -> dict[str, int]:
        return {name: int(words[0]) for name, words in self.counters.items()}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def mark(ms: int = MS, symbol: str = "BTCUSDT") -> bytes:
    return (
        f'{{"stream":"btcusdt@markPrice@1s","data":{{"e":"markPriceUpdate","E":{ms},"s":"{symbol}","p":"60000.1",'
        f'"P":"60001","i":"60002.5","r":"0.0001","T":{MS + 3_600_000}}}}}'
    ).encode()


def test_a_frame_of_three_channels_is_published_in_one_go_and_each_ledger_is_told(bench: Bench) -> None:
    bench.open(*MARKS)
    assert bench(mark()) == 3
    records = bench.published()
    assert records["kind"].tolist() == [Kind.MARK_PRICE, Kind.INDEX_PRICE, Kind.FUNDING]
    assert records["price"].tolist() == [60000.1, 60002.5, 0.0001]
    assert records["aux"].tolist() == [0, 0, (MS + 3_600_000) * 10**6]
    assert records["flags"].tolist() == [Flag.LAST] * 3
    assert records["seq"].tolist() == [0, 1, 2]
    assert bench.counts() == {
        "frames_in": 1, "bytes_in": len(mark()), "decoded": 1, "ignored": 0, "records": 3, "bad_ts": 0,
    }  # fmt: skip
    for channel in MARKS:
        row = bench.ledger[channel]
        assert (row["frames"], row["records"], row["last_data_ns"]) == (1, 1, NOW)
        assert bench.decoder.hot.row(0, channel)[hot.LAST_TS] == NOW


def test_what_nobody_asked_for_is_left_out(bench: Bench) -> None:
    bench.open(Channel.FUNDING)
    assert bench(mark()) == 1
    assert bench.published()["kind"].tolist() == [Kind.FUNDING]
    assert bench.counts()["records"] == 1 and bench.counts()["decoded"] == 1


def test_a_capture_makes_streams_of_what_nobody_asked_for(bench: Bench) -> None:
    bench.open(Channel.FUNDING)
    bench.decoder.hot.want_all()
    assert bench(mark()) == Code.NOT_OPEN


@pytest.mark.parametrize("conn", [1, 2])
def test_one_stream_that_the_feed_wants_to_see_keeps_the_whole_frame_from_the_ring(bench: Bench, conn: int) -> None:
    bench.open(*MARKS)
    bench.open(Channel.INDEX_PRICE, conn=conn)
    assert bench(mark()) == Code.NOT_OPEN
    assert len(bench.published()) == 0
    assert set(bench.counts().values()) == {0}
    taken = bench.decoder.all_taken(bench.ctx)
    assert [(batch.instrument, batch.channel, len(batch.records)) for batch in taken] == [
        (0, channel, 1) for channel in MARKS
    ]


def test_news_older_than_what_was_published_is_the_feeds_to_judge(bench: Bench) -> None:
    bench.open(*MARKS)
    assert [bench(mark(MS)), bench(mark(MS)), bench(mark(MS - 1)), bench(mark(MS + 1))] == [3, 3, Code.NOT_OPEN, 3]


def test_a_time_that_cannot_be_is_flagged_and_counted_for_each_batch(bench: Bench) -> None:
    bench.open(*MARKS)
    assert bench(mark(MS + 10**9)) == 3
    assert bench.published()["flags"].tolist() == [Flag.LAST | Flag.BAD_TS] * 3
    assert bench.counts()["bad_ts"] == 3


def test_a_symbol_nobody_knows_is_the_typed_paths(bench: Bench) -> None:
    bench.open(*MARKS)
    assert bench(mark(symbol="XRPUSDT")) == Code.SLOW


def test_a_known_event_that_is_not_recorded_counts_as_ignored(bench: Bench) -> None:
    assert bench(b'{"stream":"btcusdt@kline_1m","data":{"e":"kline","E":1,"k":{"t":[1,2,{"x":null}]}}}') == 0
    assert bench.counts()["ignored"] == bench.counts()["frames_in"] == 1
    assert bench(b'{"stream":"btcusdt@kline_1m","data":{"e":"kline","E":1,"k":{"t":[1,2,}}}') == Code.SLOW


def test_more_records_than_a_piece_of_the_ring_go_through_the_producer(bench: Bench) -> None:
    bench.open(*MARKS)
    one = mark().partition(b'"data":')[2][:-1]
    frame = b'{"stream":"!markPrice@arr","data":[' + b",".join([one] * 6) + b"]}"
    assert bench(frame) == Code.TOO_LONG
    assert len(bench.decoder.all_taken(bench.ctx)) == 18


CAPTURES = {
    "coinbase_adv_2026": "coinbase",
    "frames_binance_usdm": "binance",
    "frames_bybit_v5": "bybit",
    "bybit_v5_2026": "bybit",
    "frames_okx_v5": "okx",
    "okx_v5_2022_05": "okx",
    "frames_kraken_futures": "kraken_futures",
    "kraken_futures_2021": "kraken_futures",
}


def without_pauses(capture: Path, to: Path) -> Path:
    """The same frames a millisecond apart: frames of many years would make a session tick through them all."""
    with gzip.open(to, "wb") as file:
        for k, line in enumerate(lines(capture)):
            file.write(orjson.dumps(line | {"t": NOW + k * 1_000_000}) + b"\n")
    return to


@pytest.mark.parametrize("name", CAPTURES)
def test_a_capture_leaves_the_same_ring_with_the_kernels_and_without(captures: Path, tmp_path: Path, name: str) -> None:
    capture = captures / f"{name}.jsonl.gz"
    if name.startswith("frames_"):
        capture = without_pauses(capture, tmp_path / "frames.jsonl.gz")
    with_kernel = run(capture, CAPTURES[name], tmp_path / "kernel")
    without = run(capture, CAPTURES[name], tmp_path / "typed", kernel=False)
    assert with_kernel.hot > 0 or name == "frames_kraken_futures"  # all with holes between: decoded, left to the feed
    assert with_kernel.records.dtype == RECORD
    kept, expected = (
        made.records[(made.records["kind"] != Kind.STATUS) | (made.records["side"] != Channel.BOOK)]
        for made in (with_kernel, without)
    )
    assert kept.tobytes() == expected.tobytes()
    counted, wanted = (made.counters | {"bad_ts": 0} for made in (with_kernel, without))  # a checksum is one more there
    assert counted == wanted
