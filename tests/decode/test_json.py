"""The scanner takes strict JSON and nothing else; judged by the standard library's parser."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringcollect.decode.skip import MAX_DEPTH, is_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner, max_size=5),
    max_leaves=20,
)
MARKS = b'{}[]",:\\/ \t\n\r0123456789+-.eEtrufalsn\x00\x1f\x7f\x80\xc3\xa9\xed\xa0\x80\xff\xf4\x90'


def refuse_constant(name: str) -> None:
    raise ValueError(name)


def has_lone_surrogate(value: Any) -> bool:
    if isinstance(value, str):
        return any(0xD800 <= ord(c) <= 0xDFFF for c in value)
    if isinstance(value, list):
        return any(map(has_lone_surrogate, value))
    if isinstance(value, dict):
        return any(has_lone_surrogate(k) or has_lone_surrogate(v) for k, v in value.items())
    return False


def standard(raw: bytes) -> bool:
    """What the standard library calls JSON, without its extensions (NaN, Infinity, lone surrogates, BOM)."""
    try:
        value = json.loads(raw.decode(), parse_constant=refuse_constant)
    except ValueError:
        return False
    return not has_lone_surrogate(value)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(VALUES, st.sampled_from([None, 1]), st.booleans())
def test_every_json_text_is_taken_however_it_is_spaced_and_escaped(
    value: Any, indent: int | None, ascii_only: bool
) -> None:
    raw = json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    assert is_json(raw) == standard(raw)


@settings(max_examples=600, deadline=None, derandomize=True)
@given(VALUES, st.integers(0, 2**31), st.sampled_from(list(MARKS)), st.sampled_from(["put", "cut", "drop", "insert"]))
def test_a_damaged_text_is_json_exactly_when_the_standard_library_says_so(
    value: Any, where: int, mark: int, how: str
) -> None:
    raw = bytearray(json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    at = where % len(raw)
    if how == "put":
        raw[at] = mark
    elif how == "cut":
        del raw[at:]
    elif how == "drop":
        del raw[at]
    else:
        raw.insert(at, mark)
    assert is_json(bytes(raw)) == standard(bytes(raw))


@settings(max_examples=600, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(list(MARKS)), max_size=12))
def test_noise_is_json_exactly_when_the_standard_library_says_so(marks: list[int]) -> None:
    assert is_json(bytes(marks)) == standard(bytes(marks))


@pytest.mark.parametrize(
    ("raw", "taken"),
    [
        (rb'"\u00e9\ud83d\ude00\"\\\/\b\f\n\r\t"', True),
        (rb'"\ud83d"', False),
        (rb'"\ude00"', False),
        (rb'"\ud83dx"', False),
        (rb'"\ud83dA"', False),
        (rb'"\u12g4"', False),
        (rb'"\x41"', False),
        (b'"\x1f"', False),
        (b'"\x7f"', True),
        ('"币安人生USDT"'.encode(), True),
        (b'"\xc0\xaf"', False),  # overlong
        (b'"\xed\xa0\x80"', False),  # a surrogate in UTF-8
        (b'"\xf4\x90\x80\x80"', False),  # beyond U+10FFFF
        (b'"\xe5\xb8"', False),
        (b"\xef\xbb\xbf1", False),  # a byte order mark
        (b"1 2", False),
        (b"{} {}", False),
        (b'{"a":1,}', False),
        (b"[1,]", False),
        (b'{"a" 1}', False),
        (b"{1:2}", False),
        (b"nul", False),
        (b"truex", False),
        (b"-0.0e-0", True),
        (b"01", False),
        (b"", False),
        (b"  ", False),
        (b" [ ] ", True),
    ],
)
def test_texts_on_the_edge(raw: bytes, taken: bool) -> None:
    assert is_json(raw) is taken


def test_nesting_is_bounded_and_costs_no_stack() -> None:
    for opening, closing in ((b"[", b"]"), (b'{"a":', b"}")):
        assert is_json(opening * MAX_DEPTH + b"1" + closing * MAX_DEPTH)
        assert not is_json(opening * (MAX_DEPTH + 1) + b"1" + closing * (MAX_DEPTH + 1))
        assert not is_json(opening * 3_000_000)
    assert not is_json(b"[" * 10 + b"}" * 10)
    assert is_json(b"[" + b"[[]]," * 1000 + b"{}]")
