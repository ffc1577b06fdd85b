"""What a producer and its readers can rely on, in one process and between processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ringcollect.errors import EnvironmentRefused, NotFoundError, RingError, RingReset
from ringcollect.instruments import Instrument
from ringcollect.records import RECORD, Flag, Kind
from ringcollect.ring import reading
from ringcollect.ring.attach import Reader, attach
from ringcollect.ring.layout import H_CLAIM, H_VERSION
from ringcollect.ring.producer import Producer
from tests.ring.records import assert_true_to_position, batch, build, build_path

ROOT = Path(__file__).parents[2]


@pytest.fixture(params=["kernels", "plain"])
def read_path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to read: with numba, and plain numpy as on a notebook without it."""
    monkeypatch.setattr(reading, "use_kernels", lambda: request.param == "kernels")
    return request.param


def test_what_is_published_is_read_once_and_in_order(tmp_path: Path, read_path: str) -> None:
    ring, reader = build(tmp_path), None
    reader = attach("x", directory=tmp_path)
    for first in range(0, 60, 3):
        ring.publish(batch(first, 3))
    read = reader.read()
    assert list(read.records["seq"]) == list(range(60))
    assert read.lost == (0, 0)
    assert_true_to_position(read.records)
    assert len(reader.read().records) == 0
    ring.close()


def test_a_lapped_reader_learns_the_exact_range_it_lost(tmp_path: Path, read_path: str) -> None:
    ring, reader = build(tmp_path), attach(build_path(tmp_path))
    ring.publish(batch(0, 5))
    reader.read()
    for first in range(5, 505, 5):
        ring.publish(batch(first, 5))
    read = reader.read()
    assert read.lost[0] == 5
    assert read.lost[1] == int(read.records["seq"][0])
    assert 5 + (read.lost[1] - read.lost[0]) + len(read.records) == ring.head
    assert reader.lost_total == read.lost[1] - read.lost[0]
    assert_true_to_position(read.records)
    ring.close()


def test_a_batch_longer_than_an_eighth_of_the_ring_ends_with_one_last_flag(tmp_path: Path) -> None:
    ring = build(tmp_path)
    ring.publish(batch(0, 40))
    records = attach(build_path(tmp_path)).read().records
    assert list(np.flatnonzero(records["flags"] & Flag.LAST)) == [39]
    assert_true_to_position(records)
    ring.close()


def test_two_producers_cannot_share_a_ring(tmp_path: Path) -> None:
    ring = build(tmp_path)
    with pytest.raises(EnvironmentRefused, match="living producer"):
        build(tmp_path)
    ring.close()
    build(tmp_path).close()


def test_another_layout_is_a_new_generation_and_old_readers_are_told(tmp_path: Path) -> None:
    ring = build(tmp_path, generation=1)
    reader = attach(build_path(tmp_path))
    ring.publish(batch(0, 3))
    ring.close()
    bigger = build(tmp_path, capacity=128, generation=2)
    assert not bigger.reattached and bigger.generation == 2 and bigger.head == 0
    assert len(reader.read().records) == 3, "what the old ring still holds can be read first"
    with pytest.raises(RingReset, match="new generation"):
        reader.read()
    bigger.close()


def test_a_reader_sees_the_continuation_across_a_producer_restart(tmp_path: Path) -> None:
    ring = build(tmp_path, generation=1)
    reader = attach(build_path(tmp_path))
    ring.publish(batch(0, 3))
    ring.close()
    assert not reader.producer_alive() and reader.state == "closed"
    again = build(tmp_path, generation=2)
    assert again.generation == 1, "the ring keeps its generation"
    again.publish(batch(3, 3))
    assert reader.producer_alive()
    assert list(reader.read().records["seq"]) == list(range(6))
    again.close()


def test_channels_and_symbols_filter_what_is_read_and_loss_stays_exact(tmp_path: Path) -> None:
    ring = build(tmp_path)
    for number, symbol in enumerate(["BTCUSDT", "ETHUSDT"]):
        ring.instruments.put(Instrument(number=number, exchange="x", market="spot", symbol=symbol))
    reader = attach("x", directory=tmp_path, channels=["trade"], symbols=["ETHUSDT"])
    for _ in range(50):
        records = np.zeros(4, RECORD)
        records["kind"] = [Kind.TRADE, Kind.TRADE, Kind.BBO, Kind.STATUS]
        records["instrument"] = [0, 1, 1, 65535]
        ring.publish(records)
    read = reader.read()
    assert set(read.records["kind"]) == {Kind.TRADE} and set(read.records["instrument"]) == {1}
    assert read.lost[1] - read.lost[0] + reader.lag == 200 - 56  # 7/8 of 64 were still there
    with pytest.raises(RingError, match="no channel 'trades'; there are book, trade"):
        attach("x", directory=tmp_path, channels=["trades"])
    ring.close()


def test_last_view_iteration_and_arrow_show_the_newest_records(tmp_path: Path, read_path: str) -> None:
    ring = build(tmp_path)
    for first in range(0, 100, 4):
        ring.publish(batch(first, 4))
    reader = attach(build_path(tmp_path))
    assert list(reader.last(5)["seq"]) == [95, 96, 97, 98, 99]
    view, token = reader.view(10)
    assert list(view["seq"]) == list(range(token, 100))
    assert reader.still_valid(token) and not view.flags.writeable
    ring.publish(batch(100, 40))
    ring.publish(batch(140, 40))
    assert not reader.still_valid(token)
    assert [int(r["seq"]) for r in attach(build_path(tmp_path))][-1] == 179
    ring.close()


def test_the_newest_records_become_an_arrow_table(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="the emulated ARM has none")
    ring = build(tmp_path)
    ring.publish(batch(0, 100))
    assert attach(build_path(tmp_path)).to_arrow(3)["seq"].to_pylist() == [97, 98, 99]
    ring.close()


def test_a_mapped_ring_cannot_be_changed_by_a_reader(tmp_path: Path) -> None:
    ring = build(tmp_path)
    reader = attach(build_path(tmp_path))
    with pytest.raises(ValueError, match="read-only"):
        reader.words[H_CLAIM] = 0
    ring.close()


def test_the_gate_waits_for_required_consumers_only(tmp_path: Path) -> None:
    ring = build(tmp_path)
    attach(build_path(tmp_path), register="idle")
    needed = attach(build_path(tmp_path), register="journal", required=True)
    ring.publish(batch(0, 60))
    waits = []

    def wait() -> None:
        waits.append(ring.head)
        needed.read()
        needed.commit()

    ring.gate(4, wait)
    assert not waits, "four more records still fit"
    ring.gate(5, wait)
    assert len(waits) == 1
    with pytest.raises(RingError, match="does not fit"):
        ring.gate(65, wait)
    ring.close()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda raw: b"NOTARING" + raw[8:], "wrong magic"),
        (lambda raw: raw[: 8 * H_VERSION] + (99).to_bytes(8, "little") + raw[8 * H_VERSION + 8 :], "version 99"),
        (lambda raw: raw[:-4096], "truncated"),
        (lambda raw: raw[:100], "not a ring"),
        (lambda raw: raw[:4096] + b"\xff" * 64 + raw[4160:], "description cannot be read"),
    ],
)
def test_a_file_that_is_not_such_a_ring_is_refused_with_its_reason(tmp_path: Path, damage, message: str) -> None:
    build(tmp_path).close()
    path = build_path(tmp_path)
    raw = path.read_bytes()
    path.write_bytes(damage(raw))
    with pytest.raises(RingError, match=message):
        attach(path)
    # ... and a producer builds a new ring instead of trusting it
    ring = build(tmp_path, generation=7)
    assert ring.generation == 7
    ring.close()


def test_missing_rings_wrong_names_and_permissions_are_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"no ring .*y\.rec\.ring"):
        attach("y", directory=tmp_path)
    for name in ("../x.rec", "x", "X.rec", "x.rec/..", ""):
        with pytest.raises(RingError, match="not a ring name"):
            Producer.open(tmp_path, name, generation=1)


def test_a_tmpfs_that_is_too_small_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    script = (
        "import resource, sys; from pathlib import Path; from ringcollect.ring.producer import Producer\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))\n"
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "Producer.open(Path(sys.argv[1]), 'x.rec', generation=1)\n"
    )
    done = run_python(script, tmp_path)
    assert done.returncode != 0 and "EnvironmentRefused: cannot reserve" in done.stderr
    assert not list(tmp_path.glob("x.rec*"))


def run_python(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", script, *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)


def test_attach_and_read_need_no_numba_on_x86(tmp_path: Path) -> None:
    ring = build(tmp_path)
    ring.publish(batch(0, 3))
    script = (
        "import sys; from pathlib import Path; from ringcollect import attach\n"
        "r = attach('x', directory=Path(sys.argv[1])); print(len(r.read().records), 'numba' in sys.modules)\n"
    )
    assert run_python(script, tmp_path).stdout.split() == ["3", "False"]
    ring.close()


PRODUCER = """
import sys
from pathlib import Path
from tests.ring.records import batch, build
ring = build(Path(sys.argv[1]), capacity=256)
print(ring.reattached, flush=True)
while True:
    ring.publish(batch(ring.head, 7))
"""


def test_a_producer_killed_at_any_moment_leaves_a_ring_its_successor_continues(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    reader: Reader | None = None
    seen = lost = 0
    for round_ in range(4):
        process = subprocess.Popen(
            [sys.executable, "-c", PRODUCER, str(tmp_path)], stdout=subprocess.PIPE, text=True, env=environment
        )
        assert process.stdout is not None
        assert process.stdout.readline().strip() == str(round_ > 0)
        reader = reader or attach(build_path(tmp_path), cursor=0)
        target = reader.head + 20_000
        while reader.head < target:
            read = reader.read(100)
            assert_true_to_position(read.records)
            seen += len(read.records)
            lost += read.lost[1] - read.lost[0]
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
        assert not reader.producer_alive()
    while reader.lag:
        read = reader.read()
        assert_true_to_position(read.records)
        seen += len(read.records)
        lost += read.lost[1] - read.lost[0]
    assert seen + lost == reader.head


def test_the_header_describes_the_record_to_a_reader_without_our_code(tmp_path: Path) -> None:
    ring = build(tmp_path)
    ring.publish(batch(0, 3))
    raw = build_path(tmp_path).read_bytes()
    words = np.frombuffer(raw, np.int64)
    described = json.loads(raw[words[2] : words[2] + words[3]])
    names, formats, offsets = zip(*described["dtype"], strict=True)
    dtype = np.dtype({"names": names, "formats": formats, "offsets": offsets, "itemsize": described["itemsize"]})
    first = np.frombuffer(raw, dtype, count=3, offset=int(words[6]) * 8)
    assert_true_to_position(first)
    ring.close()
