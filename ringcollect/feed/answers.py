"""What REST answers mean to a session: instrument lists, snapshots, polls. Also those a capture holds."""

from __future__ import annotations

from collections import deque

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges.protocol import Batch, Decoded, Purpose, RestCall, RestMeaning
from ringcollect.feed.alignment import Alignment
from ringcollect.feed.backfill import Backfill
from ringcollect.feed.books import Books
from ringcollect.feed.catalogue import Catalogue
from ringcollect.feed.connections import Connections
from ringcollect.feed.core import Core
from ringcollect.feed.membership import Membership
from ringcollect.feed.pages import Page
from ringcollect.feed.polls import Polls
from ringcollect.feed.recording import Recorder
from ringcollect.feed.requests import Requests
from ringcollect.feed.stream import Stream
from ringcollect.records import Channel
from ringcollect.ring.frames import Direction

REST_CONN = 255


class Answers:
    """Gives each answer to whoever waits for it; a market is subscribed when its instrument list is there."""

    def __init__(
        self,
        core: Core,
        recorder: Recorder,
        catalogue: Catalogue,
        requests: Requests,
        books: Books,
        polls: Polls,
        connections: Connections,
        membership: Membership,
        alignment: Alignment,
        backfill: Backfill,
    ) -> None:
        self._core = core
        self._recorder = recorder
        self._catalogue = catalogue
        self._requests = requests
        self._books = books
        self._polls = polls
        self._connections = connections
        self._membership = membership
        self._alignment = alignment
        self._backfill = backfill
        self._launched: set[str] = set()
        self._calls: dict[str, deque[RestCall]] = {}  # of each market, not yet asked
        self._asking: dict[str, int] = {}  # the request under way about each market's instruments

    def rest(self, request: int, status: int, headers: dict[str, str], body: bytes, now_ns: int) -> None:
        """The answer to request ``request``; status 0: there is none."""
        wanted = self._requests.find(request)
        if wanted is None:
            return
        action, stream = wanted.action, wanted.stream
        headers = self._requests.seen_headers(wanted, headers)
        if stream is None:
            # Megabytes about thousands of instruments we do not collect: only what concerns us is kept and recorded.
            call = RestCall(action.url, action.weight, Purpose(action.purpose), action.market)
            good = 200 <= status < 300 and request == self._asking.get(action.market)
            page = self._catalogue.read(call, body, bool(self._calls[action.market])) if good else None
            self.metadata(request, status, headers, page, now_ns)
            return
        meaning = RestMeaning(action.market, Purpose(action.purpose), stream.symbol)
        if meaning.purpose is Purpose.LAST_TRADE:
            told = self._decode_rest(meaning, body, now_ns, keep=False) if 200 <= status < 300 else None
            newest = max((batch.last_id for batch in told.batches), default=-1) if told is not None else -1
            self.aligned(request, status, headers, newest, now_ns)
            return
        self._recorder.rest(action.url, request, status, headers, body, now_ns)
        self._requests.take(request)
        good = self._requests.answered(wanted, status, headers, now_ns)
        decoded = self._decode_rest(meaning, body, now_ns) if good else None
        if meaning.purpose is Purpose.SNAPSHOT:
            self._snapshot_answer(stream, request, decoded, now_ns)
        elif meaning.purpose is Purpose.TRADES:
            batch = next(iter(decoded.batches), None) if decoded is not None else None
            self._backfill.answered(stream, request, batch, now_ns)
        else:
            self._polls.answered(stream, decoded, now_ns)

    def aligned(self, request: int, status: int, headers: dict[str, str], newest_id: int, now_ns: int) -> None:
        """The venue's newest trade has this id; -1: it did not say, or (replay) that was not recorded."""
        wanted = self._requests.take(request)
        if wanted is None or wanted.stream is None:
            return
        self._recorder.event("aligned", now_ns, [request, status, headers])
        self._requests.answered(wanted, status, headers, now_ns)
        self._alignment.answered(wanted.stream, request, newest_id)

    def seen(self, url: str, status: int, body: bytes, now_ns: int) -> None:
        """An answer in a capture; the URL says what was asked."""
        meaning = self._core.exchange.read_rest(url)
        if meaning is None or not 200 <= status < 300:
            return
        if meaning.purpose is Purpose.INSTRUMENTS:
            self._catalogue.learn(meaning.market, body, now_ns)
            return
        if meaning.purpose in (Purpose.LAST_TRADE, Purpose.TRADES):
            return  # nobody knows what they were asked for
        decoded = self._decode_rest(meaning, body, now_ns)
        for batch in () if decoded is None else decoded.batches:
            stream = self._catalogue.stream(meaning.market, meaning.symbol, batch.instrument, batch.channel, now_ns)
            stream.take_back()
            if batch.channel is Channel.BOOK:
                self._based(stream, batch, now_ns)
            else:
                self._polls.publish(stream, batch, now_ns)

    def ask_instruments(self, market: str, now_ns: int) -> None:
        """Ask for the instrument list of ``market`` from its beginning: one request after the other."""
        self._catalogue.forget_pages(market)
        self._requests.forget(self._asking.get(market, 0))
        plan = self._core.market(market)
        calls = deque(self._core.exchange.instruments_calls(market, plan.rest_url))
        if any(rule.top for rule in plan.rules):
            calls.extend(self._core.exchange.volumes_calls(market, plan.rest_url))
        self._calls[market] = calls
        self._ask_next(market, now_ns)

    def ask_no_more(self, market: str) -> None:
        """``market`` is not collected any more."""
        self._core.timers.cancel(("list", market))
        self._core.timers.cancel(("metadata", market))
        self._requests.forget(self._asking.pop(market, 0))
        self._launched.discard(market)

    def _ask_next(self, market: str, now_ns: int) -> None:
        """What is known already can wait for what is not, like the snapshot of a book."""
        urgent = market not in self._launched
        self._asking[market] = self._requests.instruments(self._calls[market].popleft(), now_ns, urgent=urgent)

    def metadata(self, request: int, status: int, headers: dict[str, str], page: Page | None, now_ns: int) -> None:
        """What the exchange says about the planned symbols; None: it did not answer well."""
        wanted = self._requests.take(request)
        if wanted is None:
            return
        market = wanted.action.market
        self._recorder.event("metadata", now_ns, [request, status, headers, page])
        self._requests.answered(wanted, status, headers, now_ns)
        if request != self._asking.get(market):
            return  # it was asked before the configuration changed
        if page is None:
            self._core.timers.set(("list", market), now_ns + self._core.options.metadata_ns)
            return
        if page.next_url:
            self._calls[market].appendleft(RestCall(page.next_url, page.next_weight, Purpose.INSTRUMENTS, market))
        if self._calls[market]:
            self._ask_next(market, now_ns)
            return
        del self._asking[market]
        self._catalogue.list_market(market, page.roster, now_ns)
        self.launch(market, now_ns)
        self._core.timers.set(("list", market), now_ns + self._core.options.refresh_ns)

    def launch(self, market: str, now_ns: int) -> None:
        """Collect what is wanted of ``market``, by the list or, where that does not come, by what names alone say."""
        self._launched.add(market)
        self._core.timers.cancel(("metadata", market))
        self._membership.apply(market, now_ns)

    def _decode_rest(self, meaning: RestMeaning, body: bytes, now_ns: int, *, keep: bool = True) -> Decoded | None:
        """None for what cannot be read; unless ``keep`` is False, what it was is kept with the rejects."""
        core = self._core
        try:
            decoded = core.decoder.rest(meaning, body, now_ns, REST_CONN)
            if decoded.unknown and core.passive:
                decoded = self._catalogue.discover(
                    meaning.market, decoded.unknown, now_ns, lambda: core.decoder.rest(meaning, body, now_ns, REST_CONN)
                )
            return decoded
        except RejectedFrame as error:
            core.sink.count("rest_errors")
            if not keep:
                return None
            kept = body[: core.options.reject_bytes]
            core.sink.keep(kept, now_ns, REST_CONN, Direction.REJECT, reason=error.reason, whole_length=len(body))
            return None

    def _snapshot_answer(self, stream: Stream, request: int, decoded: Decoded | None, now_ns: int) -> None:
        if request != stream.snapshot_request:
            return  # it was asked for before an accident: too old by now
        stream.snapshot_request = 0
        batch = next((b for b in decoded.batches if b.channel is Channel.BOOK), None) if decoded is not None else None
        stream.take_back()
        if batch is None or not self._based(stream, batch, now_ns):
            self._books.failed(stream, "no usable snapshot", now_ns)

    def _based(self, stream: Stream, batch: Batch, now_ns: int) -> bool:
        self._catalogue.refine(stream, batch.records, now_ns)
        before = self._core.sink.counter("records")
        based = self._books.snapshot(stream, batch.records, batch.last_id, now_ns)
        stream.count_records(self._core.sink.counter("records") - before)
        if stream.conn >= 0:
            socket = self._connections.sockets.get(stream.conn)
            if socket is not None and len(self._connections.carriers(socket, stream)) == 1:
                stream.hand_over()
        return based
