"""From a socket's decoded frames to the streams they belong to: each batch by the rules of its channel."""

from __future__ import annotations

import dataclasses

from ringcollect.exchanges import hot
from ringcollect.exchanges.protocol import Batch, Verdict
from ringcollect.feed.books import Books, Cause
from ringcollect.feed.bridge import Phase
from ringcollect.feed.catalogue import Catalogue
from ringcollect.feed.connections import Connections
from ringcollect.feed.core import Core
from ringcollect.feed.ledger import Reason, State, move
from ringcollect.feed.legs import Socket
from ringcollect.feed.prints import Prints
from ringcollect.feed.stream import Stream
from ringcollect.feed.watchdog import Watchdog
from ringcollect.records import Channel, Flag, Kind, Status


class Delivery:
    """Hands batches to books and prints, and keeps the ledger of what flows."""

    def __init__(
        self,
        core: Core,
        catalogue: Catalogue,
        books: Books,
        prints: Prints,
        connections: Connections,
        watchdog: Watchdog,
    ) -> None:
        self._core = core
        self._catalogue = catalogue
        self._books = books
        self._prints = prints
        self._connections = connections
        self._watchdog = watchdog

    def batches(self, socket: Socket, batches: tuple[Batch, ...], sequence: int, now_ns: int) -> None:
        """What one frame held; ``sequence`` is the frame's number on its connection, -1 where there is none.

        A missing number means that a frame of any stream may be lost: all of them are marked, every book is void, and
        the connection is replaced. A number seen before is a frame sent twice.
        """
        place = self._place(socket, sequence)
        if place is Verdict.GAP:
            self._hole(socket, int(socket.context[hot.C_EXPECTED]), sequence, now_ns)
        if place is not Verdict.STALE and sequence >= 0:
            socket.context[hot.C_EXPECTED] = sequence + 1
        for batch in batches:
            if place is Verdict.STALE:
                self._copy(batch, now_ns)
            else:
                self._batch(socket, batch, now_ns, numbered=sequence >= 0)
        if place is Verdict.GAP and socket.leg is not None:
            self._connections.give_up(socket, "a message is missing", now_ns)

    @staticmethod
    def _place(socket: Socket, sequence: int) -> Verdict:
        expected = int(socket.context[hot.C_EXPECTED])
        if sequence < 0 or expected < 0 or sequence == expected:
            return Verdict.FITS
        return Verdict.STALE if sequence < expected else Verdict.GAP

    def _hole(self, socket: Socket, expected: int, got: int, now_ns: int) -> None:
        sink = self._core.sink
        sink.count("connection_gaps")
        for stream in self._connections.carried_by(socket):
            stream.take_back()
            follows = stream.bridge is not None and not stream.bridge.numbered and stream.conn == socket.conn
            if not follows and len(self._connections.carriers(socket, stream)) > 1:
                continue  # what this one lost, another one brings
            stream.gap = True
            stream.count_gap(got - expected)
            sink.status(
                Status.SEQ_GAP, now_ns, instrument=stream.instrument, channel=stream.channel, conn=socket.conn & 0xFF,
                start=expected, end=got, ts_event=stream.last_data_ns,
            )  # fmt: skip
            if stream.bridge is not None and stream.bridge.phase is not Phase.VOID:
                self._books.void(stream, Cause.GAP, now_ns)

    def _copy(self, batch: Batch, now_ns: int) -> None:
        """Of a frame the venue sent twice: kept once more, applied by nobody."""
        records = batch.records
        stream = self._core.streams.get((batch.instrument, int(batch.channel)))
        if stream is None or not len(records):
            return
        core = self._core
        stream.take_back()
        stream.count_duplicate(len(records))
        core.sink.count("duplicates")
        if not core.options.keep_duplicates:
            return
        flags = Flag.DUPLICATE | Flag.UNSYNCED if batch.channel is Channel.BOOK else Flag.DUPLICATE
        records["flags"] |= int(flags)
        core.sink.data(records, now_ns)
        stream.touched(now_ns, len(records))

    def _batch(self, socket: Socket, batch: Batch, ts_recv: int, *, numbered: bool) -> None:
        core = self._core
        stream = core.streams.get((batch.instrument, int(batch.channel)))
        if stream is None:
            if not core.passive:
                return  # it came along with what was asked for
            instrument = self._catalogue.instrument(batch.instrument)
            stream = self._catalogue.stream(
                instrument.market, instrument.symbol, batch.instrument, batch.channel, ts_recv
            )
        stream.take_back()
        if numbered:
            stream.track()
        if batch.lossy:
            self._may_be_missing(stream, ts_recv)
        if stream.state is not State.FLOWING:
            move(stream, State.FLOWING, Reason.NONE, ts_recv, core.sink, socket.conn)
            stream.asked = 0
        if len(batch.records) and batch.records["flags"][0] & int(Flag.BAD_TS):
            core.sink.count("bad_ts")
        before = core.sink.counter("records")
        carriers = self._connections.carriers(socket, stream)
        dropped = stream.dropped
        followed = self._dispatch(stream, batch, socket, carriers, ts_recv)
        recorded = core.sink.counter("records") - before
        if len(batch.records) and batch.records["kind"][0] == Kind.BOOK_CHECK:
            stream.count_records(recorded)  # its frame was counted with the levels before it
        else:
            stream.touched(ts_recv, recorded)
        if len(carriers) > 1:
            self._connections.compare(socket, stream, stream.dropped > dropped, ts_recv)
        if followed:
            self._connections.handover.carried(socket, stream, ts_recv)
        if ("stream", stream.key) not in core.timers:
            self._watchdog.watch(stream, ts_recv)
        if len(carriers) == 1 and stream.conn == socket.conn:
            stream.hand_over()

    def _may_be_missing(self, stream: Stream, now_ns: int) -> None:
        """The source of the stream says so itself: how much, nobody knows."""
        self._core.sink.count("possible_losses")
        stream.count_gap(1)
        stream.gap = True
        self._core.sink.status(
            Status.SEQ_GAP, now_ns, instrument=stream.instrument, channel=stream.channel, ts_event=stream.last_data_ns
        )

    def _dispatch(self, stream: Stream, batch: Batch, socket: Socket, carriers: tuple[int, ...], now_ns: int) -> bool:
        """Publish ``batch`` by the rules of its channel; False if it is kept because its socket runs ahead."""
        records = batch.records
        if stream.bridge is not None:
            return self._book(stream, batch, socket, carriers, now_ns) if len(records) else True
        if stream.ids is not None and batch.first_id >= 0:
            self._prints.trades(stream, batch, carriers, now_ns)
        elif stream.recent is not None and len(records):
            self._prints.unnumbered(stream, records, socket.conn, now_ns)
        elif len(records):
            self._prints.plain(stream, records, carriers, now_ns, keyed_by_id=stream.channel is Channel.BBO)
        return True

    def _book(self, stream: Stream, batch: Batch, socket: Socket, carriers: tuple[int, ...], now_ns: int) -> bool:
        """A book's frame; a checksum behind its levels goes the way they went."""
        assert stream.bridge is not None
        records, conn = batch.records, socket.conn
        if not stream.bridge.numbered and self._connections.stands_by(socket, stream):
            self._books.drop(stream)
            return True
        followed = True
        levels = records[:-1] if records["kind"][-1] == Kind.BOOK_CHECK else records
        if len(levels):
            part = batch if len(levels) == len(records) else dataclasses.replace(batch, records=levels)
            if levels["kind"][0] == Kind.BOOK_SNAPSHOT:
                if part.last_id < 0:
                    stream.bridge.numbered = False  # a recording from before the venue numbered its books
                if stream.bridge.phase is Phase.VOID or self._catalogue.may_deepen(stream):
                    self._catalogue.refine(stream, levels, now_ns)
                self._books.streamed(stream, part, conn, now_ns, again=stream.key in socket.flowing)
            else:
                followed = self._books.delta(stream, part, carriers, now_ns)
        if len(levels) < len(records):
            self._books.check(stream, records[-1:], conn, now_ns)
        return followed
