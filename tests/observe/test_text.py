"""A snapshot as people read it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from ringcollect.observe.observer import Observer
from ringcollect.observe.text import columns, one_line, render, span, subscriptions_text
from ringcollect.records import Channel
from ringcollect.ring.attach import attach
from tests.observe.rings import GENERATION, producer, subscribe, trades
from tests.observe.test_observer import table


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (59.4, "59s"), (60, "1m 0s"), (3725, "1h 2m"), (90_061, "1d 1h"), (-5, "0s")],
)
def test_durations_have_two_units_at_most(seconds: float, text: str) -> None:
    assert span(seconds) == text


def test_numbers_stand_to_the_right_and_words_to_the_left() -> None:
    assert columns(["name", "n"], [["a", "1,000"], ["bcdef", "-"]]) == "name       n\na      1,000\nbcdef      -"


def test_the_whole_shows_state_processes_readers_losses_and_memory(tmp_path: Path) -> None:
    ring = producer(tmp_path)
    subscribe(ring, 0, Channel.TRADE, state=3)
    attach(ring.path, register="journal")
    ring.publish(trades(8))
    ring.counters.count("frames_in", 1234)
    now = Observer(tmp_path).look(table(tmp_path))
    text = render(now)
    assert text.startswith("READY since ")
    for piece in ("supervisor", "sum", "binance.rec", "journal", "live", "lost", "subscriptions: 1 flowing"):
        assert piece in text
    assert "frames 1,234" in one_line(now)
    assert "records 8" in one_line(now)
    ring.close()


def test_the_ledger_says_since_when_and_why(tmp_path: Path) -> None:
    ring = producer(tmp_path)
    subscribe(ring, 1, Channel.BOOK, state=4, reason=6)
    observer = Observer(tmp_path)
    observer.look(table(tmp_path))
    head, row = subscriptions_text(observer.subscriptions(), GENERATION + 65 * 10**9).splitlines()
    assert head.split()[:4] == ["exchange", "market", "symbol", "channel"]
    for piece in ("ETHUSDT", "book", "stale", "1m 5s", "never", "flowed, then stopped"):
        assert piece in row
    ring.close()


def test_the_ledger_names_a_silence_that_lasts_and_what_cannot_be_tracked(tmp_path: Path) -> None:
    ring = producer(tmp_path)
    row = subscribe(ring, 1, Channel.BBO, state=3)
    row["tracked"], row["silence_limit_ns"], row["last_record_ns"] = 0, 5 * 10**9, GENERATION
    row["silence_gaps"], row["silence_ns"], row["behind"] = 2, 61 * 10**9, 4
    observer = Observer(tmp_path)
    now = observer.look(table(tmp_path))
    [said] = observer.subscriptions()
    text = subscriptions_text([msgspec.structs.replace(said, silent_ms=90_000)], GENERATION)
    for piece in ("untracked (+4)", "2 (1m 1s)", "1m 30s"):
        assert piece in text
    assert "silent: 1 subscriptions without a record for longer than their limit" in render(now)
    ring.close()
