"""A collector whose journal process starts anew every two seconds, and is killed besides, stores everything once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.promises.system import (
    assert_each_record_exactly_once,
    assert_rows_exactly_once,
    assert_trades_are_the_truth,
    system,
    until,
)

pytestmark = pytest.mark.servers  # half a minute of real processes


def test_a_recycled_writer_loses_nothing_and_is_no_restart(tmp_path: Path) -> None:
    with system(tmp_path, recycle='"2s"', rotate_time='"30s"') as (exchange, collector):
        collector.start()
        collector.flowing(1000)
        seen: set[int] = set()

        def lives(count: int) -> bool:
            seen.add(collector.pid("journal"))
            return len(seen - {0}) >= count

        until(lambda: lives(3), "recycled twice", more=collector.tail_of_log)
        assert collector.restarts("journal") == 0
        collector.kill("journal")
        seen.clear()
        until(lambda: lives(2), "recycled after a kill", more=collector.tail_of_log)
        assert collector.restarts("journal") == 1
        reader = collector.reader()
        heads = {reader.generation: reader.head}
        assert collector.stop() == 0, collector.tail_of_log()
        exchange.stop()
        assert_each_record_exactly_once(collector, heads)
        assert_rows_exactly_once(collector)
        assert_trades_are_the_truth(exchange, collector)
        code, said = collector.verify()
        assert code == 0, said
        assert '"event": "process_recycled"' in collector.log.read_text()
