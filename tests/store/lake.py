"""A ring of one's own, a lake made of it, and the lake read back by people who know nothing of ringcollect."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from ringcollect.records import RECORD
from ringcollect.ring.attach import Reader
from ringcollect.ring.producer import Producer
from ringcollect.store.drain import CONSUMER, RingJournal
from ringcollect.store.rotation import Policy
from ringcollect.store.seal import seal_all
from tests import synthetic

GENERATION = synthetic.START_NS
SMALL = Policy(time_ns=180_000_000_000, records=2000)


def producer(
    folder: Path, *, capacity: int = 1 << 15, generation: int = GENERATION, name: str = "binance.rec"
) -> Producer:
    """A record ring with the synthetic instruments."""
    ring = Producer.open(folder, name, capacity=capacity, generation=generation)
    for instrument in synthetic.instruments()[ring.instruments.count :]:
        ring.instruments.put(instrument)
    return ring


def reader(ring: Producer, cursor: int = 0) -> Reader:
    """The journal's reader of ``ring``."""
    return Reader(ring.path, register=CONSUMER, cursor=cursor)


def publish(ring: Producer, records: np.ndarray) -> None:
    """Publish batch by batch, as a feed does."""
    for batch in synthetic.batches(records):
        ring.publish(batch)


def make_lake(folder: Path, records: np.ndarray, *, chunk: int = 1000, policy: Policy = SMALL) -> Path:
    """``records`` through ring, journals and sealer, drained in pieces of ``chunk``; returns the lake."""
    ring = producer(folder / "run")
    journal = RingJournal(folder / "data", reader(ring), policy, resume=False)
    for batch in synthetic.batches(records):
        ring.publish(batch)
        while ring.head - journal.cursor >= chunk:
            journal.drain(chunk)
    journal.drain()
    seal_all(journal.close(final=True), folder / "data", sync=False)
    ring.close()
    return folder / "data"


def hashes(data: Path) -> dict[str, str]:
    """sha256 of every file of the lake."""
    return {
        path.relative_to(data).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(data.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }


def parquet_files(data: Path, tier: str = "", table: str = "") -> list[Path]:
    """Parquet files of the lake, of one tier or table."""
    return sorted((data / tier / table).rglob("*.parquet"))


def rows_by_seq(data: Path) -> dict[int, tuple]:
    """Every record in raw/ and rest/ by seq, told from the Parquet columns alone: what an outsider can know of it.

    Fails on a seq that is there twice. Values are (table, ts_event, ts_recv, flags, numbers...).
    """
    found: dict[int, tuple] = {}
    for path in parquet_files(data, "raw") + parquet_files(data, "rest"):
        table = path.relative_to(data).parts[1]
        for row in pq.read_table(path, partitioning=None).to_pylist():
            for seq, value in _records_of(table, row):
                assert seq not in found, f"record {seq} is there twice: {path}"
                found[seq] = value
    return found


def _records_of(table: str, row: dict) -> Iterable[tuple[int, tuple]]:
    seq, times, flags = row["seq"], (row["ts_event"], row["ts_recv"], row["conn"]), row["flags"]
    if table != "quotes":
        names = sorted(
            row.keys() - {"seq", "ts_event", "ts_recv", "conn", "flags", "generation", "native_symbol", "uuid"}
        )
        return [(seq, (table, *times, flags, *(_bits(row[name]) for name in names)))]
    bid = (_bits(row["bid_price"]), _bits(row["bid_size"]))
    ask = (_bits(row["ask_price"]), _bits(row["ask_size"]))
    if row["ask_price"] is None:
        return [(seq, (table, *times, flags, row["id"], "bid", *bid))]
    if row["bid_price"] is None:
        return [(seq, (table, *times, flags, row["id"], "ask", *ask))]
    return [
        (seq, (table, *times, flags & ~1, row["id"], "bid", *bid)),
        (seq + 1, (table, *times, flags, row["id"], "ask", *ask)),
    ]


def expected_by_seq(records: np.ndarray) -> dict[int, tuple]:
    """What :func:`rows_by_seq` must give for ``records``, written down kind by kind from the record's definition."""
    expected = {}
    for r in records:
        kind, side, times = int(r["kind"]), int(r["side"]), (int(r["ts_event"]), int(r["ts_recv"]), int(r["conn"]))
        ident, aux, sub = int(r["id"]), int(r["aux"]), int(r["sub"])
        price, size = _bits(float(r["price"])), _bits(float(r["size"]))
        aux_f = _bits(struct.unpack("<d", struct.pack("<q", aux))[0])
        table, values = {  # values in the alphabetical order of the columns
            1: ("orderbooks", (ident, _bits(True), aux, price, side, size, sub)),
            2: ("orderbooks", (ident, _bits(False), aux, price, side, size, sub)),
            4: ("trades", (aux, ident, price, side, size, sub)),
            5: ("quotes", (ident, "bid" if side > 0 else "ask", price, size)),
            6: ("liquidations", (ident, aux_f, price, side, size, sub)),
            7: ("fundings", (price, aux, ident, size)),
            8: ("open_interests", (size, price)),
            9: ("mark_prices", (price,)),
            10: ("index_prices", (price,)),
            12: ("status", (side, sub, ident, aux, price, size)),
        }[kind]
        expected[int(r["seq"])] = (table, *times, int(r["flags"]), *values)
    return expected


def _bits(value: object) -> object:
    """Floats by their bits (NaN as one), everything else as it is."""
    if isinstance(value, float):
        return "nan" if value != value else struct.pack("<d", value).hex()
    return value


def over_midnight(batches: int = 2000) -> np.ndarray:
    """The synthetic exchange, moved in time so that a UTC day ends in the middle of it."""
    records = synthetic.stream(batches)
    shift = synthetic.MIDNIGHT_NS - int(records["ts_recv"][len(records) // 2])
    records["ts_recv"] += shift
    records["ts_event"] += np.where(records["ts_event"] != 0, shift, 0)
    return records


def trades(count: int, *, start_ns: int = GENERATION, step_ns: int = 1_000_000, seq: int = 0) -> np.ndarray:
    """Plain trades of instrument 0, each a batch of its own."""
    records = np.zeros(count, RECORD)
    steps = np.arange(count)
    records["seq"] = seq + steps
    records["ts_recv"] = start_ns + steps * step_ns
    records["ts_event"] = records["ts_recv"] - 1000
    records["price"] = 100 + steps % 7 * 0.5
    records["size"] = 1 + steps % 3
    records["id"] = records["aux"] = 1 + seq + steps
    records["kind"], records["side"], records["flags"] = 4, 1, 1
    return records
