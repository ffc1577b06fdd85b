"""A key is found by the number it was given, and no other text is taken for one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringcollect.decode.keys import NO_KEY, SLOTS, key_table, number_of_key
from ringcollect.decode.text import packed
from ringcollect.exchanges.coinbase.fields import EXCHANGE_TABLE
from ringcollect.exchanges.upbit.fields import TABLE, UNIT_TABLE
from ringcollect.jit import njit

KEYS = st.text(st.characters(min_codepoint=1, max_codepoint=127), min_size=1, max_size=16)


@njit(cache=False)
def found(table: np.ndarray, low: np.uint64, high: np.uint64) -> np.int64:
    return number_of_key(table, low, high)


@given(st.dictionaries(KEYS, st.integers(0, 2**62), max_size=SLOTS // 4), KEYS)
def test_every_key_has_its_number_and_no_other_text_has_one(numbers: dict[str, int], other: str) -> None:
    table = key_table(numbers)
    for key in (*numbers, other):
        assert found(table, *packed(key)) == numbers.get(key, NO_KEY)
    assert found(table, np.uint64(0), np.uint64(0)) == NO_KEY  # what a text that is too long looks like


@pytest.mark.parametrize("table", [EXCHANGE_TABLE, TABLE, UNIT_TABLE])
def test_the_exchanges_tables_hold_each_key_once(table: np.ndarray) -> None:
    slots = table[1:].reshape(SLOTS, 3)
    taken = slots[slots[:, 0] != 0]
    assert len({(int(low), int(high)) for low, high, _ in taken}) == len(taken)
    assert all(found(table, low, high) == number for low, high, number in taken)


def test_more_keys_than_a_table_has_room_for_are_refused() -> None:
    with pytest.raises(ValueError, match="perfect hash"):
        key_table({f"key{k}": k for k in range(SLOTS // 4 + 1)})
