"""``query``: SQL answers are those of the tables read whole; only what a query names is looked at."""

from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path

import pyarrow.compute as pc
import pytest

import ringcollect
from ringcollect.cli import run
from ringcollect.store.query import query, view_names
from ringcollect.store.selection import Selection, select
from tests import synthetic
from tests.store import lake as lakes
from tests.store.watching import Watch, watched


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lakes.make_lake(tmp_path_factory.mktemp("query"), synthetic.stream(1000))


def test_each_type_is_a_view_with_what_its_folders_say(data: Path) -> None:
    table = ringcollect.scan(data).to_table()
    answer = query(
        "select symbol, market, count(*), sum(size), min(date) from trades group by all order by 1, 2",
        watched(data), Selection(),
    )  # fmt: skip
    for symbol, market, rows, size, date in answer.rows:
        mine = table.filter(pc.and_(pc.equal(table["symbol"], symbol), pc.equal(table["market"], market)))
        assert (rows, date) == (mine.num_rows, "2026-09-21")
        assert size == pytest.approx(pc.sum(mine["size"]).as_py())
    both = query("select count(*) from rest_orderbooks r join status s on false", watched(data), Selection())
    assert list(both.rows) == [(0,)]


def test_only_tables_named_are_listed_and_only_days_and_symbols_chosen_are_opened(data: Path) -> None:
    watch = Watch()
    selection = select(symbols=("ETHUSDT",), markets=("spot",), start=synthetic.START_NS + 20 * 10**9)
    answer = query("select min(ts_recv), count(price) from trades", watched(data, watch), selection)
    ((first, rows),) = answer.rows
    expected = ringcollect.scan(data, symbol="ETHUSDT", start=synthetic.START_NS + 20 * 10**9).to_table()
    assert (first, rows) == (pc.min(expected["ts_recv"]).as_py(), expected.num_rows)
    assert all("/raw/trades/" in path and "symbol=ETHUSDT" in path for path in watch.opened)


def test_the_command_prints_a_table_json_lines_or_csv(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sql = "select symbol, price, uuid, 'NaN'::double as none from trades order by seq limit 3"
    expected = ringcollect.scan(data).to_table().sort_by([("seq", "ascending")]).slice(0, 3)
    assert run(["query", sql, "--data", str(data), "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(row["symbol"], row["price"]) for row in rows] == list(
        zip(expected["symbol"].to_pylist(), expected["price"].to_pylist(), strict=True)
    )
    assert all(row["uuid"] is None and row["none"] is None for row in rows)
    assert run(["query", sql, "--data", str(data), "--csv"]) == 0
    head, *lines = csv.reader(io.StringIO(capsys.readouterr().out))
    assert head == ["symbol", "price", "uuid", "none"] and len(lines) == 3
    assert run(["query", sql, "--data", str(data)]) == 0
    assert capsys.readouterr().out.splitlines()[0].split() == ["symbol", "price", "uuid", "none"]
    assert run(["query", "show tables", "--data", str(data)]) == 0
    assert {"trades", "orderbooks", "rest_orderbooks", "status"} <= set(capsys.readouterr().out.split())


def test_a_wrong_query_is_a_usage_error_and_a_missing_duckdb_says_how_to_get_it(
    data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(["query", "selekt 1", "--data", str(data)]) == 2
    assert run(["query", "select * from bars", "--data", str(data)]) == 2, "there are none"
    assert run(["query", "select 1", "--data", str(data), "--json", "--csv"]) == 2
    capsys.readouterr()
    monkeypatch.setitem(sys.modules, "duckdb", None)
    assert run(["query", "select 1", "--data", str(data)]) == 4
    assert "ringcollect[duckdb]" in capsys.readouterr().err


def test_views_are_named_after_the_tables(data: Path) -> None:
    views = view_names()
    assert views["trades"] == ("raw", "trades") and views["sync_trades"] == ("sync", "trades")
    assert views["features"] == ("sync", "features") and "rest_features" not in views
