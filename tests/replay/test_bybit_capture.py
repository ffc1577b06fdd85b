"""Bybit's capture end to end: what the lake holds is what independent decoders read from the frames."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

import pytest

from tests.replay import lake, oracle
from tests.replay.run import replayed

pytestmark = pytest.mark.usefixtures("sealed_here")
MARKETS = ("linear", "spot")


def test_trades_and_books_of_the_lake_are_the_oracles_and_every_claim_holds(captures: Path, tmp_path: Path) -> None:
    report = replayed(captures / "bybit_v5_2026.jsonl.gz", tmp_path)
    assert report.problems() == []
    counters = report.exchanges[0].counters
    assert counters["frames_in"] == 3227 and counters["rejected"] == counters["seq_gaps"] == 0

    traded: Counter[tuple[str, str]] = Counter()
    for line in oracle.json_lines(captures / "oracle" / "bybit_v5_2026.jsonl.gz"):
        for message in line["out"]:
            if message["type"] == "trade":
                traded["spot" if message["exchange"] == "bybit-spot" else "linear", message["symbol"]] += 1
    for (market, symbol), count in traded.items():
        rows = lake.table(tmp_path, "raw", "trades", symbol, market)
        assert rows is not None and len(rows) == count

    states = defaultdict(list)
    ids = {}
    for number, line in enumerate(oracle.json_lines(captures / "bybit_v5_2026.jsonl.gz")):
        if '"topic":"orderbook' in line["f"]:
            ids[number] = int(line["f"].rpartition('"u":')[2].partition(",")[0])
    for state in oracle.json_lines(captures / "oracle" / "books_bybit_v5_2026.jsonl.gz"):
        states[MARKETS[state["c"]], state["s"]].append(state)
    compared = 0
    for (market, symbol), expected in states.items():
        wanted = {ids[state["i"]]: state for state in expected}

        def after(ident: int, book: lake.Book, wanted: dict = wanted) -> None:
            nonlocal compared
            if ident in wanted:
                state = wanted[ident]
                assert book.best(10) == tuple([(float(p), float(z)) for p, z in state[side]] for side in ("b", "a"))
                assert (len(book.bids), len(book.asks)) == (state["nb"], state["na"])
                compared += 1

        rows = lake.both(tmp_path, "orderbooks", symbol, market)
        lake.walk_books(rows, after)
    assert compared == sum(map(len, states.values())) == 89
