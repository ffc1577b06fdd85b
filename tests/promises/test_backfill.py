"""Connections that are cut all the time: what REST tells to find the way again is nowhere in the lake; what it fetches
is in ``rest/`` and nowhere else, and together the trades are whole.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.parquet as pq

from ringcollect.records import Flag
from tests.promises.system import (
    Collector,
    Exchange,
    Lake,
    assert_each_record_exactly_once,
    assert_trades_are_the_truth,
    system,
    until,
)

BACKFILLED = Flag.REST | Flag.BACKFILLED


def rest_answers(exchange: Exchange) -> list[dict[str, Any]]:
    lines = map(msgspec.json.decode, exchange.truth_path.read_bytes().splitlines())
    return [line for line in lines if line["k"] == "rest" and line["status"] == 200]


def is_alignment(url: str) -> bool:
    """How the feed asks for the newest trade, and nothing else."""
    return "limit=1" in url.split("?")[-1].split("&") and ("/aggTrades?" in url or "/trades?" in url)


def fetched(data: Path) -> dict[tuple[str, str], list[int]]:
    """(market, symbol) -> ids in ``rest/trades``."""
    found: dict[tuple[str, str], list[int]] = {}
    for path, table in Lake(data).tables("rest/trades/**/*.parquet"):
        parts = dict(part.split("=", 1) for part in path.parts if "=" in part)
        rows: Any = table
        assert all(flags & BACKFILLED == BACKFILLED for flags in rows["flags"].to_pylist())
        found.setdefault((parts["market"], parts["symbol"]), []).extend(rows["id"].to_pylist())
    return found


def everything_stored(data: Path) -> bytes:
    """Every file of the lake, and every text or byte string inside the Parquet ones, as one text to search in."""
    parts = []
    for path in (path for path in data.rglob("*") if path.is_file()):
        parts.append(path.read_bytes())
        if path.suffix == ".parquet":
            for column in pq.ParquetFile(path).read().columns:
                if str(column.type) in ("string", "large_string", "binary", "large_binary"):
                    values = column.to_pylist()
                    parts += [v.encode() if isinstance(v, str) else v for v in values if v is not None]
    return b"\n".join(parts)


def assert_trades_are_whole(collector: Collector) -> int:
    """Between the first and the last id of a market and symbol, ``raw/`` and ``rest/`` together miss none; how many
    came over REST.
    """
    raw: dict[tuple[str, str], set[int]] = {}
    for (market, symbol, number), _, flags in Lake(collector.data).trades():
        assert not flags & BACKFILLED, "nothing fetched is raw"
        raw.setdefault((market, symbol), set()).add(number)
    later = fetched(collector.data)
    for key, numbers in later.items():
        assert len(set(numbers)) == len(numbers) and not raw[key] & set(numbers), "each id once, here or there"
    for key, numbers in raw.items():
        if key[0] == "spot":  # USD-M spends ids on prints that are no trades
            missing = set(range(min(numbers), max(numbers))) - numbers - set(later.get(key, ()))
            on_the_way = max(later.get(key, [0]))  # as we hung up, a page may have been asked for
            assert all(number > on_the_way for number in missing), key
    return sum(map(len, later.values()))


def test_what_a_cut_missed_is_fetched_into_rest_and_what_only_told_the_way_is_nowhere(tmp_path: Path) -> None:
    with system(
        tmp_path, rate=300, faults="cut=2s", websocket={"backfill": "true"}, record_frames="true"
    ) as (exchange, collector):  # fmt: skip
        collector.start()
        collector.flowing(500)
        counters = collector.reader().counters
        until(
            lambda: counters["trade_ids_backfilled"] >= 5 and counters["reconnects"] >= 4, "cuts and backfills",
            more=lambda: f"{dict(counters)}\n{collector.tail_of_log()}",
        )  # fmt: skip
        collector.stop()
        exchange.stop()
        answers = rest_answers(exchange)
        told = [line for line in answers if is_alignment(line["u"])]
        assert told and counters["snapshot_fetches"] >= len(told)
        stored = everything_stored(collector.data)
        for line in told:
            assert line["f"].encode() not in stored
            assert not re.search(re.escape(line["u"].encode()) + rb"(?![0-9])", stored), "limit=1, not limit=1000"
        assert any(line["f"].encode() in stored for line in answers if "depth" in line["u"]), "a book's base is there"
        assert assert_trades_are_whole(collector) == counters["trade_ids_backfilled"] <= counters["trade_ids_missing"]
        assert_each_record_exactly_once(collector)
        assert_trades_are_the_truth(exchange, collector)
        code, said = collector.verify()
        assert code == 0, said
