"""REST: the weight budget, bans, Retry-After, polls; and the client that always answers."""

from __future__ import annotations

import asyncio
import fcntl
import itertools
import os
from pathlib import Path

import uvloop
from aiohttp import web

from ringcollect.exchanges import load
from ringcollect.feed.actions import Rest
from ringcollect.feed.ledger import Reason, State
from ringcollect.feed.rest import FAILED, RestClient
from ringcollect.feed.rest_budget import Window, pause_ns, retry_after_ns
from ringcollect.feed.shared_budget import PATIENCE, SharedBudget
from ringcollect.records import Channel, Flag, Kind
from tests.feed.script import snapshot

SECOND = 10**9
MINUTE = 60 * SECOND


def test_a_window_gives_what_is_left_and_says_how_long_until_there_is_more():
    window = Window(100, MINUTE)
    begin = 1_000 * MINUTE + 10 * SECOND
    assert [window.wait_ns(begin, 50) for _ in range(2)] == [0, 0]
    assert window.wait_ns(begin, 1) == 50 * SECOND
    assert window.wait_ns(begin + 50 * SECOND, 1) == 0


def test_one_request_dearer_than_the_whole_window_still_gets_through_alone():
    window = Window(10, MINUTE)
    assert window.wait_ns(5 * MINUTE, 250) == 0
    assert window.wait_ns(5 * MINUTE, 1) > 0


def test_what_others_on_this_address_spent_counts():
    window = Window(100, MINUTE)
    window.observe(7 * MINUTE, 95)
    assert window.wait_ns(7 * MINUTE + 1, 10) > 0
    assert window.wait_ns(8 * MINUTE, 10) == 0


def test_retry_after_is_honoured_and_a_ban_without_it_lasts_two_minutes():
    assert retry_after_ns(429, {"Retry-After": "7"}, SECOND) == 7 * SECOND
    assert retry_after_ns(429, {}, 3 * SECOND) == 3 * SECOND
    assert retry_after_ns(418, {}, SECOND) == 120 * SECOND
    assert retry_after_ns(429, {"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, 2 * SECOND) == 2 * SECOND
    assert retry_after_ns(429, {"retry-after": "-5"}, 2 * SECOND) == 2 * SECOND


def snapshots(s) -> list[Rest]:
    return s.open_rests("snapshot")


def test_after_429_nothing_is_asked_until_retry_after_is_over(stage):
    s = stage()
    s.up()
    first, second = snapshots(s)
    s.answer(first, 429, b"", {"Retry-After": "20"})
    s.answer(second, 200, snapshot(1))
    begin = s.now
    asked = []
    for _ in range(300):
        s.advance(0.1)
        s.session.alive(0, s.now)
        asked += [s.now for _ in snapshots(s)]
    assert asked and all(at - begin >= 20 * SECOND for at in asked) and min(asked) - begin < 22 * SECOND
    assert s.counter("rest_blocks") == 1


def test_a_ban_stops_every_request_of_that_market_for_two_minutes(stage):
    s = stage(market="linear", channels=("book", "open_interest"), open_interest_ns=10 * SECOND)
    s.up()
    first, _ = snapshots(s)
    s.log = []
    s.answer(first, 418, b"banned")
    begin = s.now
    while s.now - begin < 119 * SECOND:
        s.advance(1)
        s.session.alive(0, s.now)
        assert not [a for a in s.log if isinstance(a, Rest)]
    s.advance(5)
    assert [a for a in s.log if isinstance(a, Rest)]


def test_snapshots_of_many_symbols_keep_to_the_weight_budget_and_all_come(stage):
    symbols = [f"S{i}USDT" for i in range(300)]
    s = stage(symbols=symbols, listed=symbols, channels=("book",), rest_in_flight=1000, capacity=1 << 16)
    s.up()
    s.ack()
    spent: dict[int, int] = {}
    done = 0
    for _ in range(600):
        for request in snapshots(s):
            spent[s.now // MINUTE] = spent.get(s.now // MINUTE, 0) + request.weight
            s.answer(request, 200, snapshot(1))
            done += 1
        if done == 300:
            break
        s.advance(1)
        s.session.alive(0, s.now)
        s.ack()
    assert done == 300 and len(spent) >= 2
    assert max(spent.values()) <= s.exchange.limits("spot").rest_weight


def test_only_a_few_requests_are_open_at_once(stage):
    symbols = [f"S{i}USDT" for i in range(20)]
    s = stage(symbols=symbols, listed=symbols, channels=("book",), rest_in_flight=3)
    s.up()
    assert len(snapshots(s)) == 3


def open_interest(symbol: str, value: str = "10659.509") -> dict:
    return {"openInterest": value, "symbol": symbol, "time": 1_700_000_000_000}


def test_open_interest_is_polled_at_its_period_spread_over_it_and_flagged_rest(stage):
    s = stage(market="linear", channels=("open_interest",), open_interest_ns=10 * SECOND)
    s.up()
    asked: dict[int, list[float]] = {}
    for _ in range(400):
        for request in s.open_rests("open_interest"):
            asked.setdefault(request.instrument, []).append(s.now / SECOND)
            symbol = "AAAUSDT" if request.instrument == s.number("AAAUSDT") else "BBBUSDT"
            s.answer(request, 200, open_interest(symbol))
        s.advance(0.1)
    first, second = asked[s.number("AAAUSDT")], asked[s.number("BBBUSDT")]
    assert all(abs(b - a - 10) < 0.2 for a, b in itertools.pairwise(first)) and len(first) == 4
    assert abs(second[0] - first[0] - 5) < 0.2
    records = s.data("AAAUSDT", Kind.OPEN_INTEREST)
    assert len(records) == 4 and set(records["size"]) == {10659.509}
    assert all(Flag(int(f)) == Flag.REST | Flag.LAST for f in records["flags"])
    assert s.ledger("AAAUSDT", Channel.OPEN_INTEREST)["state"] == State.FLOWING


def test_a_poll_that_fails_is_named_and_the_next_one_says_something_is_missing(stage):
    s = stage(market="linear", symbols=("AAAUSDT",), channels=("open_interest",), open_interest_ns=10 * SECOND)
    s.up()
    s.advance(0.1)
    [request] = s.open_rests("open_interest")
    s.answer(request, 500, b"")
    row = s.ledger("AAAUSDT", Channel.OPEN_INTEREST)
    assert (row["state"], row["reason"]) == (State.STALE, Reason.REST_FAILED)
    s.advance(10)
    [request] = s.open_rests("open_interest")
    s.answer(request, 200, open_interest("AAAUSDT"))
    [record] = s.data("AAAUSDT", Kind.OPEN_INTEREST)
    assert record["flags"] & Flag.GAP
    assert s.ledger("AAAUSDT", Channel.OPEN_INTEREST)["state"] == State.FLOWING


# the client


def serve(app: web.Application, main) -> None:
    async def run() -> None:
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        try:
            async with asyncio.timeout(20):
                await main(f"http://127.0.0.1:{port}")
        finally:
            await runner.cleanup()

    uvloop.run(run())


class Answers:
    def __init__(self, expected: int) -> None:
        self.got: list[tuple[int, int, dict, bytes]] = []
        self.expected = expected
        self.all = asyncio.Event()

    def __call__(self, request: Rest, status: int, headers: dict, body: bytes, ts: int) -> None:
        self.got.append((request.request, status, headers, body))
        if len(self.got) == self.expected:
            self.all.set()


def a_request(number: int, url: str) -> Rest:
    return Rest(number, url, 1, "budget", "snapshot", "spot", 0)


def test_the_client_answers_every_request_once_whatever_happens():
    async def good(request: web.Request) -> web.Response:
        return web.Response(text="ok", headers={"X-MBX-USED-WEIGHT-1M": "7"})

    async def huge(request: web.Request) -> web.Response:
        return web.Response(body=b"x" * 5000)

    async def busy(request: web.Request) -> web.Response:
        return web.Response(status=429, headers={"Retry-After": "3"})

    async def never(request: web.Request) -> web.Response:
        await asyncio.sleep(3600)
        return web.Response()

    async def main(base: str) -> None:
        answers = Answers(5)
        client = RestClient(answers, timeout_s=0.5, max_body_bytes=1000)
        for number, path in enumerate(("/good", "/huge", "/busy", "/never")):
            client.get(a_request(number, base + path))
        client.get(a_request(4, "http://127.0.0.1:1/refused"))
        await answers.all.wait()
        got = {number: (status, body) for number, status, _, body in answers.got}
        assert got[0] == (200, b"ok") and got[2][0] == 429
        assert got[1][0] == got[3][0] == got[4][0] == FAILED and all(got[i][1] for i in (1, 3, 4))
        headers = next(h for number, _, h, _ in answers.got if number == 0)
        assert headers["x-mbx-used-weight-1m"] == "7"
        await client.close()

    app = web.Application()
    app.add_routes([web.get(f"/{f.__name__}", f) for f in (good, huge, busy, never)])
    serve(app, main)


def test_the_client_keeps_to_its_concurrency_and_waits_for_admission():
    running, most = 0, 0

    async def slow(request: web.Request) -> web.Response:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        running -= 1
        return web.Response(text="ok")

    async def main(base: str) -> None:
        answers = Answers(10)
        asked: dict[int, int] = {}

        def admit(request: Rest) -> float:
            asked[request.request] = asked.get(request.request, 0) + 1
            return 0.001 if asked[request.request] < 3 else 0.0

        client = RestClient(answers, concurrency=2, admit=admit)
        for number in range(10):
            client.get(a_request(number, base + "/slow"))
        await answers.all.wait()
        assert most <= 2 and set(asked.values()) == {3}
        await client.close()

    app = web.Application()
    app.add_routes([web.get("/slow", slow)])
    serve(app, main)


# shared by processes


def test_two_collectors_on_a_host_spend_one_budget(tmp_path: Path):
    one, other = SharedBudget(tmp_path), SharedBudget(tmp_path)
    now = 100 * MINUTE + 15 * SECOND
    assert one.admit("api.venue.test", 60, 100, MINUTE, now) == 0.0
    assert other.admit("api.venue.test", 60, 100, MINUTE, now) == 45.0
    assert other.admit("api.venue.test", 40, 100, MINUTE, now) == 0.0
    assert other.admit("other.venue.test", 60, 100, MINUTE, now) == 0.0
    assert one.admit("api.venue.test", 60, 100, MINUTE, now + 45 * SECOND) == 0.0


def test_a_ban_of_one_collector_holds_the_other(tmp_path: Path):
    one, other = SharedBudget(tmp_path), SharedBudget(tmp_path)
    now = 100 * MINUTE
    one.block("api.venue.test", now + 30 * SECOND)
    assert other.admit("api.venue.test", 1, 100, MINUTE, now) == 30.0


def test_a_stopped_process_that_holds_the_lock_stops_nobody(tmp_path: Path):
    shared = SharedBudget(tmp_path)
    shared.admit("api.venue.test", 1, 100, MINUTE, MINUTE)
    fd = os.open(tmp_path / "api.venue.test", os.O_RDWR)
    fcntl.flock(fd, fcntl.LOCK_EX)
    waits = [shared.admit("api.venue.test", 1, 100, MINUTE, MINUTE) for _ in range(PATIENCE)]
    assert waits[0] > 0 and waits[-1] == 0.0
    os.close(fd)


def test_a_folder_that_cannot_be_written_is_counted_and_stops_nobody(tmp_path: Path):
    blocker = tmp_path / "file"
    blocker.write_text("not a folder")
    shared = SharedBudget(blocker / "budget")
    assert shared.admit("x", 1, 1, MINUTE, MINUTE) == 0.0
    shared.block("x", MINUTE)
    assert shared.errors == 2


def test_a_torn_budget_file_counts_as_empty(tmp_path: Path):
    (tmp_path / "x").write_bytes(b"abc")
    assert SharedBudget(tmp_path).admit("x", 5, 10, MINUTE, MINUTE) == 0.0


def test_bybits_403_is_ten_minutes_for_everybody_on_this_address_and_elsewhere_an_error_like_any():
    bybit = load("bybit").limits("spot").forbidden_pause_ns
    assert bybit == 10 * MINUTE and load("binance").limits("spot").forbidden_pause_ns == 0
    assert pause_ns(403, {}, SECOND, bybit) == 10 * MINUTE and pause_ns(403, {}, SECOND, 0) == 0
    assert pause_ns(429, {"retry-after": "9"}, SECOND, bybit) == 9 * SECOND and pause_ns(500, {}, SECOND, bybit) == 0


def test_a_block_is_written_under_the_lock_and_does_not_wait_for_ever(tmp_path):
    shared = SharedBudget(tmp_path)
    now = 1_000 * MINUTE
    shared.admit("venue", 3, 10, MINUTE, now)
    with (tmp_path / "venue").open("r+b") as stopped:
        fcntl.flock(stopped, fcntl.LOCK_EX)  # a process that was stopped while it held the lock
        shared.block("venue", now + 30 * SECOND)
    assert SharedBudget(tmp_path).admit("venue", 1, 10, MINUTE, now) == 30.0
    assert SharedBudget(tmp_path).admit("venue", 8, 10, MINUTE, now + 31 * SECOND) > 0  # what was spent is kept
