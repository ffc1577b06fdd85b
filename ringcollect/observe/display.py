"""Showing a run as it goes: a table that stays in place on a terminal, a line a second elsewhere."""

from __future__ import annotations

import sys
from typing import Protocol

from ringcollect.observe.snapshot import Snapshot
from ringcollect.observe.text import one_line, render


class Display(Protocol):
    """Gets every snapshot; ``close`` leaves the terminal as it was."""

    def show(self, snapshot: Snapshot) -> None:
        """Show it."""

    def close(self) -> None:
        """Nothing more comes."""


class Lines:
    """A line for each snapshot, written at once."""

    def show(self, snapshot: Snapshot) -> None:
        print(one_line(snapshot), flush=True)

    def close(self) -> None:
        """Nothing to leave."""


class Table:
    """The whole collector, redrawn in place."""

    def __init__(self) -> None:
        from rich.live import Live  # 15 MB that only a terminal needs

        self._live = Live(auto_refresh=False, transient=True)
        self._live.start()

    def show(self, snapshot: Snapshot) -> None:
        from rich.text import Text

        self._live.update(Text(render(snapshot), no_wrap=True, overflow="crop"), refresh=True)

    def close(self) -> None:
        """Take the table away: the summary follows."""
        self._live.stop()


def on_terminal() -> bool:
    """True if a person watches standard output."""
    return sys.stdout.isatty()
