"""``python -m tests.fuzz --time 3600``: hours of mutated frames; ``make fuzz`` calls it.

Every round runs in a child that writes each frame down before the kernel sees it. A child that dies takes nothing
along: the frame it died of is kept, as is every frame over which the ways disagree. Exit code 1 if there is one.
"""

from __future__ import annotations

import argparse
import mmap
import os
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from tests.fuzz.corpus import CORPORA
from tests.fuzz.judge import Disagreement, Judge
from tests.fuzz.mutate import mutated

ROUND_S = 60
_NOTE_BYTES = 1 << 20


class Note:
    """The frame being tried, in a file that outlives the process."""

    def __init__(self, path: Path) -> None:
        path.write_bytes(bytes(_NOTE_BYTES))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), _NOTE_BYTES)

    def write(self, frame: bytes) -> None:
        """``frame`` is next."""
        frame = frame[: _NOTE_BYTES - 8]
        self._map[:8] = len(frame).to_bytes(8, "little")
        self._map[8 : 8 + len(frame)] = frame


def read_note(path: Path) -> bytes:
    """The frame noted last."""
    raw = path.read_bytes()
    return raw[8 : 8 + int.from_bytes(raw[:8], "little")]


def captures() -> Path | None:
    """Where real frames are, if anywhere."""
    folder = os.environ.get("RINGCOLLECT_CAPTURES")
    return Path(folder) if folder else None


def child(number: int, seed: int, seconds: float, most: int, note: Path) -> int:
    """One round over one corpus; the first disagreement ends it."""
    corpus = CORPORA[number]
    frames = corpus.frames(captures())
    judge = Judge(corpus)
    rng = random.Random(seed)
    noted = Note(note)
    seen: Counter[str] = Counter()
    end = time.monotonic() + seconds
    while sum(seen.values()) < most and time.monotonic() < end:
        frame, other = rng.choice(frames), rng.choice(frames)
        for _ in range(rng.choice([1, 1, 1, 2, 3, 8])):
            frame = mutated(rng, frame, other)
            if len(frame) > 40_000:
                break
            noted.write(frame)
            try:
                seen[judge.test(frame)] += 1
            except Disagreement as error:
                print(f"{error}\n{frame!r}", flush=True)
                return 1
    print(" ".join(f"{count} {name}" for name, count in sorted(seen.items())), flush=True)
    return 0


def round_of(number: int, seed: int, seconds: float, most: int, kept: Path) -> bool:
    """Run a child; False, and the frame kept, if it died or found a disagreement."""
    corpus = CORPORA[number]
    kept.mkdir(parents=True, exist_ok=True)
    note = kept / f".note.{os.getpid()}"
    command = [sys.executable, "-m", "tests.fuzz", "--child", str(number), "--seed", str(seed)]
    command += ["--time", str(seconds), "--most", str(most), "--kept", str(note)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds + 300)
    print(f"{corpus.exchange} {corpus.market} seed {seed}: {(done.stdout or done.stderr).strip()[-2000:]}", flush=True)
    if done.returncode:
        place = kept / f"{corpus.exchange}-{corpus.market}-{seed}.frame"
        place.write_bytes(read_note(note) if note.exists() else b"")
        print(f"  exit code {done.returncode}; the frame is in {place}\n{done.stderr[-2000:]}", flush=True)
    note.unlink(missing_ok=True)
    return done.returncode == 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--time", type=float, default=3600, help="seconds in all")
    parser.add_argument("--seed", type=int, default=None, help="first seed; later rounds count up")
    parser.add_argument("--most", type=int, default=2**62, help="frames a round")
    parser.add_argument("--kept", type=Path, default=Path("fuzz-frames"), help="folder of what was found")
    parser.add_argument("--child", type=int, default=None, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child is not None:
        return child(options.child, options.seed, options.time, options.most, options.kept)
    seed = int(time.time()) if options.seed is None else options.seed
    end = time.monotonic() + options.time
    bad = 0
    while time.monotonic() < end:
        number = seed % len(CORPORA)
        bad += not round_of(number, seed, min(ROUND_S, max(1.0, end - time.monotonic())), options.most, options.kept)
        seed += 1
    print(f"{bad} frames kept in {options.kept}" if bad else "nothing found")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
