"""An order book kept the way the exchange's documentation tells a client to, from JSON alone."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

Levels = dict[Decimal, Decimal]


class Gap(Exception):
    """The stream does not continue where the book stands."""


class Book:
    """One symbol. ``linear`` chooses USD-M's rule (pu) instead of spot's (U)."""

    def __init__(self, linear: bool) -> None:
        self.linear = linear
        self.bids: Levels = {}
        self.asks: Levels = {}
        self.last_id: int | None = None
        self.bridged = False
        self.applied = 0

    def load(self, body: str) -> None:
        snapshot = json.loads(body)
        self.bids = {Decimal(p): Decimal(q) for p, q in snapshot["bids"]}
        self.asks = {Decimal(p): Decimal(q) for p, q in snapshot["asks"]}
        self.last_id = snapshot["lastUpdateId"]
        self.bridged = False

    def event(self, data: dict[str, Any]) -> None:
        assert self.last_id is not None
        if self.bridged:
            expected = data["pu"] == self.last_id if self.linear else data["U"] == self.last_id + 1
            if not expected:
                raise Gap(f"{data['U']}..{data['u']} pu {data.get('pu')} after {self.last_id}")
        elif self.linear:
            if data["u"] < self.last_id:
                return
            if not (data["U"] <= self.last_id <= data["u"] or data["pu"] == self.last_id):
                raise Gap(f"cannot bridge {self.last_id} with {data['U']}..{data['u']}")
        else:
            if data["u"] <= self.last_id:
                return
            if not data["U"] <= self.last_id + 1 <= data["u"]:
                raise Gap(f"cannot bridge {self.last_id} with {data['U']}..{data['u']}")
        self.bridged = True
        for side, rows in ((self.bids, data["b"]), (self.asks, data["a"])):
            for price, size in rows:
                if Decimal(size) == 0:
                    side.pop(Decimal(price), None)
                else:
                    side[Decimal(price)] = Decimal(size)
        self.last_id = data["u"]
        self.applied += 1

    def sides(self) -> tuple[list[tuple[Decimal, Decimal]], list[tuple[Decimal, Decimal]]]:
        return sorted(self.bids.items(), reverse=True), sorted(self.asks.items())
