"""A slow, obvious exchange: Binance's wire format decoded by ``json`` and ``float``, no kernel, one idea per line.

The session's tests run on it, so that they say what the session does and not what a kernel does; and they run on the
real exchange too, so that the two ways can be compared byte for byte.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

import numpy as np

from ringcollect.errors import ConfigError, RejectedFrame
from ringcollect.exchanges import hot
from ringcollect.exchanges.hot import no_kernel
from ringcollect.exchanges.protocol import (
    Answer,
    Batch,
    Code,
    Decoded,
    Keepalive,
    Leg,
    Limits,
    Listing,
    Missing,
    Notice,
    Outcome,
    Purpose,
    Request,
    RestCall,
    RestMeaning,
    UrlMeaning,
    Verdict,
    Want,
)
from ringcollect.records import RECORD, Channel, Flag, Kind

MS = 1_000_000
SUFFIX = {
    Channel.BOOK: "@depth@100ms",
    Channel.TRADE: "@trade",
    Channel.BBO: "@bookTicker",
    Channel.MARK_PRICE: "@markPrice@1s",
    Channel.INDEX_PRICE: "@markPrice@1s",
    Channel.FUNDING: "@markPrice@1s",
    Channel.LIQUIDATION: "@forceOrder",
}
ON_MARKET_PATH = {Channel.MARK_PRICE, Channel.INDEX_PRICE, Channel.FUNDING, Channel.LIQUIDATION}
EVENTS = {"depthUpdate": Channel.BOOK, "trade": Channel.TRADE, "bookTicker": Channel.BBO}


def accept_spot(known: int, first: int, last: int, prev: int) -> Verdict:
    if last <= known:
        return Verdict.STALE
    return Verdict.FITS if first <= known + 1 else Verdict.GAP


def join_spot(known: int, first: int, last: int, prev: int) -> Verdict:
    return accept_spot(known, first, last, prev)


def accept_linear(known: int, first: int, last: int, prev: int) -> Verdict:
    if last <= known:
        return Verdict.STALE
    return Verdict.FITS if prev == known else Verdict.GAP


def join_linear(known: int, first: int, last: int, prev: int) -> Verdict:
    if last < known:
        return Verdict.STALE
    return Verdict.FITS if first <= known <= last or prev == known else Verdict.GAP


class PlainDecoder:
    """Everything cold; ``context`` remembers market and conn."""

    def __init__(self, max_past_ns: int, max_future_skew_ns: int) -> None:
        self.batch = np.zeros(1, RECORD)
        self.hot = hot.HotRows()
        self._numbers: dict[tuple[str, str], int] = {}
        self._intervals: dict[int, int] = {}
        self._past, self._future = max_past_ns, max_future_skew_ns

    def add_symbol(self, market: str, symbol: str, instrument: int, funding_interval_ns: int = 0) -> None:
        self._intervals[instrument] = funding_interval_ns
        self._numbers[market, symbol] = instrument

    def context(self, market: str, conn: int, streams: Sequence[str] = ()) -> np.ndarray:
        ctx = np.zeros(hot.CONTEXT_WORDS, np.int64)
        ctx[hot.C_MARKET], ctx[hot.C_CONN] = ("spot", "linear").index(market), conn
        ctx[hot.C_SEQUENCE] = ctx[hot.C_EXPECTED] = -1
        return ctx

    def attach_ring(self, ring_words: np.ndarray, piece: int, counters: dict[str, np.ndarray]) -> None: ...

    def all_taken(self, ctx: np.ndarray) -> tuple[Batch, ...]:
        raise AssertionError("there is no kernel to take anything from")

    def taken(self, ctx: np.ndarray) -> Batch:
        raise AssertionError("there is no kernel to take anything from")

    def unknown_symbol(self, frame: bytes, ctx: np.ndarray) -> str:
        raise AssertionError("there is no kernel to ask")

    def cold(self, payload: bytes, ctx: np.ndarray, ts_recv: int) -> Decoded:
        market = ("spot", "linear")[ctx[hot.C_MARKET]]
        try:
            message = json.loads(payload)
        except (ValueError, RecursionError) as error:
            raise RejectedFrame(f"not JSON: {error}") from error
        if not isinstance(message, dict):
            raise RejectedFrame("not an object")
        if "id" in message and ("result" in message or "error" in message or "code" in message):
            ok = "result" in message
            return Decoded(Outcome.CONTROL, control=Answer(message["id"], ok, "" if ok else str(message)))
        data = message.get("data", message)
        if data.get("e") == "serverShutdown":
            return Decoded(Outcome.CONTROL, control=Notice("serverShutdown", closing=True))
        if data.get("e") in ("kline", "24hrTicker"):
            return Decoded(Outcome.IGNORED)
        try:
            symbol = data["s"]
            instrument = self._numbers.get((market, symbol))
            if instrument is None:
                return Decoded(Outcome.IGNORED, unknown=(symbol,))
            return Decoded(Outcome.DECODED, tuple(self._batches(data, instrument, int(ctx[hot.C_CONN]), ts_recv)))
        except (KeyError, TypeError, ValueError) as error:
            raise RejectedFrame(f"{type(error).__name__}: {error}") from error

    def _batches(self, d: dict[str, Any], instrument: int, conn: int, ts_recv: int) -> list[Batch]:
        kind = d.get("e", "bookTicker")
        event = d.get("T", d.get("E", 0)) * MS

        def rows(*records: tuple) -> np.ndarray:
            return self._records(records, event, ts_recv, instrument, conn)

        if kind == "depthUpdate":
            levels = [(Kind.BOOK_DELTA, +1, *level) for level in d["b"]] + [(Kind.BOOK_DELTA, -1, *lv) for lv in d["a"]]
            records = rows(*(levels or [(Kind.BOOK_DELTA, 0, "nan", "0")]))
            records["id"] = d["u"]
            return [Batch(instrument, Channel.BOOK, records, d["U"], d["u"], d.get("pu", -1))]
        if kind == "trade":
            if d.get("X", "MARKET") == "NA":
                return [Batch(instrument, Channel.TRADE, np.zeros(0, RECORD), d["t"], d["t"])]
            records = rows((Kind.TRADE, -1 if d["m"] else 1, d["p"], d["q"]))
            records["id"] = records["aux"] = d["t"]
            return [Batch(instrument, Channel.TRADE, records, d["t"], d["t"])]
        if kind == "bookTicker":
            records = rows((Kind.BBO, 1, d["b"], d["B"]), (Kind.BBO, -1, d["a"], d["A"]))
            records["id"] = d["u"]
            return [Batch(instrument, Channel.BBO, records)]
        if kind == "markPriceUpdate":
            event = d["E"] * MS
            mark = rows((Kind.MARK_PRICE, 0, d["p"], "nan"))
            index = rows((Kind.INDEX_PRICE, 0, d["i"], "nan"))
            funding = rows((Kind.FUNDING, 0, d["r"], "nan"))
            funding["aux"], funding["id"] = d["T"] * MS, self._intervals[instrument]
            parts = ((Channel.MARK_PRICE, mark), (Channel.INDEX_PRICE, index), (Channel.FUNDING, funding))
            return [Batch(instrument, channel, records) for channel, records in parts]
        raise KeyError(kind)

    def _records(self, rows: Sequence[tuple], event: int, ts_recv: int, instrument: int, conn: int) -> np.ndarray:
        records = np.zeros(len(rows), RECORD)
        for record, (kind, side, price, size) in zip(records, rows, strict=True):
            record["kind"], record["side"], record["price"], record["size"] = kind, side, float(price), float(size)
        records["ts_event"], records["ts_recv"] = event, ts_recv
        records["instrument"], records["conn"] = instrument, conn
        records["flags"][-1] |= int(Flag.LAST)
        if event and not ts_recv - self._past <= event <= ts_recv + self._future:
            records["flags"] |= int(Flag.BAD_TS)
        return records

    def rest(self, meaning: RestMeaning, body: bytes, ts_recv: int, conn: int = 255) -> Decoded:
        instrument = self._numbers.get((meaning.market, meaning.symbol))
        if instrument is None:
            return Decoded(Outcome.IGNORED, unknown=(meaning.symbol,))
        try:
            d = json.loads(body)
            if meaning.purpose is Purpose.OPEN_INTEREST:
                rows = [(Kind.OPEN_INTEREST, 0, "nan", d["openInterest"])]
                records = self._records(rows, d["time"] * MS, ts_recv, instrument, conn)
                records["flags"] |= int(Flag.REST)
                return Decoded(Outcome.DECODED, (Batch(instrument, Channel.OPEN_INTEREST, records),))
            if meaning.purpose is Purpose.LAST_TRADE:
                newest = max(max(t.get("l", -1), t.get("id", -1)) for t in d)
                return Decoded(
                    Outcome.DECODED, (Batch(instrument, Channel.TRADE, np.zeros(0, RECORD), last_id=newest),)
                )
            if meaning.purpose is Purpose.TRADES:
                parts = [
                    self._records(
                        [(Kind.TRADE, -1 if t["isBuyerMaker"] else 1, t["price"], t["qty"])], t["time"] * MS, ts_recv,
                        instrument, conn,
                    )
                    for t in d
                ]  # fmt: skip
                records = np.concatenate([np.zeros(0, RECORD), *parts])
                records["id"] = records["aux"] = [t["id"] for t in d]
                records["flags"] &= ~np.uint16(Flag.LAST)
                records["flags"] |= int(Flag.REST | Flag.BACKFILLED)
                return Decoded(Outcome.DECODED, (Batch(instrument, Channel.TRADE, records),))
            rows = [(Kind.BOOK_SNAPSHOT, 1, *lv) for lv in d["bids"]] + [
                (Kind.BOOK_SNAPSHOT, -1, *lv) for lv in d["asks"]
            ]
            rows = rows or [(Kind.BOOK_SNAPSHOT, 0, "nan", "0")]
            records = self._records(rows, d.get("T", 0) * MS, ts_recv, instrument, conn)
            records["id"], records["aux"] = d["lastUpdateId"], -1
            records["flags"] |= int(Flag.REST | Flag.SNAPSHOT)
            records["flags"][0] |= int(Flag.CLEAR)
            return Decoded(Outcome.DECODED, (Batch(instrument, Channel.BOOK, records, last_id=d["lastUpdateId"]),))
        except (KeyError, TypeError, ValueError) as error:
            raise RejectedFrame(f"{type(error).__name__}: {error}") from error


class PlainExchange:
    """The protocol's ``Exchange``; small limits, so that tests meet them."""

    name = "binance"
    markets = ("spot", "linear")
    acknowledges = True
    lifetime_ns = 24 * 3600 * 1_000_000_000
    rest_weight = 6000

    on_hot_frames = staticmethod(no_kernel)

    @staticmethod
    def decode_hot(frame: bytes, ctx: np.ndarray, ts_recv: int) -> int:
        return Code.SLOW

    def decoder(self, *, capacity: int = 65536, max_past_ns: int, max_future_skew_ns: int) -> PlainDecoder:
        return PlainDecoder(max_past_ns, max_future_skew_ns)

    def channels(self, market: str) -> tuple[Channel, ...]:
        return tuple(SUFFIX)

    def dense_trade_ids(self, market: str) -> bool:
        return True

    def book_base(self, market: str, kind: str = "") -> Literal["rest", "stream"]:
        return "rest"

    def numbered_books(self, market: str) -> bool:
        return True

    def book_depth(self, market: str, depth: int) -> int:
        return 0

    def keepalive(self, market: str) -> Keepalive:
        return Keepalive()

    def accept(self, market: str) -> Any:
        return accept_spot if market == "spot" else accept_linear

    def join(self, market: str) -> Any:
        return join_spot if market == "spot" else join_linear

    def limits(self, market: str) -> Limits:
        return Limits(
            messages_per_s=5, streams_per_connection=1024, connects=300, connects_window_ns=300 * 10**9,
            lifetime_ns=self.lifetime_ns, server_ping_ns=20 * 10**9, rest_budget=f"binance.{market}",
            rest_weight=self.rest_weight, rest_window_ns=60 * 10**9, rest_used_header="x-mbx-used-weight-1m",
        )  # fmt: skip

    def legs(self, market: str, wants: Sequence[Want], url: str = "") -> list[Leg]:
        base = url or f"wss://{market}.test"
        legs = []
        for path, there in (("", False), ("/market", True)):
            mine = [w for w in wants if (w.channel in ON_MARKET_PATH) is there]
            if mine:
                streams = tuple(dict.fromkeys(w.symbol.lower() + SUFFIX[w.channel] for w in mine))
                legs.append(Leg(market, f"{base}{path}/stream", streams, tuple(mine)))
        return legs

    def polled(self, market: str) -> tuple[Channel, ...]:
        return (Channel.OPEN_INTEREST,)

    def subscribe(self, leg: Leg, wants: Sequence[Want], first_request_id: int) -> list[Request]:
        return self._requests("SUBSCRIBE", wants, first_request_id)

    def unsubscribe(self, leg: Leg, wants: Sequence[Want], first_request_id: int) -> list[Request]:
        return self._requests("UNSUBSCRIBE", wants, first_request_id)

    def _requests(self, method: str, wants: Sequence[Want], first: int) -> list[Request]:
        streams = list(dict.fromkeys(w.symbol.lower() + SUFFIX[w.channel] for w in wants))
        text = json.dumps({"method": method, "params": streams, "id": first})
        return [Request(first, text, tuple(wants))]

    def read_url(self, url: str) -> UrlMeaning | None:
        parts = urlsplit(url)
        market = "linear" if "linear" in parts.netloc or "fstream" in parts.netloc else "spot"
        streams = tuple(filter(None, parse_qs(parts.query).get("streams", [""])[0].split("/")))
        return UrlMeaning(market, streams, parts.path.endswith("/stream"))

    def read_stream(self, market: str, stream: str) -> tuple[Want, ...]:
        symbol, _, rest = stream.partition("@")
        return tuple(Want(symbol.upper(), c) for c, suffix in SUFFIX.items() if suffix == "@" + rest)

    def read_rest(self, url: str) -> RestMeaning | None:
        parts = urlsplit(url)
        market = "linear" if "/fapi" in parts.path else "spot"
        symbol = parse_qs(parts.query).get("symbol", [""])[0]
        for ending, purpose in (
            ("exchangeInfo", Purpose.INSTRUMENTS),
            ("depth", Purpose.SNAPSHOT),
            ("openInterest", Purpose.OPEN_INTEREST),
        ):
            if parts.path.endswith(ending):
                return RestMeaning(market, purpose, symbol)
        return None

    def instruments_calls(self, market: str, rest_url: str = "") -> list[RestCall]:
        return [RestCall(self._rest(market, "exchangeInfo", rest_url), 20, Purpose.INSTRUMENTS, market)]

    def next_instruments_call(self, call: RestCall, body: bytes) -> RestCall | None:
        return None

    def snapshot_call(self, market: str, symbol: str, depth: int = 0, rest_url: str = "") -> RestCall:
        url = self._rest(market, f"depth?symbol={symbol}&limit={depth or 1000}", rest_url)
        return RestCall(url, 50, Purpose.SNAPSHOT, market, symbol)

    def open_interest_call(self, market: str, symbol: str, rest_url: str = "") -> RestCall:
        url = self._rest(market, f"openInterest?symbol={symbol}", rest_url)
        return RestCall(url, 1, Purpose.OPEN_INTEREST, market, symbol)

    def last_trade_call(self, market: str, symbol: str, rest_url: str = "") -> RestCall | None:
        name, weight = ("aggTrades", 4) if market == "spot" else ("trades", 5)
        url = self._rest(market, f"{name}?symbol={symbol}&limit=1", rest_url)
        return RestCall(url, weight, Purpose.LAST_TRADE, market, symbol)

    def trades_call(self, market: str, symbol: str, missing: Missing, rest_url: str = "") -> RestCall | None:
        name = f"historicalTrades?symbol={symbol}&fromId={missing.first_id}"
        if market == "linear":
            name = f"trades?symbol={symbol}"
        url = self._rest(market, name + "&limit=1000", rest_url)
        return RestCall(url, 25 if market == "spot" else 5, Purpose.TRADES, market, symbol)

    def _rest(self, market: str, what: str, rest_url: str) -> str:
        prefix = "/fapi/v1/" if market == "linear" else "/api/v3/"
        return (rest_url or f"https://{market}.test") + prefix + what

    def listings(self, market: str, body: bytes) -> list[Listing]:
        try:
            return [Listing(s["symbol"], self._metadata(s)) for s in json.loads(body)["symbols"]]
        except (KeyError, ValueError, TypeError) as error:
            raise RejectedFrame(str(error)) from error

    @staticmethod
    def _metadata(listed: dict[str, Any]) -> dict[str, Any]:
        tick = float(listed["filters"][0]["tickSize"])
        return {"tick_size": tick, "price_precision": -round(math.log10(tick)), "base": listed["baseAsset"]}

    def volumes_calls(self, market: str, rest_url: str = "") -> list[RestCall]:
        return [RestCall(self._rest(market, "ticker/24hr", rest_url), 80, Purpose.VOLUMES, market)]

    def volumes(self, market: str, body: bytes) -> dict[str, float]:
        return {row["symbol"]: float(row["quoteVolume"]) for row in json.loads(body)}

    def guessed(self, market: str, symbol: str) -> Listing:
        return Listing(symbol, {"unified": symbol})

    def resolve(self, market: str, spelling: str, known: Sequence[Listing]) -> str:
        symbol = spelling.upper()
        if known and symbol not in {listing.symbol for listing in known}:
            raise ConfigError(f"{spelling} is not listed")
        return symbol
