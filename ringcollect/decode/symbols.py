"""Native symbol to instrument number: an open hash table in int64 words, compared byte for byte.

Word 0 is the number of slots less one (a mask); slot s is words 1+4s..: hash, instrument + 1 (0 = free), address of
the text, its length. The kernel gets the table's address.
"""

from __future__ import annotations

import numpy as np

from ringcollect.decode.memory import address, address_of, byte_at, eight_bytes, four_bytes, out_of_line, word_at
from ringcollect.jit import njit

SLOT_WORDS = 4
MISSING = -1
_PRIME = np.uint64(0x9E3779B97F4A7C15)  # odd, 2**64 over the golden ratio
_HALF = np.uint64(32)


@njit
def text_hash(a: int, length: int) -> np.int64:
    """Hash of ``length`` bytes at ``a``: eight at a time, the rest one by one (nothing behind them is read)."""
    value = np.uint64(length) * _PRIME
    i = 0
    while i + 8 <= length:
        value = (value ^ eight_bytes(a, i)) * _PRIME
        value ^= value >> _HALF
        i += 8
    rest = np.uint64(0)
    if i + 4 <= length:
        rest = np.uint64(four_bytes(a, i))
        i += 4
    while i < length:
        rest = rest << np.uint64(8) | np.uint64(byte_at(a, i))
        i += 1
    value = (value ^ rest) * _PRIME
    return np.int64(value ^ (value >> _HALF))


@njit
def same_text(a: int, b: int, length: int) -> bool:
    """Whether ``length`` bytes at two addresses are equal."""
    i = 0
    while i + 8 <= length:
        if eight_bytes(a, i) != eight_bytes(b, i):
            return False
        i += 8
    if i + 4 <= length:
        if four_bytes(a, i) != four_bytes(b, i):
            return False
        i += 4
    while i < length:
        if byte_at(a, i) != byte_at(b, i):
            return False
        i += 1
    return True


@njit
def find(table: int, a: int, length: int) -> int:
    """Instrument number of the text of ``length`` bytes at ``a``, or MISSING."""
    out_of_line()
    mask = word_at(table, 0)
    hashed = text_hash(a, length)
    slot = hashed & mask
    while True:
        at = 1 + slot * SLOT_WORDS
        number = word_at(table, at + 1)
        if number == 0:
            return MISSING
        if (
            word_at(table, at) == hashed
            and word_at(table, at + 3) == length
            and same_text(word_at(table, at + 2), a, length)
        ):
            return number - 1
        slot = (slot + 1) & mask


@njit
def _hash_of(text: bytes) -> int:
    return text_hash(address_of(text), len(text))


@njit
def _find_text(table: np.ndarray, text: bytes) -> int:
    return find(address_of(table), address_of(text), len(text))


class SymbolTable:
    """The symbols of one market. ``words`` is replaced when it grows: ask for :meth:`address` again after ``add``."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self._texts: list[bytes] = []
        self._build(64)

    def add(self, symbol: str, instrument: int) -> None:
        """Make ``symbol`` known as ``instrument``, or change its number."""
        self.numbers[symbol] = instrument
        slots = (len(self.words) - 1) // SLOT_WORDS
        while slots < 4 * len(self.numbers):
            slots *= 2
        self._build(slots)

    def _build(self, slots: int) -> None:
        words = np.zeros(1 + slots * SLOT_WORDS, np.int64)
        words[0] = slots - 1
        texts = [symbol.encode() for symbol in self.numbers]
        for text, instrument in zip(texts, self.numbers.values(), strict=True):
            hashed = _hash_of(text)
            slot = hashed & (slots - 1)
            while words[2 + slot * SLOT_WORDS]:
                slot = (slot + 1) & (slots - 1)
            words[1 + slot * SLOT_WORDS :][:SLOT_WORDS] = hashed, instrument + 1, address(text), len(text)
        self._texts = texts  # the table holds their addresses
        self.words = words

    def address(self) -> int:
        """Address of the words."""
        return int(address(self.words))

    def find(self, symbol: str) -> int:
        """As the kernels find it: the number, or MISSING."""
        return int(_find_text(self.words, symbol.encode()))


def warm() -> None:
    """Compile what Python calls."""
    table = SymbolTable()
    table.add("X", 0)
    table.find("X")
