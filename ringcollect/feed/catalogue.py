"""Which instruments and streams a session has: from the exchange's list live, from the frames in replay."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np

from ringcollect.errors import ConfigError, RejectedFrame, RingcollectError
from ringcollect.exchanges.hot import HOT_CHANNELS, WANTED
from ringcollect.exchanges.protocol import Decoded, Listing, RestCall, UrlMeaning, Want
from ringcollect.feed.bridge import Bridge
from ringcollect.feed.core import Core
from ringcollect.feed.dense_ids import DenseIds
from ringcollect.feed.inference import inferred_metadata
from ringcollect.feed.ledger import Reason, State, move
from ringcollect.feed.legs import Socket
from ringcollect.feed.pages import Listed, Page, look_up, merged
from ringcollect.feed.recent_ids import RecentIds
from ringcollect.feed.recording import Recorder
from ringcollect.feed.silence import silence_limit_ns
from ringcollect.feed.stream import Stream
from ringcollect.instruments import Instrument, Registry
from ringcollect.records import CHANNELS_BY_NAME, Channel, Kind

_IDENTITY = frozenset({"number", "exchange", "market", "symbol", "valid_from_ns", "version"})


class Catalogue:
    """Registers instruments before their first record and makes their streams."""

    def __init__(self, core: Core, registry: Registry) -> None:
        self._core = core
        self._registry = registry
        self.last_error = ""
        self._native: dict[tuple[str, str], str] = {}  # (market, planned spelling) -> native symbol
        self._unlisted: dict[tuple[str, str], None] = {}  # in the order of the configuration
        self._pages: dict[str, list[Listing]] = {}  # of each market's list, while it comes
        self._metadata: dict[tuple[str, str], dict[str, Any]] = {}  # of a capture's instrument list
        self._more: dict[tuple[str, str], dict[str, Any]] = {}  # and of its partial ones
        self._expected: list[tuple[str, Want, int]] = []  # streams a capture's URLs name, not yet seen

    def begin(self, now_ns: int) -> None:
        """Bring what is known from earlier runs into the ring and the decoder."""
        core = self._core
        recorder = Recorder(core.sink, core.options.record_frames)
        table = core.sink.ring.instruments
        for number in range(len(self._registry.rows()), table.count):  # the disk refused what the ring has
            self._take_from_ring(table.get(number))
        for instrument in self._registry.rows():
            recorder.event("instrument", now_ns, instrument)
            core.sink.instrument(instrument, now_ns, is_new=False, is_changed=False)
            self._tell_decoder(instrument)

    def _take_from_ring(self, kept: Instrument) -> None:
        fields = {f: getattr(kept, f) for f in kept.__struct_fields__ if f not in _IDENTITY}
        instrument, _, _ = self._registry.register(kept.market, kept.symbol, kept.valid_from_ns, **fields)
        if instrument.number != kept.number:
            raise RingcollectError(
                f"the ring says {kept.symbol} ({kept.market}) is instrument {kept.number}, the registry says "
                f"{instrument.number}: one of them is of another collector; `ringcollect clean` removes the ring"
            )

    def instrument(self, number: int) -> Instrument:
        """Instrument ``number``, as it is now."""
        return self._registry.by_number(number)

    # live: the exchange's list

    def read(self, call: RestCall, body: bytes, more: bool) -> Page | None:
        """One answer to ``instruments_calls``, None if it cannot be read. ``more``: others of them are to come."""
        exchange, market = self._core.exchange, call.market
        try:
            following = exchange.next_instruments_call(call, body)
            listings = [one for one in exchange.listings(market, body) if one.market in ("", market)]
        except RejectedFrame as error:
            self._core.sink.count("rest_errors")
            self.last_error = error.reason
            return None
        pages = self._pages.setdefault(market, [])
        pages += listings
        if following is not None:
            return Page(next_url=following.url, next_weight=following.weight)
        if more:
            return Page()
        spellings = [planned.symbol for planned in self._core.market(market).symbols]
        listed, complaint = look_up(exchange, market, spellings, merged(pages))
        self.last_error = complaint or self.last_error
        self.forget_pages(market)
        return Page(listed=listed)

    def forget_pages(self, market: str) -> None:
        """The list is read, or will be read again from its beginning."""
        self._pages.pop(market, None)

    def list_market(self, market: str, listed: Listed, now_ns: int) -> None:
        """Register what is listed; what is not becomes FAILED in the ledger, by name."""
        depths = {planned.symbol: planned.depth for planned in self._core.market(market).symbols}
        for spelling, found in listed.items():
            if found is None:
                self._unlisted[market, spelling] = None
                continue
            symbol, metadata = found
            self._unlisted.pop((market, spelling), None)
            self._native[market, spelling] = symbol
            limit = self._core.exchange.book_depth(market, depths.get(spelling, 0))
            self.register(market, symbol, now_ns, {"book_depth": limit} | metadata)

    def fail_unlisted(self, market: str, now_ns: int) -> None:
        """Streams that were asked for before the list came, of symbols it does not have."""
        sink = self._core.sink
        for spelling in (spelling for of, spelling in self._unlisted if of == market):
            known = self._planned_instrument(market, spelling, True, now_ns)
            for stream in self._core.streams.values():
                if known is not None and stream.instrument == known.number and stream.state is not State.FLOWING:
                    move(stream, State.FAILED, Reason.UNKNOWN_SYMBOL, now_ns, sink)

    def plan_streams(self, market: str, now_ns: int) -> list[Stream]:
        """A stream for everything planned in ``market``; those that can be asked for are returned."""
        possible: list[Stream] = []
        for planned in self._core.market(market).symbols:
            failed = (market, planned.symbol) in self._unlisted
            instrument = self._planned_instrument(market, planned.symbol, failed, now_ns)
            if instrument is None:
                continue
            for name in planned.channels:
                channel = CHANNELS_BY_NAME[name]
                stream = self.stream(market, instrument.symbol, instrument.number, channel, now_ns)
                stream.depth = planned.depth
                if failed:
                    move(stream, State.FAILED, Reason.UNKNOWN_SYMBOL, now_ns, self._core.sink)
                else:
                    possible.append(stream)
        return possible

    def _planned_instrument(self, market: str, spelling: str, unlisted: bool, now_ns: int) -> Instrument | None:
        exchange = self._core.exchange
        symbol = self._native.get((market, spelling))
        if symbol is None:
            try:
                symbol = exchange.resolve(market, spelling, ())
            except ConfigError:
                symbol = spelling
        known = self._registry.get(market, symbol)
        if known is not None and not unlisted:
            return known
        metadata = {"status": "unknown"} if unlisted else exchange.guessed(market, symbol).metadata
        try:
            return self.register(market, symbol, now_ns, metadata)
        except RingcollectError as error:  # no ring row can hold such a symbol, so no ledger row can name it
            self.last_error = str(error)
            self._core.sink.count("refused_symbols")
            return None

    # replay: the frames

    def expect(self, socket: Socket, meaning: UrlMeaning) -> None:
        """The capture's connection asked for these streams in its URL."""
        for name in meaning.streams:
            for want in self._core.exchange.read_stream(meaning.market, name):
                self._expected.append((meaning.market, want, socket.conn))

    def learn(self, market: str, body: bytes, now_ns: int) -> None:
        """An instrument list in a capture: kept for instruments to come, applied to those already seen."""
        try:
            listings = self._core.exchange.listings(market, body)
        except RejectedFrame:
            self._core.sink.count("rest_errors")
            return
        for listing in listings:
            of = listing.market or market
            metadata = listing.metadata
            if listing.partial:
                self._more[of, listing.symbol] = metadata
            else:
                metadata = {"inferred": False} | metadata
                self._metadata[of, listing.symbol] = metadata
            if self._registry.get(of, listing.symbol) is not None:
                self.register(of, listing.symbol, now_ns, metadata | self._more.get((of, listing.symbol), {}))

    def market_of(self, market: str, symbol: str) -> str:
        """The market of a symbol that came by a connection of ``market``; "" if it is not collected."""
        exchange = self._core.exchange
        listed = [of for of in exchange.markets if (of, symbol) in self._metadata]
        return exchange.market_of(market, symbol, listed)

    def discover(self, market: str, symbols: tuple[str, ...], now_ns: int, decode: Callable[[], Decoded]) -> Decoded:
        """Make ``symbols`` known and decode again. Their numbers are given first, so that the records can say which
        tick and precision the venue writes; then they are registered, once, before any record is published.
        """
        core = self._core
        numbers: dict[tuple[str, str], int] = {}
        following = len(self._registry.rows())
        for symbol in dict.fromkeys(symbols):
            of = self.market_of(market, symbol)
            if not of:
                continue
            known = self._registry.get(of, symbol)
            numbers[of, symbol] = following if known is None else known.number
            following += known is None
            core.decoder.add_symbol(of, symbol, numbers[of, symbol])
        decoded: Decoded | None = None
        try:
            decoded = decode()
            return decoded
        finally:  # also when the rest of the frame is bad: the numbers are given
            for (of, symbol), number in numbers.items():
                batches = () if decoded is None else decoded.batches
                records = [b.records for b in batches if b.instrument == number and len(b.records)]
                self._discovered(of, symbol, records, now_ns)

    def _discovered(self, market: str, symbol: str, records: list[np.ndarray], now_ns: int) -> None:
        metadata = dict(self._core.exchange.guessed(market, symbol).metadata)
        listed = self._metadata.get((market, symbol))
        if listed is not None:
            metadata |= listed
        elif records:
            metadata |= _inferred(np.concatenate(records))
        else:
            metadata |= {"inferred": True}
        metadata |= self._more.get((market, symbol), {})
        for batch in records:
            metadata |= self._limit(market, batch)
        instrument = self.register(market, symbol, now_ns, metadata)
        for expected in [e for e in self._expected if e[0] == market and e[1].symbol == symbol]:
            self._expected.remove(expected)
            stream = self.stream(market, symbol, instrument.number, expected[1].channel, now_ns)
            move(stream, State.REQUESTED, Reason.NONE, now_ns, self._core.sink, expected[2])

    def refine(self, stream: Stream, records: np.ndarray, now_ns: int) -> None:
        """A snapshot shows more prices than a first frame: an inferred tick may turn out to be finer."""
        instrument = self._registry.by_number(stream.instrument)
        if self._core.passive and not instrument.book_depth:
            limit = self._limit(stream.market, records)
            if limit:
                self.register(stream.market, stream.symbol, now_ns, limit)
        if not instrument.inferred or not len(records):
            return
        seen = _inferred(records)
        if seen["price_precision"] > instrument.price_precision or seen["size_precision"] > instrument.size_precision:
            seen["price_precision"] = max(seen["price_precision"], instrument.price_precision)
            seen["size_precision"] = max(seen["size_precision"], instrument.size_precision)
            seen["tick_size"] = float(f"1e-{seen['price_precision']}")
            seen["lot_size"] = float(f"1e-{seen['size_precision']}")
            self.register(stream.market, stream.symbol, now_ns, seen)

    def _limit(self, market: str, records: np.ndarray) -> dict[str, Any]:
        """Where books are cut at a depth, a capture tells it by its snapshots: as metadata, {} if there is no limit."""
        sides = records["side"][records["kind"] == Kind.BOOK_SNAPSHOT]
        most = max(np.count_nonzero(sides == 1), np.count_nonzero(sides == -1))
        limit = self._core.exchange.book_depth(market, int(most)) if most else 0
        return {"book_depth": limit} if limit else {}

    # both

    def register(self, market: str, symbol: str, now_ns: int, metadata: dict[str, Any]) -> Instrument:
        """Make an instrument known to registry, ring and decoder, and say so in the data if that is news."""
        core = self._core
        instrument, is_new, is_changed = self._registry.register(market, symbol, now_ns, **metadata)
        core.sink.instrument(instrument, now_ns, is_new=is_new, is_changed=is_changed)
        self._tell_decoder(instrument)
        return instrument

    def _tell_decoder(self, instrument: Instrument) -> None:
        self._core.decoder.add_symbol(
            instrument.market, instrument.symbol, instrument.number, instrument.funding_interval_ns
        )

    def stream(self, market: str, symbol: str, instrument: int, channel: Channel, now_ns: int) -> Stream:
        """The stream of (instrument, channel), made with its ledger row if it is new."""
        core = self._core
        key = (instrument, int(channel))
        stream = core.streams.get(key)
        if stream is not None:
            return stream
        row = core.sink.ring.ledger.add()
        row["instrument"], row["channel"], row["since_ns"] = instrument, channel, now_ns
        row["reason"] = Reason.STARTING
        stream = Stream(market, symbol, instrument, channel, row)
        exchange = core.exchange
        if channel is Channel.BOOK:
            stream.bridge = Bridge(
                exchange.accept(market), exchange.join(market), core.options.held_records,
                numbered=exchange.numbered_books(market),
            )  # fmt: skip
            stream.based_by_stream = exchange.book_base(market) == "stream"
            if stream.bridge.numbered:
                stream.track()
        if channel is Channel.TRADE:
            if exchange.dense_trade_ids(market):
                stream.ids = DenseIds()
                stream.track()
            else:
                stream.recent = RecentIds()
        row["silence_limit_ns"] = silence_limit_ns(channel, core.options)
        if channel in HOT_CHANNELS:
            stream.hot = core.decoder.hot.row(instrument, channel)
            stream.hot[:] = 0
            stream.hot[WANTED] = 1
        core.streams[key] = stream
        return stream


def _inferred(records: np.ndarray) -> dict[str, Any]:
    """Metadata from the numbers of ``records``: a correctly rounded float's shortest text is the venue's, trimmed."""
    prices = [_text(x) for x in np.unique(records["price"]) if np.isfinite(x)]
    sizes = [_text(x) for x in np.unique(records["size"]) if np.isfinite(x)]
    return inferred_metadata(prices, sizes)


def _text(number: float) -> str:
    return format(Decimal(repr(float(number))), "f")
