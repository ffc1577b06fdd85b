"""A real producer killed by the processor in the middle of the real kernel: at its first slot, or half-way through.

A page of the mapping is made read-only in the producer's process: the store that touches it kills the process there,
after the claim and after exactly the slots before that page, before the head. Nothing of the program is changed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ringcollect.errors import RingReset
from ringcollect.ring.attach import attach
from ringcollect.ring.frames import FrameProducer, attach_frames
from ringcollect.ring.layout import H_CLAIM, H_DATA_CLAIM, H_DATA_HEAD, H_HEAD
from tests.ring.frames import assert_true, build_frames, publish_frame
from tests.ring.records import assert_true_to_position, batch, build, build_path

ROOT = Path(__file__).parents[2]
PAGE = 4096
PER_PAGE = PAGE // 64
CAPACITY = 16 * PER_PAGE

DYING = """
import ctypes, faulthandler, sys
from pathlib import Path
from tests.ring.frames import build_frames, publish_frame
from tests.ring.records import batch, build
what, folder, before, n, page = sys.argv[1], Path(sys.argv[2]), *map(int, sys.argv[3:])

def forbid(words, offset):
    # An address of the mapping is page aligned where its offset in the file is.
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.mprotect(ctypes.c_void_p(words.ctypes.data + offset), ctypes.c_size_t(4096), 1) == 0

if what == "records":
    ring = build(folder, capacity=1024)
    for first in range(0, before, 64):
        ring.publish(batch(first, min(64, before - first)))
    forbid(ring.words, int(ring.words[6]) * 8 + page * 4096)
    ring.publish(batch(before, n))
else:
    frames = build_frames(folder, entries=1024, data_bytes=1 << 14)
    for seq in range(before):
        publish_frame(frames, seq)
    area = frames.ring.words[13] if what == "payload" else frames.ring.words[6] * 8
    forbid(frames.ring.words, int(area) + page * 4096)
    for seq in range(before, before + n):
        publish_frame(frames, seq)
"""


def killed(*arguments: object) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", DYING, *map(str, arguments)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode in (-signal.SIGSEGV, -signal.SIGBUS), done.stderr


@pytest.mark.parametrize(
    ("before", "n", "page", "written"),
    [
        (PER_PAGE, 10, 1, 0),  # the claim stands, no slot is written
        (PER_PAGE - 3, 10, 1, 3),  # three slots are, seven are not
        (CAPACITY + PER_PAGE - 3, 10, 1, 3),  # the same on the second lap: old records are half overwritten
        (CAPACITY - 5, 10, 0, 5),  # over the end of the ring
    ],
)
def test_a_batch_cut_off_by_death_is_seen_by_nobody_and_written_again_by_the_successor(
    tmp_path: Path, before: int, n: int, page: int, written: int
) -> None:
    build(tmp_path, capacity=CAPACITY).close()
    watching = attach(build_path(tmp_path))
    killed("records", tmp_path, before, n, page)
    assert not watching.producer_alive() and watching.state == "live", "only the lock tells"
    words = watching.words
    assert (int(words[H_HEAD]), int(words[H_CLAIM])) == (before, before + n)
    slots = words[int(words[6]) :].reshape(-1, 8)
    seqs = [int(slots[(before + i) % CAPACITY, 0]) for i in range(n)]
    assert seqs[:written] == list(range(before, before + written)), "these were written"
    assert not set(seqs[written:]) & set(range(before + written, before + n)), "and these were not"

    fresh = attach(build_path(tmp_path))
    assert fresh.cursor == max(0, before + n - CAPACITY), "what may be half overwritten is not offered"
    for reader in (watching, fresh):
        begin = reader.cursor
        read = reader.read()
        assert_true_to_position(read.records)
        assert read.lost[0] == begin and read.lost[1] + len(read.records) == before == reader.cursor

    successor = build(tmp_path, capacity=CAPACITY)
    assert successor.reattached and (successor.head, successor.claim) == (before, before + n)
    successor.publish(batch(before, 1))
    assert (successor.head, successor.claim) == (before + 1, before + n), "claim is never taken back"
    for reader in (watching, fresh):
        read = reader.read()
        assert list(read.records["seq"]) == [before] and read.lost == (before, before)
    successor.publish(batch(before + 1, 2 * n))
    for reader in (watching, fresh):
        read = reader.read()
        assert_true_to_position(read.records)
        assert list(read.records["seq"]) == list(range(before + 1, before + 1 + 2 * n))
    successor.close()


@pytest.mark.parametrize(("what", "page"), [("payload", 0), ("payload", 2), ("entries", 1)])
def test_a_frame_cut_off_by_death_is_seen_by_nobody_and_its_place_is_used_again(
    tmp_path: Path, what: str, page: int
) -> None:
    build_frames(tmp_path, entries=CAPACITY, data_bytes=1 << 14).close()
    reader = attach_frames("x.frm", directory=tmp_path)
    killed(what, tmp_path, 40, 100, page)
    words = reader.ring.words
    head = int(words[H_HEAD])
    assert 40 <= head < 140
    if what == "payload":
        assert words[H_DATA_CLAIM] > words[H_DATA_HEAD], "died inside the payload"
        assert words[H_CLAIM] == head, "whose entry was not begun"
    else:
        assert words[H_CLAIM] == head + 1 and words[H_DATA_CLAIM] == words[H_DATA_HEAD]
    entries, lost = reader.read()
    for entry in entries:
        assert_true(entry)
    assert lost[0] == 0 and lost[1] + len(entries) == head == reader.ring.cursor and entries

    successor = build_frames(tmp_path, entries=CAPACITY, data_bytes=1 << 14)
    assert successor.ring.reattached
    publish_frame(successor, head)
    assert words[H_DATA_CLAIM] >= words[H_DATA_HEAD]
    entries, lost = reader.read()
    assert [entry.seq for entry in entries] == [head] and lost == (head, head)
    assert_true(entries[0])
    successor.close()


def test_a_successor_that_cannot_continue_says_so_to_a_reader_in_the_middle_of_the_ring(tmp_path: Path) -> None:
    build(tmp_path, capacity=CAPACITY).close()
    reader = attach(build_path(tmp_path), register="slow")
    killed("records", tmp_path, 2 * CAPACITY, 10, 0)
    first = reader.read(5)
    build(tmp_path, capacity=2 * CAPACITY, generation=2).close()
    rest = reader.read()
    assert_true_to_position(rest.records)
    assert first.lost[1] + len(first.records) + len(rest.records) == 2 * CAPACITY, "the old ring is read to its end"
    with pytest.raises(RingReset, match="attach again"):
        reader.read()


def test_frames_of_a_ring_that_was_replaced_are_read_to_its_end_too(tmp_path: Path) -> None:
    frames = build_frames(tmp_path)
    reader = attach_frames("x.frm", directory=tmp_path)
    for seq in range(5):
        publish_frame(frames, seq)
    frames.close()
    FrameProducer.open(tmp_path, "x.frm", entries=128, data_bytes=1 << 14, generation=2).close()
    assert [entry.seq for entry in reader.read()[0]] == list(range(5))
    with pytest.raises(RingReset, match="attach again"):
        reader.read()
