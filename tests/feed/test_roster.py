"""Who is collected, by names and rules: a pure function of plan, instrument list, volumes and what was before."""

from __future__ import annotations

import pytest

from ringcollect.exchanges import load
from ringcollect.exchanges.protocol import Listing
from ringcollect.feed.plan import MarketPlan, RulePlan, SymbolPlan
from ringcollect.feed.roster import Before, Roster, choose, merged

BINANCE = load("binance")
COINS = ("AAA", "BBB", "CCC", "DDD", "EEE", "FFF")


def listed(*symbols: str, status: str = "trading", **codes: str) -> list[Listing]:
    return [
        Listing(s, {"unified": f"{s[:-4]}-{s[-4:]}", "status": status, "base": s[:-4]}, code=codes.get(s, ""))
        for s in symbols
    ]


USDT = listed(*(coin + "USDT" for coin in COINS))


def rule(*texts: str, **more) -> RulePlan:
    return RulePlan(rules=texts, channels=("trade",), path="markets[0].symbols", **more)


def roster(
    *rules: RulePlan, names: tuple[str, ...] = (), listings=USDT, volumes=None, before=None, room: int = 4096
) -> Roster:  # fmt: skip
    symbols = tuple(
        SymbolPlan(symbol=name, channels=("trade",), path=f"markets[0].symbols[{i}]") for i, name in enumerate(names)
    )
    plan = MarketPlan(market="spot", symbols=symbols, rules=rules)
    return choose(BINANCE, plan, listings, volumes or {}, before or Before(), room)


def symbols_of(made: Roster) -> list[str]:
    return [entry.symbol for entry in made.entries]


@pytest.mark.parametrize("text", ["*USDT", "*usdt", "*-USDT", "*/USDT", "???USDT", "*", "*-*"])
def test_a_rule_names_by_native_or_unified_spelling_in_any_case(text: str) -> None:
    made = roster(rule(text), listings=[*USDT, *listed("AAABUSD")] if "USDT" in text.upper() else USDT)
    assert symbols_of(made) == [coin + "USDT" for coin in COINS]
    assert made.problems == ()


def test_what_a_rule_names_without_trading_stays_out_unless_it_was_collected() -> None:
    listings = [*listed("AAAUSDT"), *listed("BBBUSDT", "CCCUSDT", status="break"), *listed("DDDUSDT", status="close")]
    assert symbols_of(roster(rule("*"), listings=listings)) == ["AAAUSDT"]
    before = Before(symbols=frozenset({"BBBUSDT", "DDDUSDT"}), ruled=frozenset({"BBBUSDT", "DDDUSDT"}))
    made = roster(rule("*"), listings=listings, before=before)
    assert (symbols_of(made), made.gone) == (["AAAUSDT", "BBBUSDT"], ("DDDUSDT",))


def test_top_takes_the_largest_by_volume_and_keeps_who_is_just_below_the_line() -> None:
    volumes = {coin + "USDT": 100.0 - i for i, coin in enumerate(COINS)}
    assert symbols_of(roster(rule("*", top=5), volumes=volumes)) == [c + "USDT" for c in COINS[:5]]
    sixth = Before(symbols=frozenset({"FFFUSDT"}), ruled=frozenset({"FFFUSDT"}))
    kept = roster(rule("*", top=5), volumes=volumes, before=sixth)
    assert symbols_of(kept) == ["AAAUSDT", "BBBUSDT", "CCCUSDT", "DDDUSDT", "FFFUSDT"]
    assert "FFFUSDT" not in symbols_of(roster(rule("*", top=3), volumes=volumes, before=sixth))


def test_equal_volumes_are_ordered_by_name_so_that_the_choice_is_always_the_same() -> None:
    assert symbols_of(roster(rule("*", top=2), listings=list(reversed(USDT)))) == ["AAAUSDT", "BBBUSDT"]


def test_a_rule_over_its_limit_takes_that_many_and_says_who_is_left_out() -> None:
    made = roster(rule("*USDT", limit=4))
    assert symbols_of(made) == ["AAAUSDT", "BBBUSDT", "CCCUSDT", "DDDUSDT"]
    assert made.problems == (
        "markets[0].symbols: binance spot: *USDT names 6 symbols, markets[0].limit is 4: without EEEUSDT, FFFUSDT",
    )


def test_a_listing_does_not_push_out_who_is_collected() -> None:
    before = Before(symbols=frozenset({"EEEUSDT", "FFFUSDT"}), ruled=frozenset({"EEEUSDT", "FFFUSDT"}))
    assert symbols_of(roster(rule("*", limit=3), before=before)) == ["AAAUSDT", "EEEUSDT", "FFFUSDT"]


def test_a_rule_stops_where_the_rings_table_is_full() -> None:
    made = roster(rule("*"), names=("FFFUSDT",), room=3)
    assert symbols_of(made) == ["FFFUSDT", "AAAUSDT", "BBBUSDT"]
    assert made.problems[0].endswith("no more than 2 fit: without CCCUSDT, DDDUSDT, EEEUSDT, FFFUSDT")


def test_a_rule_that_names_nothing_is_a_problem() -> None:
    assert roster(rule("*EUR")).problems == ("markets[0].symbols: binance spot: *EUR names nothing that trades",)


def test_an_unknown_name_is_told_with_its_key_and_up_to_three_near_ones_and_does_not_stop_the_others() -> None:
    listings = listed("BTCUSDT", "BTCUSDC", "BTCFDUSD", "BTCTUSD", "ETHUSDT")
    made = roster(names=("ETHUSDT", "BTCUSTD"), listings=listings)
    assert (symbols_of(made), made.unlisted) == (["ETHUSDT"], (1,))
    (problem,) = made.problems
    assert problem.startswith("markets[0].symbols[1]: binance spot has no symbol 'BTCUSTD'; the nearest are BTCUSDT, ")
    assert len(problem.partition("nearest are ")[2].split(", ")) == 3


def test_a_renamed_instrument_is_followed_by_its_code_and_stays_followed() -> None:
    old = listed("SPACUSDT", "AAAUSDT", SPACUSDT="77")
    first = roster(names=("SPACUSDT",), listings=old)
    now = listed("SPCXUSDT", "AAAUSDT", SPCXUSDT="77")
    before = Before(symbols=frozenset(symbols_of(first)), codes={e.symbol: e.code for e in first.entries})
    second = roster(names=("SPACUSDT",), listings=now, before=before)
    assert (symbols_of(second), second.gone, second.unlisted) == (["SPCXUSDT"], ("SPACUSDT",), ())
    assert second.problems == (
        "markets[0].symbols[0]: binance calls SPACUSDT SPCXUSDT now; it is collected under that name, write it here",
    )
    later = Before(symbols=frozenset({"SPCXUSDT"}), codes={"SPCXUSDT": "77"}, renamed=second.renamed)
    third = roster(names=("SPACUSDT",), listings=now, before=later)
    assert (symbols_of(third), third.gone) == (["SPCXUSDT"], ())


def test_partial_listings_add_to_the_whole_ones() -> None:
    parts = [Listing("AAAUSDT", {"a": 1}, code="5"), Listing("AAAUSDT", {"b": 2}, partial=True)]
    assert merged(parts) == [Listing("AAAUSDT", {"a": 1, "b": 2}, code="5")]
