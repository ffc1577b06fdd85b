"""Lists of levels into the batch: arrays with and without further elements, objects in any key order."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest

from ringcollect.decode import text
from ringcollect.decode.levels import levels, object_levels
from ringcollect.decode.memory import address
from ringcollect.records import RECORD

CAPACITY = 64
PRICE, QTY = (text.packed(key)[0] for key in ("price", "qty"))


def arrays(raw: bytes, extra: int = 0, start: int = 0, capacity: int = CAPACITY) -> tuple[int, int, np.ndarray]:
    batch = np.zeros(CAPACITY, RECORD)
    end, n = levels(address(raw), 0, len(raw), batch.ctypes.data, capacity, start, -1, extra)
    return end, n, batch


def objects(raw: bytes) -> tuple[int, int, np.ndarray]:
    batch = np.zeros(CAPACITY, RECORD)
    end, n = object_levels(address(raw), 0, len(raw), batch.ctypes.data, CAPACITY, 0, 1, PRICE, QTY)
    return end, n, batch


def some_pairs(rng: random.Random) -> list[tuple[str, str]]:
    return [
        (f"{rng.randrange(10**6)}.{rng.randrange(100):02d}", f"{rng.random():.{rng.randrange(1, 9)}f}")
        for _ in range(rng.randrange(CAPACITY))
    ]


@pytest.mark.parametrize("extra", [0, 2])
@pytest.mark.parametrize("indent", [None, 1])
def test_prices_sizes_and_side_of_every_level_are_written_in_order(extra: int, indent: int | None) -> None:
    rng = random.Random(extra)
    for _ in range(50):
        pairs = some_pairs(rng)
        tail: list[object] = ["0", 4][:extra]
        raw = json.dumps([[p, q, *tail] for p, q in pairs], indent=indent).encode() + b',"x":1'
        end, n, batch = arrays(raw, extra)
        assert (raw[end:], n) == (b',"x":1', len(pairs))
        assert batch["price"][:n].tolist() == [float(p) for p, _ in pairs]
        assert batch["size"][:n].tolist() == [float(q) for _, q in pairs]
        assert batch.view(np.int64).reshape(-1, 8)[:n, 7].tolist() == [-1] * n
        assert not batch[n:].view(np.int64).any()


def test_levels_are_appended_behind_those_already_there() -> None:
    end, n, batch = arrays(b'[["1","2"]]', start=5)
    assert (end, n, batch["price"][5]) == (11, 6, 1.0)
    assert arrays(b"[]", start=5)[:2] == (2, 5)


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"[", b"[[", b'[["1"', b'[["1","2"', b'[["1","2"]', b'[["1","2"],', b'[["1","2"],]', b'[["1"]]', b"[[]]",
        b'[["1","2","3"]]', b'[["1" "2"]]', b'["1","2"]', b"{}", b'[["1","x"]]', b'[["1",null]]', b'[["1","2"}]',
    ],
)  # fmt: skip
def test_what_is_no_list_of_levels_is_refused(raw: bytes) -> None:
    assert arrays(raw)[0] < 0


def test_more_levels_than_the_batch_holds_are_refused_and_nothing_is_written_behind_it() -> None:
    raw = json.dumps([["1", "2"]] * 9).encode()
    assert arrays(raw, capacity=9)[:2] == (len(raw), 9)
    end, _, batch = arrays(raw, capacity=8)
    assert end < 0
    assert not batch[8:].view(np.int64).any()


def test_objects_are_read_in_any_key_order_with_unknown_keys_passed_over() -> None:
    rng = random.Random(3)
    for _ in range(100):
        pairs = some_pairs(rng)
        made = []
        for p, q in pairs:
            items: list[tuple[str, object]] = [("price", p), ("qty", float(q)), ("orders", {"n": [1, "]"]})]
            rng.shuffle(items)
            made.append(dict(items))
        raw = json.dumps(made, indent=rng.choice([None, 1])).encode()
        end, n, batch = objects(raw)
        assert (end, n) == (len(raw), len(pairs))
        assert batch["price"][:n].tolist() == [float(p) for p, _ in pairs]
        assert batch["size"][:n].tolist() == [float(q) for _, q in pairs]


@pytest.mark.parametrize(
    "raw",
    [b"[{}]", b'[{"price":1}]', b'[{"price":1,"qty":2,"qty":3}]', b'[{"price":1,"qty":2},{}]', b'[{"price":1,"qty":2}'],
)
def test_objects_without_price_or_size_or_with_one_twice_are_refused(raw: bytes) -> None:
    assert objects(raw)[0] < 0
