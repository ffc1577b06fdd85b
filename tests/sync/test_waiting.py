"""The synchronizer's process in silence and with every waiting strategy."""

from __future__ import annotations

from pathlib import Path

import pytest

from ringcollect.config import Collector, Config, Market, Sync, Wait
from ringcollect.ring.attach import attach
from ringcollect.ring.waiting import STRATEGIES
from ringcollect.sync.process import run
from tests import synthetic
from tests.sync.test_worker import NAME, expected, feed_ring, published
from tests.wakeups import Silence, counted


def config(folder: Path, **wait: str) -> Config:
    return Config(
        collector=Collector(data=str(folder / "data"), runtime_dir=str(folder)),
        markets=(Market(exchange="binance", market="spot", symbols=("BTCUSDT",)),),
        sync=Sync(book_levels=1024),
        wait=Wait(**wait),
    )


@counted
def test_a_silent_synchronizer_wakes_up_as_often_as_its_interval_says(tmp_path: Path) -> None:
    ring = feed_ring(tmp_path)
    silence = Silence(settle_s=0.3, count_s=1.0)
    ring.close()
    run(config(tmp_path, min="10ms", max="50ms"), ["test"], silence)
    assert 0 <= silence.wakeups <= 20 + 10 + 5  # looks at heads; sleeps cut by the look at everything else


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_rows_are_the_same_whatever_the_strategy(tmp_path: Path, strategy: str) -> None:
    """Records come a hundred at a time, each time when those before have been taken in."""
    records = synthetic.stream(300)
    ring = feed_ring(tmp_path)
    pieces = [records[at : at + 100] for at in range(0, len(records), 100)]

    def stop() -> bool:
        taken = [row.committed for row in ring.control.consumers()]
        if taken and taken[0] == ring.head:
            if not pieces:
                ring.close()
                return True
            ring.publish(pieces.pop(0).copy())
        return False

    run(config(tmp_path, strategy=strategy), ["test"], stop)
    assert published(tmp_path).tobytes() == expected(records).tobytes()
    assert attach(NAME, directory=tmp_path).state == "closed"
