"""The command line: which benchmarks, how much of each, and where the results go."""

from __future__ import annotations

import argparse
import os
import sys
import time
from dataclasses import replace
from importlib import import_module
from pathlib import Path

from benchmarks import plot, report
from benchmarks.figures import Section, load, save
from benchmarks.form import FORMS, Form
from benchmarks.host import facts
from benchmarks.peers import PEERS, install
from benchmarks.workers import ROOT

RESULTS = ROOT / "benchmarks" / "results"
BENCHMARKS: dict[str, str] = {
    "decode": "benchmarks.decode.section",
    "cost": "benchmarks.cost.section",
    "memory": "benchmarks.memory.section",
    "ring": "benchmarks.ring.throughput",
    "latency": "benchmarks.ring.latency",
    "sockets": "benchmarks.sockets.section",
    "startup": "benchmarks.startup.section",
    "store": "benchmarks.store.section",
    "store_rate": "benchmarks.store.rates",
    "store_pause": "benchmarks.store.pauses",
    "sync_book": "benchmarks.sync.book",
    "sync_rows": "benchmarks.sync.rows",
    "sync_cost": "benchmarks.sync.cost",
    "sync_columns": "benchmarks.sync.columns",
}
"""Name to module; a module has ``run(form: Form) -> Section``."""


def main(arguments: list[str] | None = None) -> None:
    """``python -m benchmarks [--short | --ci | --install-peers] [names...]``."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=main.__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(BENCHMARKS)}; all if none is given")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--short", dest="form", action="store_const", const="short", help="all, with fewer runs")
    size.add_argument("--ci", dest="form", action="store_const", const="ci", help="a minute, own environment only")
    parser.add_argument("--install-peers", action="store_true", help="only make the peers' environments")
    parser.add_argument("--results", type=Path, default=None, help="folder for table, figures and plots")
    given = parser.parse_args(arguments)
    unknown = [name for name in given.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"no benchmark {unknown[0]}; there are {', '.join(BENCHMARKS)}")
    if given.install_peers:
        _, skipped = install(PEERS)
        print(f"peers: {len(PEERS) - len(skipped)} ready, {len(skipped)} skipped")
        return
    folder = os.environ.get("RINGCOLLECT_CAPTURES", "")
    if not Path(folder or "/nowhere").is_dir():
        sys.exit("benchmarks run on real frames: RINGCOLLECT_CAPTURES must name the folder of captures")
    form = FORMS[given.form or "full"]
    # The smallest form is a check that the benchmarks run; its figures stay out of the committed results.
    results = given.results or (RESULTS / "scratch" if form.name == "ci" else RESULTS)
    run(given.names or list(BENCHMARKS), form, results)


def run(names: list[str], form: Form, results: Path) -> None:
    """Run the named benchmarks; each section is written as soon as it is measured."""
    began = time.monotonic()
    host = facts()
    for name, value in host.items():
        print(f"{name}: {value}")
    for name in names:
        start = time.monotonic()
        print(f"\n== {name} ({form.name})", flush=True)
        section = import_module(BENCHMARKS[name]).run(form)
        took = f"{time.monotonic() - start:.0f} s"
        section = replace(section, facts=host | {"form": form.name, "took": took} | section.facts)
        write(section, results)
        print(report.document([section]), flush=True)
    table = results / "README.md"
    table.write_text(report.document(_stored(results)), encoding="utf-8")
    print(f"written to {table} in {time.monotonic() - began:.0f} s")


def write(section: Section, results: Path) -> None:
    """Figures and plot of one section."""
    save(section, results / f"{section.name}.json")
    said = plot.draw(section, results / f"{section.name}.png")
    if said:
        print(said)


def _stored(results: Path) -> list[Section]:
    """Every section there is, so that running one benchmark again leaves the others' figures in the table."""
    return [load(path) for name in BENCHMARKS if (path := results / f"{name}.json").is_file()]
