"""One spelling for every exchange: unified names resolve to native ones, and volumes rank by native ones."""

from __future__ import annotations

import time

import numpy as np
import pytest

from ringcollect.config.venues import VENUES
from ringcollect.errors import ConfigError, RejectedFrame
from ringcollect.exchanges import load
from ringcollect.exchanges.protocol import Listing, Purpose, Want
from ringcollect.records import Channel
from ringcollect.sim.together import stage_of

MS = 1_000_000
NOW = 1_790_000_000_000_000_000
SPELLINGS = [
    ("binance", "spot", "BTC-USDT", "BTCUSDT"),
    ("binance", "linear", "BTC-USDT-PERP", "BTCUSDT"),
    ("binance", "linear", "BTC-USDC-PERP", "BTCUSDC"),
    ("binance", "linear", "BTC-USDT-260925", "BTCUSDT_260925"),
    ("bybit", "spot", "BTC-USDT", "BTCUSDT"),
    ("bybit", "linear", "BTC-USDT-PERP", "BTCUSDT"),
    ("bybit", "linear", "BTC-USDC-PERP", "BTCPERP"),
    ("bybit", "inverse", "BTC-USD-PERP", "BTCUSD"),
    ("bybit", "inverse", "BTC-USD-260327", "BTCUSDH26"),
    ("okx", "spot", "BTC-USDT", "BTC-USDT"),
    ("okx", "linear", "BTC-USDT-PERP", "BTC-USDT-SWAP"),
    ("okx", "linear", "BTC-USDC-PERP", "BTC-USDC-SWAP"),
    ("okx", "inverse", "BTC-USD-PERP", "BTC-USD-SWAP"),
    ("okx", "inverse", "BTC-USD-220527", "BTC-USD-220527"),
    ("coinbase", "spot", "BTC-USD", "BTC-USD"),
    ("deribit", "linear", "BTC-USDC-PERP", "BTC_USDC-PERPETUAL"),
    ("deribit", "inverse", "BTC-USD-PERP", "BTC-PERPETUAL"),
    ("deribit", "inverse", "BTC-USD-260925", "BTC-25SEP26"),
    ("deribit", "inverse", "BTC-USD-261002", "BTC-2OCT26"),
    ("kraken", "spot", "BTC-USD", "BTC/USD"),
    ("upbit", "spot", "BTC-KRW", "KRW-BTC"),
]
SIMULATED = {
    "binance": ("BTCUSDT", "DOGEUSDT"),
    "bybit": ("BTCUSDT", "DOGEUSDT", "BTCPERP", "DOGEPERP", "BTCUSD", "DOGEUSD"),
    "okx": ("BTC-USDT", "DOGE-USDT", "BTC-USDT-SWAP", "DOGE-USDT-SWAP", "BTC-USD-SWAP", "DOGE-USD-SWAP"),
    "coinbase": ("BTC-USD", "DOGE-USD"),
    "upbit": ("KRW-BTC", "KRW-DOGE"),
}
MARKETS = [(exchange, market) for exchange in SIMULATED for market in load(exchange).markets]


@pytest.mark.parametrize(("exchange", "market", "unified", "native"), SPELLINGS)
def test_a_unified_name_is_the_same_instrument_on_every_exchange(
    exchange: str, market: str, unified: str, native: str
) -> None:
    module = load(exchange)
    assert module.guessed(market, native).metadata["unified"] == unified
    others = [Listing("QQQZZZ", {"unified": "QQQ-ZZZ"})]
    known = [*others, Listing(native, {"unified": unified})]
    for spelling in (unified, unified.lower(), unified.replace("-", "/", 1), native):
        assert module.resolve(market, spelling, known) == native, spelling
        assert module.resolve(market, spelling, ()) == native, spelling
    with pytest.raises(ConfigError, match=f"{exchange} {market} has no symbol"):
        module.resolve(market, unified, others)


@pytest.mark.parametrize(("exchange", "market"), MARKETS)
def test_the_largest_are_known_by_the_venues_statistics(exchange: str, market: str) -> None:
    module = load(exchange)
    stage = stage_of((exchange,), NOW, symbols=SIMULATED[exchange])
    listed, volumes = set(), {}
    for call in [*module.instruments_calls(market, "http://x"), *module.volumes_calls(market, "http://x")]:
        answer = stage.get(call.url.removeprefix("http://x"), NOW)
        assert answer is not None and answer.status == 200, call.url
        body = answer.body.encode()
        if call.purpose is Purpose.VOLUMES:
            volumes |= module.volumes(market, body)
        else:
            found = module.listings(market, body)
            listed |= {one.symbol for one in found if not one.partial and one.market in ("", market)}
    assert listed and listed <= volumes.keys()
    ranked = sorted(listed, key=lambda symbol: -volumes[symbol])
    assert "BTC" in ranked[0] and "DOGE" in ranked[-1] and volumes[ranked[-1]] > 0


@pytest.mark.parametrize(("exchange", "market"), sorted(VENUES))
def test_the_configuration_knows_where_nothing_can_be_ranked(exchange: str, market: str) -> None:
    assert bool(load(exchange).volumes_calls(market)) is VENUES[exchange, market].ranked


@pytest.mark.parametrize(("exchange", "market"), MARKETS)
def test_statistics_nobody_can_read_are_rejected(exchange: str, market: str) -> None:
    for body in (b"", b"{", b"17", b'"x"', b'{"code":"1","msg":"no","data":[]}', b'{"retCode":10001,"retMsg":"no"}'):
        with pytest.raises(RejectedFrame):
            load(exchange).volumes(market, body)


def test_a_row_without_a_volume_ranks_last_instead_of_spoiling_the_list() -> None:
    body = b'[{"symbol":"A","quoteVolume":"12.5"},{"symbol":"B","quoteVolume":""},{"symbol":"C"}]'
    assert load("binance").volumes("spot", body) == {"A": 12.5, "B": 0.0, "C": 0.0}


USDC = [
    ("binance", "BTCUSDT", "BTCUSDC", [
        b'{"stream":"btcusdt@trade","data":{"e":"trade","E":%d,"T":%d,"s":"BTCUSDT","t":7,"p":"61800.30","q":"0.006",'
        b'"X":"MARKET","m":false}}',
        b'{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":%d,"T":%d,"s":"BTCUSDT","U":11,"u":12,"pu":10,'
        b'"b":[["58710.20","0.014"]],"a":[["61510.90","0.000"]]}}',
        b'{"stream":"btcusdt@markPrice@1s","data":{"e":"markPriceUpdate","E":%d,"s":"BTCUSDT","p":"11794.15","i":"11784.6",'
        b'"P":"11784.25","r":"0.00038167","T":%d}}',
    ]),
    ("bybit", "BTCUSDT", "BTCPERP", [
        b'{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":%d,"data":[{"T":%d,"s":"BTCUSDT","S":"Sell","v":"0.004",'
        b'"p":"65114.20","L":"MinusTick","i":"a9188a0a-82bc-50de-be60-03eedbe3cdd7","BT":false,"RPI":false,"seq":7}]}',
        b'{"topic":"orderbook.200.BTCUSDT","type":"snapshot","ts":%d,"data":{"s":"BTCUSDT","b":[["65095.30","0.005"]],'
        b'"a":[["65116.60","1"]],"u":15,"seq":7},"cts":%d}',
        b'{"topic":"allLiquidation.BTCUSDT","type":"snapshot","ts":%d,"data":[{"T":%d,"s":"BTCUSDT","S":"Sell","v":"20",'
        b'"p":"0.04499"}]}',
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("exchange", "tether", "circle", "frames"), USDC)
def test_usdc_margined_perpetuals_are_decoded_like_the_usdt_ones(
    exchange: str, tether: str, circle: str, frames: list[bytes]
) -> None:
    module = load(exchange)
    decoder = module.decoder(max_past_ns=86_400 * 10**9, max_future_skew_ns=30 * 10**9)
    for number, symbol in enumerate((tether, circle)):
        decoder.add_symbol("linear", symbol, number)
    ctx = decoder.context("linear", 0, ())
    now = time.time_ns()
    for template in frames:
        frame = template % (now // MS, now // MS)
        other = frame.replace(tether.encode(), circle.encode()).replace(
            tether.lower().encode(), circle.lower().encode()
        )
        hot = []
        for number, payload in enumerate((frame, other)):
            n = module.decode_hot(payload, ctx, now)
            hot.append(decoder.batch[: max(0, n)].copy())
            typed = np.concatenate([batch.records for batch in decoder.cold(payload, ctx, now).batches])
            assert len(typed) and set(typed["instrument"]) == {number}
            typed["instrument"] = 0
            hot[-1]["instrument"] = 0
            hot[-1] = (typed.tobytes(), hot[-1].tobytes())
        assert hot[0] == hot[1]


STREAMS = [
    ("binance", "linear", Want("BTCUSDT", Channel.TRADE, stream="aggTrade"), "/market/stream", "btcusdt@aggTrade"),
    ("binance", "linear", Want("BTCUSDT", Channel.TRADE), "/public/stream", "btcusdt@trade"),
    ("binance", "linear", Want("BTCUSDT", Channel.BOOK, stream="depth@0ms"), "/public/stream", "btcusdt@depth@0ms"),
    ("binance", "spot", Want("BTCUSDT", Channel.BOOK, stream="depth"), "/stream?timeUnit=MICROSECOND", "btcusdt@depth"),
    ("okx", "spot", Want("BTC-USDT", Channel.TRADE, stream="trades-all"), "/ws/v5/business", "trades-all:BTC-USDT"),
    ("okx", "spot", Want("BTC-USDT", Channel.TRADE), "/ws/v5/public", "trades:BTC-USDT"),
]


@pytest.mark.parametrize(("exchange", "market", "want", "path", "stream"), STREAMS)
def test_a_chosen_stream_goes_where_the_venue_has_it(
    exchange: str, market: str, want: Want, path: str, stream: str
) -> None:
    module = load(exchange)
    [leg] = module.legs(market, [want], "ws://x")
    assert (leg.url, leg.streams, leg.wants) == ("ws://x" + path, (stream,), (want,))
    [request] = module.subscribe(leg, [want], 1)
    assert stream.partition(":")[0] in request.text and request.wants == (want,)
    assert [(read.symbol, read.channel) for read in module.read_stream(market, stream)] == [(want.symbol, want.channel)]
