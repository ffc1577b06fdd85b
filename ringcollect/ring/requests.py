"""What anybody may ask of a collector that runs on this host."""

from __future__ import annotations

from pathlib import Path

from ringcollect.errors import NotFoundError
from ringcollect.ring.control import Control
from ringcollect.ring.paths import control_path, ring_path, runtime_dir


def request_books(exchange: str, *, directory: Path | None = None) -> None:
    """Ask for the whole books of ``exchange``: they come to its ``.book`` ring (``[sync.output] books``) within 0.1 s.

    The feed writes BOOKS_WANTED into the stream, so that a replay writes the same books at the same record. Raises
    NotFoundError where there is no such ring.
    """
    path = control_path(ring_path(directory or runtime_dir(), f"{exchange}.rec"))
    try:
        control = Control(path)
    except FileNotFoundError as error:
        raise NotFoundError(f"{path} is not there: no collector has {exchange} here") from error
    try:
        control.request_books()
    finally:
        control.close()
