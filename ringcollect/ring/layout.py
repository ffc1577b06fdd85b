"""Byte layout of a ring file: header words, JSON description, instrument table, ledger, slots.

A reader needs nothing of this package but this page: word 2 and 3 name a JSON text with the record's dtype, and
every other place is found through header words. All words are little-endian int64, except the magic.
``claim`` and ``head`` stand alone in 128 bytes each; all words of this file have one writer, the producer.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from ringcollect.errors import RingError
from ringcollect.instruments import INSTRUMENT_ROW, MAX_INSTRUMENTS
from ringcollect.records import dtype_from_list, dtype_to_list

MAGIC = b"RINGCOLL"
LAYOUT_VERSION = 2
PAGE = 4096
MIN_CAPACITY = 8
MAX_COUNTERS = 256
MAX_LEDGER_ROWS = 1 << 24

# Words written once, before the file gets its name.
H_MAGIC, H_VERSION, H_JSON_OFFSET, H_JSON_BYTES, H_CAPACITY, H_RECORD_WORDS, H_SLOTS_WORD = range(7)
H_GENERATION, H_COUNTERS_WORD, H_TABLE_OFFSET, H_LEDGER_OFFSET, H_LEDGER_ROWS = range(7, 12)
H_FILE_BYTES, H_DATA_OFFSET, H_DATA_BYTES = range(12, 15)
# Words the producer goes on writing.
H_STATE, H_PID, H_START_NS, H_HEARTBEAT_NS = range(32, 36)
H_CLAIM = 64
H_HEAD = 96
H_DATA_CLAIM = 128  # frame rings only: words of payload claimed
H_DATA_HEAD = 160  # frame rings only: words of payload published
H_TABLE_COUNT = 192
H_LEDGER_COUNT = 224
H_LEG_COUNT = 225  # rows of connections, which fill the ledger from its end
COUNTERS_WORD = 256

STATE_LIVE, STATE_CLOSED, STATE_REPLACED = 1, 2, 3
STATE_NAMES = {STATE_LIVE: "live", STATE_CLOSED: "closed", STATE_REPLACED: "replaced"}

GAP_SIZE_BOUNDS = (1, 2, 5, 10, 50, 100, 500, 1000)
"""Upper bounds of the histogram ``gap_sizes`` (missing ids of one gap); its last bucket has no bound."""
SILENCE_BOUNDS_NS = tuple(seconds * 1_000_000_000 for seconds in (10, 30, 60, 300, 3600))
"""Upper bounds of the histogram ``silences``; its last bucket has no bound."""

LEDGER_ROW = np.dtype(
    [
        ("instrument", "<u2"), ("channel", "u1"), ("state", "u1"), ("reason", "<u2"), ("conn", "<u2"),
        ("since_ns", "<i8"), ("last_data_ns", "<i8"), ("frames", "<i8"), ("records", "<i8"),
        ("gaps", "<i8"), ("duplicates", "<i8"),
        ("last_record_ns", "<i8"), ("silence_limit_ns", "<i8"), ("silence_gaps", "<i8"), ("silence_ns", "<i8"),
        ("tracked", "<i8"), ("missing", "<i8"), ("out_of_order", "<i8"), ("dropped", "<i8"), ("backfilled", "<i8"),
        ("behind", "<i8"),
        ("gap_sizes", "<i8", (len(GAP_SIZE_BOUNDS) + 1,)), ("silences", "<i8", (len(SILENCE_BOUNDS_NS) + 1,)),
    ]
)  # fmt: skip
"""One subscription of a feed: (instrument, channel), its state and counts. 256 bytes.

``gaps``, their ``missing`` ids and ``gap_sizes`` mean something where ``tracked`` is 1: of a channel whose ids have
holes by nature nobody can tell what is missing. ``silence_*`` are about time between two records longer than
the limit (0: none is); ``dropped`` are second copies by another connection of ours, ``backfilled`` missing ids fetched
later, ``behind`` ids that REST said there are beyond the newest one, after a reconnect and before trades flow again.
"""
assert LEDGER_ROW.itemsize == 256

LEG_ROW = np.dtype(
    [
        ("number", "<u2"), ("shard", "<u2"), ("conn", "<i2"), ("state", "<u2"), ("market", "S16"),
        ("streams", "<i8"), ("since_ns", "<i8"), ("attempts", "<i8"), ("frames", "<i8"), ("firsts", "<i8"),
        ("dropped", "<i8"), ("lead_ns", "<i8"), ("last_data_ns", "<i8"), ("reserved", "<i8", (21,)),
    ]
)  # fmt: skip
"""One connection of a feed, in a place of the ledger. 256 bytes.

Legs of equal ``shard`` carry the same streams. ``conn`` is its present number in records, -1 none; ``attempts`` are
failures in a row. Of two legs that carry the same: how often it came first, how many copies of it were dropped, and by
how much its newest first arrival came before the other's copy.
"""
assert LEG_ROW.itemsize == LEDGER_ROW.itemsize

FRAME_ENTRY = np.dtype(
    [
        ("seq", "<i8"), ("ts_recv", "<i8"), ("start", "<i8"), ("length", "<i4"), ("url_length", "<i4"),
        ("reason_length", "<i4"), ("whole_length", "<i4"), ("conn", "u1"), ("direction", "u1"),
        ("opcode", "u1"), ("flags", "u1"), ("status", "<i4"), ("reserved", "<i8"), ("reserved2", "<i8"),
    ]
)  # fmt: skip
"""One entry of a frame ring; ``start`` counts payload words since the ring began. 64 bytes."""
assert FRAME_ENTRY.itemsize == 64
ENTRY_WORDS = FRAME_ENTRY.itemsize // 8
E_START, E_LENGTH = 2, 3
"""Words of an entry that the protocol needs; the length is the lower half of its word."""


@dataclass(frozen=True)
class Layout:
    """Everything that fixes a ring's file, except its generation."""

    name: str
    dtype: np.dtype
    capacity: int
    counters: tuple[str, ...]
    meta: dict[str, Any]
    ledger_rows: int = 0
    data_bytes: int = 0

    def check(self) -> None:
        """Raise RingError for a layout no ring can have."""
        if self.capacity < MIN_CAPACITY or self.capacity & (self.capacity - 1):
            raise RingError(
                f"ring {self.name}: capacity {self.capacity} is not a power of two of at least {MIN_CAPACITY}"
            )
        seq = None if self.dtype.fields is None else self.dtype.fields.get("seq")
        if self.dtype.itemsize % 8 or self.dtype.hasobject or seq is None or seq[:2] != (np.dtype("<i8"), 0):
            raise RingError(f"ring {self.name}: the record must start with seq and fill whole 8-byte words")
        if len(self.counters) > MAX_COUNTERS:
            raise RingError(f"ring {self.name}: {len(self.counters)} counters; {MAX_COUNTERS} are allowed")
        if not 0 <= self.ledger_rows <= MAX_LEDGER_ROWS:
            raise RingError(f"ring {self.name}: {self.ledger_rows} ledger rows; at most {MAX_LEDGER_ROWS} are allowed")
        if self.data_bytes % PAGE or self.data_bytes < 0:
            raise RingError(f"ring {self.name}: {self.data_bytes} payload bytes are not whole pages")
        if (self.dtype == FRAME_ENTRY) != (self.data_bytes > 0):
            raise RingError(f"ring {self.name}: a frame ring has payload bytes, and only a frame ring")

    def description(self) -> bytes:
        """The JSON text in the file."""
        return json.dumps(
            {
                "name": self.name,
                "dtype": dtype_to_list(self.dtype),
                "itemsize": self.dtype.itemsize,
                "counters": list(self.counters),
                "meta": self.meta,
            },
            sort_keys=True,
        ).encode()

    def places(self) -> Places:
        """Byte offsets of every part, and the file's size."""
        json_bytes = len(self.description())
        table = _page(PAGE + json_bytes)
        ledger = table + MAX_INSTRUMENTS * INSTRUMENT_ROW.itemsize
        slots = _page(ledger + self.ledger_rows * LEDGER_ROW.itemsize)
        data = _page(slots + self.capacity * self.dtype.itemsize)
        return Places(PAGE, json_bytes, table, ledger, slots, data, data + self.data_bytes)


@dataclass(frozen=True)
class Places:
    """Byte offsets in a ring file."""

    json_offset: int
    json_bytes: int
    table: int
    ledger: int
    slots: int
    data: int
    file_bytes: int


def _page(offset: int) -> int:
    return -(-offset // PAGE) * PAGE


def _fixed_words(layout: Layout) -> dict[int, int]:
    """The header words that follow from the layout; kernels take addresses from them, so a reader compares them all."""
    places = layout.places()
    return {
        H_VERSION: LAYOUT_VERSION,
        H_JSON_OFFSET: places.json_offset,
        H_JSON_BYTES: places.json_bytes,
        H_CAPACITY: layout.capacity,
        H_RECORD_WORDS: layout.dtype.itemsize // 8,
        H_SLOTS_WORD: places.slots // 8,
        H_COUNTERS_WORD: COUNTERS_WORD,
        H_TABLE_OFFSET: places.table,
        H_LEDGER_OFFSET: places.ledger,
        H_LEDGER_ROWS: layout.ledger_rows,
        H_FILE_BYTES: places.file_bytes,
        H_DATA_OFFSET: places.data,
        H_DATA_BYTES: layout.data_bytes,
    }


def write_header(words: np.ndarray, layout: Layout, generation: int) -> None:
    """Fill the words and the JSON of a new ring (``words``: int64 over the whole, zeroed file)."""
    description, places = layout.description(), layout.places()
    raw = words.view(np.uint8)
    raw[: len(MAGIC)] = np.frombuffer(MAGIC, np.uint8)
    raw[places.json_offset : places.json_offset + len(description)] = np.frombuffer(description, np.uint8)
    for index, value in _fixed_words(layout).items():
        words[index] = value
    words[H_GENERATION] = generation
    words[H_STATE] = STATE_LIVE


def read_header(words: np.ndarray, where: str) -> Layout:
    """The layout in a mapped file; raises RingError saying what is wrong with ``where``."""
    if len(words) * 8 < PAGE or words[:1].tobytes() != MAGIC:
        raise RingError(f"{where} is not a ring (wrong magic)")
    if words[H_VERSION] != LAYOUT_VERSION:
        raise RingError(f"{where} has ring layout version {words[H_VERSION]}; this program reads {LAYOUT_VERSION}")
    if words[H_FILE_BYTES] != len(words) * 8:
        raise RingError(f"{where} has {len(words) * 8} bytes, its header says {words[H_FILE_BYTES]}: truncated?")
    offset, size = int(words[H_JSON_OFFSET]), int(words[H_JSON_BYTES])
    try:
        described = json.loads(words.view(np.uint8)[offset : offset + size].tobytes())
        layout = Layout(
            name=described["name"],
            dtype=dtype_from_list(described["dtype"], described["itemsize"]),
            capacity=int(words[H_CAPACITY]),
            counters=tuple(described["counters"]),
            meta=described["meta"],
            ledger_rows=int(words[H_LEDGER_ROWS]),
            data_bytes=int(words[H_DATA_BYTES]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise RingError(f"{where}: the ring's description cannot be read ({error})") from error
    layout.check()
    if any(int(words[index]) != value for index, value in _fixed_words(layout).items()):
        raise RingError(f"{where}: header and description contradict each other")
    return layout


def check_positions(words: np.ndarray, layout: Layout, where: str) -> None:
    """Raise RingError unless claims and heads are what a producer can leave behind, at whatever moment it died.

    For a successor only, which holds the lock: under a living producer the words move while they are read.
    """
    pairs = [(H_CLAIM, H_HEAD, layout.capacity)]
    if layout.data_bytes:
        pairs.append((H_DATA_CLAIM, H_DATA_HEAD, layout.data_bytes // 8))
    for claim, head, size in pairs:
        if not 0 <= int(words[head]) <= int(words[claim]) <= int(words[head]) + size:
            raise RingError(f"{where}: head {words[head]} and claim {words[claim]} contradict each other")
    if (
        not 0 <= words[H_TABLE_COUNT] <= MAX_INSTRUMENTS
        or not 0 <= words[H_LEDGER_COUNT] <= layout.ledger_rows - words[H_LEG_COUNT] <= layout.ledger_rows
    ):
        raise RingError(f"{where}: the counts of its tables cannot be true")
