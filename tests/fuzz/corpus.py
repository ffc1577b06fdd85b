"""What is mutated, per exchange and market. A new exchange adds its line here and nothing else."""

from __future__ import annotations

import gzip
import re
from dataclasses import dataclass
from pathlib import Path

import orjson


@dataclass(frozen=True)
class Corpus:
    """``captures``: names of files of real frames; ``connection`` limits them to one of theirs; ``seeds``: our own."""

    exchange: str
    market: str
    captures: tuple[str, ...]
    seeds: tuple[str, ...]
    symbols: tuple[str, ...]
    connection: int | None = None

    def frames(self, captures: Path | None, most: int = 400) -> list[bytes]:
        """At most ``most`` frames, of every shape (the text without its digits) some."""
        found = [seed.encode() for seed in self.seeds]
        for name in self.captures if captures is not None else ():
            shapes: dict[bytes, int] = {}
            with gzip.open(captures / f"{name}.jsonl.gz") as file:  # type: ignore[operator]
                for line in file:
                    entry = orjson.loads(line)
                    if entry.get("d", "in") != "in" or self.connection not in (None, entry.get("c")):
                        continue
                    frame = entry["f"].encode()
                    shape = re.sub(rb"[0-9]+", b"", frame)[:120]
                    shapes[shape] = shapes.get(shape, 0) + 1
                    if shapes[shape] <= 5 and len(frame) < 20_000:
                        found.append(frame)
                    if len(found) >= most:
                        break
        return found


_DEPTH = (
    '{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1723161255208,"T":1723161255200,"s":"BTCUSDT",'
    '"U":50093239189,"u":50093239202,"pu":50093239188,"b":[["61737.63000000","0.00000000"],["61737.1","2"]],'
    '"a":[["61837.64000000","1.54698000"]]}}'
)
_TRADE = (
    '{"stream":"btcusdt@trade","data":{"e":"trade","E":1723161255343,"s":"BTCUSDT","t":3735683259,'
    '"p":"61837.63000000","q":"0.02000000","T":1723161255342,"m":true,"M":true}}'
)
_AGGREGATE = (
    '{"e":"aggTrade","E":1672515782136,"a":12345,"s":"BTCUSDT","p":"0.001","q":"100","f":100,"l":105,'
    '"T":1672515782136,"m":true,"X":"MARKET"}'
)
_TICKER = (
    '{"u":400900217,"s":"BTCUSDT","b":"25.35190000","B":"31.21000000","a":"25.36520000","A":"40.66000000",'
    '"e":"bookTicker","T":1672515782136,"E":1672515782138}'
)
_BINANCE = (_DEPTH, _TRADE, _AGGREGATE, _TICKER)

CORPORA = (
    Corpus(
        "binance", "spot", ("frames_binance_spot", "binance_spot_2021", "binance_spot_2024"), _BINANCE,
        ("BTCUSDT", "ETHUSDT", "NKNUSDT", "BLZETH", "LRCBTC", "RUNEEUR"),
    ),
    Corpus(
        "binance", "linear", ("frames_binance_usdm", "binance_usdm_2021b"), _BINANCE,
        ("BTCUSDT", "BATUSDT", "CTKUSDT", "NEOUSDT", "SANDUSDT", "CHRUSDT"),
    ),
)  # fmt: skip
