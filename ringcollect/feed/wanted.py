"""What is wanted: the streams that a plan and a roster come to."""

from __future__ import annotations

from typing import NamedTuple

from ringcollect.config.symbols import symbol_key
from ringcollect.feed.plan import MarketPlan, RulePlan, SymbolPlan
from ringcollect.feed.roster import Entry
from ringcollect.feed.stream import StreamKey
from ringcollect.instruments import Instrument
from ringcollect.records import CHANNELS_BY_NAME, Channel


class Wanted(NamedTuple):
    """A stream that is to be collected. ``missing``: the exchange does not list its instrument."""

    instrument: Instrument
    channel: Channel
    depth: int
    kind: str
    missing: bool


def add_wanted(
    wanted: dict[StreamKey, Wanted], instrument: Instrument, plan: SymbolPlan | RulePlan, missing: bool
) -> None:
    """Add the channels of one part of the plan for one instrument; what is wanted already stays as it is."""
    for name in plan.channels:
        channel = CHANNELS_BY_NAME[name]
        depth = plan.depth if channel is Channel.BOOK else 0
        stream = Wanted(instrument, channel, depth, plan.streams.get(name, ""), missing)
        wanted.setdefault((instrument.number, int(channel)), stream)


def part_of(plan: MarketPlan, entry: Entry) -> SymbolPlan | RulePlan:
    """The part of the plan that ``entry`` is there for."""
    if not entry.is_ruled:
        return plan.symbols[entry.plan]
    rule = plan.rules[entry.plan]
    keys = {symbol_key(entry.symbol), symbol_key(entry.metadata.get("unified", "") or entry.symbol)}
    return next((own for own in rule.override if symbol_key(own.symbol) in keys), rule)
