"""Frames that are nothing: rejected, counted, kept with their reason; everything else goes on."""

from __future__ import annotations

from pathlib import Path

import msgspec

from tests.promises.system import Lake, assert_each_record_exactly_once, assert_trades_are_the_truth, system


def test_every_frame_of_garbage_is_counted_and_kept_with_its_reason_and_costs_nothing_else(tmp_path: Path) -> None:
    with system(tmp_path, faults="garbage=0.02") as (exchange, collector):
        collector.start()
        collector.flowing(6000)
        pid = collector.pid("feed-binance")
        assert pid and collector.restarts("feed-binance") == 0
        assert collector.stop() == 1, "rejected frames are not nothing"
        exchange.stop()
        counters = collector.reader().counters
        kept = [row for _, table in Lake(collector.data).tables("rejects/**/*.parquet") for row in table.to_pylist()]
        lines = map(msgspec.json.decode, exchange.truth_path.read_bytes().splitlines())
        sent = sum(line["k"] == "fault" and line.get("name", line.get("fault")) == "garbage" for line in lines)
        assert counters["rejected"] == len(kept) > 20
        assert len(kept) <= sent <= len(kept) + 3, "at most what was on its way as we hung up"
        assert all(row["reason"] for row in kept)
        fates = sum(counters[fate] for fate in ("decoded", "control", "ignored", "rejected"))
        assert counters["frames_in"] == fates
        assert counters["trade_gaps"] == counters["seq_gaps"] == 0
        assert_each_record_exactly_once(collector)
        assert_trades_are_the_truth(exchange, collector)
