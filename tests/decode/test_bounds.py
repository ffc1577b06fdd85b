"""The scanner never reads past its text: shown with a page nobody may read right behind it."""

from __future__ import annotations

import subprocess
import sys

TEXTS = rb"""
from ringcollect.decode import number, skip
from tests.decode.guard import GuardedPage
page = GuardedPage()
texts = [
    b'{"a":[1,2.5e10,"x\\u00e9\\ud83d\\ude00",true,false,null,{"b":"\xe5\xb8\x81\xf0\x9f\x98\x80"}]}',
    b'["61837.63000000","0.00000000"]', b'-123456789012345678901234.5678901234567890E+25',
    b'"\\', b'"\\u12', b'tru', b'fals',
]
for text in texts:
    for end in range(len(text) + 1):
        for start in range(end + 1):
            part = text[start:end]
            a, n = page.put(part)
            assert skip.is_json_at(a, n) == skip.is_json(part), part
            number.number(a, 0, n)
            number.integer(a, 0, n)
print("alive")
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)


def test_no_text_cut_anywhere_is_read_past_its_end() -> None:
    done = run(TEXTS.decode())
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "alive"


def test_the_guard_kills_whoever_reads_one_byte_too_far() -> None:
    assert run("from tests.decode.guard import GuardedPage\nGuardedPage().touch()").returncode == -11
