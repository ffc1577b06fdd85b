"""Captures: one JSON object per line, gzipped or not; ``docs/capture-format.md`` is the description.

Read as a stream: one line is in memory at a time, and a line longer than ``max_line_bytes`` is never held.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any

import msgspec

from ringcollect.errors import NotFoundError
from ringcollect.sources.events import TEXT, Event, EventKind

MAX_LINE_BYTES = 64 * 1024 * 1024
KEPT_ERRORS = 20
"""How many bad lines are described; all of them are counted."""

_GZIP_MAGIC = b"\x1f\x8b"
_KINDS = {"in": EventKind.IN, "rest": EventKind.REST, "close": EventKind.CLOSE}
_NAMES = {EventKind.OUT: "out", EventKind.OPEN: "out"} | {kind: name for name, kind in _KINDS.items()}

Nanoseconds = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Connection = Annotated[int, msgspec.Meta(ge=-1, le=254)]


class _Line(msgspec.Struct, omit_defaults=True):
    """One line. Unknown keys are allowed: they are somebody's notes."""

    t: Nanoseconds
    c: Connection
    d: str
    u: str = ""
    f: str | None = None
    b: str | None = None
    o: int = TEXT
    s: int = 0


_decoder = msgspec.json.Decoder(_Line)


class CaptureReader:
    """Iterate the events of the capture ``path``; bad lines are counted in ``rejected`` and described in ``errors``.

    ``lines`` is the number of lines read so far, ``raw_bytes`` their size. Blank lines are skipped. A gzip stream that
    ends early or is damaged counts as one rejected line: what came before it is good.
    """

    def __init__(self, path: Path, *, max_line_bytes: int = MAX_LINE_BYTES) -> None:
        self._max_line_bytes = max_line_bytes
        if not path.is_file():
            raise NotFoundError(f"no capture file at {path}")
        self.path = path
        self.lines = 0
        self.raw_bytes = 0
        self.rejected = 0
        self.errors: list[str] = []
        self._size = max(1, path.stat().st_size)
        self._file: io.BufferedReader | None = None

    @property
    def fraction(self) -> float:
        """How much of the file is read, 0 to 1; by its packed size, so a little ahead of the events."""
        return 1.0 if self._file is None or self._file.closed else self._file.tell() / self._size

    def __iter__(self) -> Iterator[Event]:
        self.lines = self.raw_bytes = self.rejected = 0
        self.errors = []
        with self.path.open("rb") as self._file, _unpacked(self._file) as stream:
            while line := self._next_line(stream):
                event = self._event(line)
                if event is not None:
                    yield event

    def _next_line(self, stream: Any) -> bytes:
        try:
            line = stream.readline(self._max_line_bytes)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            self.lines += 1
            self._reject(f"the gzip stream is damaged or cut off here ({error})")
            return b""
        if not line:
            return b""
        self.lines += 1
        self.raw_bytes += len(line)
        if len(line) < self._max_line_bytes or line.endswith(b"\n"):
            return line
        while tail := stream.readline(self._max_line_bytes):
            self.raw_bytes += len(tail)
            if tail.endswith(b"\n"):
                break
        self._reject(f"longer than {self._max_line_bytes} bytes")
        return b"\n"

    def _event(self, line: bytes) -> Event | None:
        if line.isspace():
            return None
        try:
            return _to_event(_decoder.decode(line))
        except (msgspec.MsgspecError, UnicodeError, ValueError) as error:
            self._reject(str(error))
            return None

    def _reject(self, reason: str) -> None:
        self.rejected += 1
        if len(self.errors) < KEPT_ERRORS:
            self.errors.append(f"{self.path}:{self.lines}: {reason}")


def _unpacked(file: io.BufferedReader) -> io.BufferedReader | gzip.GzipFile:
    return gzip.GzipFile(fileobj=file, mode="rb") if file.peek(2)[:2] == _GZIP_MAGIC else file


def _to_event(line: _Line) -> Event:
    if line.d == "out":
        # The line that opens a connection is an "out" with an empty frame: no client sends an empty frame.
        kind = EventKind.OUT if line.f or line.b else EventKind.OPEN
    elif line.d in _KINDS:
        kind = _KINDS[line.d]
    else:
        raise ValueError(f"d is {line.d!r}; allowed are in, out, rest, close")
    if line.b is not None:
        try:
            payload = base64.b64decode(line.b, validate=True)
        except binascii.Error as error:
            raise ValueError(f"b is not base64 ({error})") from error
    elif line.f is None:
        raise ValueError("the line has neither f (text) nor b (base64)")
    else:
        payload = line.f.encode()
    if kind == EventKind.REST and not line.u:
        raise ValueError("a rest line without u: nobody can tell what was asked")
    if kind != EventKind.REST and line.c < 0:
        raise ValueError("c is -1; only rest lines belong to no connection")
    code = line.s or (200 if kind == EventKind.REST else 0)
    return Event(line.t, line.c, kind, line.u, payload, line.o, code)


class CaptureWriter:
    """Write events to ``path`` (gzipped if it ends in ``.gz``); equal events give equal bytes. A context manager."""

    def __init__(self, path: Path, *, level: int = 6) -> None:
        self.path = path
        self._file = path.open("wb")
        packed = path.suffix == ".gz"
        # An empty name and mtime 0: the file depends on the events alone.
        self._stream: Any = gzip.GzipFile("", "wb", level, self._file, mtime=0) if packed else self._file
        self._encoder = msgspec.json.Encoder()

    def write(self, event: Event) -> None:
        """Append one event. TIMER has no line: a replay runs its own timers on the capture's time."""
        if event.kind == EventKind.TIMER:
            return
        line = _Line(event.ts, event.conn, _NAMES[event.kind], event.url, o=event.opcode)
        if event.kind == EventKind.CLOSE or (event.kind == EventKind.REST and event.code != 200):
            line.s = event.code
        try:
            line.f = event.payload.decode()
        except UnicodeDecodeError:
            line.b = base64.b64encode(event.payload).decode()
        self._stream.write(self._encoder.encode(line) + b"\n")

    def close(self) -> None:
        """Finish the file."""
        self._stream.close()
        self._file.close()

    def __enter__(self) -> CaptureWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
