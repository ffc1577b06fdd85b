"""Decode: what one captured frame costs from its bytes to records (and to a book), ours beside the peers."""

from __future__ import annotations

import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks.decode import targets
from benchmarks.decode.captures import Frames
from benchmarks.decode.evidence import agreement
from benchmarks.decode.sorting import cases
from benchmarks.figures import Case, Section, Series, Skip
from benchmarks.form import Form
from benchmarks.harness import RunFailed, alternate, cpus
from benchmarks.peers import install
from benchmarks.workers import Opened, Worker

HERE = Path(__file__).parent
OWN = "own"
SCRIPTS = {"cryptofeed": "cryptofeed_worker.py", "ccxt": "ccxt_worker.py", "tardis": "tardis_worker.mjs"}
BATCH = 16
NOTES = (
    "a batch is the frames of one socket read, 16 here",
    "cold: what the exchange's own kernel hands on, its look included; rest: a REST body",
)
PUBLISHED_COLD = ("mark_price", "index_price", "funding", "open_interest", "liquidation")
FIGURED = {
    "cryptofeed": {
        "book": targets.CRYPTOFEED, "trade": "cryptofeed, its handler", "bbo": "cryptofeed, its handler",
    },
    "ccxt": {
        "book": "ccxt.pro, its handler and its book", "trade": "ccxt.pro, its handler", "bbo": "ccxt.pro, its handler",
    },
    "tardis": dict.fromkeys(("book", "trade", "bbo"), "tardis-dev mapper on node"),
}  # fmt: skip
"""Peers with an environment of their own, and what they are called in a case of each channel."""


def run(form: Form) -> Section:
    """Measure every case; a peer that cannot do one is named there with its reason."""
    ready, skipped = install(SCRIPTS) if form.peers else ({}, [])
    if not form.peers:
        skipped = [Skip(name, f"the {form.name} form runs in its own environment only") for name in SCRIPTS]
    found, notes = cases(form)
    cpu = cpus()[-1]
    done: list[Case] = []
    with tempfile.TemporaryDirectory(prefix="ringcollect-bench-") as scratch, ExitStack() as stack:
        folder = Path(scratch)

        def start(name: str, command: list[str]) -> Worker:
            return stack.enter_context(Worker(command, cpu=cpu, log=folder / f"{name}.log"))

        workers = {OWN: start(OWN, [sys.executable, "-m", "benchmarks.decode.own"])}
        for name, peer in ready.items():
            try:
                workers[name] = start(name, [*peer.peer.command, str(HERE / SCRIPTS[name]), str(peer.peer.folder)])
            except RunFailed as error:
                skipped.append(Skip(name, str(error)))
        for frames in [one for one in found if one.way == "hot"] + [one for one in found if one.way != "hot"]:
            case = _case(frames, workers, form, folder)
            done.append(case)
            print(f"  {case.name}: {case.detail}", flush=True)
        versions = {name: value for worker in workers.values() for name, value in worker.versions.items()}
    return Section(
        "decode", "Decode: ns a frame", "ns a frame", tuple(done), skipped=tuple(skipped),
        notes=(*notes, *NOTES, f"every worker on processor {cpu}, one after the other"), facts=versions,
    )  # fmt: skip


def _case(frames: Frames, workers: dict[str, Worker], form: Form, folder: Path) -> Case:
    path = str(frames.write(folder))
    opened: dict[str, Opened] = {}
    skips: list[Skip] = []
    for subject, worker, spec in _subjects(frames):
        if worker not in workers:
            continue
        try:
            opened[subject] = workers[worker].open({"case": path, "share": form.share, **spec})
        except RunFailed as error:
            skips.append(Skip(subject, str(error)))
    numbers, failed = alternate({name: subject.round for name, subject in opened.items()}, form.rounds)
    skips += [Skip(name, reason) for name, reason in failed.items()]
    checks: list[str] = []
    if frames.follows or (frames.way == "hot" and not frames.stands_alone):
        numbers, differing, checks = _compared(frames, opened, numbers)
        skips += differing
    for name, started in opened.items():
        if name not in failed:
            started.close()
    return Case(
        frames.name, frames.detail,
        tuple(Series(name, runs, name.startswith("ringcollect")) for name, runs in numbers.items()),
        targets.of(frames.capture, frames.channel, frames.way), tuple(skips), tuple(checks),
    )  # fmt: skip


def _subjects(frames: Frames) -> list[tuple[str, str, dict[str, object]]]:
    """(name, worker, spec) of everyone who takes part in a case."""
    parse: list[tuple[str, str, dict[str, object]]] = [(targets.ORJSON, OWN, {"subject": "orjson"})]
    peers: list[tuple[str, str, dict[str, object]]] = [
        (names[frames.channel], peer, {}) for peer, names in FIGURED.items() if frames.channel in names
    ]
    with_book: tuple[str, str, dict[str, object]] = (targets.WITH_BOOK, OWN, {"subject": "book"})
    if frames.way != "hot" and frames.follows:
        return [(targets.TYPED_WAY, OWN, {"subject": "cold"}), with_book, *parse, *peers]
    if frames.way == "cold" and frames.channel in PUBLISHED_COLD and not frames.stands_alone:
        return [
            (targets.TYPED_WAY, OWN, {"subject": "cold"}),
            (targets.PUBLISHED, OWN, {"subject": "publish"}),
            (targets.BATCHES, OWN, {"subject": "batches", "batch": BATCH}),
            *parse,
        ]
    if frames.way != "hot":
        return [(targets.TYPED_WAY, OWN, {"subject": frames.way}), *parse]
    if frames.stands_alone:
        return [(targets.BY_FRAME, OWN, {"subject": "decode"}), *parse]
    own: list[tuple[str, str, dict[str, object]]] = [
        (targets.BY_FRAME, OWN, {"subject": "decode"}),
        (targets.PUBLISHED, OWN, {"subject": "publish"}),
        (targets.BATCHES, OWN, {"subject": "batches", "batch": BATCH}),
    ]
    if frames.channel == "book":
        own.append(with_book)
    parse += [
        ("msgspec, typed, numbers left as text", OWN, {"subject": "msgspec"}),
        ("msgspec, typed, to floats", OWN, {"subject": "msgspec floats"}),
    ]
    return own + parse + peers


def _compared(
    frames: Frames, opened: dict[str, Opened], numbers: dict[str, tuple[float, ...]]
) -> tuple[dict[str, tuple[float, ...]], list[Skip], list[str]]:
    """Whoever came to another result than ours did other work: its figures are left out, with what differs."""
    ours = opened[targets.WITH_BOOK if frames.channel == "book" else targets.BY_FRAME].evidence()
    what = "the best five levels of every book" if frames.channel == "book" else f"the last {frames.channel} of each"
    kept = dict(numbers)
    skips: list[Skip] = []
    checks: list[str] = []
    for name in {names[frames.channel] for names in FIGURED.values()} & kept.keys():
        differs = agreement(ours, opened[name].evidence())
        if differs:
            del kept[name]
            skips.append(Skip(name, f"does not agree with ours: {differs}"))
        else:
            checks.append(f"{name} and ours agree on {what}")
    return kept, skips, sorted(checks)
