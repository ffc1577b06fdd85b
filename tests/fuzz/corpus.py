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
_MARK = (
    '{"stream":"btcusdt@markPrice@1s","data":{"e":"markPriceUpdate","E":1562305380000,"s":"BTCUSDT","p":"11794.15",'
    '"i":"11784.62659091","P":"11784.25641265","r":"0.00038167","T":1562306400000}}'
)
_FORCED = (
    '{"e":"forceOrder","E":1568014460893,"o":{"s":"BTCUSDT","S":"SELL","o":"LIMIT","f":"IOC","q":"0.014","p":"9910",'
    '"ap":"9911.5","X":"FILLED","l":"0.014","z":"0.013","T":1568014460893}}'
)
_DAY = (
    '{"e":"24hrTicker","E":1672515782136,"s":"BTCUSDT","p":"-1.5","c":"25.35","Q":"1","o":"26.85","h":"27","l":"25",'
    '"v":"10000","q":"258000.5","O":0,"C":86400000,"F":0,"L":18150,"n":18151}'
)
_BINANCE = (_DEPTH, _TRADE, _AGGREGATE, _TICKER, _MARK, _FORCED, _DAY)

_OKX_BOOK = (
    '{"arg":{"channel":"books","instId":"BTC-USDT"},"action":"update","data":[{"asks":[["30000.1","0.5","0","1"]],'
    '"bids":[["29999.9","0","0","0"]],"ts":"1652459225123","checksum":-855196043,"seqId":123457,"prevSeqId":123456}]}'
)
_OKX_TRADES = (
    '{"arg":{"channel":"trades","instId":"BTC-USDT"},"data":[{"instId":"BTC-USDT","tradeId":"242720720","px":"963.1",'
    '"sz":"0.01","side":"sell","ts":"1630048897897","count":"1"}]}'
)
_OKX_FUNDING = (
    '{"arg":{"channel":"funding-rate","instId":"UNI-USD-SWAP"},"data":[{"fundingRate":"0.00048105","fundingTime":'
    '"1640131200000","instId":"UNI-USD-SWAP","instType":"SWAP","nextFundingRate":"","nextFundingTime":"1640160000000",'
    '"ts":"1640131100000"}]}'
)
_OKX_FORCED = (
    '{"arg":{"channel":"liquidation-orders","instType":"SWAP"},"data":[{"details":[{"bkLoss":"0","bkPx":"0.007831",'
    '"ccy":"","posSide":"short","side":"buy","sz":"13","ts":"1787612486200"}],"instFamily":"UNI-USD","instId":'
    '"UNI-USD-SWAP","instType":"SWAP","uly":"UNI-USD"}]}'
)
_OKX_INDEX = (
    '{"arg":{"channel":"index-tickers","instId":"UNI-USD"},"data":[{"instId":"UNI-USD","idxPx":"5.1","ts":"1640131100000"'
    ',"open24h":"5"}]}'
)
_OKX_MARK = (
    '{"arg":{"channel":"mark-price","instId":"UNI-USD-SWAP"},"data":[{"instId":"UNI-USD-SWAP","instType":"SWAP",'
    '"markPx":"5.12","ts":"1640131100000"},{"ts":1640131100001,"markPx":61000.5,"instId":"BTC-USD-220527"}]}'
)
_OKX_DAY = (
    '{"arg":{"channel":"tickers","instId":"BTC-USDT"},"data":[{"instType":"SPOT","instId":"BTC-USDT","last":"30000.1",'
    '"lastSz":"0.1","open24h":"","high24h":"31000","low24h":"2.9e4","volCcy24h":"60000001.5","vol24h":"2000",'
    '"ts":"1652459225123"}]}'
)
_DERIBIT_QUOTE = (
    '{"jsonrpc":"2.0","method":"subscription","params":{"channel":"quote.BTC-PERPETUAL","data":{"best_bid_amount":20.0,'
    '"best_ask_amount":40.0,"best_bid_price":63908.0,"best_ask_price":63940.5,"instrument_name":"BTC-PERPETUAL",'
    '"timestamp":1727765131750}}}'
)
_DERIBIT_TICKER = (
    '{"jsonrpc":"2.0","method":"subscription","params":{"channel":"ticker.BTC-PERPETUAL.100ms","data":{"timestamp":'
    '1655393725040,"stats":{"volume":3.5,"high":22000.5,"low":20111.0},"last_price":21132,"open_interest":164.501,"mark_price":21109.555,"instrument_name":'
    '"BTC-PERPETUAL","index_price":21122.3937,"funding_8h":-0.00022427,"current_funding":-0.00010782}}}'
)
_UPBIT_TRADE = (
    '{"ty":"trade","cd":"KRW-BTC","tms":1618678263456,"td":"2021-04-17","ttm":"16:51:03","ttms":1618678263000,'
    '"tp":77000000.0,"tv":0.00123,"ab":"BID","pcp":76000000.0,"c":"RISE","cp":1000000.0,"sid":1618678263000000,'
    '"st":"REALTIME"}'
)
_UPBIT_DAY = (
    '{"type":"ticker","code":"KRW-BTC","opening_price":7.6E7,"trade_price":77000000.0,"timestamp":1618678263456,'
    '"acc_trade_price_24h":8320.40577449,"acc_trade_volume_24h":0.22569412,"stream_type":"REALTIME"}'
)
_BYBIT_BOOK = (
    '{"topic":"orderbook.200.BTCUSDT","type":"delta","ts":1786310819123,"data":{"s":"BTCUSDT",'
    '"b":[["65114.20","0.5"]],"a":[["65114.30","0"]],"u":5,"seq":7},"cts":1786310819120}'
)
_BYBIT_TICKER = (
    '{"topic":"tickers.BTCUSDT","type":"delta","data":{"symbol":"BTCUSDT","markPrice":"65117.44","indexPrice":"65137.7"'
    ',"openInterest":"59891.732","openInterestValue":"3899996265.01","fundingIntervalHour":"8","fundingRate":"0.0001",'
    '"singleOpenInterest":"29945.866","nextFundingTime":"1786320000000","ask1Size":"",'
    '"lastPrice":"65114.30","highPrice24h":"65282.30","volume24h":"17573.9120","turnover24h":""},"cs":75,"ts":1786310817583}'
)
_BYBIT_FORCED = (
    '{"topic":"allLiquidation.BTCUSDT","type":"snapshot","ts":1739502303204,"data":[{"T":1739502302929,"s":"BTCUSDT",'
    '"S":"Sell","v":"20000","p":"0.04499"},{"T":1739502302930,"s":"BTCUSDT","S":"Buy","v":"1","p":"0.045"}]}'
)
_BYBIT_TRADE = (
    '{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1786310819123,"data":[{"T":1786310819120,"s":"BTCUSDT",'
    '"S":"Buy","v":"0.001","p":"65114.20","L":"PlusTick","i":"0b2d3c4e-5f60-5a1b-8c2d-3e4f50617283","BT":false}]}'
)
_LEVELS = (
    '{"channel":"l2_data","timestamp":"2026-08-09T21:05:48.483587501Z","sequence_num":13,"events":[{"type":"update",'
    '"product_id":"BTC-USD","updates":[{"side":"bid","event_time":"2026-08-09T21:05:48.170326Z","price_level":"65083.66"'
    ',"new_quantity":"0.20371215"},{"side":"offer","event_time":"2026-08-09T21:05:48.1Z","price_level":"65083.67",'
    '"new_quantity":"0"}]}]}'
)
_MAKERS = (
    '{"channel":"market_trades","timestamp":"2026-08-09T21:05:48.251397169Z","sequence_num":9,"events":[{"type":"update"'
    ',"trades":[{"product_id":"BTC-USD","trade_id":"1068572091","price":"65083.67","size":"0.01034361",'
    '"time":"2026-08-09T21:05:48.167634Z","side":"SELL"},{"product_id":"BTC-USD","trade_id":"1068572090","price":"65083",'
    '"size":"0.5","time":"2026-08-09T21:05:48.1Z","side":"BUY"}]}]}'
)
_MATCH = (
    '{"type":"match","trade_id":280232,"side":"sell","size":"985","price":"0.00001305","product_id":"BTC-USD",'
    '"sequence":177100030,"time":"2021-04-17T16:43:37.089723Z"}'
)
_BEST = (
    '{"type":"ticker","sequence":50978628538,"product_id":"BTC-USD","price":"17165.16","best_bid":"17165.15",'
    '"best_bid_size":"0.61540890","best_ask":"17167.76","best_ask_size":"0.18528568","side":"sell",'
    '"time":"2022-12-01T00:00:00.122581Z","trade_id":463751434,"last_size":"0.05","open_24h":"16437.94",'
    '"volume_24h":"42492.05081975","low_24h":"16423.37","high_24h":"17259.37"}'
)
_ADVANCED_BEST = (
    '{"channel":"ticker","timestamp":"2026-08-09T21:05:48.298032046Z","sequence_num":10,"events":[{"type":"update",'
    '"tickers":[{"type":"ticker","product_id":"ETH-USD","price":"1919.41","volume_24_h":"19975.95927439",'
    '"low_24_h":"1911.04","high_24_h":"1925","low_52_w":"1505","best_bid":"1919.44","best_ask":"1919.49",'
    '"best_bid_quantity":"0.02858092","best_ask_quantity":"0.07814824"}]}]}'
)
_KRAKEN_BOOK = (
    '{"channel":"book","type":"update","data":[{"symbol":"BTC/USD","bids":[{"price":63004.9,"qty":0.00000000}],"asks":'
    '[{"price":63005.0,"qty":2.08665551},{"price":63005.1,"qty":5.1e-05}],"checksum":2532652056,'
    '"timestamp":"2026-08-01T02:53:53.646219Z"}]}'
)
_KRAKEN_TRADE = (
    '{"channel":"trade","type":"update","data":[{"symbol":"BTC/USD","side":"buy","price":105944.2,"qty":0.00027625,'
    '"ord_type":"limit","trade_id":10218208,"timestamp":"2023-10-06T17:35:55.440295Z"}]}'
)
_KRAKEN_TICKER = (
    '{"channel":"ticker","type":"update","data":[{"symbol":"BTC/USD","bid":105944.2,"bid_qty":2.5,"ask":105944.3,'
    '"ask_qty":3.2,"last":105899.4,"volume":163.28908096,"low":104711.0,"high":106613.1,"timestamp":"2023-10-06T17:35:55.440295Z"}]}'
)
_ONE_LEVEL = (
    '{"feed":"book","product_id":"PF_XBTUSD","side":"buy","seq":17132345,"price":64382.0,"qty":7.8852,'
    '"timestamp":1786047745831}'
)
_FILL = (
    '{"product_id":"PF_XBTUSD","feed":"trade","uid":"896cb851-8322-4946-a123-945c453aa17f","side":"sell","type":"fill",'
    '"time":1786046342957,"qty":0.0046,"price":64401.0,"seq":45847}'
)
_FUTURE = (
    '{"time":1786046338005,"product_id":"PF_XBTUSD","relative_funding_rate":2.747066666667e-6,'
    '"relative_funding_rate_prediction":-7.043125e-7,"next_funding_rate_time":1786046400000,"feed":"ticker",'
    '"bid":64401.0,"ask":64402.0,"bid_size":0.1239,"ask_size":0.1179,"volume":3669.9134,"index":64401.07,"last":64403.0,'
    '"openInterest":2157.6281,"markPrice":64399.68035588646,"volumeQuote":236982977.0066,"open":64843.0}'
)
_COINBASE = (_LEVELS, _MAKERS, _MATCH, _BEST, _ADVANCED_BEST)

CORPORA = (
    Corpus(
        "binance", "spot", ("frames_binance_spot", "binance_spot_2021", "binance_spot_2024"), _BINANCE,
        ("BTCUSDT", "ETHUSDT", "NKNUSDT", "BLZETH", "LRCBTC", "RUNEEUR"),
    ),
    Corpus(
        "binance", "linear", ("frames_binance_usdm", "binance_usdm_2021b"), _BINANCE,
        ("BTCUSDT", "BATUSDT", "CTKUSDT", "NEOUSDT", "SANDUSDT", "CHRUSDT"),
    ),
    Corpus(
        "okx", "spot", ("frames_okx_v5", "okx_v5_2022_05", "okx_v5_2026"),
        (_OKX_BOOK, _OKX_TRADES, _OKX_FUNDING, _OKX_FORCED, _OKX_INDEX, _OKX_MARK, _OKX_DAY),
        ("BTC-USDT", "UNI-USD-SWAP", "BTC-USD-220527"),
    ),
    Corpus(
        "kraken_futures", "linear", ("frames_kraken_futures", "kraken_futures_2021"), (_ONE_LEVEL, _FILL, _FUTURE),
        ("PF_XBTUSD", "PI_XBTUSD", "PI_ETHUSD", "FI_XBTUSD_210730"),
    ),
    Corpus(
        "deribit", "inverse", (), (_DERIBIT_QUOTE, _DERIBIT_TICKER), ("BTC-PERPETUAL", "BTC_USDC-PERPETUAL"),
    ),
    Corpus("upbit", "spot", ("frames_upbit", "upbit_2021"), (_UPBIT_TRADE, _UPBIT_DAY), ("KRW-BTC", "KRW-ETH")),
    Corpus(
        "bybit", "linear", ("frames_bybit_v5", "bybit_v5_2026"),
        (_BYBIT_BOOK, _BYBIT_TRADE, _BYBIT_TICKER, _BYBIT_FORCED),
        ("BTCUSDT", "ETHUSDT", "SOLUSDT", "DOGEUSDT"), connection=0,
    ),
    Corpus(
        "bybit", "spot", ("bybit_v5_2026",), (_BYBIT_BOOK, _BYBIT_TRADE, _BYBIT_TICKER), ("BTCUSDT", "ETHUSDT"),
        connection=1,
    ),
    Corpus(
        "coinbase", "spot",
        ("frames_coinbase_adv", "frames_coinbase_exchange", "coinbase_exchange_2021", "coinbase_adv_2026"), _COINBASE,
        ("BTC-USD", "ETH-USD", "SKL-BTC", "SKL-USD", "BAND-GBP"),
    ),
    Corpus(
        "kraken", "spot", ("frames_kraken_v2", "kraken_v2_2026"), (_KRAKEN_BOOK, _KRAKEN_TRADE, _KRAKEN_TICKER),
        ("BTC/USD", "ETH/USD", "BTC/USDT"),
    ),
)  # fmt: skip
