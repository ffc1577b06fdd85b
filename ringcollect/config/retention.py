"""``[retention]``: what goes from the lake, by age and by size, and what is different for some types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import msgspec

from ringcollect.config.rules import Duration, Range
from ringcollect.durations import parse_duration

TYPES = (
    "orderbooks", "trades", "quotes", "liquidations", "fundings", "open_interests", "mark_prices", "index_prices",
    "tickers", "book_checks", "status", "others", "features", "venues", "bars", "snapshots", "books",
    "frames", "rejects",
)  # fmt: skip
"""Tables of the lake, as in store/naming.py."""
_TIERS = ("raw", "rest", "sync")


@dataclass(frozen=True)
class Age:
    """How long data is kept: at least a day, or for ever."""

    optional: bool = False

    @property
    def allowed(self) -> str:
        return 'a duration from 1d to 36500d, or "forever"' + (
            ', or "" for that of [retention]' if self.optional else ""
        )

    def holds(self, value: object) -> bool:
        return (
            value == "forever"
            or (value == "" and self.optional)
            or (value != "" and Duration("1d", "36500d").holds(value))
        )


@dataclass(frozen=True)
class LakeType:
    """A table of the lake, or one of one tier."""

    allowed: str = f"a type ({', '.join(TYPES)}), or one of one tier (sync/trades)"

    def holds(self, value: object) -> bool:
        tier, _, table = str(value).rpartition("/")
        return table in TYPES and tier in ("", *_TIERS)


TypeName = Annotated[str, LakeType()]
Gigabytes = Annotated[float, Range(0, 1_000_000)]


class RetentionOverride(msgspec.Struct, frozen=True, kw_only=True):
    """``[[retention.override]]``: what is different for some types; an empty age changes nothing, 0 GB is no limit."""

    types: tuple[TypeName, ...]
    age: Annotated[str, Age(optional=True)] = ""
    max_gb: Gigabytes = 0.0


class Retention(msgspec.Struct, frozen=True, kw_only=True):
    """``[retention]``: limits of the lake; 0 GB is no limit."""

    age: Annotated[str, Age()] = "forever"
    max_gb: Gigabytes = 0.0
    min_free_gb: Gigabytes = 0.0
    interval: Annotated[str, Duration("1m", "7d")] = "1h"
    override: tuple[RetentionOverride, ...] = ()

    @property
    def interval_ns(self) -> int:
        return parse_duration(self.interval)

    @property
    def is_on(self) -> bool:
        """Whether anything may go at all."""
        ages = [self.age, *(one.age for one in self.override)]
        sizes = [self.max_gb, self.min_free_gb, *(one.max_gb for one in self.override)]
        return any(age not in ("", "forever") for age in ages) or any(sizes)
