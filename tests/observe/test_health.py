"""The order of the rules, one sign at a time: the first that applies decides."""

from __future__ import annotations

import msgspec
import pytest

from ringcollect.observe.health import Signs, State, derive

WELL = Signs(writer_running=True, flowing=8, subscriptions=10)

RULES = [
    ("writer_running", False, State.ERROR, "journal process is down"),
    ("writer_error", "No space left on device", State.ERROR, "No space left"),
    ("unreadable_rings", ("x.rec.ring",), State.ERROR, "x.rec.ring"),
    ("archive_failing", ("access denied", 900.0), State.ERROR, "archiving has failed for 15 minutes: access denied"),
    ("flowing", 0, State.OFFLINE, "none of 10"),
    ("down", ("feed-binance",), State.DEGRADED, "feed-binance"),
    ("fullest", 0.8, State.DEGRADED, "80% full"),
    ("lost_15m", 1, State.DEGRADED, "1 records lost"),
    ("rejected_15m", 2, State.DEGRADED, "2 frames rejected"),
    ("gaps_1m", 10, State.DEGRADED, "10 gaps"),
    ("broken", 1, State.DEGRADED, "1 of 10 subscriptions"),
]


def test_nothing_wrong_is_ready_without_a_reason() -> None:
    assert derive(WELL) == (State.READY, "")


@pytest.mark.parametrize(("sign", "value", "state", "reason"), RULES)
def test_each_sign_alone(sign: str, value: object, state: State, reason: str) -> None:
    got, why = derive(msgspec.structs.replace(WELL, **{sign: value}))
    assert got is state
    assert reason in why


@pytest.mark.parametrize("first", range(len(RULES)))
def test_a_sign_higher_up_decides_over_all_below_it(first: int) -> None:
    signs = msgspec.structs.replace(WELL, **{sign: value for sign, value, _, _ in RULES[first:]})
    state, why = derive(signs)
    assert state is RULES[first][2]
    assert RULES[first][3] in why


def test_just_below_a_limit_is_ready() -> None:
    assert derive(msgspec.structs.replace(WELL, fullest=0.799, gaps_1m=9))[0] is State.READY


def test_an_archive_that_fails_degrades_at_once_and_is_an_error_after_a_quarter_of_an_hour() -> None:
    for seconds in (0.0, 899.0):
        state, why = derive(msgspec.structs.replace(WELL, archive_failing=("access denied", seconds)))
        assert (state, why) == (State.DEGRADED, "archive: access denied")


def test_quiet_liquidations_do_not_degrade_but_an_empty_ledger_is_offline() -> None:
    assert derive(msgspec.structs.replace(WELL, flowing=1))[0] is State.READY
    assert derive(msgspec.structs.replace(WELL, flowing=0, subscriptions=0))[0] is State.OFFLINE


def test_exit_codes_of_the_check() -> None:
    assert [state.exit_code for state in (State.READY, State.DEGRADED, State.OFFLINE, State.ERROR)] == [0, 1, 2, 3]
