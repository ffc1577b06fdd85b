"""What was known of an instrument at a position of the stream: every version the lake kept of it.

A status INSTRUMENT_NEW or INSTRUMENT_CHANGED names the version that holds from there on. The registry has every version
of a live lake; the certificates have the last one of each segment.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from ringcollect.errors import LakeError
from ringcollect.instruments import Instrument


class Versions:
    """Instruments by number. ``now_ns`` is stream time, for those of which the stream said nothing yet."""

    def __init__(self, exchange: str) -> None:
        self.exchange = exchange
        self.now_ns = 0
        self.table: dict[int, Instrument] = {}
        """What was asked for so far, as it was then: what a row ring's instrument table holds."""
        self._known: dict[int, dict[int, Instrument]] = {}
        self._current: dict[int, Instrument] = {}

    def learn(self, instruments: Iterable[Instrument]) -> None:
        """Versions of a certificate: of two that call a number differently it is the one that holds."""
        for instrument in instruments:
            known = self._known.setdefault(instrument.number, {})
            if any((one.market, one.symbol) != (instrument.market, instrument.symbol) for one in known.values()):
                known.clear()
            known[instrument.version] = instrument

    def learn_registry(self, path: Path) -> None:
        """Every version of a registry file, if there is one. LakeError naming a line that is none of ours."""
        try:
            raw = path.read_bytes()
        except FileNotFoundError:
            return
        for number, line in enumerate(raw[: raw.rfind(b"\n") + 1].splitlines(), 1):
            try:
                self.learn([msgspec.json.decode(line, type=Instrument)])
            except msgspec.DecodeError as error:
                raise LakeError(f"{path}: line {number}: {error}") from error

    def announce(self, number: int, version: int) -> None:
        """The stream says that ``version`` holds from here on; where it was not kept, the nearest that was."""
        known = self._known.get(number)
        if known:
            older = [one for one in known if one <= version]
            self._current[number] = known[max(older) if older else min(known)]

    def of(self, number: int) -> Instrument:
        """Instrument ``number`` as it is now. LakeError if the lake says nothing of it."""
        instrument = self._current.get(number)
        if instrument is None:
            known = self._known.get(number)
            if not known:
                raise LakeError(f"{self.exchange}: no certificate and no registry knows instrument {number}")
            begun = [one for one in known.values() if one.valid_from_ns <= self.now_ns]
            chosen = begun or [known[min(known)]]
            instrument = max(chosen, key=lambda one: one.version)
        self.table[number] = instrument
        return instrument
