"""The simulator as a child process of a demo or a test: started, asked for its addresses, stopped.

A process of its own, so that what it costs is not booked on the collector.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from ringcollect.errors import EnvironmentRefused

_STOP_WITHIN_S = 15.0


class Ready(msgspec.Struct, frozen=True):
    """What the child said when it was ready: its port, and base URLs by market."""

    port: int
    ws: dict[str, str]
    rest: dict[str, str]


def arguments(
    *, rate: float = 1000.0, seed: int = 1, symbols: Sequence[str] = (), faults: str = "", truth: Path | None = None
) -> list[str]:
    """The command line of such a child: ``python -m ringcollect sim …``."""
    line = [sys.executable, "-m", "ringcollect", "sim", "--rate", str(rate), "--seed", str(seed)]
    if symbols:
        line += ["--symbols", ",".join(symbols)]
    if faults:
        line += ["--faults", faults]
    if truth is not None:
        line += ["--truth", str(truth)]
    return line


@contextmanager
def launched(line: Sequence[str]) -> Iterator[Ready]:
    """Run the command line from :func:`arguments` until the block ends; the truth file is whole after it.

    Raises EnvironmentRefused when the child does not come up.
    """
    with subprocess.Popen(line, stdout=subprocess.PIPE) as child:
        try:
            yield _ready(child)
        finally:
            child.terminate()
            try:
                child.wait(_STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                child.kill()


def _ready(child: subprocess.Popen[bytes]) -> Ready:
    assert child.stdout is not None
    first = child.stdout.readline()
    try:
        return msgspec.json.decode(first, type=Ready)
    except msgspec.DecodeError as error:
        raise EnvironmentRefused(f"the simulator did not start: it said {first[:200]!r}") from error
