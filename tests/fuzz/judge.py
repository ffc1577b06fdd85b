"""What must hold of every frame whatever it is: kernel, typed path and the standard library agree; nothing is overread.

The kernel sees the frame at the very end of a page behind which nothing may be read: one byte too far ends the process.
"""

from __future__ import annotations

import json

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges import load
from ringcollect.exchanges.hot import C_CHANNEL
from ringcollect.exchanges.protocol import Code, Outcome
from ringcollect.records import Channel
from tests.decode.guard import GuardedPage
from tests.fuzz.corpus import Corpus

NOW = 1_723_161_255_000_000_000
DAY_NS = 86_400 * 10**9


class Disagreement(AssertionError):
    """The frame that broke a promise, and which."""


def _no_constant(name: str) -> None:
    raise ValueError(name)


class Judge:
    """Frames of one corpus before its exchange's decoder."""

    def __init__(self, corpus: Corpus) -> None:
        self._exchange = load(corpus.exchange)
        self._decoder = self._exchange.decoder(max_past_ns=DAY_NS, max_future_skew_ns=DAY_NS)
        for number, symbol in enumerate(corpus.symbols):
            self._decoder.add_symbol(corpus.market, symbol, number)
        self._ctx = self._decoder.context(corpus.market, 0)
        self._page = GuardedPage()

    def hot(self, frame: bytes) -> int:
        """The kernel's answer; the frame ends where memory ends, if it fits a page."""
        decode = self._exchange.decode_hot
        answer = decode(frame, self._ctx, NOW)
        if len(frame) <= 4096:
            again = decode(self._page.view(frame), self._ctx, NOW)
            if again != answer:
                raise Disagreement(f"where the frame lies changes the answer: {answer} and {again}")
        return answer

    def _records(self, answer: int) -> bytes:
        """What the kernel decoded; of several batches as the feed takes them."""
        if answer > 0 and self._ctx[C_CHANNEL] == Channel.NONE:
            return b"".join(batch.records.tobytes() for batch in self._decoder.all_taken(self._ctx))
        return self._decoder.batch[: max(answer, 0)].tobytes()

    def test(self, frame: bytes) -> str:
        """What became of the frame; Disagreement if the ways to read it do not agree."""
        answer = self.hot(frame)
        hot = self._records(answer)
        name = self._decoder.unknown_symbol(frame, self._ctx) if answer == Code.UNKNOWN_SYMBOL else ""
        try:
            decoded = self._decoder.cold(frame, self._ctx, NOW)
        except RejectedFrame as error:
            if answer != Code.SLOW:
                raise Disagreement(f"the kernel says {answer}, the typed path rejects: {error.reason}") from error
            return "rejected"
        if decoded.outcome is Outcome.DECODED:
            try:
                json.loads(frame, parse_constant=_no_constant)
            except (ValueError, RecursionError) as error:
                raise Disagreement(f"decoded, but no JSON: {error}") from error
        if answer == Code.UNKNOWN_SYMBOL:
            if decoded.batches or (decoded.unknown and name not in decoded.unknown):
                raise Disagreement(f"the kernel does not know {name!r}, the typed path {decoded.unknown!r}")
        elif answer >= 0:
            cold = b"".join(batch.records.tobytes() for batch in decoded.batches)
            if hot != cold:
                raise Disagreement(f"records differ: {hot!r} by the kernel, {cold!r} by the typed path")
            return "hot"
        elif answer != Code.SLOW:
            raise Disagreement(f"a code that decoding alone cannot give: {answer}")
        return decoded.outcome.name.lower()
