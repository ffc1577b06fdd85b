"""Files and callers that lie: a ring refuses them with a reason, and nothing is read or written outside of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringcollect.errors import RingError
from ringcollect.instruments import Instrument
from ringcollect.records import RECORD, Kind
from ringcollect.ring import layout, reading
from ringcollect.ring.attach import attach
from ringcollect.ring.control import MAX_CONSUMERS, Control
from ringcollect.ring.frames import FrameProducer, attach_frames
from ringcollect.ring.layout import FRAME_ENTRY, H_CLAIM, H_HEAD, Layout
from ringcollect.ring.producer import Producer
from tests.ring.frames import build_frames, publish_frame
from tests.ring.records import batch, build, build_path

FIXED = [
    layout.H_VERSION, layout.H_JSON_OFFSET, layout.H_JSON_BYTES, layout.H_CAPACITY, layout.H_RECORD_WORDS,
    layout.H_SLOTS_WORD, layout.H_COUNTERS_WORD, layout.H_TABLE_OFFSET, layout.H_LEDGER_OFFSET,
    layout.H_LEDGER_ROWS, layout.H_FILE_BYTES, layout.H_DATA_OFFSET, layout.H_DATA_BYTES,
]  # fmt: skip


def damage(path: Path, change: Callable[[np.ndarray], None]) -> None:
    words = np.frombuffer(bytearray(path.read_bytes()), np.int64)
    change(words)
    path.write_bytes(words.tobytes())


@pytest.mark.parametrize("word", FIXED)
@settings(max_examples=20, deadline=None)
@given(value=st.one_of(st.integers(-(1 << 63), (1 << 63) - 1), st.integers(-4096, 1 << 20)))
def test_no_header_word_that_kernels_take_addresses_from_may_say_anything_else(
    word: int, value: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("ring")
    build(folder, capacity=8).close()
    true = int(np.frombuffer(build_path(folder).read_bytes(), np.int64)[word])
    if value == true:
        return
    damage(build_path(folder), lambda words: words.__setitem__(word, value))
    with pytest.raises(RingError):
        attach(build_path(folder))
    successor = build(folder, capacity=8, generation=2)
    assert not successor.reattached and successor.generation == 2
    successor.close()


def test_a_ring_written_by_a_machine_of_the_other_byte_order_is_refused(tmp_path: Path) -> None:
    build(tmp_path).close()
    damage(build_path(tmp_path), lambda words: words[1:].byteswap(inplace=True))
    with pytest.raises(RingError, match=f"layout version {layout.LAYOUT_VERSION << 56}"):
        attach(build_path(tmp_path))


@pytest.mark.parametrize(
    ("head", "claim"), [(-1, 0), (10, 9), (0, 65), (1 << 62, 0), (-(1 << 63), (1 << 63) - 1), (5, -5)]
)
def test_a_successor_does_not_go_on_from_positions_that_contradict_each_other(
    tmp_path: Path, head: int, claim: int
) -> None:
    build(tmp_path).close()

    def lie(words: np.ndarray) -> None:
        words[H_HEAD], words[H_CLAIM] = head, claim

    damage(build_path(tmp_path), lie)
    ring = build(tmp_path, generation=9)
    assert not ring.reattached and (ring.generation, ring.head, ring.claim) == (9, 0, 0)
    ring.close()


@pytest.mark.parametrize("path", ["kernels", "plain"])
@settings(max_examples=60, deadline=None)
@given(head=st.integers(-(1 << 62), 1 << 62), claim=st.integers(-(1 << 62), 1 << 62), cursor=st.integers(0, 1 << 62))
def test_a_reader_of_a_ring_with_impossible_positions_gets_an_error_or_nothing_but_never_a_wrong_record(
    path: str, head: int, claim: int, cursor: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("ring")
    ring = build(folder, capacity=8)
    ring.publish(batch(0, 8))
    ring.words[H_HEAD], ring.words[H_CLAIM] = head, claim
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "use_kernels", lambda: path == "kernels")
        reader = attach(build_path(folder), cursor=cursor)
        try:
            records = reader.read(16).records
        except RingError:
            records = np.zeros(0, RECORD)
    assert list(records["id"]) == [int(seq) * 7 for seq in records["seq"]]
    ring.close()


def test_an_entry_whose_length_cannot_be_true_is_an_error_and_not_a_read_outside_the_ring(tmp_path: Path) -> None:
    frames = build_frames(tmp_path)
    for seq in range(3):
        publish_frame(frames, seq)
    slot = int(frames.ring.words[layout.H_SLOTS_WORD])
    frames.ring.words[slot + 3] = 0x7FFFFFFF
    with pytest.raises(RingError, match="not where they belong"):
        attach_frames("x.frm", directory=tmp_path).read()
    frames.ring.words[slot] = 77
    with pytest.raises(RingError, match="not where they belong"):
        attach_frames("x.frm", directory=tmp_path).read()
    frames.close()


@pytest.mark.parametrize("capacity", [0, -8, 4, 12, 7])
def test_capacities_no_ring_can_have_are_refused(tmp_path: Path, capacity: int) -> None:
    with pytest.raises(RingError, match="not a power of two"):
        build(tmp_path, capacity=capacity)
    assert not list(tmp_path.glob("*.ring"))


def test_layouts_no_ring_can_have_are_refused(tmp_path: Path) -> None:
    late = np.dtype([("ts", "<i8"), ("seq", "<i8")])
    short = np.dtype([("seq", "<i4"), ("rest", "<i4")])
    objects = np.dtype([("seq", "<i8"), ("thing", "O")])
    for dtype in (late, short, objects, np.dtype("<i8")):
        with pytest.raises(RingError, match="must start with seq"):
            Layout("x.rec", dtype, 8, (), {}).check()
    with pytest.raises(RingError, match="a frame ring has payload bytes"):
        FrameProducer.open(tmp_path, "x.frm", entries=8, data_bytes=0, generation=1)
    with pytest.raises(RingError, match="only a frame ring"):
        Layout("x.rec", RECORD, 8, (), {}, data_bytes=4096).check()
    with pytest.raises(RingError, match="not whole pages"):
        Layout("x.frm", FRAME_ENTRY, 8, (), {}, data_bytes=100).check()
    with pytest.raises(RingError, match="ledger rows"):
        Layout("x.rec", RECORD, 8, (), {}, ledger_rows=-1).check()


def test_a_producer_that_gave_up_its_lock_publishes_nothing_more(tmp_path: Path) -> None:
    ring, frames = build(tmp_path), build_frames(tmp_path)
    ring.close()
    frames.close()
    with pytest.raises(RingError, match="closed"):
        ring.publish(batch(0, 1))
    with pytest.raises(RingError, match="closed"):
        publish_frame(frames, 0)
    assert attach(build_path(tmp_path)).head == 0


def test_more_records_than_the_batch_has_are_refused_before_anything_is_claimed(tmp_path: Path) -> None:
    ring = build(tmp_path)
    for n in (4, 1 << 40):
        with pytest.raises(RingError, match="more than the batch has"):
            ring.publish(batch(0, 3), n)
    assert (ring.head, ring.claim) == (0, 0)
    assert ring.publish(batch(0, 3), 0) == ring.publish(batch(0, 3), -1) == 0
    ring.close()


def test_a_reader_asked_for_nothing_or_less_gives_nothing(tmp_path: Path) -> None:
    ring = build(tmp_path)
    ring.publish(batch(0, 10))
    reader = attach(build_path(tmp_path))
    for n in (0, -1):
        assert len(reader.read(n).records) == len(reader.last(n)) == len(reader.view(n)[0]) == 0
    assert reader.cursor == 0
    with pytest.raises(RingError, match="the first record of a ring is 0"):
        attach(build_path(tmp_path), cursor=-1)
    assert len(attach(build_path(tmp_path), cursor=1 << 40).read().records) == 0
    ring.close()


def test_filters_a_ring_has_no_columns_for_are_refused(tmp_path: Path) -> None:
    rows = np.dtype([("seq", "<i8"), ("value", "<f8")])
    Producer.open(tmp_path, "x.100ms.row", rows, 8, generation=1).close()
    with pytest.raises(RingError, match="no kind to filter by"):
        attach("x.100ms.row", directory=tmp_path, channels=["trade"])
    with pytest.raises(RingError, match="no instrument to filter by"):
        attach("x.100ms.row", directory=tmp_path, symbols=["BTCUSDT"])


def test_iteration_goes_on_behind_a_chunk_that_is_filtered_out_whole(tmp_path: Path) -> None:
    ring = build(tmp_path, capacity=1 << 17)
    for number, symbol in enumerate(["BTCUSDT", "ETHUSDT"]):
        ring.instruments.put(Instrument(number=number, exchange="x", market="spot", symbol=symbol))
    records = np.zeros(1 << 16, RECORD)
    records["kind"] = Kind.TRADE
    ring.publish(records)
    records["instrument"] = 1
    ring.publish(records[:5])
    found = [int(record["seq"]) for record in attach(build_path(tmp_path), symbols=["ETHUSDT"])]
    assert found == [65536 + i for i in range(5)]
    ring.close()


def test_the_newest_records_are_the_newest_although_a_producer_comes_round_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring = build(tmp_path)
    ring.publish(batch(0, 8))
    reader = attach(build_path(tmp_path))
    true, rounds = reading.consume, []

    def overtaken(*arguments: object) -> tuple[int, int, int, int]:
        if len(rounds) < 2:
            rounds.append(ring.head)
            ring.publish(batch(ring.head, 200))
        return true(*arguments)

    monkeypatch.setattr("ringcollect.ring.attach.consume", overtaken)
    assert list(reader.last(5)["seq"]) == list(range(403, 408))
    monkeypatch.setattr("ringcollect.ring.attach.consume", lambda *_: (ring.head, 0, 0, 0))
    with pytest.raises(RingError, match="faster than they can be copied"):
        reader.last(5)
    ring.close()


def test_a_consumer_name_with_a_zero_byte_would_never_be_found_again(tmp_path: Path) -> None:
    ring = build(tmp_path)
    control = Control(ring.control.path)
    for name in ("", "a\0", "x" * 64):
        with pytest.raises(RingError, match="1 to 63 bytes"):
            control.register(name, 0)
    for _ in range(MAX_CONSUMERS + 1):
        control.register("x" * 63, 0)
    assert len(control.consumers()) == 1
    ring.close()


def test_a_failed_start_leaves_no_lock_behind(tmp_path: Path) -> None:
    build(tmp_path).close()

    def refuse(_: object) -> bool:
        raise RuntimeError("registry unreadable")

    with pytest.raises(RuntimeError, match="registry unreadable"):
        build(tmp_path, accept=refuse)
    build(tmp_path).close()
