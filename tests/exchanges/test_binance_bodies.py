"""REST bodies by the shared kernel: the same records as the typed path's, or none, whatever is done to them."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges import binance
from ringcollect.exchanges.binance import tables
from ringcollect.exchanges.binance.rest import decode_body
from ringcollect.exchanges.protocol import Purpose, RestMeaning
from tests.exchanges.frames import lines, new_decoder, same
from tests.fuzz.mutate import mutated

NOW = 1_723_161_255_000_000_000
DECODER = new_decoder(("BTCUSDT",))
SNAPSHOT = RestMeaning("linear", Purpose.SNAPSHOT, "BTCUSDT")
INTEREST = RestMeaning("linear", Purpose.OPEN_INTEREST, "BTCUSDT")
BODIES = {
    "snapshot": (
        SNAPSHOT,
        b'{"lastUpdateId":1027024,"E":1589436922972,"T":1589436922959,"bids":[["4.00000000","431.00000000"]],'
        b'"asks":[["4.00000200","12.00000000"],["4.1","0"]]}',
    ),
    "asks first": (SNAPSHOT, b'{"asks":[["2","1"]],"x":{"y":[1]},"bids":[["1.5",2],["1","3"]],"lastUpdateId":-1}'),
    "empty": (SNAPSHOT, b' {"bids":[],"asks":[],"lastUpdateId":5,"E":7} '),
    "interest": (INTEREST, b'{"openInterest":"10659.509","symbol":"BTCUSDT","time":1589437530011}'),
}


def by_kernel(meaning: RestMeaning, body: bytes) -> object:
    return DECODER.read_body(tables.body(meaning.purpose), meaning, body, NOW, 255)


def agree(meaning: RestMeaning, body: bytes) -> bool:
    """Whether the kernel took it; AssertionError if it did and should not have, or took it for something else."""
    quick = DECODER.read_body(tables.body(meaning.purpose), meaning, body, NOW, 255)
    try:
        decoded = decode_body(meaning, body, DECODER.arrival(meaning.market, 255, NOW))
    except RejectedFrame:
        assert quick is None, body
        return False
    if quick is None:
        return False
    assert len(quick.batches) == len(decoded.batches) == 1
    assert same(quick.batches[0], decoded.batches[0]), body
    return True


@pytest.mark.parametrize("name", BODIES)
def test_an_ordinary_body_is_the_kernels_and_equals_the_typed_path(name: str) -> None:
    assert agree(*BODIES[name])


@pytest.mark.parametrize("name", BODIES)
def test_a_damaged_body_gives_the_same_records_both_ways_or_none(name: str) -> None:
    rng = random.Random(20261121)
    meaning, body = BODIES[name]
    taken = sum(agree(meaning, mutated(rng, body, rng.choice(list(BODIES.values()))[1])) for _ in range(1500))
    assert 50 < taken < 1450


def test_a_body_about_another_symbol_is_not_taken() -> None:
    assert by_kernel(INTEREST, BODIES["interest"][1].replace(b"BTCUSDT", b"ETHUSDT")) is None
    assert by_kernel(RestMeaning("linear", Purpose.SNAPSHOT, "XRPUSDT"), BODIES["snapshot"][1]) is None


@pytest.mark.parametrize("name", ["binance_spot_2024", "binance_usdm_2021b"])
def test_every_captured_snapshot_is_the_kernels(captures: Path, name: str) -> None:
    seen = 0
    for line in lines(captures / f"{name}.jsonl.gz"):
        meaning = binance.read_rest(line["u"]) if line["d"] == "rest" else None
        if meaning is not None and meaning.purpose is Purpose.SNAPSHOT:
            DECODER.add_symbol(meaning.market, meaning.symbol, seen)
            assert agree(meaning, line["f"].encode())
            seen += 1
    assert seen >= 2
