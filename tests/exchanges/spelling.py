"""Any spelling JSON allows of one message, and any damage to it: what the fuzz tests of all exchanges are made of."""

from __future__ import annotations

import json
import random
from typing import Any

from hypothesis import strategies as st

from tests.decode.decimals import decimals

TEXTS = [text for text in decimals(seed=5, count=3000, halfway_share=0) if len(text) < 20 and abs(float(text)) < 1e300]
"""Numbers as text: every form JSON allows."""
_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
EXTRA = st.dictionaries(st.text(max_size=5), _ANY, max_size=3)
"""Fields nobody knows."""
DAMAGE = st.sampled_from(["cut", "drop", "put", "insert", "twice", "swap"])


def damaged(frame: bytes, how: str, where: int, length: int, byte: int) -> bytes:
    """``frame`` with one accident of the kind ``how`` (:data:`DAMAGE`)."""
    at = where % len(frame)
    part = frame[at : at + length]
    return {
        "cut": frame[:at],
        "drop": frame[:at] + frame[at + length :],
        "put": frame[:at] + bytes([byte]) + frame[at + 1 :],
        "insert": frame[:at] + bytes([byte]) + frame[at:],
        "twice": frame[:at] + part + frame[at:],
        "swap": frame[:at] + part[::-1] + frame[at + length :],
    }[how]


def unknown_fields(extra: dict[str, Any], known: set[str]) -> dict[str, str]:
    """``extra`` as JSON texts by key, without ``known`` keys and anything long."""
    return {k: json.dumps(v) for k, v in extra.items() if k not in known and len(json.dumps({k: v})) < 400}


def bits(rows: list[tuple[float, ...]]) -> list[tuple[Any, ...]]:
    """Rows of (price, size, ...) so that equal means the same float, sign of zero and NaN included."""
    return [(float(p).hex(), float(q).hex(), *rest) for p, q, *rest in rows]


class Spelling:
    """One way of writing JSON: spaces, escapes, key order, quoted or bare numbers."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)

    def gap(self) -> str:
        return self.rng.choice(["", "", "", " ", "\n\t", "\r\n  "])

    def text(self, value: str) -> str:
        if self.rng.random() < 0.7:
            return json.dumps(value, ensure_ascii=False)
        units = value.encode("utf-16-be").hex()
        return '"' + "".join(f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4)) + '"'

    def number(self, text: str) -> str:
        return self.rng.choice([text, f'"{text}"'])

    def join(self, opening: str, parts: list[str], closing: str) -> str:
        inner = ",".join(self.gap() + part + self.gap() for part in parts)
        return opening + (inner or self.gap()) + closing

    def event(self, fields: dict[str, str]) -> str:
        items = list(fields.items())
        self.rng.shuffle(items)
        return self.join("{", [self.text(k) + self.gap() + ":" + self.gap() + v for k, v in items], "}")

    def levels(self, levels: list[tuple[str, ...]]) -> str:
        return self.join("[", [self.join("[", [self.number(x) for x in level], "]") for level in levels], "]")

    def frame(self, event: str) -> bytes:
        return (self.gap() + event + self.gap()).encode()
