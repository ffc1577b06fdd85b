"""The frame ring against a plain list: any payload lengths, two areas that lap at their own pace, dying producers."""

from __future__ import annotations

import os
import random
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, rule

from ringcollect.ring.frames import Direction, FrameEntry, FrameProducer, FrameReader, attach_frames
from ringcollect.ring.layout import H_CLAIM, H_DATA_CLAIM, H_DATA_HEAD, H_DATA_OFFSET, H_SLOTS_WORD

ENTRIES, DATA_BYTES = 16, 4096
LONGEST = DATA_BYTES // 2
WORDS = DATA_BYTES // 8
EXAMPLES = int(os.environ.get("RINGCOLLECT_EXAMPLES", "150"))


class FrameMachine(RuleBasedStateMachine):
    """What is kept is byte for byte what was published under that number; what is not is named, exactly."""

    readers = Bundle("readers")

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self.published: list[tuple[bytes, str]] = []
        self.ends: list[int] = []  # payload words up to the end of each entry
        self.frames: FrameProducer | None = None

    @initialize()
    def begin(self) -> None:
        self.start()

    @rule()
    def start(self) -> None:
        if self.frames is None:
            self.frames = FrameProducer.open(
                Path(self._folder.name), "x.frm", entries=ENTRIES, data_bytes=DATA_BYTES, generation=1
            )
            assert self.frames.ring.head == len(self.published)

    @rule(
        lengths=st.lists(st.sampled_from((0, 1, 8, 200, 600, 900, 1500, 2600)), min_size=1, max_size=12),
        seed=st.integers(0, 1000),
        url=st.text(max_size=12),
    )
    def publish_some(self, lengths: list[int], seed: int, url: str) -> None:
        self.start()
        for length in lengths:
            self.publish(length, seed, url)

    def publish(self, length: int, seed: int, url: str) -> None:
        assert self.frames is not None
        url = url.encode(errors="ignore").decode()
        payload = random.Random(seed).randbytes(length)
        number = len(self.published)
        self.frames.publish(payload, ts_recv=number, conn=number % 255, direction=Direction.IN, url=url)
        kept = payload[: LONGEST - len(url.encode())]
        self.published.append((kept, url))
        self.ends.append((self.ends[-1] if self.ends else 0) + (len(kept) + len(url.encode()) + 7) // 8)

    @rule(words=st.integers(1, 60))
    def die_while_publishing(self, words: int) -> None:
        """Killed with more words claimed than written, of a payload or, behind it, of its entry."""
        if self.frames is None:
            return
        ring = self.frames.ring.words
        head, start = self.frames.ring.head, int(ring[H_DATA_HEAD])
        ring[H_CLAIM] = max(int(ring[H_CLAIM]), head + 1)
        ring[H_DATA_CLAIM] = max(int(ring[H_DATA_CLAIM]), start + words)
        slot = int(ring[H_SLOTS_WORD]) + head % ENTRIES * 8
        ring[slot : slot + 4] = (head, -1, start, 1 << 40)
        at = start % (DATA_BYTES // 8)
        data = int(ring[H_DATA_OFFSET]) // 8
        ring[data + at : data + min(DATA_BYTES // 8, at + words)] = -1
        self.stop()

    @rule()
    def stop(self) -> None:
        if self.frames is not None:
            self.frames.close()
            self.frames = None

    @rule(target=readers)
    def attach(self) -> FrameReader:
        return attach_frames("x.frm", directory=Path(self._folder.name))

    @rule(reader=readers, most=st.integers(1, 30))
    def read(self, reader: FrameReader, most: int) -> None:
        cursor, words = reader.ring.cursor, reader.ring.words
        first_whole = self.first_from(max(0, int(words[H_CLAIM]) - ENTRIES), int(words[H_DATA_CLAIM]) - WORDS)
        roomy = self.first_from(
            max(0, int(words[H_CLAIM]) - ENTRIES * 7 // 8), int(words[H_DATA_CLAIM]) - WORDS * 7 // 8
        )
        entries, lost = reader.read(most)
        kept = [entry.seq for entry in entries]
        assert lost[1] <= max(cursor, min(roomy, len(self.published))), "no more is given up than for room to breathe"
        begin = lost[1] if lost[0] != lost[1] else cursor
        assert kept == list(range(begin, begin + len(kept)))
        assert len(kept) + lost[1] - lost[0] == reader.ring.cursor - cursor
        for entry in entries:
            self.assert_published(entry)
        if cursor >= first_whole:
            assert lost[0] == lost[1], "nothing of this reader's was overwritten"
            assert kept or cursor == len(self.published)
        elif kept:
            assert kept[0] >= first_whole

    @rule(reader=readers)
    def read_all(self, reader: FrameReader) -> None:
        while reader.ring.lag:
            self.read(reader, 1000)
        assert reader.ring.cursor == len(self.published)

    def first_from(self, number: int, word: int) -> int:
        """The first entry from ``number`` on whose payload starts at ``word`` or later."""
        while number < len(self.published) and self.start_of(number) < word:
            number += 1
        return number

    def start_of(self, number: int) -> int:
        return self.ends[number - 1] if number else 0

    def assert_published(self, entry: FrameEntry) -> None:
        payload, url = self.published[entry.seq]
        assert (entry.payload, entry.url, entry.ts_recv, entry.conn) == (payload, url, entry.seq, entry.seq % 255)

    def teardown(self) -> None:
        self.stop()
        self._folder.cleanup()


FrameMachine.TestCase.settings = settings(max_examples=EXAMPLES, stateful_step_count=40, deadline=None)
TestAnyInterleavingKeepsFramesWholeAndTheAccountExact = FrameMachine.TestCase
