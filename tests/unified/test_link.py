"""What takes the place of sockets and HTTP: opening, instrument lists, volumes, and what an error of ccxt becomes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ringcollect.exchanges import load
from ringcollect.exchanges.protocol import Purpose
from ringcollect.feed.actions import Rest
from ringcollect.feed.unified.library import Library, instrument_of, market_of, merged
from ringcollect.feed.unified.link import Link
from tests.unified.doubles import BaseError, Listener

SPOT = {"symbol": "BTC/USDT", "base": "BTC", "quote": "USDT", "type": "spot", "spot": True, "active": True}
SWAP = {
    "symbol": "BTC/USDT:USDT", "base": "BTC", "quote": "USDT", "type": "swap", "swap": True, "contract": True,
    "linear": True, "contractSize": 0.01, "active": False, "precision": {"price": 0.5, "amount": 1.0},
}  # fmt: skip
OPTION = {"symbol": "BTC/USD:BTC-261225-9-C", "type": "option", "option": True, "contract": True}


class Busy(BaseError):
    """As ccxt's RateLimitExceeded."""


class FakeExchange:
    """An instance of a class of ccxt, as far as a Library looks at it."""

    precisionMode = 4
    has: dict[str, Any] = {"fetchTickers": True}  # noqa: RUF012  ccxt's own form

    def __init__(self) -> None:
        self.markets: dict[str, Any] = {}
        self.calls: list[Any] = []
        self.error: Exception | None = None

    def _say(self, *what: Any) -> None:
        self.calls.append(what)
        if self.error is not None:
            raise self.error

    async def load_markets(self) -> None:
        self._say("load")
        self.markets = {one["symbol"]: one for one in (SPOT, SWAP, OPTION)}

    async def fetch_markets(self) -> list[Any]:
        self._say("fetch")
        return [SPOT]

    def set_markets(self, markets: list[Any]) -> None:
        self.markets = {one["symbol"]: one for one in markets}

    async def fetch_tickers(self, symbols: Any, params: Any) -> dict[str, Any]:
        self._say("tickers", params)
        return {"BTC/USDT": {"quoteVolume": 7.0}, "BTC/USDT:USDT": {"quoteVolume": 9.0}, "ETH/USDT": {}}

    async def close(self) -> None:
        self._say("close")


@pytest.fixture
def library() -> Library:
    made = object.__new__(Library)
    made.name, made.exchange = "ccxt_fake", FakeExchange()
    made.error, made.busy, made.refusals = BaseError, (Busy,), ()
    made._given = made._told = False
    return made


def asked(library: Library, *calls: Any) -> list[tuple[int, bytes]]:
    """(status, body) of each answer, one after the other."""
    answers: list[tuple[int, bytes]] = []

    async def play() -> None:
        link = Link(library, 1.0)
        lists = link.lists(lambda request, status, headers, body, now: answers.append((status, body)))
        for number, call in enumerate(calls):
            lists.get(Rest(number, call.url, call.weight, "ccxt", call.purpose, call.market, -1))
            await asyncio.sleep(0.01)
        await lists.close()

    asyncio.run(play())
    return answers


def test_a_market_is_listed_and_listed_anew_beside_the_calls_that_run(library):
    exchange = load("ccxt_fake")
    [call] = exchange.instruments_calls("linear")
    (status, body), (again, less) = asked(library, call, call)
    assert (status, again) == (200, 200)
    [listing] = exchange.listings("linear", body)
    assert (listing.symbol, listing.metadata["unified"]) == ("BTC/USDT:USDT", "BTC-USDT-PERP")
    assert (listing.metadata["multiplier"], listing.metadata["tick_size"], listing.metadata["status"]) == (
        0.01, 0.5, "halted",
    )  # fmt: skip
    assert exchange.listings("linear", less) == []
    assert library.exchange.calls == [("load",), ("fetch",), ("close",)]


def test_volumes_are_those_of_the_market(library):
    exchange = load("ccxt_fake")
    [first], [volumes] = exchange.instruments_calls("linear"), exchange.volumes_calls("linear")
    assert volumes.purpose is Purpose.VOLUMES
    _, (status, body) = asked(library, first, volumes)
    assert status == 200 and exchange.volumes("linear", body) == {"BTC/USDT:USDT": 9.0}
    assert ("tickers", {"type": "swap", "subType": "linear"}) in library.exchange.calls


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (Busy("slow down"), 429, "Busy: slow down"),
        (BaseError("down"), 0, "BaseError: down"),
        (KeyError("id"), 0, "cannot read the markets: KeyError"),
    ],
)
def test_an_error_of_ccxt_is_an_answer_that_never_came_or_a_429(library, error, status, said):
    library.exchange.error = error
    [call] = load("ccxt_fake").instruments_calls("spot")

    async def close() -> None:
        return None

    library.exchange.close = close
    [(got, body)] = asked(library, call)
    assert got == status and said in body.decode()


@pytest.mark.parametrize(("error", "refused"), [(None, None), (BaseError("down"), None), (Busy("slow down"), 429)])
def test_a_connection_opens_when_the_markets_are_there(library, error, refused):
    library.exchange.error = error
    opened: list[Any] = []
    listener = Listener()

    async def play() -> Any:
        url = "ccxt://ccxt_fake/spot"
        link = Link(library, 1.0)
        return await link.open(url, 3, listener.callbacks(), on_open=lambda conn, now: opened.append(conn.conn))

    refusal = asyncio.run(play())
    assert (None if refusal is None else refusal.status) == refused
    assert opened == ([] if error else [3])
    assert listener.closed == ([f"cannot connect: {type(error).__name__}: {error}"] if error else [])


def test_options_are_not_collected_and_what_ccxt_does_not_know_is_not_made_up():
    assert market_of(OPTION) == "" and market_of({"swap": True}) == ""
    bare = instrument_of({"symbol": "A/B", "precision": {"price": None, "amount": 8}}, 2)
    assert (bare.tick, bare.lot, bare.contract) == (None, 1e-08, 0.0)
    assert instrument_of({"symbol": "A/B", "precision": {"price": 5}}, 3).tick is None  # significant digits


def test_addresses_are_laid_over_table_by_table():
    base = {"api": {"public": "a", "ws": {"spot": "b", "linear": "c"}}, "doc": "d"}
    over = {"api": {"ws": {"spot": "x"}}}
    assert merged(base, over) == {"api": {"public": "a", "ws": {"spot": "x", "linear": "c"}}, "doc": "d"}
    assert base["api"]["ws"]["spot"] == "b"
