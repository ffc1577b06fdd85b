"""Keys and symbols: escapes are undone, whatever does not fit equals nothing."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringcollect.decode import text
from ringcollect.decode.memory import address


def read_word(raw: bytes) -> tuple[int, int, int]:
    end, low, high = text.word(address(raw), 1, len(raw))
    return end, int(low), int(high)


@pytest.mark.parametrize("key", ["e", "pu", "stream", "depthUpdate", "INSURANCE_FUND", "sixteen_letters_"])
def test_a_key_is_the_same_with_and_without_escapes(key: str) -> None:
    escaped = "".join(f"\\u{ord(c):04x}" for c in key)
    expected = tuple(map(int, text.packed(key)))
    assert read_word(f'"{key}"'.encode())[1:] == expected
    assert read_word(f'"{escaped}"'.encode())[1:] == expected


@pytest.mark.parametrize("key", ["seventeen_letters", "é", "\\u0000e", "", "币"])
def test_a_key_that_does_not_fit_two_words_equals_none(key: str) -> None:
    raw = f'"{key}"'.encode()
    assert read_word(raw)[0] == len(raw)
    assert read_word(raw)[1:] not in {tuple(map(int, text.packed(known))) for known in ("e", "stream", "data")}


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30), st.booleans())
def test_unescaping_gives_back_every_text(original: str, ascii_only: bool) -> None:
    raw = json.dumps(original, ensure_ascii=ascii_only).encode()
    out = np.zeros(256, np.uint8)
    end, _ = text.string(address(raw), 1, len(raw))
    assert end == len(raw)
    length = text.unescape(address(raw), 1, len(raw), address(out), 256)
    assert out[:length].tobytes().decode() == original


def test_a_text_longer_than_its_place_is_refused() -> None:
    raw = b'"' + b"x" * 40 + b'"'
    out = np.full(64, 7, np.uint8)
    assert text.unescape(address(raw), 1, len(raw), address(out), 32) == text.BAD
    assert (out[32:] == 7).all()
