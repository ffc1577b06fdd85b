"""What a running collector takes over of a changed configuration, and what it says takes a restart."""

from __future__ import annotations

from pathlib import Path

from ringcollect.config import Config, parse
from ringcollect.feed.desk import Desk, problems_in
from ringcollect.feed.plan import plan_from_config
from ringcollect.supervise.reload import DONE, PARTLY, Reloading, Result, compare, read_result, write_result

BINANCE = '[[markets]]\nexchange = "binance"\nmarket = "spot"\nsymbols = ["BTCUSDT"]\n'
OKX = '[[markets]]\nexchange = "okx"\nmarket = "spot"\nsymbols = ["BTC-USDT"]\n'


def config(text: str) -> Config:
    return parse(text).config


def test_equal_configurations_change_nothing() -> None:
    running = config(BINANCE + OKX)
    change = compare(running, config(BINANCE + OKX))
    assert (change.feeds, change.stopped, change.refused) == ((), (), ())
    assert plan_from_config(change.config, "okx") == plan_from_config(running, "okx")


def test_symbols_channels_depths_rules_and_deadlines_are_taken_over_by_the_feeds_they_concern() -> None:
    running = config(BINANCE + OKX)
    for line in ("channels = ['book']\n", "depth = 100\n", "trade_stream = 'aggTrade'\n"):
        change = compare(running, config(BINANCE + line + OKX))
        assert (change.feeds, change.stopped, change.refused) == (("binance",), (), ()), line
        assert change.config.markets != running.markets
    assert compare(running, config(BINANCE + OKX.replace("BTC-USDT", "*-USDT"))).feeds == ("okx",)
    change = compare(running, config("websocket.stale = '9s'\n" + BINANCE + OKX))
    assert (change.feeds, change.refused) == (("binance", "okx"), ())
    assert plan_from_config(change.config, "okx").options.stale_ns == 9_000_000_000
    one = "[[websocket.override]]\nexchange = 'okx'\ndata_deadline = '7s'\n"
    assert compare(running, config(BINANCE + OKX + one)).feeds == ("okx",)


def test_an_exchange_that_is_dropped_is_stopped_and_one_that_is_new_takes_a_restart() -> None:
    change = compare(config(BINANCE), config(OKX))
    assert (change.feeds, change.stopped) == ((), ("binance",))
    assert change.refused == ("okx: an exchange that was not collected before takes a restart",)
    assert change.config.exchanges() == []


def test_whatever_else_has_changed_is_named_and_stays_as_it_was() -> None:
    running = config(BINANCE)
    wanted = config(
        "ring.capacity = 65536\nlog.level = 'debug'\nwebsocket.redundancy = 2\nwebsocket.stale = '9s'\n"
        + BINANCE + "url = 'wss://proxy.example'\n"
        + "[[markets.override]]\nsymbols = ['BTCUSDT']\ngrid = '1s'\n"
    )  # fmt: skip
    change = compare(running, wanted)
    assert change.refused == (
        "ring.capacity: 131072 -> 65536 takes a restart",
        "log.level: info -> debug takes a restart",
        "another address of binance spot takes a restart",
        "websocket.redundancy: 1 -> 2 takes a restart",
        "binance: which symbols have rows of their own ([[markets.override]] grid, features) takes a restart",
    )
    socket = change.config.websocket.of("binance")
    assert (socket.redundancy, socket.stale) == (1, "9s")
    again = compare(change.config, wanted)
    assert (again.refused, again.feeds) == (change.refused[:-1], ())
    assert (change.config.ring, change.config.log, change.config.markets[0].url) == (running.ring, running.log, "")


def test_credentials_in_what_is_said_are_masked() -> None:
    running, wanted = config(BINANCE), config("collector.data = 's3://key:secret@host/lake'\n" + BINANCE)
    assert "secret" not in compare(running, wanted).refused[0]


def test_an_order_reaches_the_feed_once_and_its_receipt_comes_back(tmp_path: Path) -> None:
    change = compare(config(BINANCE), config(BINANCE.replace("BTC", "ETH")))
    reloading = Reloading(change, tmp_path, run_ns=7, number=3, now_s=0.0)
    assert reloading.result(1.0) is None
    desk = Desk(tmp_path, "binance")
    desk.open()  # also a feed that was just started again finds the order
    assert desk.take() == plan_from_config(change.config, "binance")
    assert desk.take() is None
    desk.done(3, 1)
    expected = Result(run_ns=7, number=3, exit_code=DONE, lines=("binance: 3 streams added, 1 ended",))
    assert reloading.result(1.0) == expected
    write_result(tmp_path, expected)
    assert read_result(tmp_path) == expected


def test_a_feed_that_does_not_answer_in_time_is_named(tmp_path: Path) -> None:
    change = compare(config(BINANCE), config(BINANCE.replace("BTC", "ETH")))
    result = Reloading(change, tmp_path, run_ns=7, number=1, now_s=0.0).result(31.0)
    assert result is not None and result.exit_code == PARTLY
    assert result.lines == ("binance: takes over when it has the exchange's instrument list again",)


def test_orders_and_complaints_of_an_earlier_collector_are_forgotten(tmp_path: Path) -> None:
    desk = Desk(tmp_path, "binance")
    desk.order(1, plan_from_config(config(BINANCE), "binance"))
    desk.complain(("markets[0].symbols[0]: no such symbol",))
    assert problems_in(tmp_path) == ("markets[0].symbols[0]: no such symbol",)
    desk.forget()
    assert desk.take() is None and problems_in(tmp_path) == () and not list(tmp_path.iterdir())


def test_notes_nobody_can_read_are_no_orders(tmp_path: Path) -> None:
    (tmp_path / "binance.plan.json").write_bytes(b'{"number": 1}')
    (tmp_path / "binance.problems.json").write_bytes(b"{")
    (tmp_path / "reload.json").write_bytes(b"[]")
    assert Desk(tmp_path, "binance").take() is None
    assert problems_in(tmp_path) == () and read_result(tmp_path) is None
