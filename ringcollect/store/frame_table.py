"""Recorded frames and rejects to columns and back, exactly."""

from __future__ import annotations

import numpy as np

from ringcollect.ring.layout import FRAME_ENTRY
from ringcollect.store.chunk import Chunk
from ringcollect.store.tables import Columns

DIRECTIONS = {1: "in", 2: "out", 3: "rest", 4: "event", 5: "reject"}
REJECT = 5
_CODES = {name: code for code, name in DIRECTIONS.items()}


def canonical_frames(chunk: Chunk) -> Chunk:
    """The same entries with texts that are UTF-8 (a cut URL may end in half a character), nothing else set."""
    entries = np.zeros(len(chunk.records), FRAME_ENTRY)
    for field in ("seq", "ts_recv", "whole_length", "conn", "direction", "opcode", "status"):
        entries[field] = chunk.records[field]
    pieces = []
    at = 0
    for i, (length, url_length, reason_length) in enumerate(
        chunk.records[["length", "url_length", "reason_length"]].tolist()
    ):
        raw = chunk.blob[at : at + length]
        at += length
        body = length - url_length - reason_length
        url = _text(raw[body : body + url_length])
        reason = _text(raw[body + url_length :])
        entries["length"][i] = body + len(url) + len(reason)
        entries["url_length"][i], entries["reason_length"][i] = len(url), len(reason)
        pieces += [raw[:body], url, reason]
    return Chunk(entries, b"".join(pieces))


def _text(raw: bytes) -> bytes:
    return raw.decode(errors="replace").encode()


def select(chunk: Chunk, mask: np.ndarray) -> Chunk:
    """The entries where ``mask`` holds, with their bytes."""
    ends = np.cumsum(chunk.records["length"].astype(np.int64))
    pieces = [
        chunk.blob[end - length : end]
        for end, length in zip(ends[mask].tolist(), chunk.records["length"][mask].tolist(), strict=True)
    ]
    return Chunk(chunk.records[mask], b"".join(pieces))


def frames_to_columns(chunk: Chunk, generation: int) -> Columns:
    """The columns of canonical entries."""
    entries = chunk.records
    payloads, urls, reasons = [], [], []
    at = 0
    for length, url_length, reason_length in entries[["length", "url_length", "reason_length"]].tolist():
        raw = chunk.blob[at : at + length]
        at += length
        body = length - url_length - reason_length
        payloads.append(raw[:body])
        urls.append(raw[body : body + url_length].decode())
        reasons.append(raw[body + url_length :].decode())
    columns: Columns = {
        field: np.ascontiguousarray(entries[field])
        for field in ("seq", "ts_recv", "conn", "opcode", "status", "whole_length")
    }
    return columns | {
        "generation": np.full(len(entries), generation, np.int64),
        "direction": [DIRECTIONS.get(code, str(code)) for code in entries["direction"].tolist()],
        "url": urls,
        "reason": reasons,
        "payload": payloads,
    }


def columns_to_frames(columns: Columns) -> Chunk:
    """The canonical entries that ``columns`` were made of."""
    entries = np.zeros(len(columns["seq"]), FRAME_ENTRY)
    for field in ("seq", "ts_recv", "conn", "opcode", "status", "whole_length"):
        entries[field] = columns[field]
    entries["direction"] = [_CODES[name] if name in _CODES else int(name) for name in columns["direction"]]
    pieces = []
    for i, (payload, url, reason) in enumerate(zip(columns["payload"], columns["url"], columns["reason"], strict=True)):
        texts = (url.encode(), reason.encode())
        entries["length"][i] = len(payload) + len(texts[0]) + len(texts[1])
        entries["url_length"][i], entries["reason_length"][i] = len(texts[0]), len(texts[1])
        pieces += [payload, *texts]
    return Chunk(entries, b"".join(pieces))
