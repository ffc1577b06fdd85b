"""What other people's decoders made of the same frames: the captures' ``oracle`` folder, read line by line.

Nothing here uses ringcollect: JSON, ``float`` and dictionaries only, so that an error of ours cannot hide in it.
"""

from __future__ import annotations

import datetime
import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec


class Trade(NamedTuple):
    """One trade; times in ns, ``ts_event`` known to the ms; ``ts_recv`` is the capture's."""

    id: int
    price: float
    size: float
    side: int
    ts_event: int
    ts_recv: int


class Quote(NamedTuple):
    """One best bid and ask."""

    id: int
    bid_price: float
    bid_size: float
    ask_price: float
    ask_size: float
    ts_recv: int


class Change(NamedTuple):
    """The levels of one depth frame, bids then asks, each in the order of the frame."""

    id: int
    bids: list[tuple[float, float]]
    asks: list[tuple[float, float]]
    ts_event: int
    ts_recv: int
    snapshot: bool


class Checkpoint(NamedTuple):
    """The whole book after the update ``id``: level counts and the ten best of each side."""

    symbol: str
    id: int
    bid_levels: int
    ask_levels: int
    bids: list[tuple[float, float]]
    asks: list[tuple[float, float]]


class Oracle(NamedTuple):
    """By symbol, in the order of the capture."""

    trades: dict[str, list[Trade]]
    quotes: dict[str, list[Quote]]
    changes: dict[str, list[Change]]
    checkpoints: list[Checkpoint]


def json_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Each line of a gzipped JSONL file."""
    decode = msgspec.json.Decoder().decode
    with gzip.open(path, "rb") as stream:
        for line in stream:
            yield decode(line)


def load(captures: Path, name: str) -> Oracle:
    """The oracle of capture ``name``."""
    frames = list(json_lines(captures / f"{name}.jsonl.gz"))
    oracle = Oracle({}, {}, {}, [])
    for line in json_lines(captures / "oracle" / f"{name}.jsonl.gz"):
        for message in line["out"]:
            _add(oracle, message, frames[line["i"]])
    newest = _newest_ids(frames)
    for line in json_lines(captures / "oracle" / f"books_{name}.jsonl.gz"):
        oracle.checkpoints.append(_checkpoint(line, newest[line["i"]]))
    return oracle


def _newest_ids(frames: list[dict[str, Any]]) -> dict[int, int]:
    """Line -> newest update id of that line's book by then: the snapshot's, or of a diff buffered before it."""
    newest: dict[str, int] = {}
    by_line = {}
    for i, frame in enumerate(frames):
        if "depth" not in frame["f"][:60] and "lastUpdateId" not in frame["f"][:60]:
            continue
        data = wire(frame)
        symbol = data["s"] if "s" in data else frame["u"].split("symbol=")[1].split("&")[0]
        newest[symbol] = by_line[i] = max(newest.get(symbol, 0), data["u"] if "u" in data else data["lastUpdateId"])
    return by_line


def nanoseconds(iso: str) -> int:
    """An ISO time of the oracle (3 or 6 fractional digits, Z) as ns since the epoch."""
    moment = datetime.datetime.fromisoformat(iso.replace("Z", "+00:00"))
    since = moment - datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    return ((since.days * 86400 + since.seconds) * 1_000_000 + since.microseconds) * 1000


def wire(frame: dict[str, Any]) -> dict[str, Any]:
    """The payload of a captured frame: what is under ``data`` in a combined stream, else the whole."""
    payload = msgspec.json.decode(frame["f"])
    return payload.get("data", payload)


def _add(oracle: Oracle, message: dict[str, Any], frame: dict[str, Any]) -> None:
    data, symbol, recv = wire(frame), message["symbol"], frame["t"]
    # The oracle has the us; where they are 999 and the rest rounds up, its milliseconds are one too many.
    assert nanoseconds(message["localTimestamp"]) - recv // 1000 * 1000 in (0, 1_000_000)
    if message["type"] == "trade":
        side = {"buy": 1, "sell": -1}[message["side"]]
        event = nanoseconds(message["timestamp"])
        oracle.trades.setdefault(symbol, []).append(
            Trade(int(message["id"]), message["price"], message["amount"], side, event, recv)
        )
    elif message["type"] == "book_ticker":
        bid, ask = (message["bidPrice"], message["bidAmount"]), (message["askPrice"], message["askAmount"])
        oracle.quotes.setdefault(symbol, []).append(Quote(data["u"], *bid, *ask, recv))
    elif message["type"] == "book_change":
        oracle.changes.setdefault(symbol, []).append(_change(message, data, recv))
    else:
        raise ValueError(f"unexpected oracle message {message['type']}")


def _change(message: dict[str, Any], data: dict[str, Any], recv: int) -> Change:
    sides = [[(float(x["price"]), float(x["amount"])) for x in message[side]] for side in ("bids", "asks")]
    snapshot = message["isSnapshot"]
    event = nanoseconds(message["timestamp"])
    if not snapshot:
        # The oracle's time is E, the time of publishing; ours is the engine's where the venue sends it (USD-M: T).
        assert event == data["E"] * 1_000_000
        event = data.get("T", data["E"]) * 1_000_000
    return Change(data["lastUpdateId" if snapshot else "u"], sides[0], sides[1], event, recv, snapshot)


def _checkpoint(line: dict[str, Any], last_id: int) -> Checkpoint:
    sides = [[(float(price), float(size)) for price, size in line[side]] for side in ("b", "a")]
    return Checkpoint(line["s"], last_id, line["nb"], line["na"], sides[0], sides[1])
