"""Every Binance capture through the whole pipeline, then the lake against other people's decoders."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from ringcollect.sources.report import ReplayReport
from ringcollect.store.verify import verify
from tests.replay import lake, oracle
from tests.replay.run import replayed


class Case(NamedTuple):
    """One replayed capture: the lake's folder, the market its instruments have, and what others made of it."""

    data: Path
    market: str
    capture: Path
    expected: oracle.Oracle
    report: ReplayReport


MARKETS = {"binance_spot_2021": "spot", "binance_usdm_2021b": "linear", "binance_spot_2024": "spot"}
HAS_URLS = {"binance_spot_2021", "binance_usdm_2021b"}


@pytest.fixture(scope="module", params=[pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in MARKETS])
def case(request: pytest.FixtureRequest, captures: Path, tmp_path_factory: pytest.TempPathFactory) -> Case:
    name, market = request.param, MARKETS[request.param]
    data = tmp_path_factory.mktemp(name)
    capture = captures / f"{name}.jsonl.gz"
    report = replayed(capture, data, market="" if name in HAS_URLS else market)
    assert report.problems() == []
    return Case(data, market, capture, oracle.load(captures, name), report)


def columns(table: pa.Table, *names: str) -> list[tuple]:
    return list(zip(*(table[name].to_pylist() for name in names), strict=True))


def test_trades_are_the_oracles_one_by_one(case: Case) -> None:
    for symbol, expected in case.expected.trades.items():
        rows = lake.table(case.data, "raw", "trades", symbol, case.market)
        assert rows is not None
        ours = columns(rows, "id", "price", "size", "side", "ts_event", "ts_recv")
        assert [oracle.Trade(*row) for row in ours] == expected


def test_aggregated_trades_are_what_the_frames_say(case: Case) -> None:
    """The oracles know no aggTrade: here each frame is read again with ``json`` and ``float``."""
    expected: dict[str, list[tuple]] = {}
    for line in oracle.json_lines(case.capture):
        if line["d"] == "in" and "@aggTrade" in line["f"][:40]:
            d = oracle.wire(line)
            row = (d["l"], d["f"], float(d["p"]), float(d["q"]), -1 if d["m"] else 1, d["T"] * 1_000_000, line["t"], 16)
            expected.setdefault(d["s"], []).append(row)
    for symbol, rows in expected.items():
        ours = lake.table(case.data, "raw", "trades", symbol, case.market)
        assert ours is not None
        assert columns(ours, "id", "first_id", "price", "size", "side", "ts_event", "ts_recv", "sub") == rows


def test_best_bid_and_ask_are_the_oracles_one_by_one(case: Case) -> None:
    assert case.expected.quotes
    for symbol, expected in case.expected.quotes.items():
        rows = lake.table(case.data, "raw", "quotes", symbol, case.market)
        assert rows is not None
        ours = columns(rows, "id", "bid_price", "bid_size", "ask_price", "ask_size", "ts_recv")
        assert [oracle.Quote(*row) for row in ours] == expected


def by_frame(table: pa.Table) -> dict[int, oracle.Change]:
    """Depth frames of a table of levels, keyed by update id, in the order of first appearance."""
    frames: dict[int, oracle.Change] = {}
    for ident, side, price, size, event, recv in columns(table, "id", "side", "price", "size", "ts_event", "ts_recv"):
        change = frames.setdefault(ident, oracle.Change(ident, [], [], event, recv, False))
        if side:
            (change.bids if side > 0 else change.asks).append((price, size))
    return frames


def test_book_changes_are_the_oracles_frame_by_frame(case: Case) -> None:
    """Before the bridge the oracle is silent and ours are UNSYNCED; the frame that bridges may stand in either."""
    assert case.expected.changes
    for symbol, expected in case.expected.changes.items():
        table = lake.table(case.data, "raw", "orderbooks", symbol, case.market)
        assert table is not None
        every = by_frame(table)
        synced = by_frame(table.filter(pc.invert(flag(table, lake.UNSYNCED))))
        deltas = [change for change in expected if not change.snapshot]
        assert [every.get(change.id) for change in deltas] == deltas
        assert len([change for change in deltas if change.id not in synced]) <= 1
        assert set(synced) <= {change.id for change in deltas}
        snapshots = [change for change in expected if change.snapshot]
        assert min(synced, default=1 << 62) >= snapshots[0].id


def flag(table: pa.Table, bit: int) -> pa.Array:
    return pa.array([bool(flags & bit) for flags in table["flags"].to_pylist()])


def test_books_are_the_oracles_at_every_checkpoint(case: Case) -> None:
    """Level counts and the ten best levels of each side, as floats of the wire's own text."""
    wanted: dict[str, dict[int, oracle.Checkpoint]] = {}
    for checkpoint in case.expected.checkpoints:
        wanted.setdefault(checkpoint.symbol, {})[checkpoint.id] = checkpoint
    assert wanted
    for symbol, checkpoints in wanted.items():
        states: dict[int, oracle.Checkpoint] = {}

        def look(
            ident: int, book: lake.Book, symbol: str = symbol, seen: dict = states, ids: dict = checkpoints
        ) -> None:
            if ident in ids:
                seen[ident] = oracle.Checkpoint(symbol, ident, len(book.bids), len(book.asks), *book.best(10))

        lake.walk_books(lake.both(case.data, "orderbooks", symbol, case.market), look)
        assert states == checkpoints


def test_whole_books_are_the_oracles_all_along(case: Case) -> None:
    """Every level, not only the best ten, at every 50th change: the oracle's own changes applied to a dictionary."""
    for symbol, changes in case.expected.changes.items():
        reference = lake.Book()
        states: dict[int, int] = {}
        for count, change in enumerate(reversed(changes)):
            if count % 50 == 0 and not change.snapshot:
                states[change.id] = 0
        for change in changes:
            if change.snapshot:
                reference.bids, reference.asks = {}, {}
            for side, levels in ((1, change.bids), (-1, change.asks)):
                for price, size in levels:
                    reference.apply(side, price, size, 0)
            if change.id in states:
                states[change.id] = fingerprint(reference)
        seen: dict[int, int] = {}

        def look(ident: int, book: lake.Book, wanted: dict = states, seen: dict = seen) -> None:
            if ident in wanted:
                seen[ident] = fingerprint(book)

        lake.walk_books(lake.both(case.data, "orderbooks", symbol, case.market), look)
        assert seen == states


def fingerprint(book: lake.Book) -> int:
    return hash((frozenset(book.bids.items()), frozenset(book.asks.items())))


def test_every_snapshot_of_the_capture_is_in_rest_and_only_there(case: Case) -> None:
    """Levels and order as the REST body has them; nothing in raw/ came from REST."""
    bodies: Counter[tuple[str, int]] = Counter()
    for line in oracle.json_lines(case.capture):
        if line["d"] == "rest" and "/depth?" in line["u"]:
            symbol = line["u"].split("symbol=")[1].split("&")[0]
            body = oracle.wire(line)
            bodies[symbol, len(body["bids"]) + len(body["asks"])] += 1
            rows = lake.table(case.data, "rest", "orderbooks", symbol, case.market)
            assert rows is not None
            rows = rows.filter(flag(rows, lake.SNAPSHOT))
            sides = ((1, body["bids"]), (-1, body["asks"]))
            expected = [(side, float(price), float(size)) for side, levels in sides for price, size in levels]
            assert columns(rows, "side", "price", "size") == expected
            raw = lake.table(case.data, "raw", "orderbooks", symbol, case.market)
            assert raw is not None
            assert not any(flag(raw, lake.REST).to_pylist())
    assert bodies


def test_only_trades_from_before_the_clocks_first_book_are_late(case: Case) -> None:
    """Measured by others on these captures: 250 ms behind the book, no trade comes too late for its row.

    What is older than the row that the first book anchors (G4, G13) has no row to go to: that many are late, no more.
    """
    grid, hold_back = 100_000_000, 250_000_000
    late = 0
    for symbol, changes in case.expected.changes.items():
        anchor = next(change.ts_event for change in changes if not change.snapshot)
        trades = lake.table(case.data, "raw", "trades", symbol, case.market)
        times = [] if trades is None else trades["ts_event"].to_pylist()
        late += sum(time < (anchor - hold_back) // grid * grid for time in times)
    sync = case.report.exchanges[0].sync
    assert (sync["late_events_dropped"], sync["chain_breaks"]) == (late, 0)


def test_the_lake_passes_its_own_certificate(case: Case) -> None:
    assert verify(case.data, strict=True).problems == []


def test_tick_and_precision_are_the_listings_or_inferred_from_the_text_and_marked(case: Case) -> None:
    """From ``exchangeInfo`` where the capture has it, else the most decimals any price or size of the capture has."""
    listed: dict[str, tuple[float, float]] = {}
    decimals: dict[str, tuple[int, int]] = {}
    for line in oracle.json_lines(case.capture):
        if line["d"] == "rest" and "exchangeInfo" in line["u"]:
            for entry in oracle.wire(line)["symbols"]:
                filters = {f["filterType"]: f for f in entry["filters"]}
                steps = (filters["PRICE_FILTER"]["tickSize"], filters["LOT_SIZE"]["stepSize"])
                listed[entry["symbol"]] = (float(steps[0]), float(steps[1]))
        elif line["d"] == "rest":
            symbol, body = line["u"].split("symbol=")[1].split("&")[0], oracle.wire(line)
            prices, sizes = zip(*body["bids"], *body["asks"], strict=True)
            decimals[symbol] = (max(map(places, prices)), max(map(places, sizes)))
    for instrument in instruments(case.data):
        symbol = instrument["symbol"]
        if symbol in listed:
            assert (instrument["tick_size"], instrument["lot_size"]) == listed[symbol]
            assert not instrument["inferred"]
        else:
            assert (instrument["price_precision"], instrument["size_precision"]) == decimals[symbol]
            assert instrument["tick_size"] == float(f"1e-{decimals[symbol][0]}")
            assert instrument["inferred"]


def places(number: str) -> int:
    return len(number.partition(".")[2].rstrip("0"))


def instruments(data: Path) -> list[dict]:
    """The instruments of the newest segment of the record ring, from its certificate."""
    newest = max((data / "certificates").rglob("binance.rec-*.json"), key=lambda path: path.name)
    return json.loads(newest.read_text())["instruments"]
