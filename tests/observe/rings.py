"""Real rings in a temporary runtime folder, with a reader that registers."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ringcollect.instruments import Instrument
from ringcollect.records import RECORD, Channel, Flag, Kind
from ringcollect.ring.producer import Producer

CAPACITY = 64
COUNTERS = ("frames_in", "decoded", "control", "ignored", "rejected", "seq_gaps", "trade_gaps", "reconnects")
GENERATION = 1_700_000_000_000_000_000


def producer(folder: Path, name: str = "binance.rec", generation: int = GENERATION, **layout: int) -> Producer:
    """A ring of 64 records with two instruments."""
    ring = Producer.open(
        folder, name, RECORD, layout.get("capacity", CAPACITY), generation=generation, counters=COUNTERS,
        ledger_rows=16, start_ns=generation,
    )  # fmt: skip
    if not ring.instruments.count:
        for number, symbol in enumerate(("BTCUSDT", "ETHUSDT")):
            ring.instruments.put(
                Instrument(number=number, exchange="binance", market="spot", symbol=symbol, valid_from_ns=1)
            )
    return ring


def trades(n: int, instrument: int = 0, first: int = 0) -> np.ndarray:
    """``n`` trades with ids from ``first``, each its own batch."""
    batch = np.zeros(n, RECORD)
    batch["kind"], batch["flags"], batch["instrument"] = Kind.TRADE, Flag.LAST, instrument
    batch["id"] = np.arange(first, first + n)
    batch["price"], batch["size"], batch["side"] = 100.5, 0.25, 1
    batch["ts_recv"] = GENERATION + batch["id"] * 1_000_000
    return batch


def subscribe(ring: Producer, instrument: int, channel: Channel, state: int, reason: int = 0) -> np.ndarray:
    """One row of the ring's ledger."""
    row = ring.ledger.add()
    row["instrument"], row["channel"], row["state"], row["reason"] = instrument, channel, state, reason
    row["since_ns"], row["frames"], row["records"], row["tracked"] = GENERATION, 7, 9, 1
    row["gaps"], row["missing"], row["duplicates"] = 1, 3, 2
    row["gap_sizes"][0, 2] = 1
    return row
