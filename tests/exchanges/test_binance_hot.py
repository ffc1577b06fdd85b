"""One kernel call from frame to ring: published, tested, counted; or the feed is asked, and nothing has happened."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from ringcollect.exchanges import binance
from ringcollect.exchanges.binance.decoder import Decoder
from ringcollect.exchanges.hot import COUNTED, LAST_ID, LEDGER, OPEN, OPEN_TO_ALL
from ringcollect.exchanges.protocol import Code
from ringcollect.records import RECORD, Channel, Flag
from ringcollect.ring import protocol
from ringcollect.ring.layout import LEDGER_ROW, Layout, write_header
from tests.exchanges.frames import lines, new_decoder, on_hot_frame

NOW = 1_723_161_254_000_000_000
CAPACITY = 1 << 12


@dataclass
class Bench:
    """A decoder with a ring in plain memory, counters and a ledger row."""

    decoder: Decoder
    ring: np.ndarray
    counters: dict[str, np.ndarray]
    ledger: np.ndarray
    cursor: int = 0

    def published(self) -> np.ndarray:
        out = np.zeros(CAPACITY * 8, np.int64)
        first, n, offset, bad = protocol.consume(self.ring, self.cursor, out, CAPACITY)
        assert (first, bad) == (self.cursor, 0)
        self.cursor = first + n
        return out[offset * 8 : (offset + n) * 8].view(RECORD)

    def counts(self) -> dict[str, int]:
        return {name: int(word[0]) for name, word in self.counters.items()}

    def open(self, channel: Channel, last_id: int, conn: int = 0) -> np.ndarray:
        row = self.decoder.hot.row(0, channel)
        row[OPEN], row[LAST_ID], row[LEDGER] = conn + 1, last_id, self.ledger.ctypes.data
        return row


@pytest.fixture
def bench() -> Bench:
    layout = Layout("test.rec", RECORD, CAPACITY, (), {})
    ring = np.zeros(layout.places().file_bytes // 8, np.int64)
    write_header(ring, layout, generation=1)
    counters = {name: np.zeros(1, np.int64) for name in COUNTED}
    decoder = new_decoder(("BTCUSDT", "ETHUSDT"))
    decoder.attach_ring(ring, CAPACITY // 8, counters)
    return Bench(decoder, ring, counters, np.zeros(1, LEDGER_ROW))


def spot_depth(
    first: int, last: int, bids: str = '["1.5","2"]', asks: str = '["1.6","0"]', ms: int = NOW // 10**6
) -> bytes:
    return (
        f'{{"stream":"btcusdt@depth@100ms","data":{{"e":"depthUpdate","E":{ms},"s":"BTCUSDT",'
        f'"U":{first},"u":{last},"b":[{bids}],"a":[{asks}]}}}}'
    ).encode()


def linear_depth(first: int, last: int, prev: int) -> bytes:
    return (
        f'{{"stream":"btcusdt@depth@100ms","data":{{"e":"depthUpdate","E":{NOW // 10**6},"T":{NOW // 10**6 - 3},'
        f'"s":"BTCUSDT","U":{first},"u":{last},"pu":{prev},"b":[["1.5","2"]],"a":[]}}}}'
    ).encode()


def trade(identity: int, price: str = "61837.63", extra: str = "") -> bytes:
    return (
        f'{{"e":"trade","E":1,"s":"BTCUSDT","t":{identity},"p":"{price}","q":"0.02",'
        f'"T":{NOW // 10**6},"m":true{extra}}}'
    ).encode()


def bbo(last: int) -> bytes:
    return f'{{"u":{last},"s":"BTCUSDT","b":"1.5","B":"2","a":"1.6","A":"3"}}'.encode()


def test_a_delta_of_an_open_book_is_published_with_the_chain_and_counted(bench: Bench) -> None:
    ctx = bench.decoder.context("spot", 0)
    row = bench.open(Channel.BOOK, last_id=100)
    frame = spot_depth(101, 105)
    assert on_hot_frame(binance, frame, ctx, NOW) == 2
    assert on_hot_frame(binance, spot_depth(106, 106, asks=""), ctx, NOW + 5) == 1
    records = bench.published()
    assert records["id"].tolist() == [105, 105, 106]
    assert records["aux"].tolist() == [100, 100, 105]
    assert records["side"].tolist() == [1, -1, 1]
    assert records["flags"].tolist() == [0, Flag.LAST, Flag.LAST]
    assert records["seq"].tolist() == [0, 1, 2]
    assert records["ts_recv"].tolist() == [NOW, NOW, NOW + 5]
    assert int(row[LAST_ID]) == 106
    length = len(frame) + len(spot_depth(106, 106, asks=""))
    assert bench.counts() == {
        "frames_in": 2, "bytes_in": length, "decoded": 2, "ignored": 0, "records": 3, "bad_ts": 0,
    }  # fmt: skip
    ledger = bench.ledger[0]
    assert (ledger["frames"], ledger["records"], ledger["last_data_ns"]) == (2, 3, NOW + 5)


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (spot_depth(102, 105), Code.GAP),
        (spot_depth(99, 100), Code.STALE),
        (b'{"e":"kline","id":1}', Code.SLOW),
        (b"not json", Code.SLOW),
        (spot_depth(101, 105).replace(b"BTCUSDT", b"XRPUSDT"), Code.UNKNOWN_SYMBOL),
        (spot_depth(101, 105).replace(b"BTCUSDT", b"ETHUSDT"), Code.NOT_OPEN),
    ],
)
def test_what_the_kernel_does_not_settle_leaves_no_trace(bench: Bench, frame: bytes, code: Code) -> None:
    ctx = bench.decoder.context("spot", 0)
    row = bench.open(Channel.BOOK, last_id=100)
    assert on_hot_frame(binance, frame, ctx, NOW) == code
    assert len(bench.published()) == 0
    assert set(bench.counts().values()) == {0}
    assert bench.ledger["frames"][0] == 0
    assert int(row[LAST_ID]) == 100
    if code in (Code.GAP, Code.STALE, Code.NOT_OPEN):
        taken = bench.decoder.taken(ctx)
        assert (taken.channel, len(taken.records), taken.records["aux"].any()) == (Channel.BOOK, 2, False)


def test_an_event_that_begins_inside_what_is_known_is_applied_on_spot(bench: Bench) -> None:
    bench.open(Channel.BOOK, last_id=100)
    assert on_hot_frame(binance, spot_depth(95, 103), bench.decoder.context("spot", 0), NOW) == 2


def test_on_usdm_pu_decides_and_a_jump_of_u_is_no_gap(bench: Bench) -> None:
    ctx = bench.decoder.context("linear", 0)
    row = bench.open(Channel.BOOK, last_id=100)
    assert on_hot_frame(binance, linear_depth(900, 950, prev=100), ctx, NOW) == 1
    assert on_hot_frame(binance, linear_depth(951, 960, prev=949), ctx, NOW) == Code.GAP
    assert on_hot_frame(binance, linear_depth(900, 950, prev=100), ctx, NOW) == Code.STALE
    assert int(row[LAST_ID]) == 950
    assert bench.published()["aux"].tolist() == [100]


def test_trade_ids_count_by_one_and_a_hole_or_a_repeat_is_the_feeds_to_judge(bench: Bench) -> None:
    ctx = bench.decoder.context("linear", 0)
    row = bench.open(Channel.TRADE, last_id=-1)
    assert [on_hot_frame(binance, trade(i), ctx, NOW) for i in (7, 8, 8, 7, 10, 9)] == [
        1, 1, Code.STALE, Code.STALE, Code.GAP, 1,
    ]  # fmt: skip
    assert int(row[LAST_ID]) == 9
    assert bench.published()["id"].tolist() == [7, 8, 9]


@pytest.mark.parametrize("extra", [',"X":"NA"', ""])
def test_a_trade_of_nothing_is_ignored_but_its_id_counts(bench: Bench, extra: str) -> None:
    ctx = bench.decoder.context("linear", 0)
    row = bench.open(Channel.TRADE, last_id=6)
    price = "1.5" if extra else "0.00"
    assert on_hot_frame(binance, trade(7, price, extra), ctx, NOW) == 0
    assert on_hot_frame(binance, trade(8), ctx, NOW) == 1
    assert int(row[LAST_ID]) == 8
    assert bench.counts()["ignored"] == 1
    assert bench.counts()["decoded"] == 1
    assert bench.counts()["frames_in"] == 2


def test_bbo_must_go_forward_and_may_jump(bench: Bench) -> None:
    ctx = bench.decoder.context("spot", 0)
    bench.open(Channel.BBO, last_id=-1)
    assert [on_hot_frame(binance, bbo(u), ctx, NOW) for u in (5, 9, 9, 8, 10)] == [2, 2, Code.STALE, Code.STALE, 2]
    assert bench.published()["id"].tolist() == [5, 5, 9, 9, 10, 10]


def test_a_row_is_open_to_its_connection_only_or_to_all(bench: Bench) -> None:
    row = bench.open(Channel.BBO, last_id=-1, conn=4)
    assert on_hot_frame(binance, bbo(5), bench.decoder.context("spot", 3), NOW) == Code.NOT_OPEN
    assert on_hot_frame(binance, bbo(5), bench.decoder.context("spot", 4), NOW) == 2
    row[OPEN] = OPEN_TO_ALL
    assert on_hot_frame(binance, bbo(6), bench.decoder.context("spot", 3), NOW) == 2
    assert bench.published()["conn"].tolist() == [4, 4, 3, 3]


@pytest.mark.parametrize(
    ("offset_ms", "bad"),
    [(0, False), (30_000, False), (30_001, True), (-86_400_000, False), (-86_400_001, True)],
)
def test_an_event_time_out_of_bounds_is_marked_and_counted(bench: Bench, offset_ms: int, bad: bool) -> None:
    ctx = bench.decoder.context("spot", 0)
    bench.open(Channel.BOOK, last_id=100)
    frame = spot_depth(101, 105, ms=NOW // 10**6 + offset_ms)
    assert on_hot_frame(binance, frame, ctx, NOW) == 2
    records = bench.published()
    assert ((records["flags"] & Flag.BAD_TS) != 0).tolist() == [bad, bad]
    assert bench.counts()["bad_ts"] == int(bad)
    (batch,) = bench.decoder.cold(frame, ctx, NOW).batches
    assert ((batch.records["flags"] & Flag.BAD_TS) != 0).tolist() == [bad, bad]


def test_a_batch_longer_than_a_piece_of_the_ring_is_left_to_the_producer(bench: Bench) -> None:
    ctx = bench.decoder.context("spot", 0)
    bench.open(Channel.BOOK, last_id=100)
    piece = CAPACITY // 8
    many = ",".join(['["1.5","2"]'] * piece)
    assert on_hot_frame(binance, spot_depth(101, 101, bids=many, asks=""), ctx, NOW) == piece
    assert on_hot_frame(binance, spot_depth(102, 102, bids=many), ctx, NOW) == Code.TOO_LONG
    assert len(bench.decoder.taken(ctx).records) == piece + 1
    assert len(bench.published()) == piece


def test_a_batch_that_does_not_fit_the_private_batch_goes_the_typed_way() -> None:
    decoder = new_decoder(("BTCUSDT",), capacity=4)
    ctx = decoder.context("spot", 0)
    fits, too_many = (spot_depth(1, 1, bids=",".join(['["1.5","2"]'] * n)) for n in (3, 4))
    assert binance.decode_hot(fits, ctx, NOW) == 4
    assert binance.decode_hot(too_many, ctx, NOW) == Code.SLOW
    assert len(decoder.cold(too_many, ctx, NOW).batches[0].records) == 5


def test_without_a_ring_nothing_is_open() -> None:
    decoder = new_decoder(("BTCUSDT",))
    decoder.hot.row(0, Channel.BBO)[OPEN] = OPEN_TO_ALL
    assert on_hot_frame(binance, bbo(5), decoder.context("spot", 0), NOW) == Code.NOT_OPEN


def test_symbols_added_later_are_known_to_contexts_made_before(bench: Bench) -> None:
    ctx = bench.decoder.context("spot", 0)
    frame = '{"u":1,"s":"币安人生USDT","b":"1","B":"2","a":"3","A":"4"}'.encode()
    assert binance.decode_hot(frame, ctx, NOW) == Code.UNKNOWN_SYMBOL
    assert bench.decoder.unknown_symbol(frame, ctx) == "币安人生USDT"
    for number in range(500):
        bench.decoder.add_symbol("spot", f"S{number}", 2 + number)
    bench.decoder.add_symbol("spot", "币安人生USDT", 777)
    assert binance.decode_hot(frame, ctx, NOW) == 2
    assert bench.decoder.taken(ctx).instrument == 777
    escaped = frame.decode().replace("币安人生", "\\u5e01\\u5b89\\u4eba\\u751f").encode()
    assert binance.decode_hot(escaped, ctx, NOW) == 2
    assert bench.decoder.taken(ctx).instrument == 777


def test_a_capture_through_the_kernel_alone_publishes_what_the_typed_path_decodes(bench: Bench, captures: Path) -> None:
    ctx = bench.decoder.context("spot", 0)
    for instrument in (0, 1):
        for channel in (Channel.TRADE, Channel.BBO):
            bench.decoder.hot.row(instrument, channel)[OPEN] = OPEN_TO_ALL
    chain = {}
    for count, line in enumerate(lines(captures / "binance_spot_2024.jsonl.gz")):
        if count == 5000:
            break
        if line["d"] != "in":
            continue
        frame = line["f"].encode()
        (batch,) = bench.decoder.cold(frame, ctx, line["t"]).batches
        row = bench.decoder.hot.row(batch.instrument, batch.channel)
        if batch.channel is Channel.BOOK:
            if batch.instrument not in chain:
                row[OPEN], row[LAST_ID] = OPEN_TO_ALL, batch.first_id - 1
                chain[batch.instrument] = batch.first_id - 1
            batch.records["aux"] = chain[batch.instrument]
            chain[batch.instrument] = batch.last_id
        at = bench.cursor
        assert on_hot_frame(binance, frame, ctx, line["t"]) == len(batch.records)
        batch.records["seq"] = range(at, at + len(batch.records))
        assert bench.published().tobytes() == batch.records.tobytes()
