"""What cold frames look like, said in Python and compiled to a table's words.

An exchange describes each of its channels by scopes of keys, a few steps over the values found, and the records that
come out of them. Everything here runs once, when a decoder is made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ringcollect.decode.text import packed
from ringcollect.exchanges.tabular import layout as at
from ringcollect.records import Kind, TickerField

_MASK = (1 << 64) - 1
MOST_NAME, MOST_KEY = 24, 32


@dataclass(frozen=True, slots=True)
class Record:
    """One record. ``price``, ``size``, ``id``, ``aux``, ``side`` and ``time`` are slots, NOTHING or NOT_A_NUMBER.

    ``sign`` is the side of a record whose place says it, as best bid (1) and best ask (-1); its ``side`` is NOTHING.

    It is made when every slot of ``need`` is there, none of ``forbid``, and, if ``news`` is not empty, the frame
    itself (not only what was known before) has one of those. A price or size whose slot is not there is NaN.
    """

    kind: Kind
    time: int
    price: int = at.NOTHING
    size: int = at.NOTHING
    id: int = at.NOTHING
    aux: int = at.NOTHING
    side: int = at.NOTHING
    sign: int = 0
    sub: int = 0
    flags: int = 0
    need: tuple[int, ...] = ()
    news: tuple[int, ...] = ()
    forbid: tuple[int, ...] = ()


Step = tuple[int, ...]
"""(operation, slot, slot or number, slot or number), see :mod:`emit`."""


def ticker_fields(
    time: int,
    slots: Mapping[TickerField, int],
    need: Mapping[TickerField, tuple[int, ...]] | None = None,
    *,
    partial: bool = False,
) -> tuple[Record, ...]:
    """One record per field (``records.TickerField``) whose slot, and whatever ``need`` says of it, is there.

    ``partial``: of a frame that says what changed; all fields are told once it says one of them.
    """
    news = tuple(slots.values()) if partial else ()
    return tuple(
        Record(
            Kind.TICKER, time=time, price=slots[field], aux=at.AS_SUB, sub=int(field),
            need=(slots[field], *(need or {}).get(field, ())), news=news,
        )
        for field in TickerField
        if field in slots
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Program:
    """Steps, then records, run when an object (or the frame) is read to its end."""

    steps: tuple[Step, ...] = ()
    records: tuple[Record, ...] = ()


@dataclass(frozen=True, slots=True)
class Key:
    """A member that means something. ``scope``: of the object or the list's objects; ``choice``: value of each word."""

    name: str
    form: int
    slot: int = 0
    required: bool = True
    scope: Scope | None = None
    choice: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scope:
    """The keys of one object; every other one is passed over. ``flags``: OWNER, GROUP."""

    keys: tuple[Key, ...]
    program: Program = Program()
    flags: int = 0


@dataclass(frozen=True, slots=True)
class Shape:
    """Frames of one name. ``scope`` None: passed over unread, nothing is recorded."""

    name: str
    scope: Scope | None
    flags: int = at.OBJECT_SHAPE
    program: Program = Program()


def refused(*names: str) -> tuple[Key, ...]:
    """Keys that make the frame another's."""
    return tuple(Key(name, at.REFUSED, required=False) for name in names)


def name_words(name: str, most: int = MOST_NAME) -> tuple[int, int, int, int]:
    """A text as a table holds it; of one over 24 bytes the third eight are missing. ValueError: empty or too long."""
    raw = name.encode("ascii")
    if not 0 < len(raw) <= most:
        raise ValueError(f"{name!r} does not fit a table")
    first = int.from_bytes(raw[:8].ljust(8, b"\0"), "little")
    middle = int.from_bytes(raw[8:16], "little") if len(raw) > 16 else 0
    last = int.from_bytes(raw[-8:], "little") if len(raw) > 8 else 0
    return first, middle, last, len(raw)


def place(first: int, last: int, length: int, multiplier: int) -> int:
    """Slot of a key in its scope's index, as the kernel computes it."""
    return (((first + 3 * last + length) * multiplier) & _MASK) >> 58


def _mask(slots: Sequence[int]) -> int:
    return sum(1 << slot for slot in slots)


class _Builder:
    def __init__(self) -> None:
        self.words: list[int] = [0] * at.HEAD_WORDS

    def _put(self, *words: int) -> int:
        offset = len(self.words)
        self.words += words
        return offset

    def program(self, program: Program) -> int:
        if not program.steps and not program.records:
            return 0
        words = [len(program.steps), len(program.records)]
        for step in program.steps:
            words += [*step, 0, 0, 0][: at.STEP_WORDS]
        for one in program.records:
            words += [
                int(one.kind), one.sub | (one.sign & 0xFF) << at.SIGN_SHIFT, int(one.flags),
                _mask(one.need), _mask(one.news), _mask(one.forbid),
                one.price, one.size, one.id, one.aux, one.side, one.time,
            ]  # fmt: skip
        return self._put(*words)

    def _argument(self, key: Key) -> int:
        if key.scope is not None:
            return self.scope(key.scope)
        if not key.choice:
            return 0
        words = [len(key.choice)]
        for text, value in key.choice.items():
            words += [*map(int, packed(text)), value]
        return self._put(*words)

    def scope(self, scope: Scope) -> int:
        keys = []
        for k, key in enumerate(scope.keys):
            argument = self._argument(key)
            words = name_words(key.name, MOST_KEY)
            rest = int.from_bytes(key.name.encode()[16:24], "little") if words[3] > MOST_NAME else 0
            keys.append(self._put(*words, key.form, key.slot, argument, 1 << k, rest))
        names = [name_words(key.name, MOST_KEY) for key in scope.keys]
        multiplier = _spreading(names)
        index = [0] * at.INDEX_SLOTS
        for (first, _, last, length), offset in zip(names, keys, strict=True):
            index[place(first, last, length, multiplier)] = offset
        required = sum(1 << k for k, key in enumerate(scope.keys) if key.required)
        return self._put(
            self._put(*index), multiplier, required, _mask(sorted(_slots(scope))), self.program(scope.program),
            scope.flags,
        )  # fmt: skip


def _slots(scope: Scope) -> set[int]:
    """Every slot that the objects of a scope fill, inner ones included."""
    found: set[int] = set()
    for key in scope.keys:
        inner = _slots(key.scope) if key.scope is not None else set()
        found |= inner | ({key.slot} if key.form < at.OTHER_FORMS or key.form in _FILLING else set())
    return found


_FILLING = (at.WORD, at.ID)


def _spreading(names: Sequence[tuple[int, int, int, int]]) -> int:
    """An odd multiplier that gives every name a slot of its own."""
    multiplier = 0x9E3779B97F4A7C15
    while len({place(first, last, length, multiplier) for first, _, last, length in names}) < len(names):
        multiplier = (multiplier * 0x5851F42D4C957F2D + 0x14057B7EF767814F) & _MASK | 1
    return multiplier


def table(root: Scope, shapes: Sequence[Shape], *, inside: str = "", block: int = 0) -> np.ndarray:
    """The words (int64) of an exchange's table; see :mod:`layout` for ``inside`` and ``block``."""
    builder = _Builder()
    built = [(builder.scope(s.scope) if s.scope else 0, builder.program(s.program), s) for s in shapes]
    names: list[int] = []
    for scope, program, shape in built:
        names += [*name_words(shape.name), scope, shape.flags, program, 0]
    inside_words = builder._put(*name_words(inside)) if inside else 0
    head = [builder.scope(root), builder._put(*names), len(shapes), inside_words, block]
    builder.words[: len(head)] = head
    return np.array([word & _MASK for word in builder.words], np.uint64).view(np.int64)
