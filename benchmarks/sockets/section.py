"""Frames per second from the socket on: into our ring, and into receive loops that do nothing with them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.figures import Case, Section, Series, Skip, Target
from benchmarks.form import Form
from benchmarks.harness import cpus, pin
from benchmarks.peers import install
from benchmarks.sockets.server import encoded
from benchmarks.subjects import Entry, Measured
from benchmarks.workers import ROOT
from ringcollect.sources.capture import CaptureReader
from ringcollect.sources.events import EventKind

OWN, BARE = "benchmarks.sockets.own", "benchmarks.sockets.bare"
CAPTURE, EXCHANGE, MARKET = "binance_spot_2024", "binance", "spot"
FROM_LINE = 2_000
"""The beginning, with the REST snapshots, is given to the session before; what follows comes over the socket."""
FRAMES = 150_000


def run(form: Form) -> Section:
    """Thousands of frames a second, of processor time and of wall time."""
    ready, skipped = install(["picows"]) if form.peers else ({}, [Skip("picows", "not in this form")])
    path = Path(os.environ["RINGCOLLECT_CAPTURES"]) / f"{CAPTURE}.jsonl.gz"
    with TemporaryDirectory(prefix="ringcollect-bench-") as folder:
        payloads, last_ns = _frames(path, form.amount(FRAMES, 8_000))
        stream = Path(folder) / "stream"
        stream.write_bytes(encoded(payloads))
        with _server(stream) as url:
            entries = _entries(url, len(payloads), path, last_ns)
            missing = [Skip(e.name, "picows is not installed here") for e in entries if _lacks_picows(e)]
            measured = Measured([e for e in entries if not _lacks_picows(e)], ready, form.rounds, cpus()[-1])
    sizes = sorted(len(payload) for payload in payloads)
    said = (
        f"{len(payloads):,} consecutive frames of {CAPTURE} from line {FROM_LINE:,} on, in the order they came (best"
        f" prices, trades, book deltas; median {sizes[len(sizes) // 2]} bytes, mean {sum(sizes) // len(sizes)})"
    )
    skips = (*missing, *measured.skipped)
    return Section(
        name="sockets",
        title="Socket to ring",
        unit="thousand frames a second",
        cases=(
            Case(
                "per core: a second of the receiver's processor time",
                said + ".",
                _series(measured, "cpu_ns", len(payloads)),
                (Target("ringcollect, websockets, into the ring", "websockets, async for", 1.0),),
                skips,
                _complete(measured, len(payloads)),
            ),
            Case(
                "a second of wall time",
                "The same runs; the kernel and the sender share this time.",
                _series(measured, "wall_ns", len(payloads)),
                skipped=skips,
            ),
        ),
        less_is_better=False,
        skipped=tuple(skipped),
        notes=(
            "The server has a processor of its own and sends encoded frames in pieces of 256 KiB over loopback TCP, so"
            " one read of the socket brings many frames. All receivers run on uvloop, without TLS and compression.",
            "`into the ring`: transport, session, the venue's kernel, continuity, publishing, counters: what a feed"
            " does, without its timers. `counted only` and the peers' bare loops look at no byte of a frame; the peers"
            " of websockets and aiohttp decode its text.",
        ),
        facts=measured.versions,
    )


def _frames(path: Path, wanted: int) -> tuple[list[bytes], int]:
    """Payloads after the beginning, and the receive time of the last one, ns."""
    after = islice(CaptureReader(path), FROM_LINE, None)
    events = list(islice((event for event in after if event.kind is EventKind.IN), wanted))
    return [event.payload for event in events], events[-1].ts


def _entries(url: str, frames: int, path: Path, last_ns: int) -> list[Entry]:
    common = {"url": url, "frames": frames}
    ours = common | {
        "capture": str(path), "exchange": EXCHANGE, "market": MARKET, "from_line": FROM_LINE, "last_ns": last_ns,
    }  # fmt: skip
    own = [
        Entry(f"ringcollect, {library}, {said}", OWN, ours | {"library": library, "into": into}, ours=True)
        for library in ("websockets", "picows")
        for into, said in (("ring", "into the ring"), ("nothing", "counted only"))
    ]
    return [
        *own,
        Entry("websockets, async for", BARE, common | {"library": "websockets"}),
        Entry("aiohttp, async for", BARE, common | {"library": "aiohttp"}),
        Entry("picows, bare listener", BARE, common | {"library": "picows"}, "picows"),
    ]


def _lacks_picows(entry: Entry) -> bool:
    return entry.ours and entry.spec["library"] == "picows" and find_spec("picows") is None


@contextmanager
def _server(stream: Path) -> Iterator[str]:
    serving = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.sockets.server", str(stream)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        preexec_fn=_pinned(cpus()[0]),
    )
    assert serving.stdin is not None and serving.stdout is not None
    try:
        yield f"ws://127.0.0.1:{int(serving.stdout.readline())}/"
    finally:
        serving.stdin.close()
        serving.wait(10)
        serving.stdout.close()


def _pinned(cpu: int) -> Callable[[], None]:
    return lambda: pin(cpu)


def _series(measured: Measured, key: str, frames: int) -> tuple[Series, ...]:
    """Thousands of frames a second; the first round warmed up."""
    return tuple(
        Series(e.name, tuple(frames * 1e6 / found[key] for found in measured.evidence[e.name][1:]), e.ours)
        for e in measured.entries
        if e.name in measured.numbers
    )


def _complete(measured: Measured, frames: int) -> tuple[str, ...]:
    """What the sessions counted, and whether everybody got every frame."""
    said: list[str] = []
    for name, rounds in measured.evidence.items():
        found: dict[str, Any] | int = rounds[-1]["said"]
        received = found if isinstance(found, int) else found["frames_in"]
        counted = "" if isinstance(found, int) or len(found) == 1 else f" ({_counts(found)})"
        said.append(f"{name}: {'all' if received == frames else received} frames{counted}")
    return tuple(said)


def _counts(found: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in found.items() if count and name != "frames_in")
