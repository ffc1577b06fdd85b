"""Bybit, OKX and Upbit over real sockets: what a client of theirs would see."""

from __future__ import annotations

import asyncio
import json
import time
import urllib.request
from pathlib import Path
from typing import Any

import orjson
import pytest
import websockets

from ringcollect.errors import ConfigError
from ringcollect.exchanges import load
from ringcollect.exchanges.protocol import Outcome, Want
from ringcollect.records import Channel
from ringcollect.sim.server import Simulator
from ringcollect.sim.solo import KINDS, SoloStage
from tests.exchanges.frames import DAY_NS, SKEW_NS


async def talk(exchange: str, folder: Path, market: str, symbols: tuple[str, ...], ping: str) -> tuple[list[Any], Any]:
    """Connect as our exchange module says, subscribe everything, listen for a while; (frames, REST answer)."""
    module = load(exchange)
    simulator = Simulator(SoloStage(exchange, time.time_ns(), rate=300.0, truth=folder / "truth.jsonl"))
    await simulator.start()
    try:
        urls = simulator.urls(market)
        (leg,) = module.legs(market, [Want(s, c) for s in symbols for c in module.channels(market)], urls["ws"])
        async with websockets.connect(leg.url) as socket:
            for request in module.subscribe(leg, leg.wants, 1):
                await socket.send(request.text)
            await socket.send(ping)
            frames = [await asyncio.wait_for(socket.recv(), 10) for _ in range(60)]
        call = module.instruments_calls(market, urls["rest"])[0]
        body = await asyncio.to_thread(lambda: urllib.request.urlopen(call.url, timeout=5).read())
        listed = {one.symbol for one in module.listings(market, body)}
        return frames, listed
    finally:
        await simulator.stop()


@pytest.mark.parametrize(
    ("exchange", "market", "symbols", "ping", "kind"),
    [
        ("okx", "linear", ("BTC-USDT-SWAP",), "ping", str),
        ("okx", "spot", ("BTC-USDT", "ETH-USDT"), "ping", str),
        ("bybit", "inverse", ("BTCUSD",), '{"op":"ping"}', str),
        ("bybit", "spot", ("BTCUSDT", "ETHUSDT"), '{"op":"ping"}', str),
        ("coinbase", "spot", ("BTC-USD", "ETH-USD"), '{"type":"subscribe","channel":"heartbeats"}', str),
        ("kraken_futures", "linear", ("PF_XBTUSD",), '{"event":"subscribe","feed":"heartbeat"}', str),
        ("upbit", "spot", ("KRW-BTC", "KRW-ETH"), "PING", bytes),
    ],
)
def test_what_comes_over_the_socket_is_understood_frame_by_frame(
    tmp_path: Path, exchange: str, market: str, symbols: tuple[str, ...], ping: str, kind: type
) -> None:
    frames, listed = asyncio.run(talk(exchange, tmp_path, market, symbols, ping))
    assert set(symbols) <= listed
    assert {type(frame) for frame in frames} == {kind}  # Upbit sends binary frames
    module = load(exchange)
    decoder = module.decoder(max_past_ns=DAY_NS, max_future_skew_ns=SKEW_NS)
    for number, symbol in enumerate(symbols):
        decoder.add_symbol(market, symbol, number)
    ctx = decoder.context(market, 0, ("x",))
    seen = {Outcome.CONTROL: 0, Outcome.DECODED: 0, Outcome.IGNORED: 0}
    channels = set()
    for frame in frames:
        decoded = decoder.cold(frame if isinstance(frame, bytes) else frame.encode(), ctx, time.time_ns())
        if decoded.outcome is Outcome.IGNORED:
            # of OKX's swaps another one; of Bybit's tickers best prices alone; of Kraken Futures a history of nothing
            assert any(name in str(frame) for name in ("liquidation-orders", "tickers", '"trades":[]'))
        seen[decoded.outcome] += 1
        channels |= {batch.channel for batch in decoded.batches}
    assert seen[Outcome.CONTROL] >= 1 and seen[Outcome.DECODED] > 20
    assert channels >= {Channel.BOOK, Channel.BBO}
    final = [orjson.loads(line) for line in (tmp_path / "truth.jsonl").read_bytes().splitlines()][-1]
    assert final["k"] == "book" and final["bids"] and final["asks"]


def test_options_that_cannot_be_are_refused() -> None:
    with pytest.raises(ConfigError):
        SoloStage("okx", 0, rate=0)
    with pytest.raises(ConfigError):
        SoloStage("okx", 0, symbols=("BTCUSDT",))
    with pytest.raises(ConfigError):
        SoloStage("upbit", 0, symbols=("BTCKRW",))
    assert json.dumps(sorted(KINDS)) == ('["bybit", "coinbase", "deribit", "kraken", "kraken_futures", "okx", "upbit"]')
