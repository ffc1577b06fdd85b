"""The deepest book that was captured stands whole in the synchronizer, and its memory is that of its levels."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np

from ringcollect.instruments import Instrument
from ringcollect.sync import layout as at
from ringcollect.sync.engine import Engine
from ringcollect.sync.settings import Parameters
from tests.exchanges.frames import lines
from tests.exchanges.sessions import run
from tests.exchanges.test_captured_books import seq_after

from .streams import Stream

NAME = "coinbase_adv_2026"


def test_by_default_a_captured_book_of_27_000_asks_is_the_oracles_and_nothing_is_dropped(
    captures: Path, tmp_path: Path
) -> None:
    made = run(captures / f"{NAME}.jsonl.gz", "coinbase", tmp_path)
    rows = (tmp_path / "instruments.jsonl").read_bytes().splitlines()
    table = {row.number: row for line in rows for row in [msgspec.json.decode(line, type=Instrument)]}
    numbers = {row.symbol: row.number for row in table.values()}
    engine = Engine(Parameters(mode="external"), table.__getitem__)
    engine.collect(Stream().time(int(made.records["ts_recv"].max()) + 10**10).array())  # every update is due at once

    deepest = done = 0
    for state in lines(captures / "oracle" / f"books_{NAME}.jsonl.gz"):
        stop = int(np.searchsorted(made.records["seq"], seq_after(made.records, made.upto[state["i"]])))
        engine.collect(made.records[done:stop])
        done = stop
        deepest = max(deepest, state["nb"], state["na"])
        bids, asks = engine.book(numbers[state["s"]])
        for side, count, best in ((bids, state["nb"], state["b"]), (asks, state["na"], state["a"])):
            assert len(side) == count
            assert [tuple(level) for level in side[:10]] == [(float(price), float(size)) for price, size in best]

    assert deepest > 27_000
    assert engine.counters()["book_levels_dropped"] == 0
    for row in engine.dump()["ints"]:
        for side in (at.I_BID, at.I_ASK):
            assert row[side + at.BOOK_CAPACITY] <= max(64, 4 * deepest), "slots taken follow the levels that came"
