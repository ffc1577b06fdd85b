"""Records of a real capture, decoded with ``json`` and ``float``."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np

from ringcollect.records import RECORD, Flag, Kind

from ..sync.streams import NAN

SYMBOLS = ("BTCUSDT", "ETHUSDT")


def decoded(path: Path, lines: int) -> tuple[np.ndarray, dict[str, list]]:
    """Records of the capture with plain ``json`` and ``float``; and what the reference needs, per symbol."""
    rows: list[tuple] = []
    plain: dict[str, list] = {symbol: [] for symbol in SYMBOLS}
    synced: dict[str, int] = {}

    def add(kind: int, symbol: str, ts: int, recv: int, entries: list, ident: int, aux: int, mark: int) -> None:
        for i, (side, price, size) in enumerate(entries):
            own = mark if i == 0 else mark & ~Flag.CLEAR
            own |= Flag.LAST if i == len(entries) - 1 else 0
            number = SYMBOLS.index(symbol)
            rows.append((len(rows), ts, recv, price, size, ident, aux, number, 0, 0, kind, side, int(own)))

    def sides(bids: list, asks: list) -> list:
        levels = [(1, float(p), float(q)) for p, q in bids] + [(-1, float(p), float(q)) for p, q in asks]
        return levels or [(0, NAN, 0.0)]

    held: dict[str, list] = {symbol: [] for symbol in SYMBOLS}
    with gzip.open(path, "rt") as file:
        for _, line in zip(range(lines), file, strict=False):
            entry = json.loads(line)
            frame, recv = json.loads(entry["f"]), entry["t"]
            if entry["d"] == "rest":
                symbol = entry["u"].split("symbol=")[1].split("&")[0]
                last = frame["lastUpdateId"]
                mark = Flag.CLEAR | Flag.SNAPSHOT | Flag.REST
                levels = sides(frame["bids"], frame["asks"])
                add(Kind.BOOK_SNAPSHOT, symbol, 0, recv, levels, last, -1, mark)
                plain[symbol].append(("book", recv, levels, True))
                previous = last
                for data, when in held[symbol]:
                    if data["u"] > last:
                        levels = sides(data["b"], data["a"])
                        ts = data["E"] * 10**6
                        add(Kind.BOOK_DELTA, symbol, ts, when, levels, data["u"], previous, Flag.REPLAYED)
                        plain[symbol].append(("book", ts, levels, True))
                        previous = data["u"]
                synced[symbol] = previous
            elif entry["d"] == "in":
                data = frame["data"]
                symbol = data["s"]
                ts = data.get("T", data.get("E", 0)) * 10**6
                if data.get("e") == "depthUpdate":
                    levels = sides(data["b"], data["a"])
                    mark = 0 if symbol in synced else Flag.UNSYNCED
                    add(Kind.BOOK_DELTA, symbol, ts, recv, levels, data["u"], synced.get(symbol, -1), mark)
                    if mark:
                        held[symbol].append((data, recv))
                    else:
                        synced[symbol] = data["u"]
                        plain[symbol].append(("book", ts, levels, False))
                elif data.get("e") == "trade":
                    side = -1 if data["m"] else 1
                    price, size = float(data["p"]), float(data["q"])
                    add(Kind.TRADE, symbol, ts, recv, [(side, price, size)], data["t"], data["t"], 0)
                    plain[symbol].append(("trade", ts, side, price, size))
    return np.array(rows, RECORD), plain


LINEAR = ("BTCUSDT", "ETHUSDT")


def decoded_linear(path: Path) -> np.ndarray:
    """Records of the linear connection of a Bybit v5 capture: books, trades, and what tickers say of derivatives."""
    rows: list[tuple] = []
    last: dict[str, int] = {}
    latest: dict[str, dict[str, str]] = {symbol: {} for symbol in LINEAR}

    def add(kind: int, symbol: str, ts: int, recv: int, entries: list, ident: int, aux: int, mark: int = 0) -> None:
        for i, (side, price, size) in enumerate(entries):
            own = mark if i == 0 else mark & ~Flag.CLEAR
            own |= Flag.LAST if i == len(entries) - 1 else 0
            number = LINEAR.index(symbol)
            rows.append((len(rows), ts, recv, price, size, ident, aux, number, 0, 0, kind, side, int(own)))

    def book(symbol: str, frame: dict, recv: int) -> None:
        data = frame["data"]
        levels = [(1, float(p), float(q)) for p, q in data["b"]] + [(-1, float(p), float(q)) for p, q in data["a"]]
        whole = frame["type"] == "snapshot"
        add(
            Kind.BOOK_SNAPSHOT if whole else Kind.BOOK_DELTA, symbol, frame["cts"] * 10**6, recv,
            levels or [(0, NAN, 0.0)], data["u"], -1 if whole else last[symbol],
            Flag.CLEAR | Flag.SNAPSHOT if whole else 0,
        )  # fmt: skip
        last[symbol] = data["u"]

    def ticker(symbol: str, frame: dict, recv: int) -> None:
        ts, new, known = frame["ts"] * 10**6, frame["data"], latest[symbol]
        known.update(new)
        if "markPrice" in new:
            add(Kind.MARK_PRICE, symbol, ts, recv, [(0, float(new["markPrice"]), NAN)], 0, 0)
        if "indexPrice" in new:
            add(Kind.INDEX_PRICE, symbol, ts, recv, [(0, float(new["indexPrice"]), NAN)], 0, 0)
        if "openInterest" in new or "openInterestValue" in new:
            entry = (0, float(known["openInterestValue"]), float(known["openInterest"]))
            add(Kind.OPEN_INTEREST, symbol, ts, recv, [entry], 0, 0)
        if "fundingRate" in new or "nextFundingTime" in new:
            every, following = int(known["fundingIntervalHour"]) * 3600 * 10**9, int(known["nextFundingTime"]) * 10**6
            add(Kind.FUNDING, symbol, ts, recv, [(0, float(known["fundingRate"]), NAN)], every, following)

    with gzip.open(path, "rt") as file:
        for line in file:
            entry = json.loads(line)
            if entry["d"] != "in" or entry["c"] != 0:
                continue
            frame = json.loads(entry["f"])
            topic, _, symbol = frame.get("topic", "").rpartition(".")
            if symbol not in LINEAR:
                continue
            if topic.startswith("orderbook"):
                book(symbol, frame, entry["t"])
            elif topic == "tickers":
                ticker(symbol, frame, entry["t"])
            elif topic == "publicTrade":
                for one in frame["data"]:
                    side = 1 if one["S"] == "Buy" else -1
                    level = (side, float(one["p"]), float(one["v"]))
                    add(Kind.TRADE, symbol, one["T"] * 10**6, entry["t"], [level], len(rows), len(rows))
    return np.array(rows, RECORD)
