"""What one message turns out to hold, for the typed paths of both feeds."""

from __future__ import annotations

from collections.abc import Callable

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges import hot
from ringcollect.exchanges.protocol import Batch, Decoded, Outcome
from ringcollect.exchanges.typed import Arrival


class Frame:
    """Batches of known products; of unknown ones the names."""

    def __init__(self, arrival: Arrival) -> None:
        self.arrival = arrival
        self.batches: list[Batch] = []
        self.unknown: list[str] = []

    def put(self, product: str, make: Callable[[int], tuple[Batch, ...]]) -> None:
        """The records ``make(instrument)`` gives; made in any case, so that a bad message is rejected in any case."""
        if not 0 < len(product.encode()) <= hot.SCRATCH_BYTES:
            raise RejectedFrame("product empty or too long")
        number = self.arrival.find(product)
        made = make(max(0, number))
        if number >= 0:
            self.batches += made
        else:
            self.unknown.append(product)

    def decoded(self, sequence: int = -1) -> Decoded:
        """DECODED with a batch or more, else IGNORED."""
        outcome = Outcome.DECODED if self.batches else Outcome.IGNORED
        return Decoded(outcome, tuple(self.batches), unknown=tuple(dict.fromkeys(self.unknown)), sequence=sequence)
