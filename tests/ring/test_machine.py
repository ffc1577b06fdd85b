"""Any interleaving of publishing, reading, lapping, dying and coming back, against a plain list.

The model is a list of what was published and four sentences: what is kept is what was published at that position;
positions come in order, once; a reader of whose wish something is still safe loses only what is not; a lapped one, of
whose wish nothing is, resumes an eighth of the ring behind the newest slot that may be overwritten. The code under
test is asked for nothing but its claim and head.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from ringcollect.errors import RingReset
from ringcollect.instruments import Instrument
from ringcollect.records import RECORD, Flag, Kind
from ringcollect.ring import reading
from ringcollect.ring.attach import Reader
from ringcollect.ring.control import Control
from ringcollect.ring.layout import H_CLAIM, H_SLOTS_WORD
from ringcollect.ring.paths import control_path, ring_path
from ringcollect.ring.producer import Producer
from tests.ring.records import die

SMALL, LARGE = 16, 32
EXAMPLES = int(os.environ.get("RINGCOLLECT_EXAMPLES", "150"))
WORDS = RECORD.itemsize // 8


class Followed:
    """A reader, and what the model knows of it."""

    def __init__(
        self, reader: Reader, published: list[int], plain: bool, trades: bool, ether: bool, name: str | None
    ) -> None:
        self.reader = reader
        self.name = name
        self.published = published  # of its generation; the list goes on growing
        self.cursor = reader.cursor
        self.plain = plain
        self.trades, self.ether = trades, ether
        self.control = Control(control_path(reader.path), writable=False)

    def wants(self, position: int) -> bool:
        """Whether its filters let the record of this position through."""
        value = self.published[position]
        return (not self.trades or value % 3 > 0) and (not self.ether or value % 2 > 0)

    def assert_its_row_is_true(self) -> None:
        """What everybody sees of a registered reader is where it is and what it lost."""
        rows = [row for row in self.control.consumers() if row.name == self.name]
        assert len(rows) == (self.name is not None)
        for row in rows:
            assert (row.read, row.lost) == (self.reader.cursor, self.reader.lost_total)


class RingMachine(RuleBasedStateMachine):
    """One ring, up to a handful of readers, any number of producers one after the other."""

    readers = Bundle("readers")

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self.folder = Path(self._folder.name)
        self.capacity = SMALL
        self.generation = 0
        self.published: list[int] = []
        self.value = 0
        self.attached = 0
        self.ring: Producer | None = None

    @initialize()
    def begin(self) -> None:
        self.open(SMALL)

    def open(self, capacity: int) -> None:
        self.generation += 1
        self.ring = Producer.open(self.folder, "x.rec", capacity=capacity, generation=self.generation)
        if not self.ring.reattached:
            self.published = []
            for number, symbol in enumerate(("BTCUSDT", "ETHUSDT")):
                self.ring.instruments.put(Instrument(number=number, exchange="x", market="spot", symbol=symbol))
        self.capacity = capacity

    @property
    def producer(self) -> Producer:
        assert self.ring is not None
        return self.ring

    def alive(self) -> bool:
        return self.ring is not None

    # the producer

    @rule(n=st.integers(1, 40))
    def publish(self, n: int) -> None:
        if self.ring is None:
            return
        records = np.zeros(n, RECORD)
        records["id"] = np.arange(self.value, self.value + n)
        records["price"] = records["id"] * 0.25
        records["kind"] = np.where(records["id"] % 3, Kind.TRADE, Kind.BBO)
        records["instrument"] = records["id"] % 2
        records["flags"][-1] = Flag.LAST
        self.published += range(self.value, self.value + n)
        self.value += n
        assert self.producer.publish(records) == len(self.published)

    @rule(claimed=st.integers(1, 2), written=st.integers(0, 2), words_of_last=st.integers(1, WORDS))
    def die_while_publishing(self, claimed: int, written: int, words_of_last: int) -> None:
        """Killed with the claim stored and some slots of the batch written, the last one in part, head not stored."""
        if self.ring is None:
            return
        words, head = self.producer.words, self.producer.head
        words[H_CLAIM] = max(int(words[H_CLAIM]), head + claimed)
        for position in range(head, head + min(written, claimed)):
            at = int(words[H_SLOTS_WORD]) + position % self.capacity * WORDS
            words[at + 1 : at + words_of_last] = -77
            words[at] = position
        die(self.producer)
        self.ring = None

    @rule()
    def be_killed(self) -> None:
        if self.ring is not None:
            die(self.ring)
            self.ring = None

    @rule()
    def stop(self) -> None:
        if self.ring is not None:
            self.producer.close()
            self.ring = None

    @rule()
    def start_again(self) -> None:
        if self.ring is None:
            before = len(self.published)
            self.open(self.capacity)
            assert self.producer.reattached and self.producer.head == before

    @rule()
    def start_with_another_capacity(self) -> None:
        if self.ring is None:
            self.open(LARGE if self.capacity == SMALL else SMALL)
            assert not self.producer.reattached and self.producer.head == 0

    @rule(followed=readers, beyond=st.integers(-3, 1))
    def publish_until_a_reader_is_about_to_be_lapped(self, followed: Followed, beyond: int) -> None:
        n = self.capacity + beyond - followed.reader.lag
        if followed.published is self.published and n > 0:
            self.publish(n)

    @rule(followed=readers, beyond=st.integers(-2, 0), claimed=st.integers(1, 2), most=st.integers(1, 50))
    def die_when_a_reader_is_about_to_be_lapped(self, followed: Followed, beyond: int, claimed: int, most: int) -> None:
        self.publish_until_a_reader_is_about_to_be_lapped(followed, beyond)
        self.die_while_publishing(claimed, claimed, 4)
        self.read(followed, most)

    # readers

    @rule(target=readers, plain=st.booleans(), trades=st.booleans(), ether=st.booleans(), name=st.none() | st.just("r"))
    def attach(self, plain: bool, trades: bool, ether: bool, name: str | None) -> Followed:
        self.attached += 1
        reader = Reader(
            ring_path(self.folder, "x.rec"),
            channels=["trade"] if trades else None,
            symbols=["ETHUSDT"] if ether else None,
            register=name and f"r{self.attached}",
        )
        assert reader.cursor == max(0, min(reader.head, int(reader.words[H_CLAIM]) - self.capacity))
        return Followed(reader, self.published, plain, trades, ether, name and f"r{self.attached}")

    @rule(followed=readers, most=st.integers(1, 50))
    def read(self, followed: Followed, most: int) -> None:
        reader, published = followed.reader, followed.published
        head, claim, capacity = len(published), int(reader.words[H_CLAIM]), reader.capacity
        over = published is not self.published
        with path_of(followed):
            if over and followed.cursor == head:
                with pytest.raises(RingReset, match="new generation"):
                    reader.read(most)
                return
            read = reader.read(most)
        oldest = min(head, claim - capacity)  # what lies before it may be overwritten at any moment
        if followed.cursor < head - capacity or followed.cursor + min(most, head - followed.cursor) <= oldest:
            first = followed.cursor if followed.cursor == head else min(head, claim - capacity * 7 // 8)
        else:
            first = max(followed.cursor, oldest)
        end = reader.cursor
        assert read.lost == (followed.cursor, first) or (read.lost[0] == read.lost[1] and first == followed.cursor)
        assert read.records["seq"].tolist() == [p for p in range(first, end) if followed.wants(p)]
        assert first <= end <= min(head, first + most)
        assert end > first or first == head or first > followed.cursor, "a read that gets nothing says what it lost"
        self.assert_published(read.records, published)
        followed.cursor = end
        followed.assert_its_row_is_true()

    @rule(followed=readers)
    def read_all(self, followed: Followed) -> None:
        """A reader that keeps asking has everything up to the head, or has it named as lost."""
        with path_of(followed):
            while followed.reader.lag:
                before = followed.reader.cursor
                read = followed.reader.read()
                self.assert_published(read.records, followed.published)
                got = [p for p in range(read.lost[1], followed.reader.cursor) if followed.wants(p)]
                assert read.lost[0] == before and read.records["seq"].tolist() == got
                assert followed.reader.cursor > before
        followed.cursor = followed.reader.cursor
        assert followed.cursor == len(followed.published)

    @rule(followed=readers, n=st.integers(1, 40))
    def look_at_the_newest(self, followed: Followed, n: int) -> None:
        reader = followed.reader
        with path_of(followed):
            newest = reader.last(n)
            view, token = reader.view(n)
            assert reader.still_valid(token) == (token >= int(reader.words[H_CLAIM]) - reader.capacity)
        self.assert_published(newest, followed.published)
        head = len(followed.published)
        oldest = max(0, head - min(n, reader.capacity), min(head, int(reader.words[H_CLAIM]) - reader.capacity))
        assert newest["seq"].tolist() == [p for p in range(oldest, head) if followed.wants(p)]
        if reader.still_valid(token):
            self.assert_published(view, followed.published)

    @rule(followed=consumes(readers))
    def detach(self, followed: Followed) -> None:
        """Gone without a word, as readers do."""

    @staticmethod
    def assert_published(records: np.ndarray, published: list[int]) -> None:
        expected = [published[int(seq)] for seq in records["seq"]]
        assert records["id"].tolist() == expected
        assert records["price"].tolist() == [value * 0.25 for value in expected]

    @invariant()
    def claim_never_falls_behind_head(self) -> None:
        if self.ring is not None:
            assert self.producer.claim >= self.producer.head == len(self.published)

    def teardown(self) -> None:
        if self.ring is not None:
            self.producer.close()
        self._folder.cleanup()


@contextmanager
def path_of(followed: Followed) -> Iterator[None]:
    """The read path of one reader: with the kernels, or in plain numpy."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "use_kernels", lambda: not followed.plain)
        yield


RingMachine.TestCase.settings = settings(max_examples=EXAMPLES, stateful_step_count=40, deadline=None)
TestAnyInterleavingKeepsTheAccountExact = RingMachine.TestCase
