"""A guess about the text is right only if every byte is, and never reads past the end."""

from __future__ import annotations

import pytest

from ringcollect.decode.match import follows
from ringcollect.decode.memory import address
from ringcollect.jit import njit
from tests.decode.guard import GuardedPage

TEXTS = ("x", '":', "abc", '","', "seven77", "eight888", '{"stream":"', "fifteen letters", "sixteen letters!")


@njit(cache=False)
def which(a: int, i: int, n: int) -> int:
    """Bit k is set when text k of TEXTS follows."""
    return (
        follows(a, i, n, "x")
        | follows(a, i, n, '":') << 1
        | follows(a, i, n, "abc") << 2
        | follows(a, i, n, '","') << 3
        | follows(a, i, n, "seven77") << 4
        | follows(a, i, n, "eight888") << 5
        | follows(a, i, n, '{"stream":"') << 6
        | follows(a, i, n, "fifteen letters") << 7
        | follows(a, i, n, "sixteen letters!") << 8
    )


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_follows_exactly_when_all_its_bytes_do(text: str) -> None:
    raw = text.encode()
    expected = sum(1 << k for k, other in enumerate(TEXTS) if text.startswith(other))
    for before in (b"", b"12345"):
        whole = before + raw + b"tail"
        assert which(address(whole), len(before), len(whole)) == expected
    for at in range(len(raw)):
        damaged = raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]
        assert not which(address(damaged), 0, len(damaged)) & 1 << TEXTS.index(text)


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_cut_by_the_end_does_not_follow_and_nothing_behind_is_read(text: str) -> None:
    page = GuardedPage()
    raw = text.encode()
    for end in range(len(raw)):
        cut = page.view(raw[:end])
        assert not which(address(cut), 0, end) & 1 << TEXTS.index(text)
    whole = page.view(raw)
    assert which(address(whole), 0, len(raw)) & 1 << TEXTS.index(text)
