"""What REST answers mean to a session: instrument lists, snapshots, polls. Also those a capture holds."""

from __future__ import annotations

from collections import deque

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges.protocol import Batch, Decoded, Purpose, RestCall, RestMeaning
from ringcollect.feed.books import Books
from ringcollect.feed.catalogue import Catalogue
from ringcollect.feed.connections import Connections
from ringcollect.feed.core import Core
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
    ) -> None:
        self._core = core
        self._recorder = recorder
        self._catalogue = catalogue
        self._requests = requests
        self._books = books
        self._polls = polls
        self._connections = connections
        self._launched: set[str] = set()
        self._calls: dict[str, deque[RestCall]] = {}  # of each market, not yet asked

    def rest(self, request: int, status: int, headers: dict[str, str], body: bytes, now_ns: int) -> None:
        """The answer to request ``request``; status 0: there is none."""
        wanted = self._requests.find(request)
        if wanted is None:
            return
        action, stream = wanted.action, wanted.stream
        headers = self._requests.seen_headers(wanted, headers)
        if stream is None:
            # Megabytes about thousands of instruments we do not collect: only what concerns us is kept and recorded.
            call = RestCall(action.url, action.weight, Purpose.INSTRUMENTS, action.market)
            more = bool(self._calls[action.market])
            page = self._catalogue.read(call, body, more) if 200 <= status < 300 else None
            self.metadata(request, status, headers, page, now_ns)
            return
        self._recorder.rest(action.url, request, status, headers, body, now_ns)
        self._requests.take(request)
        good = self._requests.answered(wanted, status, headers, now_ns)
        meaning = RestMeaning(action.market, Purpose(action.purpose), stream.symbol)
        decoded = self._decode_rest(meaning, body, now_ns) if good else None
        if meaning.purpose is Purpose.SNAPSHOT:
            self._snapshot_answer(stream, request, decoded, now_ns)
        else:
            self._polls.answered(stream, decoded, now_ns)

    def seen(self, url: str, status: int, body: bytes, now_ns: int) -> None:
        """An answer in a capture; the URL says what was asked."""
        meaning = self._core.exchange.read_rest(url)
        if meaning is None or not 200 <= status < 300:
            return
        if meaning.purpose is Purpose.INSTRUMENTS:
            self._catalogue.learn(meaning.market, body, now_ns)
            return
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
        exchange = self._core.exchange
        self._calls[market] = deque(exchange.instruments_calls(market, self._core.market(market).rest_url))
        self._requests.instruments(self._calls[market].popleft(), now_ns)

    def metadata(self, request: int, status: int, headers: dict[str, str], page: Page | None, now_ns: int) -> None:
        """What the exchange says about the planned symbols; None: it did not answer well."""
        wanted = self._requests.take(request)
        if wanted is None:
            return
        market = wanted.action.market
        self._recorder.event("metadata", now_ns, [request, status, headers, page])
        self._requests.answered(wanted, status, headers, now_ns)
        if page is None:
            self._core.timers.set(("list", market), now_ns + self._core.options.metadata_ns)
            return
        if page.next_url:
            self._calls[market].appendleft(RestCall(page.next_url, page.next_weight, Purpose.INSTRUMENTS, market))
        if self._calls[market]:
            self._requests.instruments(self._calls[market].popleft(), now_ns)
            return
        self._catalogue.list_market(market, page.listed, now_ns)
        if market in self._launched:
            self._catalogue.fail_unlisted(market, now_ns)
        self.launch(market, now_ns)

    def launch(self, market: str, now_ns: int) -> None:
        """Subscribe what is planned for ``market``, once."""
        if market in self._launched:
            return
        self._launched.add(market)
        core = self._core
        core.timers.cancel(("metadata", market))
        streams = self._catalogue.plan_streams(market, now_ns)
        polled = core.exchange.polled(market)
        self._polls.begin([s for s in streams if s.channel in polled], now_ns)
        wants = {s.want: s for s in streams if s.channel not in polled}
        for leg in core.exchange.legs(market, list(wants), core.market(market).url):
            self._connections.add_leg(leg, [wants[want] for want in leg.wants], now_ns)

    def _decode_rest(self, meaning: RestMeaning, body: bytes, now_ns: int) -> Decoded | None:
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
            if socket is not None and not self._connections.rolling(socket):
                stream.hand_over()
        return based
