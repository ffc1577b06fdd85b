"""Damage that knows what JSON looks like: tokens moved, doubled, exchanged, respelled; and bytes put wrong."""

from __future__ import annotations

import json
import random
import re
from typing import Any

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|-?[0-9][0-9.eE+-]*|[A-Za-z]+|[{}\[\],:]|\s+|.', re.DOTALL)
_NUMBERS = (
    b"0", b"-0", b"-0.0", b"00", b"01", b"1.", b".5", b"1e5", b"1E+5", b"1e-5", b"1e400", b"-1e400", b"1e-400", b"+1",
    b"9007199254740993", b"9223372036854775807", b"9223372036854775808", b"-9223372036854775808", b"99999999",
    b"18446744073709551616", b"123456789012345678901234567890", b"0.1234567890123456789012345", b"4.9e-324", b"1-2",
    b"100000000.00000001", b"12345678", b"1234567.12345678", b"1234567.123456789", b"NaN", b"Infinity", b"1e", b"1e+",
    b"9007199254740993.0000000000000000000000000000001", b"0.0000000000000000000000000000000000001",
)  # fmt: skip
_VALUES = (b"null", b"true", b"false", b"[]", b"{}", b'""', b'"x"', b"[[]]", b'[["1","2"]]', b'{"a":[1,{"b":"}"}]}')
_BYTES = (
    b"\x00", b"\x1f", b"\x7f", b"\x80", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf0\x9f\x98\x80", b"\xe5\xb8\x81", b"\xff",
    b'"', b"\\", b"\\u0000", b"\\ud800", b"\\ud83d\\ude00", b"\\/", b"{", b"}", b"[", b"]", b",", b":", b" ", b"\n\t",
)  # fmt: skip


def _escaped(rng: random.Random, token: bytes) -> bytes:
    """A string with some of its characters written as escapes."""
    try:
        text = token[1:-1].decode()
    except UnicodeDecodeError:
        return token
    if "\\" in text:
        return token
    units = ("".join(f"\\u{ord(c):04x}" if rng.random() < 0.5 and ord(c) < 0xD800 else c for c in text)).encode()
    return b'"' + units + b'"'


def _respelled(rng: random.Random, token: bytes) -> bytes:
    """The token in another form of the same kind, or of another."""
    if token[:1] == b'"':
        inner = token[1:-1]
        return rng.choice([inner, _escaped(rng, token), b'"' + rng.choice(_NUMBERS) + b'"', rng.choice(_VALUES), token])
    if token[:1].isdigit() or token[:1] == b"-":
        return rng.choice([b'"' + token + b'"', token + b"0", token + b".0", b"-" + token, token[:-1], *_NUMBERS])
    return rng.choice([rng.choice(_VALUES), rng.choice(_NUMBERS), b" " + token + b"\r\n"])


def _on_tokens(rng: random.Random, frame: bytes, other: bytes) -> bytes:
    tokens = _TOKEN.findall(frame)
    if not tokens:
        return other
    for _ in range(rng.choice([1, 1, 1, 2, 4])):
        at = rng.randrange(len(tokens))
        upto = min(len(tokens), at + rng.choice([1, 1, 3, 4, 8]))
        way = rng.randrange(7)
        if way == 0:
            del tokens[at:upto]
        elif way == 1:
            tokens[at:at] = tokens[at:upto]
        elif way == 2:
            to = rng.randrange(len(tokens))
            tokens[at], tokens[to] = tokens[to], tokens[at]
        elif way == 3:
            donor = _TOKEN.findall(other)
            begin = rng.randrange(len(donor)) if donor else 0
            tokens[at:upto] = donor[begin : begin + rng.choice([1, 3, 4, 12])]
        elif way == 4:
            tokens[at] = tokens[at] + rng.choice(_BYTES)
        else:
            tokens[at] = _respelled(rng, tokens[at])
        if not tokens:
            break
    return b"".join(tokens)


def _on_bytes(rng: random.Random, frame: bytes) -> bytes:
    raw = bytearray(frame or b"{}")
    for _ in range(rng.choice([1, 1, 2, 5])):
        at = rng.randrange(len(raw))
        way = rng.randrange(5)
        if way == 0:
            raw[at] = rng.randrange(256)
        elif way == 1:
            raw[at] ^= 1 << rng.randrange(8)
        elif way == 2:
            raw[at:at] = rng.choice(_BYTES)
        elif way == 3:
            del raw[at : at + rng.choice([1, 1, 2, 8])]
        else:
            del raw[at:]
        if not raw:
            raw += b"{"
    return bytes(raw)


_PLAIN = (0, 1, -1, 2**53 + 1, 2**63 - 1, 2**63, -(2**63), 0.5, 1e-300, 1e300, "", "x", "0", "-0", None, True, [], {})


def _edited(rng: random.Random, value: Any) -> Any:
    """A JSON value changed in one place or so: members shuffled, dropped, doubled, given another value or form."""
    if isinstance(value, dict) and value:
        items = list(value.items())
        way = rng.randrange(8)
        if way == 0:
            rng.shuffle(items)
        elif way == 1:
            items.pop(rng.randrange(len(items)))
        elif way == 2:
            items.insert(rng.randrange(len(items) + 1), (rng.choice(["x", "", "é", "data"]), rng.choice(_PLAIN)))
        else:
            at = rng.randrange(len(items))
            items[at] = items[at][0], _edited(rng, items[at][1])
        return dict(items)
    if isinstance(value, list) and value:
        made = list(value)
        at = rng.randrange(len(made))
        way = rng.randrange(6)
        if way == 0:
            made.pop(at)
        elif way == 1:
            made.insert(at, made[at])
        elif way == 2:
            made.append(rng.choice(_PLAIN))
        else:
            made[at] = _edited(rng, made[at])
        return made
    if isinstance(value, str):
        return rng.choice([value[:-1], value + "0", "-" + value, rng.choice(_NUMBERS).decode(), rng.choice(_PLAIN)])
    if isinstance(value, bool) or value is None:
        return rng.choice(_PLAIN)
    if isinstance(value, int | float):
        return rng.choice([value + 1, -value, str(value), float(value) if abs(value) < 2**1000 else 0, *_PLAIN])
    return rng.choice(_PLAIN)


def _as_json(rng: random.Random, frame: bytes) -> bytes:
    """The frame changed as the value it is and written anew; frames that are no JSON stay."""
    try:
        value = json.loads(frame)
        for _ in range(rng.choice([1, 1, 2, 3])):
            value = _edited(rng, value)
        separators = rng.choice([(",", ":"), (", ", ": "), (" ,\n", "\t: ")])
        return json.dumps(value, ensure_ascii=rng.random() < 0.5, separators=separators).encode(
            "utf-8", "surrogatepass"
        )
    except (ValueError, RecursionError, OverflowError):
        return frame


def mutated(rng: random.Random, frame: bytes, other: bytes) -> bytes:
    """``frame`` damaged or respelled; parts may come from ``other``."""
    way = rng.random()
    if way < 0.5:
        return _as_json(rng, frame)
    if way < 0.75:
        return _on_tokens(rng, frame, other)
    if way < 0.9:
        return _on_bytes(rng, frame)
    return _on_bytes(rng, _on_tokens(rng, frame, other))
