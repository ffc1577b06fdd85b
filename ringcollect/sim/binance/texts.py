"""The frames of both markets, spelled out. Times are ns and divided by ``unit`` (ns of one wire time unit)."""

from __future__ import annotations

from ringcollect.sim.specs import SymbolSpec

Levels = list[tuple[int, int]]
_BOOL = ("false", "true")


def levels(spec: SymbolSpec, rows: Levels) -> str:
    """``[["price","size"],…]``."""
    price, size = spec.price, spec.size
    return "[" + ",".join([f'["{price(tick)}","{size(lots)}"]' for tick, lots in rows]) + "]"


def spot_trade(
    spec: SymbolSpec, event: int, match: int, number: int, tick: int, lots: int, side: int, unit: int
) -> str:
    return (
        f'{{"e":"trade","E":{event // unit},"s":"{spec.symbol}","t":{number},"p":"{spec.price(tick)}",'
        f'"q":"{spec.size(lots)}","T":{match // unit},"m":{_BOOL[side < 0]},"M":true}}'
    )


def linear_trade(
    spec: SymbolSpec, event: int, match: int, number: int, price: str, size: str, cause: str, side: int, unit: int
) -> str:
    return (
        f'{{"e":"trade","E":{event // unit},"T":{match // unit},"s":"{spec.symbol}","t":{number},"p":"{price}",'
        f'"q":"{size}","X":"{cause}","m":{_BOOL[side < 0]}}}'
    )


def agg_trade(
    spec: SymbolSpec,
    market: str,
    event: int,
    match: int,
    number: int,
    first: int,
    last: int,
    tick: int,
    lots: int,
    side: int,
    unit: int,
) -> str:
    price, size = spec.price(tick), spec.size(lots)
    extra, tail = ("", ',"M":true') if market == "spot" else (f'"nq":"{size}",', "")
    return (
        f'{{"e":"aggTrade","E":{event // unit},"s":"{spec.symbol}","a":{number},"p":"{price}","q":"{size}",{extra}'
        f'"f":{first},"l":{last},"T":{match // unit},"m":{_BOOL[side < 0]}{tail}}}'
    )


def spot_ticker(spec: SymbolSpec, update: int, bid: tuple[int, int], ask: tuple[int, int]) -> str:
    return (
        f'{{"u":{update},"s":"{spec.symbol}","b":"{spec.price(bid[0])}","B":"{spec.size(bid[1])}",'
        f'"a":"{spec.price(ask[0])}","A":"{spec.size(ask[1])}"}}'
    )


def linear_ticker(
    spec: SymbolSpec, update: int, bid: tuple[int, int], ask: tuple[int, int], event: int, match: int, unit: int
) -> str:
    return (
        f'{{"e":"bookTicker","u":{update},"s":"{spec.symbol}","b":"{spec.price(bid[0])}","B":"{spec.size(bid[1])}",'
        f'"a":"{spec.price(ask[0])}","A":"{spec.size(ask[1])}","T":{match // unit},"E":{event // unit}}}'
    )


def spot_depth(spec: SymbolSpec, event: int, first: int, last: int, bids: Levels, asks: Levels, unit: int) -> str:
    return (
        f'{{"e":"depthUpdate","E":{event // unit},"s":"{spec.symbol}","U":{first},"u":{last},'
        f'"b":{levels(spec, bids)},"a":{levels(spec, asks)}}}'
    )


def linear_depth(
    spec: SymbolSpec,
    event: int,
    match: int,
    first: int,
    last: int,
    previous: int,
    bids: Levels,
    asks: Levels,
    unit: int,
) -> str:
    return (
        f'{{"e":"depthUpdate","E":{event // unit},"T":{match // unit},"s":"{spec.symbol}","U":{first},"u":{last},'
        f'"pu":{previous},"b":{levels(spec, bids)},"a":{levels(spec, asks)}}}'
    )


def spot_partial(spec: SymbolSpec, last: int, bids: Levels, asks: Levels) -> str:
    return f'{{"lastUpdateId":{last},"bids":{levels(spec, bids)},"asks":{levels(spec, asks)}}}'


def mark_price(
    symbol: str, event: int, mark: str, average: str, index: str, settle: str, rate: str, next_funding: int, unit: int
) -> str:
    return (
        f'{{"e":"markPriceUpdate","E":{event // unit},"s":"{symbol}","p":"{mark}","ap":"{average}","i":"{index}",'
        f'"P":"{settle}","r":"{rate}","T":{next_funding // unit}}}'
    )


def force_order(
    spec: SymbolSpec, event: int, match: int, side: int, tick: int, average: str, lots: int, unit: int
) -> str:
    price, size = spec.price(tick), spec.size(lots)
    return (
        f'{{"e":"forceOrder","E":{event // unit},"o":{{"s":"{spec.symbol}","S":"{"BUY" if side > 0 else "SELL"}",'
        f'"o":"LIMIT","f":"IOC","q":"{size}","p":"{price}","ap":"{average}","X":"FILLED","l":"{size}","z":"{size}",'
        f'"T":{match // unit}}}}}'
    )


def shutdown(event: int, unit: int, combined: bool) -> str:
    raw = f'{{"e":"serverShutdown","E":{event // unit}}}'
    return f'{{"stream":"!serverShutdown","data":{raw}}}' if combined else raw
