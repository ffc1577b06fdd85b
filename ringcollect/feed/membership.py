"""What is collected, kept as it is wanted: at the start, when the list changes, when the configuration does.

One way for all three: what is wanted of a market is compared with what there is; what is missing is subscribed on
connections that have room, what is too much is unsubscribed. Everything else is not touched.
"""

from __future__ import annotations

import msgspec

from ringcollect.feed.actions import Reloaded
from ringcollect.feed.catalogue import Catalogue
from ringcollect.feed.connections import MOST_LEGS, Connections
from ringcollect.feed.core import Core
from ringcollect.feed.ledger import Reason, State, move
from ringcollect.feed.placing import place, without
from ringcollect.feed.plan import Plan
from ringcollect.feed.polls import Polls
from ringcollect.feed.requests import Requests
from ringcollect.feed.roster import DELISTED
from ringcollect.feed.stream import Stream, StreamKey
from ringcollect.feed.wanted import Wanted
from ringcollect.records import Channel, Status


class Membership:
    """The streams of a session: who joins, who leaves."""

    def __init__(
        self, core: Core, catalogue: Catalogue, requests: Requests, polls: Polls, connections: Connections
    ) -> None:
        self._core = core
        self._catalogue = catalogue
        self._requests = requests
        self._polls = polls
        self._connections = connections
        self._joined: set[StreamKey] = set()
        self._changing: dict[str, None] = {}  # markets whose new configuration is not in force yet
        self._added = self._ended = 0  # by a changed configuration

    def apply(self, market: str, now_ns: int) -> None:
        """Collect of ``market`` what is wanted, no more and no less."""
        core = self._core
        wanted = self._catalogue.wanted(market, now_ns)
        streams = [stream for stream in core.streams.values() if stream.market == market]
        ended = [stream for stream in streams if not self._stays(stream, wanted.get(stream.key))]
        self._end(market, [stream for stream in ended if stream.key in wanted], now_ns)  # and begin anew
        added: list[Stream] = []
        refused = 0
        for key, want in wanted.items():
            if want.missing and want.instrument.status == DELISTED:
                continue
            if key not in core.streams and not self._catalogue.streams_left():
                refused += 1
                continue
            instrument = want.instrument
            stream = self._catalogue.stream(market, instrument.symbol, instrument.number, want.channel, now_ns)
            stream.depth, stream.kind = want.depth, want.kind
            self._catalogue.follow_kind(stream, True)
            if want.missing:
                if stream.state is not State.FLOWING:
                    move(stream, State.FAILED, Reason.UNKNOWN_SYMBOL, now_ns, core.sink)
            elif key not in self._joined:
                added.append(stream)
        left_out = self._join(market, added, now_ns)
        self._end(market, [stream for stream in ended if stream.key not in wanted], now_ns)  # a socket may go with them
        complaints = [f"{refused} subscriptions of {market} do not fit into the ledger"] if refused else []
        if left_out:
            complaints.append(f"{left_out} subscriptions of {market} need more than {MOST_LEGS} connections")
        core.sink.count("refused_symbols", refused + left_out)
        self._catalogue.say(market, [f"{core.exchange.name}: {text}; name fewer symbols" for text in complaints])
        self._changed(market, len(added), len(ended), now_ns)

    def reload(self, plan: Plan, now_ns: int) -> list[str]:
        """Take over a changed configuration; returns the markets whose instrument list must be asked for first."""
        core = self._core
        before = core.plan
        kept = {name: getattr(before.options, name) for name in ("seed", "discover", "record_frames")}
        core.plan = msgspec.structs.replace(plan, options=msgspec.structs.replace(plan.options, **kept))
        old = {market.market: market for market in before.markets}
        new = {market.market: market for market in plan.markets}
        self._changing |= dict.fromkeys(
            market for market in (*old, *new) if old.get(market) != new.get(market)
        )  # fmt: skip
        if self._changing:
            for market in [market for market in self._changing if market not in new]:
                self._catalogue.forget_market(market)
                self.apply(market, now_ns)
        else:
            if before.options != core.plan.options:
                core.sink.status(Status.CONFIG_CHANGED, now_ns)
            self._done()
        return list(self._changing)

    @staticmethod
    def _stays(stream: Stream, want: Wanted | None) -> bool:
        """What is not listed may flow all the same; what is listed no more will not for long."""
        if want is None:
            return False
        if want.missing:
            is_over = want.instrument.status == DELISTED
            return stream.state is State.FAILED or (stream.state is State.FLOWING and not is_over)
        book_changed = stream.channel is Channel.BOOK and stream.depth != want.depth
        return not book_changed and stream.kind == want.kind

    def _changed(self, market: str, added: int, ended: int, now_ns: int) -> None:
        if market not in self._changing:
            return
        del self._changing[market]
        self._added += added
        self._ended += ended
        self._core.sink.status(Status.CONFIG_CHANGED, now_ns, start=added, end=ended)
        if not self._changing:
            self._done()

    def _done(self) -> None:
        self._core.act(Reloaded(self._added, self._ended))
        self._added = self._ended = 0

    # joining

    def _join(self, market: str, streams: list[Stream], now_ns: int) -> int:
        """Subscribe ``streams``; returns for how many there is no connection left."""
        core = self._core
        self._joined |= {stream.key for stream in streams}
        polled = core.exchange.polled(market)
        asked = [stream for stream in streams if stream.channel in polled]
        if asked:
            self._polls.begin(asked, now_ns)
        by_want = {stream.want: stream for stream in streams if stream.channel not in polled}
        if not by_want:
            return 0
        url = core.market(market).url
        legs = [(leg.number, leg.plan) for leg in self._connections.shards() if leg.plan.market == market]
        placed, new = place(core.exchange, market, url, legs, list(by_want))
        for joining in placed:
            some = [by_want[want] for want in joining.wants]
            self._connections.extend(self._connections.legs[joining.leg], joining.plan, some, now_ns)
        room = self._connections.room()
        for leg in new[:room]:
            self._connections.add_leg(leg, [by_want[want] for want in leg.wants], now_ns)
        out = [by_want[want] for leg in new[room:] for want in leg.wants]
        for stream in out:
            self._joined.discard(stream.key)
            move(stream, State.FAILED, Reason.NO_ROOM, now_ns, core.sink)
        return len(out)

    # leaving

    def _end(self, market: str, streams: list[Stream], now_ns: int) -> None:
        """Unsubscribe ``streams``; the ledger and the data say that they ended, and why."""
        core = self._core
        for leg in self._connections.shards():
            mine = [stream for stream in leg.streams if stream in streams]
            if mine:
                plan, gone = without(core.exchange, leg.plan, [stream.want for stream in mine], core.market(market).url)
                self._connections.shrink(leg, plan, mine, gone, now_ns)
        for stream in streams:
            stream.take_back()
            self._polls.end(stream)
            self._requests.forget(stream.snapshot_request)
            self._requests.forget(stream.align_request)
            stream.snapshot_request = stream.align_request = 0
            core.timers.cancel_of(stream.key)
            core.sink.status(
                Status.COUNTERS, now_ns, instrument=stream.instrument, channel=stream.channel,
                ts_event=stream.last_data_ns, start=stream.frames, end=stream.records,
                number=float(stream.duplicates), second=float(stream.gaps),
            )  # fmt: skip
            is_over = self._catalogue.instrument(stream.instrument).status == DELISTED
            reason = Reason.DELISTED if is_over else Reason.NOT_WANTED
            move(stream, State.CLOSED, reason, now_ns, core.sink)
            self._joined.discard(stream.key)
            self._catalogue.end(stream)
