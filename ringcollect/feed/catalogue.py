"""Which instruments and streams a session has: from the exchange's list live, from the frames in replay."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np

from ringcollect.errors import ConfigError, RejectedFrame, RingcollectError
from ringcollect.exchanges.hot import WANTED
from ringcollect.exchanges.protocol import Decoded, Listing, Purpose, RestCall, UrlMeaning, Want
from ringcollect.feed.actions import Complain
from ringcollect.feed.ahead import Ahead
from ringcollect.feed.bridge import Bridge
from ringcollect.feed.core import Core
from ringcollect.feed.dense_ids import DenseIds
from ringcollect.feed.inference import inferred_metadata
from ringcollect.feed.ledger import Reason, State, move
from ringcollect.feed.legs import Socket
from ringcollect.feed.pages import Page
from ringcollect.feed.recent_ids import RecentIds
from ringcollect.feed.recording import Recorder
from ringcollect.feed.roster import DELISTED, Before, Entry, Roster, choose, merged
from ringcollect.feed.silence import silence_limit_ns
from ringcollect.feed.stream import Stream, StreamKey
from ringcollect.feed.wanted import Wanted, add_wanted, part_of
from ringcollect.instruments import MAX_INSTRUMENTS, Instrument, Registry
from ringcollect.records import Channel, Kind

_IDENTITY = frozenset({"number", "exchange", "market", "symbol", "valid_from_ns", "version"})


class Catalogue:
    """Registers instruments before their first record and makes their streams."""

    def __init__(self, core: Core, registry: Registry) -> None:
        self._core = core
        self._registry = registry
        self.last_error = ""
        self.problems: tuple[str, ...] = ()
        self._rosters: dict[str, Roster] = {}
        self._further: dict[str, list[str]] = {}  # problems that are not the list's
        self._volumes: dict[str, dict[str, float]] = {}  # of each market's list, while it comes
        self._closed: dict[StreamKey, np.ndarray] = {}  # ledger rows of streams that ended, to be used again
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
        """One answer to what was asked about a market's instruments, None if it cannot be read.

        ``more``: others are to come.
        """
        exchange, market = self._core.exchange, call.market
        following: RestCall | None = None
        try:
            if call.purpose is Purpose.VOLUMES:
                self._volumes.setdefault(market, {}).update(exchange.volumes(market, body))
            else:
                following = exchange.next_instruments_call(call, body)
                listings = [one for one in exchange.listings(market, body) if one.market in ("", market)]
                self._pages.setdefault(market, []).extend(listings)
        except RejectedFrame as error:
            self._core.sink.count("rest_errors")
            self.last_error = error.reason
            return None
        if following is not None:
            return Page(next_url=following.url, next_weight=following.weight)
        if more:
            return Page()
        plan = self._core.market(market)
        known = merged(self._pages.get(market, ()))
        roster = choose(exchange, plan, known, self._volumes.get(market, {}), self._before(market), self._room(market))
        self.forget_pages(market)
        return Page(roster=roster)

    def forget_pages(self, market: str) -> None:
        """The list is read, or will be read again from its beginning."""
        self._pages.pop(market, None)
        self._volumes.pop(market, None)

    def _before(self, market: str) -> Before:
        entries = self._rosters.get(market, Roster()).entries
        return Before(
            symbols=frozenset(entry.symbol for entry in entries),
            codes={entry.symbol: entry.code for entry in entries if entry.code},
            ruled=frozenset(entry.symbol for entry in entries if entry.is_ruled),
            renamed=self._rosters.get(market, Roster()).renamed,
        )

    def _room(self, market: str) -> int:
        """How many instruments of ``market`` fit beside those of the other markets."""
        others = sum(1 for known in self._registry.rows() if known.market != market)
        return MAX_INSTRUMENTS - others

    def list_market(self, market: str, roster: Roster, now_ns: int) -> None:
        """Register what is collected; of what is listed no more the data says so."""
        core = self._core
        plan = core.market(market)
        for entry in roster.entries:
            depth = part_of(plan, entry).depth
            limit = core.exchange.book_depth(market, depth)
            self.register(market, entry.symbol, now_ns, {"book_depth": limit} | entry.metadata)
        for symbol in roster.gone:
            named = self._registry.get(market, roster.renamed.get(symbol, ""))
            self.register(market, symbol, now_ns, {"status": DELISTED}, gone_to=-1 if named is None else named.number)
        self._rosters[market] = roster
        self._complain()

    def forget_market(self, market: str) -> None:
        """It is not collected any more."""
        self._rosters.pop(market, None)
        self._further.pop(market, None)
        self._complain()

    def say(self, market: str, problems: list[str]) -> None:
        """What else is wrong with what is wanted of ``market``, besides what its list says."""
        self._further[market] = problems
        self._complain()

    def _complain(self) -> None:
        by_list = [problem for roster in self._rosters.values() for problem in roster.problems]
        problems = (*by_list, *(problem for further in self._further.values() for problem in further))
        if problems != self.problems:
            self.problems = problems
            self._core.act(Complain(problems))

    def wanted(self, market: str, now_ns: int) -> dict[StreamKey, Wanted]:
        """Every stream that the plan of ``market`` names, with what is known of the list until now.

        Names come before rules, and each (instrument, channel) is whose it was first.
        """
        core = self._core
        plan = core.market(market)
        roster = self._rosters.get(market, Roster())
        listed = {entry.plan: entry for entry in roster.entries if not entry.is_ruled}
        wanted: dict[StreamKey, Wanted] = {}
        for position, named in enumerate(plan.symbols):
            missing = position in roster.unlisted
            entry = listed.get(position)
            instrument = self._planned_instrument(market, named.symbol, entry, missing, now_ns)
            if instrument is not None:
                add_wanted(wanted, instrument, named, missing)
        for entry in roster.entries:
            known = self._registry.get(market, entry.symbol)
            if entry.is_ruled and known is not None and entry.plan < len(plan.rules):
                add_wanted(wanted, known, part_of(plan, entry), False)
        return wanted

    def _planned_instrument(
        self, market: str, spelling: str, entry: Entry | None, missing: bool, now_ns: int
    ) -> Instrument | None:
        exchange = self._core.exchange
        if entry is not None:
            symbol = entry.symbol
        else:
            try:
                symbol = exchange.resolve(market, spelling, ())
            except ConfigError:
                symbol = spelling
        known = self._registry.get(market, symbol)
        if known is not None:
            return known
        metadata = {"status": "unknown"} if missing else exchange.guessed(market, symbol).metadata
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

    def may_deepen(self, stream: Stream) -> bool:
        """Whether a capture may have subscribed the book anew with more levels, where the venue keeps a depth."""
        return self._core.passive and self._registry.by_number(stream.instrument).book_depth > 0

    def refine(self, stream: Stream, records: np.ndarray, now_ns: int) -> None:
        """A snapshot shows more prices than a first frame: an inferred tick may turn out to be finer."""
        instrument = self._registry.by_number(stream.instrument)
        if self._core.passive:
            limit = self._limit(stream.market, records)
            if limit.get("book_depth", 0) > instrument.book_depth:  # subscribed anew with more levels
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

    def register(
        self, market: str, symbol: str, now_ns: int, metadata: dict[str, Any], *, gone_to: int | None = None
    ) -> Instrument:
        """Make an instrument known to registry, ring and decoder, and say so in the data if that is news.

        ``gone_to``: the exchange does not list it any more; the number of what it is called now, -1 if nothing is.
        """
        core = self._core
        instrument, is_new, is_changed = self._registry.register(market, symbol, now_ns, **metadata)
        core.sink.instrument(instrument, now_ns, is_new=is_new, is_changed=is_changed, gone_to=gone_to)
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
        row = self._ledger_row(key)
        row["instrument"], row["channel"], row["since_ns"] = instrument, channel, now_ns
        row["reason"] = Reason.STARTING
        stream = Stream(market, symbol, instrument, channel, row)
        exchange = core.exchange
        if channel is Channel.BOOK:
            stream.bridge = Bridge(
                exchange.accept(market), exchange.join(market), core.options.held_records,
                numbered=exchange.numbered_books(market),
            )  # fmt: skip
            stream.ahead = Ahead(core.options.held_records)
            base = exchange.book_base(market)
            stream.based_by_stream, stream.rest_too = base != "rest", base == "either"
            if stream.bridge.numbered:
                stream.track()
        if channel is Channel.TRADE:
            if exchange.dense_trade_ids(market):
                stream.ids = DenseIds()
                stream.track()
            else:
                stream.recent = RecentIds()
        row["silence_limit_ns"] = silence_limit_ns(channel, core.options)
        stream.hot = core.decoder.hot.row(instrument, channel)
        stream.hot[:] = 0
        stream.hot[WANTED] = 1
        core.streams[stream.key] = stream
        return stream

    def follow_kind(self, stream: Stream, wanted: bool) -> None:
        """Its book comes by the venue's stream that was chosen for it, or not any more."""
        core = self._core
        if stream.channel is Channel.BOOK and stream.kind:
            stream.based_by_stream = core.exchange.book_base(stream.market, stream.kind) != "rest"
            core.decoder.collect_whole(stream.market, stream.symbol, wanted and stream.based_by_stream)

    def end(self, stream: Stream) -> None:
        """The session has it no more; its ledger row stays, until another needs the place."""
        self.follow_kind(stream, False)
        if stream.hot is not None:
            stream.hot[:] = 0
        stream.row["silence_limit_ns"] = 0
        self._core.streams.pop(stream.key, None)
        self._closed[stream.key] = stream.row

    def streams_left(self) -> int:
        """How many more streams the ledger has room for."""
        return self._core.sink.ring.ledger.free + len(self._closed)

    def _ledger_row(self, key: StreamKey) -> np.ndarray:
        """Its own row from before, else a new one, else that of the stream that ended first."""
        row = self._closed.pop(key, None)
        ledger = self._core.sink.ring.ledger
        if row is None and self._closed and not ledger.free:
            row = self._closed.pop(next(iter(self._closed)))
        if row is None:
            return ledger.add()
        row[:] = np.zeros(1, row.dtype)
        return row


def _inferred(records: np.ndarray) -> dict[str, Any]:
    """Metadata from the numbers of ``records``: a correctly rounded float's shortest text is the venue's, trimmed."""
    prices = [_text(x) for x in np.unique(records["price"]) if np.isfinite(x)]
    sizes = [_text(x) for x in np.unique(records["size"]) if np.isfinite(x)]
    return inferred_metadata(prices, sizes)


def _text(number: float) -> str:
    return format(Decimal(repr(float(number))), "f")
