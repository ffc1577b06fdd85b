"""The frame format: what is whole is read, what is not is seen."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from ringcollect.store.framing import HEAD_BYTES, Damage, FrameType, JournalFrame, pack_frame, parse_frame, scan

POSITIONS = st.integers(0, 2**62)
FRAMES = st.lists(
    st.tuples(
        st.sampled_from(list(FrameType)),
        POSITIONS,
        POSITIONS,
        POSITIONS,
        st.integers(0, 2**32 - 1),
        st.binary(max_size=60),
    ),
    max_size=5,
)


def _pack(frames: list[tuple]) -> bytes:
    return b"".join(pack_frame(k, g, a, b, n, len(p), p) for k, g, a, b, n, p in frames)


def _content(frame: JournalFrame) -> tuple:
    return frame.type, frame.generation, frame.seq_from, frame.seq_to, frame.rows, bytes(frame.payload)


@given(FRAMES)
def test_frames_are_read_back_as_they_were_written(frames: list[tuple]) -> None:
    assert [_content(f) for f in scan(_pack(frames))] == frames


@given(FRAMES, st.binary(max_size=100), FRAMES)
def test_garbage_between_frames_costs_nothing_but_itself(
    before: list[tuple], garbage: bytes, after: list[tuple]
) -> None:
    found = list(scan(_pack(before) + garbage + _pack(after)))
    assert [_content(f) for f in found if isinstance(f, JournalFrame)] == before + after
    assert sum(d.end - d.at for d in found if isinstance(d, Damage)) == len(garbage)


@settings(max_examples=30)
@given(FRAMES.filter(bool), st.data())
def test_a_cut_file_keeps_every_whole_frame_and_names_the_rest(frames: list[tuple], data: st.DataObject) -> None:
    content = _pack(frames)
    cut = data.draw(st.integers(0, len(content)))
    found = list(scan(content[:cut]))
    whole = [f for f in found if isinstance(f, JournalFrame)]
    assert [_content(f) for f in whole] == frames[: len(whole)]
    end = whole[-1].end if whole else 0
    assert [d for d in found if isinstance(d, Damage)] == ([Damage(end, cut)] if cut > end else [])


def test_every_single_flipped_bit_is_found() -> None:
    content = _pack([(FrameType.ROWS, 7, 3, 5, 2, b"some payload"), (FrameType.END, 7, 5, 5, 0, b"")])
    for bit in range(len(content) * 8):
        changed = bytearray(content)
        changed[bit // 8] ^= 1 << bit % 8
        found = list(scan(bytes(changed)))
        assert any(isinstance(part, Damage) for part in found), f"bit {bit}"
        assert len([part for part in found if isinstance(part, JournalFrame)]) == 1


def test_every_single_changed_byte_is_found() -> None:
    content = pack_frame(FrameType.ROWS, 7, 3, 5, 2, 12, b"some payload")
    for at in range(len(content)):
        for value in range(256):
            if value == content[at]:
                continue
            changed = bytearray(content)
            changed[at] = value
            assert parse_frame(memoryview(changed), 0) is None, f"byte {at} = {value}"


def test_the_head_is_48_bytes_and_begins_with_the_magic() -> None:
    content = pack_frame(FrameType.LOST, 1, 2, 9, 0, 6, b"lapped")
    assert HEAD_BYTES == 48
    assert content[:4] == b"RCJ1"
    assert len(content) == 54
