"""Notes between a feed and whoever supervises it: small files in the runtime folder, replaced as a whole.

``<exchange>.plan.json`` is a changed configuration for the feed to take over; the feed removes it when it has read it.
``<exchange>.reloaded.json`` says that it is in force. ``<exchange>.problems.json`` is what is wrong with the configured
symbols, for ``status``.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from ringcollect.feed.plan import Plan
from ringcollect.runtime import write_atomically


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """Take over ``plan``; ``number`` tells the orders of one run apart."""

    number: int
    plan: Plan


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """Order ``number`` is carried out: so many streams more, so many ended."""

    number: int
    added: int
    ended: int


class Desk:
    """The notes of one exchange's feed. What the folder refuses is lost, and no reason to stop collecting."""

    def __init__(self, runtime: Path, exchange: str) -> None:
        self._order = runtime / f"{exchange}.plan.json"
        self._receipt = runtime / f"{exchange}.reloaded.json"
        self._problems = runtime / f"{exchange}.problems.json"
        self._number = 0

    # the feed's side

    def open(self) -> None:
        """A feed begins: what one before it said is over. An order stays, whoever carries it out."""
        self._problems.unlink(missing_ok=True)

    def forget(self) -> None:
        """A collector begins: nothing was ordered, nothing said."""
        for path in (self._order, self._receipt, self._problems):
            path.unlink(missing_ok=True)

    def take(self) -> Plan | None:
        """What is to be collected from now on, once; None if nothing was ordered."""
        try:
            content = self._order.read_bytes()
        except OSError:
            return None
        self._order.unlink(missing_ok=True)
        try:
            order = msgspec.json.decode(content, type=Order)
        except msgspec.DecodeError:
            return None  # of another version
        self._number = order.number
        return order.plan

    def done(self, added: int, ended: int) -> None:
        """The newest order is carried out."""
        _write(self._receipt, Receipt(number=self._number, added=added, ended=ended))

    def complain(self, problems: tuple[str, ...]) -> None:
        """All that is wrong now."""
        if problems:
            _write(self._problems, problems)
        else:
            self._problems.unlink(missing_ok=True)

    # the other side

    def order(self, number: int, plan: Plan) -> None:
        """Tell the feed to collect ``plan``. Raises OSError when the folder refuses."""
        write_atomically(self._order, msgspec.json.encode(Order(number=number, plan=plan)))

    def receipt(self, number: int) -> Receipt | None:
        """What became of order ``number``, None while it is not carried out."""
        try:
            receipt = msgspec.json.decode(self._receipt.read_bytes(), type=Receipt)
        except (OSError, msgspec.DecodeError):
            return None
        return receipt if receipt.number == number else None


def problems_in(runtime: Path) -> tuple[str, ...]:
    """What is wrong with the configured symbols of all feeds, exchange by exchange."""
    found: list[str] = []
    for path in sorted(runtime.glob("*.problems.json")):
        try:
            found += msgspec.json.decode(path.read_bytes(), type=list[str])
        except (OSError, msgspec.DecodeError):
            continue
    return tuple(found)


def _write(path: Path, content: object) -> None:
    try:
        write_atomically(path, msgspec.json.encode(content))
    except OSError:
        return
