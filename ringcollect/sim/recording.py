"""A capture's lines, and what a venue has to know of a recorded frame to send it again."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable, Iterator
from enum import Enum
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, Protocol

import msgspec

from ringcollect.errors import NotFoundError, RingcollectError
from ringcollect.sim.hub import Text
from ringcollect.sim.specs import SymbolSpec


class Line(msgspec.Struct, frozen=True):
    """One line of a capture: time ns, connection, direction, URL, text."""

    t: int
    c: int
    d: str
    f: str
    u: str = ""


def read_lines(path: Path) -> Iterator[Line]:
    """The lines of a ``.jsonl`` or ``.jsonl.gz`` capture. Raises RingcollectError naming a bad line."""
    if not path.is_file():
        raise NotFoundError(f"no capture file {path}")
    decode = msgspec.json.Decoder(Line).decode
    with path.open("rb") as raw:
        lines: io.BufferedIOBase = gzip.GzipFile(fileobj=raw) if path.suffix == ".gz" else raw
        for number, text in enumerate(lines, 1):
            try:
                yield decode(text)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise RingcollectError(f"{path}:{number}: not a capture line: {error}") from error


class Part(Enum):
    """What somebody needs of a stream who comes late: the last WHOLE and the CHANGEs since; no EVENT."""

    WHOLE = "whole"
    CHANGE = "change"
    EVENT = "event"


class Placed(NamedTuple):
    """Where a recorded frame goes: to all who hear any of ``streams`` of ``market``.

    ``symbol`` is the instrument it is about, "" for none; ``text`` spells it for a peer, ``wrapped`` is its exact
    combined form, if it was recorded in that.
    """

    market: str
    symbol: str
    streams: tuple[str, ...]
    part: Part
    text: Text
    wrapped: str = ""


class Sorter(Protocol):
    """One exchange's reading of its frames. It may remember what connections were opened and what they asked for."""

    def place(self, line: Line) -> Placed | None:
        """Where an incoming line goes; None for answers, greetings and heartbeats, which the venue itself says.

        Lines of other directions are shown to it, too. Raises msgspec.DecodeError for what cannot be read.
        """


class RecordedFeed:
    """An instrument of a capture: all its frames are in the file, so it has none of its own to say."""

    frames = 0

    def __init__(self, spec: Callable[[], SymbolSpec]) -> None:
        self._make = spec

    @cached_property
    def spec(self) -> SymbolSpec:
        """What a list of instruments says of it that was not recorded. Raises ConfigError where nothing is known."""
        return self._make()

    def has(self, topic: str) -> bool:
        """Every topic is accepted; one that was not recorded is silent."""
        return True

    def first(self, *asked: object) -> str:
        """Nothing: a hub gives what was recorded."""
        return ""


def as_recorded(text: str) -> Text:
    """The exact text, whoever hears it."""
    return lambda _form: text
