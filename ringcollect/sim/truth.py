"""The truth file: what the simulator did, as JSON lines, for tests that compare a lake with what was sent.

``k`` says what a line is; times ``t`` are int64 ns since the epoch:

* ``start`` seed, rate, symbols, ``start_ns``; ``open``/``close`` a connection ``c`` (url ``u``, code, reason)
* ``in`` what a client sent; ``sent`` the exact text ``f`` of one frame on one connection, in sending order
* ``fault`` a named fault with the stream and the frame it concerned: withheld (drop, gap, half_open, silent),
  repeated (dup), moved (reorder), invented (garbage; binary ones as hex ``x``), refused (ack_swallow, http_429)
* ``rest`` a request ``u``, its status and its body
* ``listed``/``delisted`` an instrument ``s`` from this time on
* ``trade`` one match of the market: market ``m``, symbol ``s``, ``id``, price ``p``, size ``q``, taker ``side``
* ``book`` the final book of one instrument after its last depth event ``u``
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

import msgspec


class Truth:
    """Appends lines to a file, or to nothing when ``path`` is None."""

    def __init__(self, path: Path | None) -> None:
        self._file: BinaryIO | None = None
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("wb", buffering=1 << 20)
        self._encode = msgspec.json.Encoder().encode
        self.wanted = self._file is not None

    def line(self, k: str, **fields: Any) -> None:
        """One line of kind ``k``."""
        if self._file is not None:
            self._file.write(self._encode({"k": k, **fields}) + b"\n")

    def sent(self, t: int, c: int, text: str) -> None:
        """A frame that was handed to connection ``c``'s socket at ``t``."""
        if self._file is not None:
            self._file.write(b'{"k":"sent","t":%d,"c":%d,"f":%b}\n' % (t, c, self._encode(text)))

    def flush(self) -> None:
        if self._file is not None:
            self._file.flush()

    def close(self) -> None:
        """Write out and close; later lines are dropped."""
        if self._file is not None:
            self._file.close()
        self._file = None
        self.wanted = False
