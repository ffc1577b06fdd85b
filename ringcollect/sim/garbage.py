"""Frames no exchange documents: what a decoder must reject, count and survive."""

from __future__ import annotations

from typing import Literal


def garbage(genuine: str, bits: int) -> tuple[Literal["text", "binary"], bytes]:
    """One bad frame, chosen and shaped by ``bits`` (a 32-bit number), sometimes made from a genuine one."""
    kind = bits % 8
    if kind == 0:
        return "text", genuine[: 1 + bits // 8 % max(1, len(genuine.rstrip("}")) - 1)].encode()
    if kind == 1:
        return "text", b"<html><body>502 Bad Gateway</body></html>"
    if kind == 2:
        return "text", b'{"e":"trade","E":"soon","s":17,"t":[],"p":{},"q":null,"T":true,"m":"yes"}'
    if kind == 3:
        return "text", b"[" * 3000 + b"]" * 3000
    if kind == 4:
        return "text", b'{"stream":"btcusdt@trade","data":null}'
    if kind == 5:
        return "text", b'{"e":"depthUpdate","b":[' + b",".join([b'["1.0","x"]'] * 20_000) + b"]}"
    if kind == 6:
        return "binary", bits.to_bytes(4, "little") * 16
    return "text", b"null"
