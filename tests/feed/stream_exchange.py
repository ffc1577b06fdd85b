"""A venue unlike Binance: books begin on the stream, frames of a connection are numbered, nothing is acknowledged."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from ringcollect.exchanges import hot
from ringcollect.exchanges.protocol import Batch, Decoded, Keepalive, Leg, Outcome, Request, RestCall, Verdict, Want
from ringcollect.records import Channel, Flag, Kind
from tests.feed.plain_exchange import PlainDecoder, PlainExchange

SECOND = 1_000_000_000


class StreamDecoder(PlainDecoder):
    """``{"k":"snap"|"delta"|"trade"|"pong","s":symbol,"l":[[side,price,size],…],"u":id,"n":number,"check":…}``; of
    trades "i":id and "t":time."""

    def cold(self, payload: bytes, ctx: np.ndarray, ts_recv: int) -> Decoded:
        d = json.loads(payload)
        number = d.get("n", -1)
        if d.get("k") not in ("snap", "delta", "trade"):
            if "result" in d:
                return super().cold(payload, ctx, ts_recv)
            return Decoded(Outcome.CONTROL, sequence=number)
        instrument = self._numbers["spot", d["s"]]
        batches = tuple(self._of(d, instrument, ts_recv, int(ctx[hot.C_CONN])))
        return Decoded(Outcome.DECODED, batches, sequence=number)

    def _of(self, d: dict[str, Any], instrument: int, ts_recv: int, conn: int) -> list[Batch]:
        if d["k"] == "trade":
            records = self._records([(Kind.TRADE, 1, "1", "1")], d.get("t", ts_recv), ts_recv, instrument, conn)
            records["id"] = records["aux"] = d.get("i", 0)
            return [Batch(instrument, Channel.TRADE, records)]
        kind = Kind.BOOK_SNAPSHOT if d["k"] == "snap" else Kind.BOOK_DELTA
        update = d.get("u", -1)
        records = self._records([(kind, *level) for level in d["l"]], ts_recv, ts_recv, instrument, 0)
        records["id"] = max(0, update)
        if d["k"] == "snap":
            records["aux"] = -1
            records["flags"] |= int(Flag.SNAPSHOT)
            records["flags"][0] |= int(Flag.CLEAR)
        made = [Batch(instrument, Channel.BOOK, records, update, update)]
        if "check" in d:
            check = self._records([(Kind.BOOK_CHECK, 0, "nan", "nan")], ts_recv, ts_recv, instrument, 0)
            check["aux"], check["id"] = d["check"], max(0, update)
            made.append(Batch(instrument, Channel.BOOK, check, update, update))
        return made


class StreamExchange(PlainExchange):
    """``numbered``: book frames have ids. ``acknowledges``: subscribe requests are answered."""

    markets = ("spot", "linear")

    def __init__(self, *, numbered: bool = True, acknowledges: bool = False, ping: Keepalive | None = None) -> None:
        self.numbered, self.acknowledges, self.ping = numbered, acknowledges, ping or Keepalive()

    def decoder(self, *, capacity: int = 65536, max_past_ns: int, max_future_skew_ns: int) -> StreamDecoder:
        return StreamDecoder(max_past_ns, max_future_skew_ns)

    def book_base(self, market: str, kind: str = "") -> Literal["rest", "stream"]:
        return "stream"

    def numbered_books(self, market: str) -> bool:
        return self.numbered

    def dense_trade_ids(self, market: str) -> bool:
        return False

    def keepalive(self, market: str) -> Keepalive:
        return self.ping

    def accept(self, market: str) -> Any:
        def rule(known: int, first: int, last: int, prev: int) -> Verdict:
            assert self.numbered, "nobody asks for the rule of books without ids"
            return Verdict.FITS if last == known + 1 else Verdict.STALE if last <= known else Verdict.GAP

        return rule

    join = accept

    def subscribe(self, leg: Leg, wants: Sequence[Want], first_request_id: int) -> list[Request]:
        return self._one("SUBSCRIBE", wants, first_request_id)

    def unsubscribe(self, leg: Leg, wants: Sequence[Want], first_request_id: int) -> list[Request]:
        return self._one("UNSUBSCRIBE", wants, first_request_id)

    @staticmethod
    def _one(method: str, wants: Sequence[Want], number: int) -> list[Request]:
        names = [f"{want.symbol}:{want.channel.name}:{want.depth}" for want in wants]
        return [Request(number, json.dumps({"method": method, "params": names, "id": number}), tuple(wants))]

    def instruments_calls(self, market: str, rest_url: str = "") -> list[RestCall]:
        [call] = super().instruments_calls(market, rest_url)
        return [call]


def snap(symbol: str, levels: list, **more: Any) -> dict[str, Any]:
    return {"k": "snap", "s": symbol, "l": levels} | more


def delta(symbol: str, levels: list, **more: Any) -> dict[str, Any]:
    return {"k": "delta", "s": symbol, "l": levels} | more
