"""``ringcollect sim --capture`` as a process of its own, and a collector of another: real sockets, a frame of 5 MB."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest

from ringcollect.records import Flag, Kind
from tests.exchanges.frames import lines
from tests.feed.loopback import collected_from

MARKETS = {"spot": (("BTC-USD",), ("book", "trade", "bbo"))}


@pytest.fixture(autouse=True)
def _own_budget(tmp_path, monkeypatch):
    monkeypatch.setenv("RINGCOLLECT_RUNTIME", str(tmp_path / "budget"))


def test_a_capture_served_at_full_speed_arrives_whole(captures, tmp_path):
    path = captures / "coinbase_adv_2026.jsonl.gz"
    options = ["--exchange", "coinbase", "--capture", str(path), "--speed", "0"]
    outputs = [m for line in lines(captures / "oracle" / path.name) for m in line["out"] if m["symbol"] == "BTC-USD"]
    prints = [(m["price"], m["amount"]) for m in outputs if m["type"] == "trade"]
    states = [s for s in lines(captures / "oracle" / f"books_{path.name}") if s["s"] == "BTC-USD"]
    changes = sum(m["type"] == "book_change" for m in outputs)

    seen: list[int] = []

    def enough(reader, config) -> bool:
        rows = reader.read(1 << 20).records
        books = rows[np.isin(rows["kind"], (Kind.BOOK_SNAPSHOT, Kind.BOOK_DELTA))]
        seen.append(int(np.count_nonzero(books["flags"] & Flag.LAST)))
        return sum(seen) >= changes

    with subprocess.Popen(
        [sys.executable, "-m", "ringcollect", "sim", *options], stdout=subprocess.PIPE, text=True
    ) as sim:
        try:
            ready = json.loads(sim.stdout.readline())
            records, counters, _ = collected_from(f"127.0.0.1:{ready['port']}", tmp_path, "coinbase", MARKETS, enough)
        finally:
            sim.terminate()
    for zero in ("seq_gaps", "trade_gaps", "rejected", "duplicates", "reconnects", "rest_errors"):
        assert counters[zero] == 0, zero
    trades = records[records["kind"] == Kind.TRADE]
    assert Counter(zip(trades["price"].tolist(), trades["size"].tolist(), strict=True)) == Counter(prints)
    levels = records[np.isin(records["kind"], (Kind.BOOK_SNAPSHOT, Kind.BOOK_DELTA)) & (records["side"] != 0)]
    assert np.flatnonzero(levels["flags"] & Flag.CLEAR).tolist() == [0]
    sides, prices, sizes = (levels[name].tolist() for name in ("side", "price", "size"))
    book = dict(zip(zip(sides, prices, strict=True), sizes, strict=True))
    left = Counter(side for (side, _), size in book.items() if size)
    assert (left[1], left[-1]) == (states[-1]["nb"], states[-1]["na"])
