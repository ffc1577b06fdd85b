"""The instrument table inside a ring, and the ledger of its subscriptions.

Rows are written by the producer only. A new row is complete before its count is stored, and the count is stored
before the first record that uses it. A row that changes in place has an odd ``version`` meanwhile.
"""

from __future__ import annotations

import numpy as np

from ringcollect.errors import EnvironmentRefused, RingError
from ringcollect.instruments import INSTRUMENT_ROW, Instrument, pack_instrument, unpack_instrument
from ringcollect.ring.layout import (
    H_LEDGER_COUNT,
    H_LEDGER_OFFSET,
    H_LEDGER_ROWS,
    H_LEG_COUNT,
    H_TABLE_COUNT,
    H_TABLE_OFFSET,
    LEDGER_ROW,
    LEG_ROW,
)
from ringcollect.ring.reading import load_word, publish_word, read_row

_ROW_WORDS = INSTRUMENT_ROW.itemsize // 8
_READ_TRIES = 1000


class InstrumentTable:
    """The 4096 rows of a mapped ring; ``words`` may be read-only for readers."""

    def __init__(self, words: np.ndarray) -> None:
        self._words = words
        self._start = int(words[H_TABLE_OFFSET]) // 8

    @property
    def count(self) -> int:
        """Rows in use: numbers 0 to count-1."""
        return load_word(self._words, H_TABLE_COUNT)

    def put(self, instrument: Instrument) -> None:
        """Add the next row, or rewrite a changed one (producer only). A number never changes its instrument."""
        number = instrument.number
        if number > self.count:
            raise RingError(f"instrument {number} does not follow row {self.count - 1}")
        from ringcollect.ring import protocol  # producers have numba; readers need not load it

        if number < self.count:
            known = self._peek(number)
            if known is not None and (known.market, known.symbol) != (instrument.market, instrument.symbol):
                raise RingError(f"instrument {number} is {known.market} {known.symbol}, not {instrument.symbol}")
        packed = np.array(
            np.frombuffer(pack_instrument(instrument), np.int64)
        )  # writable: the type that warm() compiles
        protocol.write_row(self._words, self._start + number * _ROW_WORDS, packed)
        if number == self.count:
            publish_word(self._words, H_TABLE_COUNT, number + 1)

    def get(self, number: int) -> Instrument:
        """Row ``number``; IndexError beyond the count."""
        if not 0 <= number < self.count:
            raise IndexError(f"the ring has {self.count} instruments, no number {number}")
        found = self._peek(number)
        if found is None:
            raise RingError(f"instrument row {number} is being written for ever: did its producer die there?")
        return found

    def left_behind(self) -> list[Instrument | None]:
        """Every row in use, by number; None where the producer died while rewriting it."""
        return [self._peek(number) for number in range(self.count)]

    def _peek(self, number: int) -> Instrument | None:
        row = np.empty(_ROW_WORDS, np.int64)
        for _ in range(_READ_TRIES):
            if read_row(self._words, self._start + number * _ROW_WORDS, row):
                return unpack_instrument(row.tobytes())
        return None

    def all(self) -> list[Instrument]:
        """Every row in use, by number."""
        return [self.get(number) for number in range(self.count)]


class Ledger:
    """Rows of (instrument, channel) subscriptions in a feed's ring; the feed adds and writes, anybody reads."""

    def __init__(self, words: np.ndarray) -> None:
        self._words = words
        start = int(words[H_LEDGER_OFFSET])
        size = int(words[H_LEDGER_ROWS]) * LEDGER_ROW.itemsize
        self._rows = words.view(np.uint8)[start : start + size].view(LEDGER_ROW)

    def add(self) -> np.ndarray:
        """The next free row as a one-element view, zeroed (producer only)."""
        count = int(self._words[H_LEDGER_COUNT])
        if not self.free:
            raise EnvironmentRefused(f"the ledger has {len(self._rows)} rows: one more subscription does not fit")
        row = self._rows[count : count + 1]
        row[:] = np.zeros(1, LEDGER_ROW)
        publish_word(self._words, H_LEDGER_COUNT, count + 1)
        return row

    @property
    def free(self) -> int:
        """How many rows can still be added."""
        return len(self._rows) - int(self._words[H_LEDGER_COUNT]) - int(self._words[H_LEG_COUNT])

    def clear(self) -> None:
        """Forget all rows (a restarted feed begins its ledger anew)."""
        self._words[H_LEDGER_COUNT] = self._words[H_LEG_COUNT] = 0

    def leg(self, number: int) -> np.ndarray | None:
        """The row of connection ``number`` as a one-element view, the next one made if it is new (producer only).

        None: the ledger is full of subscriptions, which matter more.
        """
        count = int(self._words[H_LEG_COUNT])
        if number > count or (number == count and not self.free):
            return None
        place = len(self._rows) - 1 - number
        row = self._rows[place : place + 1].view(LEG_ROW)
        if number == count:
            row[:] = np.zeros(1, LEG_ROW)
            publish_word(self._words, H_LEG_COUNT, count + 1)
        return row

    def legs(self) -> np.ndarray:
        """A view of the connections' rows by number (dtype LEG_ROW)."""
        count = load_word(self._words, H_LEG_COUNT)
        return self._rows[len(self._rows) - count :].view(LEG_ROW)[::-1]

    def rows(self) -> np.ndarray:
        """A view of the rows in use (dtype LEDGER_ROW)."""
        return self._rows[: load_word(self._words, H_LEDGER_COUNT)]
