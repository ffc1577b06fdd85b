"""The control file: consumer rows and resync words."""

from __future__ import annotations

from pathlib import Path

import pytest

from ringcollect.errors import EnvironmentRefused, NotFoundError, RingError
from ringcollect.ring.control import MAX_CONSUMERS, Control, create_control
from ringcollect.ring.producer import Producer
from ringcollect.ring.requests import request_books


@pytest.fixture
def control(tmp_path: Path) -> Control:
    create_control(tmp_path / "x.ctl")
    return Control(tmp_path / "x.ctl")


def test_a_restarted_consumer_takes_its_row_and_its_cursor_back(control: Control) -> None:
    row = control.register("journal", 100, required=True)
    row.read_to(150, 7)
    row.commit(140)
    again = Control(control.path).register("journal", 999)
    assert again.committed == 140
    shown = control.consumers()
    assert [(c.name, c.committed, c.read, c.lost) for c in shown] == [("journal", 140, 150, 7)]


def test_consumers_do_not_disturb_each_other_and_a_freed_row_is_used_again(control: Control) -> None:
    for number in range(MAX_CONSUMERS):
        control.register(f"reader{number}", number)
    with pytest.raises(EnvironmentRefused, match="all 64 consumer rows"):
        control.register("one too many", 0)
    control.forget("reader5")
    control.register("fits now", 0)
    assert [c.committed for c in control.consumers() if c.name.startswith("reader")] == [
        n for n in range(MAX_CONSUMERS) if n != 5
    ]


def test_only_required_consumers_hold_a_source_back(control: Control) -> None:
    assert control.slowest_required() is None
    control.register("idle", 3)
    assert control.slowest_required() is None
    control.register("sync", 50, required=True)
    control.register("journal", 40, required=True)
    assert control.slowest_required() == 40


def test_a_resync_is_pending_until_the_feed_takes_it_up_and_asking_twice_is_asking_once(control: Control) -> None:
    feed = Control(control.path)
    control.request_resync(7)
    control.request_resync(7)
    control.request_resync(4095)
    assert feed.pending_resyncs() == [7, 4095]
    feed.resync_done(7)
    assert control.pending_resyncs() == [4095]
    control.request_resync(7)
    assert feed.pending_resyncs() == [7, 4095]


def test_another_file_is_not_taken_for_a_control_file(tmp_path: Path) -> None:
    (tmp_path / "y.ctl").write_bytes(b"hello")
    with pytest.raises(RingError, match="not a control file"):
        Control(tmp_path / "y.ctl")
    with pytest.raises(RingError, match="1 to 63 bytes"):
        create_control(tmp_path / "z.ctl") or Control(tmp_path / "z.ctl").register("", 0)


def test_a_request_for_books_is_pending_until_the_feed_has_said_so_and_asking_twice_is_asking_once(
    tmp_path: Path,
) -> None:
    ring = Producer.open(tmp_path, "test.rec", generation=1)
    assert not ring.control.books_pending()
    request_books("test", directory=tmp_path)
    request_books("test", directory=tmp_path)
    assert ring.control.books_pending()
    assert ring.control.pending_resyncs() == [] and ring.control.consumers() == []
    ring.control.books_told()
    assert not ring.control.books_pending()
    request_books("test", directory=tmp_path)
    assert ring.control.books_pending()
    with pytest.raises(NotFoundError, match="no collector has other here"):
        request_books("other", directory=tmp_path)
