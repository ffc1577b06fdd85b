"""What a feed is told through ccxt: unified objects as our adapter spells them, of a simulated market. Needs no ccxt.

What ccxt itself costs before that is measured by ``python -m benchmarks.unified``.
"""

from __future__ import annotations

from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import msgspec

from benchmarks.cost.labels import Labelling, Watched
from benchmarks.cost.script import Script
from benchmarks.cost.simulation import SIMULATED
from benchmarks.simulated import START_NS, Told, ring_of, tell
from ringcollect.exchanges import load
from ringcollect.exchanges.ccxt import messages
from ringcollect.exchanges.ccxt.endpoints import USUAL_LEVELS, url_of
from ringcollect.feed.plan import MarketPlan, Options, Plan
from ringcollect.instruments import Registry
from ringcollect.sim.market import SymbolMarket
from ringcollect.sim.specs import linear_spec, spot_spec

EXCHANGE = "ccxt_binance"
RATE = 50.0
MILLISECOND = 1_000_000
BOOK_EVERY, PRICE_EVERY = 5, 20
"""Orders between two books, and between two tickers."""
_MARKETS = (("spot", "BTC/USDT", spot_spec), ("linear", "BTC/USDT:USDT", linear_spec))


def through_ccxt(orders: int, most: int) -> Script:
    """The script of so many orders of each market."""
    plan = Plan(exchange=EXCHANGE, markets=(MarketPlan(market="spot"),), options=Options(discover=True))
    with TemporaryDirectory(prefix="ringcollect-bench-") as folder:
        ring = ring_of(plan, Path(folder))
        session = Watched(plan, load(EXCHANGE), Registry(None, EXCHANGE), ring)
        labelling = Labelling(Script(SIMULATED, plan), session, ring, most)

        def call(told: Told) -> None:
            labelling.keep(told)
            tell(session, told)

        call(("start", [START_NS]))
        for conn, (market, symbol, spec) in enumerate(_MARKETS):
            call(("open", [conn, url_of(EXCHANGE, market), START_NS]))
            model = SymbolMarket(spec("BTCUSDT"), Random(symbol), RATE)
            for number in range(orders):
                now = START_NS + model.next_ns
                for one in _objects(model, symbol, number, is_spot=market == "spot"):
                    call(("frame", [conn, msgspec.json.encode(one).decode(), now, 1]))
        labelling.finish()
        ring.close()
    return labelling.script


def _objects(model: SymbolMarket, symbol: str, number: int, *, is_spot: bool) -> list[msgspec.Struct]:
    """What ccxt would answer to its calls after the next order."""
    event = model.step()
    ms = (START_NS + event.time_ns) // MILLISECOND
    spec = model.spec
    found: list[msgspec.Struct] = []

    def level(tick: int, lots: int) -> messages.Level:
        return float(spec.price(tick)), float(spec.size(lots))

    bids, asks = ([level(*one) for one in side.top(USUAL_LEVELS)] for side in (model.bids, model.asks))
    if event.fills:
        prints = [
            messages.Trade(
                f"{number * 100 + place}", ms, *level(fill.tick, fill.lots), "buy" if fill.side > 0 else "sell"
            )
            for place, fill in enumerate(event.fills)
        ]
        found.append(messages.Trades(symbol, prints))
    if event.top_moved:
        (bid, bid_size), (ask, ask_size) = bids[0], asks[0]
        found.append(messages.Best(symbol, t=ms, bid=bid, bid_size=bid_size, ask=ask, ask_size=ask_size))
    if number % BOOK_EVERY == 0:
        found.append(messages.Book(symbol, bids, asks, t=ms))
    if number % PRICE_EVERY == 0:
        last = bids[0][0]
        found.append(messages.Ticker(symbol, t=ms, last=last, open=last, high=last, low=last, base=1.0, quote=last))
        if not is_spot:
            found.append(messages.Funding(symbol, t=ms, rate=1e-4, at=ms, interval=8 * 3_600_000, rest=True))
            found.append(messages.OpenInterest(symbol, t=ms, amount=1e5, value=last * 1e5))
    return found
