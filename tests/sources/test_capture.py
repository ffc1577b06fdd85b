"""Captures in and out: what is read, what is refused, and that nothing else is lost for it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from ringcollect.errors import NotFoundError
from ringcollect.sources.capture import CaptureReader, CaptureWriter
from ringcollect.sources.events import BINARY, TEXT, Event, EventKind

OPEN = '{"t":1,"c":0,"d":"out","u":"wss://x/stream","f":""}'
FRAME = '{"t":2,"c":0,"d":"in","f":"{}"}'


def write(path: Path, *lines: str) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def test_every_line_of_a_capture_becomes_one_event_in_order(tmp_path: Path) -> None:
    rest = '{"t":3,"c":-1,"d":"rest","u":"https://x/depth?symbol=A","f":"{\\"a\\":1}"}'
    sent = '{"t":4,"c":0,"d":"out","u":"","f":"SUBSCRIBE"}'
    closed = '{"t":5,"c":0,"d":"close","s":1006,"f":"gone"}'
    reader = CaptureReader(write(tmp_path / "a.jsonl", OPEN, FRAME, rest, sent, closed))
    assert list(reader) == [
        Event(1, 0, EventKind.OPEN, "wss://x/stream"),
        Event(2, 0, EventKind.IN, "", b"{}"),
        Event(3, -1, EventKind.REST, "https://x/depth?symbol=A", b'{"a":1}', TEXT, 200),
        Event(4, 0, EventKind.OUT, "", b"SUBSCRIBE"),
        Event(5, 0, EventKind.CLOSE, "", b"gone", TEXT, 1006),
    ]
    assert (reader.lines, reader.rejected) == (5, 0)


BAD = {
    "not JSON": "{",
    "not an object": "[1]",
    "no time": '{"c":0,"d":"in","f":"x"}',
    "time is text": '{"t":"1","c":0,"d":"in","f":"x"}',
    "negative time": '{"t":-1,"c":0,"d":"in","f":"x"}',
    "time over int64": '{"t":9223372036854775808,"c":0,"d":"in","f":"x"}',
    "connection too large": '{"t":1,"c":255,"d":"in","f":"x"}',
    "frame without connection": '{"t":1,"c":-1,"d":"in","f":"x"}',
    "unknown direction": '{"t":1,"c":0,"d":"sideways","f":"x"}',
    "no frame": '{"t":1,"c":0,"d":"in"}',
    "bad base64": '{"t":1,"c":0,"d":"in","b":"?"}',
    "rest without url": '{"t":1,"c":-1,"d":"rest","f":"x"}',
    "lone surrogate": '{"t":1,"c":0,"d":"in","f":"\\ud800"}',
}


@pytest.mark.parametrize("line", BAD.values(), ids=BAD.keys())
def test_a_bad_line_is_counted_and_named_and_the_others_go_on(tmp_path: Path, line: str) -> None:
    path = write(tmp_path / "a.jsonl", OPEN, line, FRAME)
    reader = CaptureReader(path)
    assert [event.ts for event in reader] == [1, 2]
    assert reader.rejected == 1
    assert reader.errors[0].startswith(f"{path}:2: ")


def test_bytes_that_are_not_utf8_fail_one_line_only(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(OPEN.encode() + b'\n{"t":1,"c":0,"d":"in","f":"\xff\xfe"}\n' + FRAME.encode() + b"\n")
    reader = CaptureReader(path)
    assert [event.ts for event in reader] == [1, 2]
    assert reader.rejected == 1


def test_a_line_too_long_is_rejected_without_being_held(tmp_path: Path) -> None:
    huge = json.dumps({"t": 1, "c": 0, "d": "in", "f": "x" * 5000})
    reader = CaptureReader(write(tmp_path / "a.jsonl", OPEN, huge, FRAME), max_line_bytes=1000)
    assert [event.ts for event in reader] == [1, 2]
    assert reader.rejected == 1
    assert ":2: longer than 1000 bytes" in reader.errors[0]


def test_all_bad_lines_are_counted_and_only_the_first_are_described(tmp_path: Path) -> None:
    reader = CaptureReader(write(tmp_path / "a.jsonl", *["{"] * 500))
    assert list(reader) == []
    assert reader.rejected == 500
    assert len(reader.errors) < 50


def test_a_capture_cut_off_in_the_gzip_stream_yields_what_came_before(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    lines = "".join(json.dumps({"t": i, "c": 0, "d": "in", "f": f"{i * 7919 % 1000003}"}) + "\n" for i in range(50_000))
    path.write_bytes(gzip.compress(lines.encode())[:-1000])
    reader = CaptureReader(path)
    events = list(reader)
    assert 1000 < len(events) < 50_000
    assert [event.ts for event in events] == list(range(len(events)))
    assert reader.rejected in (1, 2)  # the stream, and a last line cut in the middle
    assert any("gzip" in error for error in reader.errors)


def test_blank_lines_a_missing_last_newline_and_foreign_keys_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(OPEN + "\n\n  \n" + FRAME[:-1] + ',"src":"a note"}')
    reader = CaptureReader(path)
    assert [event.ts for event in reader] == [1, 2]
    assert reader.rejected == 0


def test_gzip_is_recognised_by_its_bytes_not_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "capture"
    path.write_bytes(gzip.compress(f"{OPEN}\n{FRAME}\n".encode()))
    assert len(list(CaptureReader(path))) == 2


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="nothing_here"):
        CaptureReader(tmp_path / "nothing_here.jsonl")


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_what_is_written_is_read_back_and_equal_events_give_equal_files(tmp_path: Path, name: str) -> None:
    events = [
        Event(1, 3, EventKind.OPEN, "wss://x/ws"),
        Event(2, 3, EventKind.OUT, "", b"sub"),
        Event(3, 3, EventKind.IN, "", '{"s":"\u5e01\u5b89\\u0041"}'.encode()),
        Event(4, 3, EventKind.IN, "", bytes(range(256)), BINARY),
        Event(5, -1, EventKind.REST, "https://x/depth", b"slow down", TEXT, 429),
        Event(6, -1, EventKind.REST, "https://x/depth", b"{}", TEXT, 200),
        Event(7, 3, EventKind.CLOSE, "", b"bye", TEXT, 1001),
    ]
    paths = [tmp_path / "1" / name, tmp_path / "2" / name]
    for path in paths:
        path.parent.mkdir()
        with CaptureWriter(path) as writer:
            for event in events:
                writer.write(event)
    assert list(CaptureReader(paths[0])) == events
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_the_binance_captures_are_read_whole(captures: Path) -> None:
    """Line counts as the captures' own README gives them (in/out/rest)."""
    counts = {"binance_spot_2021": (265, 1, 5), "binance_usdm_2021b": (8421, 1, 5), "binance_spot_2024": (179316, 0, 2)}
    for name, expected in counts.items():
        reader = CaptureReader(captures / f"{name}.jsonl.gz")
        kinds = [event.kind for event in reader]
        sent = kinds.count(EventKind.OPEN) + kinds.count(EventKind.OUT)
        assert (kinds.count(EventKind.IN), sent, kinds.count(EventKind.REST)) == expected
        assert reader.rejected == 0
