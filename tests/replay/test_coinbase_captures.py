"""Both Coinbase captures end to end: what the lake holds is what independent decoders read from the frames."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.replay import lake, oracle
from tests.replay.run import replayed

pytestmark = pytest.mark.usefixtures("sealed_here")
BOOKS = ("l2_data", "snapshot", "l2update")
FRAMES = {"coinbase_adv_2026": 1030, "coinbase_exchange_2021": 9946}


def wire(capture: Path) -> tuple[dict[int, int], list[str]]:
    """(of each line with a book message the how manieth of its product it is, products of ``last_match``)."""
    count: Counter[str] = Counter()
    nth, last_matches = {}, []
    for number, line in enumerate(oracle.json_lines(capture)):
        frame = orjson.loads(line["f"]) if line["d"] == "in" else {}
        kind = frame.get("channel", frame.get("type", ""))
        if kind in BOOKS:
            product = frame["product_id"] if "type" in frame else frame["events"][0]["product_id"]
            count[product] += 1
            nth[number] = count[product]
        elif kind == "last_match":
            last_matches.append(frame["product_id"])
    return nth, last_matches


@pytest.mark.parametrize("name", FRAMES)
def test_trades_and_books_of_the_lake_are_the_oracles_and_every_claim_holds(
    captures: Path, tmp_path: Path, name: str
) -> None:
    report = replayed(captures / f"{name}.jsonl.gz", tmp_path)
    assert report.problems() == []
    counters = report.exchanges[0].counters
    assert counters["frames_in"] == FRAMES[name]
    assert counters["rejected"] == counters["seq_gaps"] == counters["connection_gaps"] == counters["trade_gaps"] == 0

    traded: Counter[str] = Counter()
    for line in oracle.json_lines(captures / "oracle" / f"{name}.jsonl.gz"):
        traded.update(message["symbol"] for message in line["out"] if message["type"] == "trade")
    nth, last_matches = wire(captures / f"{name}.jsonl.gz")
    traded.update(last_matches)  # the oracle passes over them
    for symbol, count in traded.items():
        rows = lake.table(tmp_path, "raw", "trades", symbol, "spot")
        assert rows is not None and len(rows) == count

    states: defaultdict[str, dict[int, Any]] = defaultdict(dict)
    for state in oracle.json_lines(captures / "oracle" / f"books_{name}.jsonl.gz"):
        states[state["s"]][nth[state["i"]]] = state
    compared = 0
    for symbol, wanted in states.items():
        seen = 0

        def after(ident: int, book: lake.Book, wanted: dict = wanted) -> None:
            nonlocal compared, seen
            seen += 1
            if seen in wanted:
                state = wanted[seen]
                assert book.best(10) == tuple([(float(p), float(z)) for p, z in state[side]] for side in ("b", "a"))
                assert (len(book.bids), len(book.asks)) == (state["nb"], state["na"])
                compared += 1

        lake.walk_books(lake.both(tmp_path, "orderbooks", symbol, "spot"), after)
    assert compared == sum(map(len, states.values())) > 25
