"""The REST side of one market: snapshots, metadata, trades, derivative values, and the weight budget."""

from __future__ import annotations

import math
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import msgspec

from ringcollect.sim.binance import texts
from ringcollect.sim.binance.feed import AggTrade, SymbolFeed, Trade
from ringcollect.sim.binance.linear import LinearFeed, next_funding
from ringcollect.sim.binance.metadata import exchange_info
from ringcollect.sim.binance.venue import Venue
from ringcollect.sim.fixed import fixed
from ringcollect.sim.market import SECOND
from ringcollect.sim.rules import LINEAR_WEIGHT, SPOT_WEIGHT
from ringcollect.sim.scene import Answer

_MINUTE = 60 * SECOND
_SPOT_DEPTH_WEIGHTS = ((100, 5), (500, 25), (1000, 50), (5000, 250))
_LINEAR_DEPTH_WEIGHTS = {5: 2, 10: 2, 20: 2, 50: 2, 100: 5, 500: 10, 1000: 20}
Query = dict[str, str]
Row = TypeVar("Row", Trade, AggTrade)


class Refusal(Exception):
    """A request the venue refuses with HTTP ``status`` and an error ``code``."""

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


class Rest:
    """Answers one market's REST paths; all times ns of the wire clock."""

    def __init__(self, venue: Venue, weight_per_minute: int = 0) -> None:
        self.venue = venue
        spot = venue.market == "spot"
        self.prefix = "/api/v3" if spot else "/fapi/v1"
        self.limit = weight_per_minute or (SPOT_WEIGHT if spot else LINEAR_WEIGHT).per_minute
        self.refused = 0
        self._minute = -1
        self._used = 0
        self._requests = 0
        self._paths: dict[str, Callable[[Query, int], tuple[int, str]]] = {
            "ping": lambda query, now_ns: (1, "{}"),
            "time": lambda query, now_ns: (1, f'{{"serverTime":{now_ns // 1_000_000}}}'),
            "exchangeInfo": self._exchange_info,
            "depth": self._depth,
            "ticker/24hr": self._day_tickers,
            "trades": self._trades,
            "historicalTrades": self._trades,
            "aggTrades": self._agg_trades,
        }
        if not spot:
            self._paths |= {
                "openInterest": self._open_interest,
                "premiumIndex": self._premium_index,
                "fundingInfo": lambda query, now_ns: (0, "[]"),
            }

    def answer(self, target: str, now_ns: int) -> Answer:
        """The response to ``GET target``."""
        parts = urlsplit(target)
        path = parts.path.removeprefix(self.prefix).strip("/")
        query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        self._requests += 1
        answer = self._refused_by_budget(target, now_ns) or self._work(path, query, now_ns)
        self.venue.scene.truth.line("rest", t=now_ns, u=target, status=answer.status, f=answer.body)
        return answer

    def _refused_by_budget(self, target: str, now_ns: int) -> Answer | None:
        minute = now_ns // _MINUTE
        if minute != self._minute:
            self._minute, self._used = minute, 0
        plan, roll = self.venue.scene.plan, self.venue.scene.roll
        if plan.http_429 and roll(f"429 {self.venue.market} {self._requests}")[0] < plan.http_429:
            self.venue.scene.truth.line("fault", t=now_ns, c=-1, fault="http_429", stream="", f=target)
            return self._too_many(1)
        if self._used >= self.limit:
            return self._too_many(math.ceil(((minute + 1) * _MINUTE - now_ns) / SECOND))
        return None

    def _too_many(self, retry_after_s: int) -> Answer:
        self.refused += 1
        message = f"Too much request weight used; current limit is {self.limit} request weight per 1 MINUTE."
        return self._response(429, _error(-1003, message), {"Retry-After": str(retry_after_s)})

    def _work(self, path: str, query: Query, now_ns: int) -> Answer:
        handler = self._paths.get(path)
        if handler is None:
            return self._response(HTTPStatus.NOT_FOUND, "<html><body>404 Not Found</body></html>", {})
        try:
            weight, body = handler(query, now_ns)
        except Refusal as refusal:
            self._used += 1
            return self._response(refusal.status, _error(refusal.code, str(refusal)), {})
        self._used += weight
        return self._response(HTTPStatus.OK, body, {})

    def _response(self, status: int, body: str, headers: dict[str, str]) -> Answer:
        kind = "text/html" if body.startswith("<") else "application/json;charset=UTF-8"
        used = {"Content-Type": kind, "X-MBX-USED-WEIGHT-1M": str(self._used)}
        return Answer(int(status), used | headers, body)

    def _feed(self, query: Query) -> SymbolFeed:
        symbol = query.get("symbol", "")
        if not symbol:
            raise Refusal(-1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.")
        if symbol not in self.venue.feeds:
            raise Refusal(-1121, "Invalid symbol.")
        return self.venue.feeds[symbol]

    def _limit(self, query: Query, default: int, most: int) -> int:
        text = query.get("limit", str(default))
        if not text.isdecimal() or not 1 <= int(text) <= most:
            raise Refusal(-1130, "Data sent for parameter 'limit' is not valid.")
        return int(text)

    def _depth(self, query: Query, now_ns: int) -> tuple[int, str]:
        feed = self._feed(query)
        spot = self.venue.market == "spot"
        limit = self._limit(query, 100 if spot else 500, 5000 if spot else 1000)
        if not spot and limit not in _LINEAR_DEPTH_WEIGHTS:
            raise Refusal(-4021, f"{limit} is not valid depth limit.")
        plan, roll = self.venue.scene.plan, self.venue.scene.roll
        if plan.snapshot_old and roll(f"old {feed.spec.symbol} {self._requests}")[0] < plan.snapshot_old:
            book = feed.old_snapshot(limit)
            self.venue.scene.truth.line("fault", t=now_ns, c=-1, fault="snapshot_old", stream=feed.spec.symbol, f="")
        else:
            book = feed.snapshot(limit)
        spec = feed.spec
        sides = f'"bids":{texts.levels(spec, book.bids)},"asks":{texts.levels(spec, book.asks)}}}'
        if spot:
            weight = next(cost for most, cost in _SPOT_DEPTH_WEIGHTS if limit <= most)
            return weight, f'{{"lastUpdateId":{book.last_id},{sides}'
        times = f'"E":{now_ns // 1_000_000},"T":{book.time_ns // 1_000_000}'
        return _LINEAR_DEPTH_WEIGHTS[limit], f'{{"lastUpdateId":{book.last_id},{times},{sides}'

    def _exchange_info(self, query: Query, now_ns: int) -> tuple[int, str]:
        wanted = [query["symbol"]] if "symbol" in query else _names(query.get("symbols", "[]"))
        for symbol in wanted:
            self._feed({"symbol": symbol})
        specs = [feed.spec for name, feed in self.venue.feeds.items() if not wanted or name in wanted]
        body = exchange_info(self.venue.market, specs, self.limit, now_ns)
        return (20 if self.venue.market == "spot" else 1), body

    def _day_tickers(self, query: Query, now_ns: int) -> tuple[int, str]:
        specs = [self._feed(query).spec] if "symbol" in query else [feed.spec for feed in self.venue.feeds.values()]
        rows = [
            {
                "symbol": spec.symbol, "lastPrice": spec.price(spec.start_tick), "volume": spec.size(spec.day_lots),
                "quoteVolume": spec.day_turnover(), "closeTime": now_ns // 1_000_000,
            }
            for spec in specs
        ]  # fmt: skip
        weight = 2 if "symbol" in query else 80 if self.venue.market == "spot" else 40
        return weight, _json(rows[0] if "symbol" in query else rows)

    def _trades(self, query: Query, now_ns: int) -> tuple[int, str]:
        feed = self._feed(query)
        rows = _page(list(feed.trades), query.get("fromId", ""), self._limit(query, 500, 1000))
        return (25 if self.venue.market == "spot" else 5), _json([self._trade_row(feed, row) for row in rows])

    def _trade_row(self, feed: SymbolFeed, trade: Trade) -> dict[str, Any]:
        spec = feed.spec
        value = trade.tick * spec.tick_units * trade.lots * spec.lot_units
        row: dict[str, Any] = {
            "id": trade.number,
            "price": spec.price(trade.tick),
            "qty": spec.size(trade.lots),
            "quoteQty": fixed(value, spec.price_decimals + spec.size_decimals),
            "time": trade.time_ns // 1_000_000,
            "isBuyerMaker": trade.side < 0,
        }
        return row | ({"isBestMatch": True} if self.venue.market == "spot" else {"isRPITrade": False})

    def _agg_trades(self, query: Query, now_ns: int) -> tuple[int, str]:
        feed = self._feed(query)
        rows = _page(list(feed.aggregates), query.get("fromId", ""), self._limit(query, 500, 1000))
        return (4 if self.venue.market == "spot" else 20), _json([self._aggregate_row(feed, row) for row in rows])

    def _aggregate_row(self, feed: SymbolFeed, row: AggTrade) -> dict[str, Any]:
        spot = {"M": True} if self.venue.market == "spot" else {}
        return {
            "a": row.number,
            "p": feed.spec.price(row.tick),
            "q": feed.spec.size(row.lots),
            "f": row.first,
            "l": row.last,
            "T": row.time_ns // 1_000_000,
            "m": row.side < 0,
        } | spot

    def _open_interest(self, query: Query, now_ns: int) -> tuple[int, str]:
        feed = self._linear(query)
        size = feed.spec.size(feed.open_interest_lots)
        return 1, f'{{"openInterest":"{size}","symbol":"{feed.spec.symbol}","time":{now_ns // 1_000_000}}}'

    def _premium_index(self, query: Query, now_ns: int) -> tuple[int, str]:
        if "symbol" in query:
            return 1, _json(_premium_row(self._linear(query), now_ns))
        return 10, _json(
            [_premium_row(feed, now_ns) for feed in self.venue.feeds.values() if isinstance(feed, LinearFeed)]
        )

    def _linear(self, query: Query) -> LinearFeed:
        feed = self._feed(query)
        assert isinstance(feed, LinearFeed)
        return feed


def _premium_row(feed: LinearFeed, now_ns: int) -> dict[str, Any]:
    mark, _, index, settle, rate = feed.marks()
    return {
        "symbol": feed.spec.symbol,
        "markPrice": mark,
        "indexPrice": index,
        "estimatedSettlePrice": settle,
        "lastFundingRate": rate,
        "interestRate": "0.00010000",
        "nextFundingTime": next_funding(now_ns) // 1_000_000,
        "time": now_ns // 1_000_000,
    }


def _page(rows: list[Row], from_id: str, limit: int) -> list[Row]:
    """The newest ``limit`` rows, or those from ``from_id`` on."""
    if not from_id:
        return rows[-limit:]
    if not from_id.isdecimal():
        raise Refusal(-1100, "Illegal characters found in parameter 'fromId'.")
    return [row for row in rows if row.number >= int(from_id)][:limit]


def _names(text: str) -> list[str]:
    try:
        return msgspec.json.decode(text, type=list[str])
    except msgspec.DecodeError:
        raise Refusal(-1100, "Illegal characters found in parameter 'symbols'.") from None


def _error(code: int, message: str) -> str:
    return _json({"code": code, "msg": message})


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
