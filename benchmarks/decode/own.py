"""The worker of our own environment: ringcollect, and the JSON libraries that live beside it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import orjson

from benchmarks.decode import typed
from benchmarks.decode.book import Books, tick_of
from benchmarks.decode.evidence import LEVELS
from benchmarks.serving import Subject, serve
from ringcollect.exchanges import hot, load
from ringcollect.exchanges.protocol import Batch, Code, Exchange
from ringcollect.records import RECORD, Channel, Flag
from ringcollect.ring.producer import Producer

DAY_NS = 86_400 * 10**9
RING = 1 << 17
LEAST_UNITS, LEAST_BYTES = 10_000, 3_000_000
"""A short case is gone over again until a round has this many frames or bytes."""
MOST_PASSES = 20
"""Of a case that starts from its snapshots each time."""
TYPED_SHARE = 10
"""The typed way, tens of microseconds a frame, needs a tenth of that."""


class Own:
    """Frames of one case, with a decoder that knows their symbols; what every subject of ours starts from."""

    def __init__(self, spec: dict[str, Any]) -> None:
        case = json.loads(Path(spec["case"]).read_text())
        self.exchange: Exchange = load(case["exchange"])
        self.market: str = case["market"]
        self.channel: str = case["channel"]
        self.symbols: list[str] = list(case["symbols"])
        self.url: str = case["url"]
        self.frames = [frame.encode() for _, frame in case["frames"]]
        self.times = [time for time, _ in case["frames"]]
        self.seeds = case["seeds"]
        self.prelude = [(frame.encode(), time) for time, frame in case["prelude"]]
        self.decoder = self.exchange.decoder(max_past_ns=DAY_NS, max_future_skew_ns=DAY_NS)
        for number, (symbol, of) in enumerate(case["symbols"].items()):
            self.decoder.add_symbol(of["market"], symbol, number)
        meaning = self.exchange.read_url(self.url) if self.url.startswith("ws") else None
        self.ctx = self.decoder.context(self.market, 0, meaning.streams if meaning else ())
        for frame, time in self.prelude:  # what a connection remembers
            self.decoder.cold(frame, self.ctx, time)
        self.renumber()
        size = sum(map(len, self.frames))
        again = min(LEAST_UNITS / len(self.frames), LEAST_BYTES / size)
        self.again = max(1, round(again * float(spec.get("share", 1.0))))
        self.pairs = list(zip(self.frames, self.times, strict=True))

    def renumber(self) -> None:
        """Number messages as a connection that carries nothing but this case would: without holes in between."""
        following = -1
        for k, (frame, time) in enumerate(zip(self.frames, self.times, strict=True)):
            if self.exchange.decode_hot(frame, self.ctx, time) <= 0 or self.ctx[hot.C_SEQUENCE] < 0:
                return
            number = int(self.ctx[hot.C_SEQUENCE])
            following = following + 1 if k else number
            self.frames[k] = frame.replace(b'"sequence_num":%d' % number, b'"sequence_num":%d' % following)

    def prepare(self) -> None:
        """Nothing to take back."""

    def run(self) -> int:
        """One round."""
        raise TypeError("every subject says what a round is")

    def evidence(self) -> dict[str, Any]:
        """The last numbers of each symbol, by our decoder."""
        last: dict[str, Any] = {}
        for frame, time in zip(self.frames, self.times, strict=True):
            n = self.exchange.decode_hot(frame, self.ctx, time)
            if n <= 0:
                continue
            records = self.decoder.batch[:n]
            symbol = self.symbols[int(records[0]["instrument"])]
            if self.channel == "trade":
                last[symbol] = [float(records[-1]["price"]), float(records[-1]["size"])]
            elif self.channel == "bbo":
                last[symbol] = [float(records[k][name]) for k in (0, 1) for name in ("price", "size")]
        return last


class Decode(Own):
    """Frame to records in the private batch, one call a frame."""

    def run(self) -> int:
        decode, cold, ctx = hot.quick(self.exchange.decode_hot), self.decoder.cold, self.ctx
        for _ in range(self.again):
            for frame, time in self.pairs:
                if decode(frame, ctx, time) < 0:
                    cold(frame, ctx, time)
        return len(self.pairs) * self.again


class Cold(Own):
    """What a frame costs that no exchange's own kernel takes: the shared kernel, then the typed way where need be."""

    def __init__(self, spec: dict[str, Any]) -> None:
        super().__init__(spec)
        if any(self.exchange.decode_hot(frame, self.ctx, time) < 0 for frame, time in self.pairs):
            self.again = max(1, self.again // TYPED_SHARE)

    def run(self) -> int:
        hot_way, cold, ctx = hot.quick(self.exchange.decode_hot), self.decoder.cold, self.ctx
        for _ in range(self.again):
            for frame, time in self.pairs:
                if hot_way(frame, ctx, time) < 0:
                    cold(frame, ctx, time)
        return len(self.pairs) * self.again


class Rest(Cold):
    """A REST book to records."""

    def run(self) -> int:
        meaning = self.exchange.read_rest(self.url)
        assert meaning is not None
        rest = self.decoder.rest
        for frame, time in self.pairs:
            rest(meaning, frame, time)
        return len(self.pairs)


def _before(batch: Batch) -> int:
    """The id that the batch follows."""
    if batch.prev_id >= 0:
        return batch.prev_id
    return batch.first_id - 1 if batch.first_id > 0 and batch.channel != Channel.BBO else -1


class Publish(Own):
    """Decode, test the venue's continuity rule, publish to a real ring and count, one call a frame."""

    def __init__(self, spec: dict[str, Any]) -> None:
        super().__init__(spec)
        shm = Path("/dev/shm")
        self._records = 0
        self._folder = tempfile.TemporaryDirectory(prefix="ringcollect-bench-", dir=shm if shm.is_dir() else None)
        self.ring = Producer.open(Path(self._folder.name), "bench.rec", RECORD, RING, generation=1)
        for _ in range(8):  # its pages are there, as they are a lap after a start
            self.ring.publish(self.decoder.batch[: RING // 8])
        self.decoder.attach_ring(self.ring.words, RING // 8, {})
        self._starts: dict[tuple[int, int], int] = {}
        for frame, time in self.pairs:
            if self.exchange.decode_hot(frame, self.ctx, time) >= 0:
                for first in self.decoder.all_taken(self.ctx):
                    self._starts.setdefault((first.instrument, int(first.channel)), _before(first))
                    self._records += len(first.records)
            else:
                batches = self.decoder.cold(frame, self.ctx, time).batches
                self._records += sum(len(batch.records) for batch in batches)

    def prepare(self) -> None:
        self.reopen()

    def reopen(self) -> None:
        """Every stream is flowing, and its first frame of the case is the one that follows."""
        for (number, channel), last_id in self._starts.items():
            row = self.decoder.hot.row(number, channel)
            row[hot.OPEN], row[hot.LAST_ID], row[hot.LAST_TS] = hot.OPEN_TO_ALL, last_id, 0
        self.ctx[hot.C_EXPECTED] = -1

    def run(self) -> int:
        publish, ctx = hot.quick(self.exchange.on_hot_frames), self.ctx
        slow, before = self.slow, self.ring.head
        for _ in range(self.again):
            self.reopen()
            for frame, time in self.pairs:
                if publish([frame], ctx, time) == 0:
                    slow(frame, time, int(ctx[hot.C_CODE]))
        self.check(before)
        return len(self.pairs) * self.again

    def check(self, before: int) -> None:
        """Every record of every frame is in the ring; raises ValueError otherwise."""
        if self.ring.head - before != self._records * self.again:
            raise ValueError(f"the ring got {self.ring.head - before} of {self._records * self.again} records")

    def slow(self, frame: bytes, time: int, code: int) -> int:
        """What the feed does with a frame the kernel does not take; records published."""
        if code == Code.SLOW:
            return self.take(self.decoder.cold(frame, self.ctx, time).batches)
        batches = self.decoder.all_taken(self.ctx)
        if code != Code.TOO_LONG and not int(batches[0].records[0]["flags"]) & Flag.SNAPSHOT:  # that is for the feed
            raise ValueError(f"the kernel answered {Code(code).name} to {frame[:200]!r}")
        return self.take(batches)

    def take(self, batches: tuple[Batch, ...]) -> int:
        """Publish what the kernel did not; it is left in the private batch, too."""
        n = 0
        for batch in batches:
            self.ring.publish(batch.records)
            self.decoder.batch[n : n + len(batch.records)] = batch.records
            n += len(batch.records)
            if batch.last_id >= 0:
                self.decoder.hot.row(batch.instrument, batch.channel)[hot.LAST_ID] = batch.last_id
        return n


class PublishBatches(Publish):
    """The same, with the frames of one socket read in one call."""

    def __init__(self, spec: dict[str, Any]) -> None:
        super().__init__(spec)
        size = spec["batch"]
        self._batches = [(self.frames[at : at + size], self.times[at]) for at in range(0, len(self.frames), size)]

    def run(self) -> int:
        publish, ctx = hot.quick(self.exchange.on_hot_frames), self.ctx
        slow, before = self.slow, self.ring.head
        for _ in range(self.again):
            self.reopen()
            for frames, time in self._batches:
                taken = publish(frames, ctx, time)
                while taken < len(frames):
                    slow(frames[taken], time, int(ctx[hot.C_CODE]))
                    frames = frames[taken + 1 :]
                    taken = publish(frames, ctx, time)
        self.check(before)
        return len(self.frames) * self.again


FIRST_FRAMES = 500  # enough to see how prices are written


class Book(Publish):
    """Publish, and apply to the synchronizer's book: two calls a frame."""

    def __init__(self, spec: dict[str, Any]) -> None:
        super().__init__(spec)
        self.passes = min(self.again, MOST_PASSES)
        self._ticks = self._ticks_seen()

    def _ticks_seen(self) -> list[float]:
        """The price step of every symbol, from the prices of the first frames: captures hold no instrument lists."""
        prices: list[list[float]] = [[] for _ in self.symbols]
        for frame, time in [*self.prelude, *self.pairs[:FIRST_FRAMES]]:
            for batch in self.decoder.cold(frame, self.ctx, time).batches:
                prices[batch.instrument] += batch.records["price"][batch.records["side"] != 0].tolist()
        return [tick_of(seen) for seen in prices]

    def prepare(self) -> None:
        self.books = Books(self.exchange.name, self.market, self._ticks)
        self.books.of(self.decoder.batch)
        for seed in self.seeds:
            meaning = self.exchange.read_rest(seed["url"])
            if meaning is not None and meaning.symbol in self.symbols:
                body = seed["body"].encode()
                self.books.apply(self.take(self.decoder.rest(meaning, body, seed["time"]).batches))
        for frame, time in self.prelude:
            self.books.apply(self.take(self.decoder.cold(frame, self.ctx, time).batches))
        self.reopen()

    def run(self) -> int:
        publish, apply, ctx = hot.quick(self.exchange.on_hot_frames), self.books.apply, self.ctx
        for frame, time in self.pairs:
            taken = publish([frame], ctx, time)
            n = int(ctx[hot.C_CODE])
            apply(n if taken else self.slow(frame, time, n))
        return len(self.pairs)

    def evidence(self) -> dict[str, Any]:
        """The best levels of each book."""
        return {symbol: self.books.top(number, LEVELS) for number, symbol in enumerate(self.symbols)}


class Parse(Own):
    """A JSON library's call on every frame."""

    def __init__(self, spec: dict[str, Any], call: Callable[[bytes], Any]) -> None:
        super().__init__(spec)
        self._call = call

    def run(self) -> int:
        call = self._call
        for _ in range(self.again):
            for frame in self.frames:
                call(frame)
        return len(self.frames) * self.again


def open_subject(spec: dict[str, Any]) -> Subject:
    """The subject a spec names."""
    ours = {"decode": Decode, "cold": Cold, "rest": Rest, "publish": Publish, "batches": PublishBatches, "book": Book}
    name = spec["subject"]
    if name in ours:
        return ours[name](spec)
    if name == "orjson":
        return Parse(spec, orjson.loads)
    case = json.loads(Path(spec["case"]).read_text())
    number = {"msgspec": str, "msgspec floats": float}[name]
    parser = typed.decoder(case["exchange"], case["channel"], case["frames"][0][1], number)
    return Parse(spec, parser.decode)


if __name__ == "__main__":
    serve(open_subject, {"orjson": orjson.__version__, "msgspec": msgspec.__version__, "numpy": np.__version__})
