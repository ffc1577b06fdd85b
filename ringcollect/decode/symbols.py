"""Native symbol to instrument number: an open hash table in int64 words, compared byte for byte.

Word 0 is the number of slots less one (a mask); slot s is words 1+4s..: hash, instrument + 1 (0 = free), address of
the text, its length. The kernel gets the table's address.
"""

from __future__ import annotations

import numpy as np

from ringcollect.decode.memory import address, address_of, byte_at, word_at
from ringcollect.jit import njit

SLOT_WORDS = 4
MISSING = -1
_OFFSET = np.uint64(0xCBF29CE484222325)
_PRIME = np.uint64(0x100000001B3)


@njit
def text_hash(a: int, length: int) -> np.int64:
    """FNV-1a of ``length`` bytes at ``a``."""
    value = _OFFSET
    for i in range(length):
        value = (value ^ np.uint64(byte_at(a, i))) * _PRIME
    return np.int64(value)


@njit
def find(table: int, a: int, length: int) -> int:
    """Instrument number of the text of ``length`` bytes at ``a``, or MISSING."""
    mask = word_at(table, 0)
    hashed = text_hash(a, length)
    slot = hashed & mask
    while True:
        at = 1 + slot * SLOT_WORDS
        number = word_at(table, at + 1)
        if number == 0:
            return MISSING
        if word_at(table, at) == hashed and word_at(table, at + 3) == length:
            text = word_at(table, at + 2)
            same = True
            for i in range(length):
                if byte_at(text, i) != byte_at(a, i):
                    same = False
                    break
            if same:
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
