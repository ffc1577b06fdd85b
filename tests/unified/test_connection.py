"""A connection of ccxt's calls: answers, refusals, failures, and nothing left behind. Needs no ccxt."""

from __future__ import annotations

import asyncio

import pytest

from ringcollect.feed.unified import connection as module
from ringcollect.feed.unified.connection import UnifiedConnection
from tests.unified.doubles import BadSymbol, FakeLibrary, Listener, NetworkError, asked, settle

S = "BTC/USDT"
BOOK = {"bids": [[1.0, 1.0]], "asks": [[2.0, 1.0]], "timestamp": None}


def on_stage(act, *methods: str):
    """Run ``act(library, listener, connection)`` on a loop of its own; the listener is returned."""

    async def play():
        library, listener = FakeLibrary(*methods), Listener()
        connection = UnifiedConnection(4, library, listener.callbacks(), poll_s=0.0)  # type: ignore[arg-type]
        await act(library, listener, connection)
        connection.drop()
        await settle()
        assert len(asyncio.all_tasks()) == 1, "a task was left behind"
        return listener

    return asyncio.run(play())


def test_the_first_answer_acknowledges_and_every_answer_is_a_frame():
    async def act(library, listener, connection):
        connection.send_text(asked("subscribe", (S, "book", 20)))
        assert listener.frames == []  # never from inside the call
        library.answers["watch_order_book"].put_nowait(BOOK)
        library.answers["watch_order_book"].put_nowait(BOOK)
        await settle()
        assert library.calls == [("watch_order_book", S, 25)] * 3

    listener = on_stage(act, "watchOrderBook")
    assert [frame["c"] for frame in listener.frames] == ["answer", "book", "book"]
    assert listener.frames[0] == {"id": 1, "ok": True, "w": [[S, "book"]], "c": "answer", "m": ""}
    assert listener.closed == []


def test_a_quiet_stream_is_acknowledged_when_nothing_refused_it_for_a_while(monkeypatch):
    monkeypatch.setattr(module, "ACK_S", 0.0)

    async def act(library, listener, connection):
        connection.send_text(asked("subscribe", (S, "trade", 0)))
        await asyncio.sleep(0.01)

    listener = on_stage(act, "watchTrades")
    assert [(frame["c"], frame["ok"]) for frame in listener.frames] == [("answer", True)]


@pytest.mark.parametrize("channel", ["book", "trade", "bbo", "ticker", "funding", "open_interest", "mark_price"])
def test_what_the_class_cannot_do_is_refused_by_name(channel):
    async def act(library, listener, connection):
        connection.send_text(asked("subscribe", (S, channel, 0), number=9))
        await settle()

    [answer] = on_stage(act).frames
    assert (answer["id"], answer["ok"], answer["w"]) == (9, False, [[S, channel]])
    assert "ccxt_fake has no " in answer["m"] or channel == "mark_price"


def test_a_bad_symbol_is_refused_and_the_others_of_the_connection_go_on():
    async def act(library, listener, connection):
        connection.send_text(asked("subscribe", ("NO/PE", "book", 0), (S, "trade", 0)))
        for _ in range(2):  # it is asked once more, alone
            library.answers["watch_order_book"].put_nowait(BadSymbol("no market NO/PE"))
        trade = {"id": "1", "timestamp": 1, "price": 1.0, "amount": 1.0, "side": "buy"}
        library.answers["watch_trades"].put_nowait([trade])
        await settle()

    listener = on_stage(act, "watchOrderBook", "watchTrades")
    answers = {tuple(frame["w"][0]): (frame["ok"], frame["m"]) for frame in listener.of("answer")}
    assert answers == {("NO/PE", "book"): (False, "BadSymbol: no market NO/PE"), (S, "trade"): (True, "")}
    assert len(listener.of("trade")) == 1 and listener.closed == []


def test_a_refusal_that_everybody_hears_is_only_its_own_streams(monkeypatch):
    """OKX's class rejects whoever waits on the socket when one request is refused."""
    monkeypatch.setattr(asyncio, "sleep", quick := _quick(asyncio.sleep))

    async def act(library, listener, connection):
        connection.send_text(asked("subscribe", (S, "book", 0)))
        library.answers["watch_order_book"].put_nowait(BOOK)
        await settle()
        connection.send_text(asked("subscribe", (S, "trade", 0), (S, "ticker", 0), number=2))
        await settle()
        for method in ("watch_order_book", "watch_trades", "watch_ticker"):
            library.answers[method].put_nowait(BadSymbol("no channel tickers"))
        await settle()
        library.answers["watch_trades"].put_nowait([])
        await settle()
        library.answers["watch_ticker"].put_nowait(BadSymbol("no channel tickers"))
        library.answers["watch_order_book"].put_nowait(BadSymbol("no channel tickers"))
        library.answers["watch_order_book"].put_nowait(BOOK)
        await settle()

    listener = on_stage(act, "watchOrderBook", "watchTrades", "watchTicker")
    answers = {frame["w"][0][1]: frame["ok"] for frame in listener.of("answer")}
    assert answers == {"book": True, "trade": True, "ticker": False}
    assert len(listener.of("book")) == 2 and listener.closed == [] and quick


def _quick(sleep):
    async def at_once(seconds):
        await sleep(0)

    return at_once


@pytest.mark.parametrize("error", [NetworkError("cut"), KeyError("a bug of ccxt")])
def test_any_other_failure_ends_the_connection_with_its_reason_and_says_no_more(error):
    async def act(library, listener, connection):
        connection.send_text(asked("subscribe", (S, "book", 0), (S, "trade", 0)))
        library.answers["watch_order_book"].put_nowait(BOOK)
        library.answers["watch_order_book"].put_nowait(error)
        await settle()
        before = len(listener.frames)
        library.answers["watch_trades"].put_nowait([])
        connection.send_ping()
        await settle()
        assert len(listener.frames) == before and listener.lives == 0

    listener = on_stage(act, "watchOrderBook", "watchTrades")
    [reason] = listener.closed
    assert reason.startswith(f"book of {S}: {type(error).__name__}: ")


def test_refusals_in_a_row_of_a_stream_that_flowed_end_the_connection(monkeypatch):
    monkeypatch.setattr(asyncio, "sleep", _quick(asyncio.sleep))

    async def act(library, listener, connection):
        connection.send_text(asked("subscribe", (S, "book", 0)))
        library.answers["watch_order_book"].put_nowait(BOOK)
        for _ in range(module.MOST_REFUSALS):
            library.answers["watch_order_book"].put_nowait(BadSymbol("delisted"))
        await settle()
        await settle()

    [reason] = on_stage(act, "watchOrderBook").closed
    assert reason == f"book of {S}: BadSymbol: delisted"


def test_as_many_trades_as_ccxt_keeps_are_said_to_be_a_possible_loss_and_only_the_first_delivery_names_its_beginning():
    trade = {"id": "1", "timestamp": 5, "price": 1.0, "amount": 1.0, "side": "buy"}

    async def act(library, listener, connection):
        connection.send_text(asked("subscribe", (S, "trade", 0)))
        for count in (2, 3):  # FakeLibrary keeps 3
            library.answers["watch_trades"].put_nowait([trade] * count)
        await settle()

    frames = on_stage(act, "watchTrades").of("trade")
    assert [(len(f["d"]), f["lost"], f["since"]) for f in frames] == [
        (2, False, 1_700_000_000_000), (3, True, 0),
    ]  # fmt: skip


def test_unsubscribing_ends_the_calls_and_subscribing_anew_leaves_the_exchange_first():
    async def act(library, listener, connection):
        connection.send_text(asked("subscribe", (S, "book", 0)))
        await settle()
        connection.send_text(asked("unsubscribe", (S, "book", 0), number=2))
        connection.send_text(asked("subscribe", (S, "book", 0), number=3))
        library.answers["un_watch_order_book"].put_nowait(None)
        await settle()
        assert [call[0] for call in library.calls] == ["watch_order_book", "un_watch_order_book", "watch_order_book"]
        connection.send_text(asked("unsubscribe", (S, "book", 0), number=4))
        await settle()
        library.answers["watch_order_book"].put_nowait(BOOK)
        await settle()

    assert on_stage(act, "watchOrderBook", "unWatchOrderBook").of("book") == []


def test_a_stream_that_another_channel_lives_on_is_not_left():
    async def act(library, listener, connection):
        connection.send_text(asked("subscribe", (S, "bbo", 0), (S, "ticker", 0)))
        await settle()
        connection.send_text(asked("unsubscribe", (S, "bbo", 0), number=2))
        connection.send_text(asked("subscribe", (S, "bbo", 0), number=3))
        await settle()
        assert {call[0] for call in library.calls} == {"watch_ticker"}

    on_stage(act, "watchTicker", "unWatchTicker")


def test_a_call_that_was_cancelled_for_another_task_is_made_again():
    async def act(library, listener, connection):
        library.answers["watch_ticker"].put_nowait(asyncio.CancelledError())  # ccxt's future was shared and cancelled
        connection.send_text(asked("subscribe", (S, "ticker", 0)))
        await settle()
        library.answers["watch_ticker"].put_nowait({"last": 7.0})
        await settle()

    listener = on_stage(act, "watchTicker")
    assert listener.of("ticker")[0]["last"] == 7.0 and listener.closed == []


def test_a_ping_is_a_sign_of_life_while_the_tasks_run():
    async def act(library, listener, connection):
        connection.send_ping()
        await settle()

    assert on_stage(act).lives == 1


def test_a_source_that_never_waits_holds_up_nobody():
    async def act(library, listener, connection):
        async def at_once(symbol, depth):
            return BOOK

        library.method = lambda name: at_once
        connection.send_text(asked("subscribe", (S, "book", 0)))
        await settle()

    assert 0 < len(on_stage(act, "watchOrderBook").of("book")) <= 20 * module.CALLS_IN_A_ROW
