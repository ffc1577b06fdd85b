"""Long work as it goes: a bar with rate and time left on a terminal, a line now and then elsewhere; on stderr."""

from __future__ import annotations

import sys
import time

import click

_LINE_S = 10.0
_BAR_S = 0.2
_WIDTH = 24


class Progress:
    """Shows what is told to it, not more often than somebody can read."""

    def __init__(self, unit: str) -> None:
        self._unit = unit
        self._bar = sys.stderr.isatty()
        self._begun = self._next = time.monotonic()
        if not self._bar:
            self._next += _LINE_S
        self._source = ""
        self._base = (0.0, 0)  # where the source was when it was shown first

    def show(self, source: str, fraction: float, count: int) -> None:
        """``source`` is done by ``fraction`` (0 to 1), which are ``count`` units so far."""
        now = time.monotonic()
        if source != self._source:
            self._source, self._begun, self._base = source, now, (fraction, count)
        if now < self._next:
            return
        self._next = now + (_BAR_S if self._bar else _LINE_S)
        text = f"{fraction:6.1%}, {count:,} {self._unit}"
        spent, done = now - self._begun, fraction - self._base[0]
        if spent > 0 and done > 0:
            text += f", {(count - self._base[1]) / spent:,.0f}/s, {spent * (1 - fraction) / done:.0f} s left"
        if self._bar:
            filled = int(fraction * _WIDTH)
            bar = "#" * filled + "." * (_WIDTH - filled)
            self._say("\r\x1b[K" + f"{source} [{bar}] {text}"[:120])
        else:
            self._say(f"{source} {text}\n")

    def clear(self) -> None:
        """Take the bar away."""
        if self._bar:
            self._say("\r\x1b[K")

    @staticmethod
    def _say(text: str) -> None:
        click.echo(text, err=True, nl=False)
