"""From the measured numbers to the page and the plot."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from benchmarks.host import facts
from benchmarks.waiting import collector, strategies
from benchmarks.waiting.strategies import Plan
from benchmarks.workers import ROOT

RESULTS = ROOT / "benchmarks" / "results"
DOCUMENT = ROOT / "docs" / "waiting.md"
BEGIN, END = "<!-- measured: begin -->\n", "<!-- measured: end -->\n"
FULL = Plan(silence_s=3.0, records=1000, rate=200.0, rounds=3)
SHORT = Plan(silence_s=1.0, records=200, rate=200.0, rounds=1)


def main(short: bool = False, results: Path = RESULTS) -> None:
    """Measure, print, write ``waiting.md`` and ``waiting.png`` to ``results``; the long form also docs/waiting.md."""
    host = facts()
    plan = SHORT if short else FULL
    measured = strategies.measure(plan)
    bell = strategies.price_of_a_bell(3 if short else 9)
    seconds = 5.0 if short else 20.0
    idle = {profile: collector.measure(seconds, 0.1, profile) for profile in collector.PROFILES}
    busy = {} if short else {profile: collector.measure(seconds, 300.0, profile) for profile in collector.PROFILES}
    where = (
        f"Measured {host['when']} by `python -m benchmarks.waiting{' --short' if short else ''}` on "
        f"{host['processor']}, {host['processors']}, {host['kernel']}, Python {host['Python']}, niceness {os.nice(0)}, "
        f"load {host['load at start']}."
    )
    text = "\n".join(
        [where, "", strategy_table(measured, plan), bell_table(bell), collector_table(idle, busy, seconds)]
    )
    print(text)
    results.mkdir(parents=True, exist_ok=True)
    (results / "waiting.md").write_text(f"# Waiting\n\n{text}", encoding="utf-8")
    if not short:
        before, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)
        after = rest.partition(END)[2]
        DOCUMENT.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")
    said = draw(measured, results / "waiting.png")
    if said:
        print(said)


def strategy_table(measured: dict[str, dict[str, dict[str, float]]], plan: Plan) -> str:
    """Strategy and interval to what it costs and what it gives."""
    lines = [
        f"One reader on a processor of its own; {plan.silence_s:g} s of silence, then {plan.records} single records at "
        f"random times, {plan.rate:g} a second; medians of {plan.rounds} alternating rounds. Latency is from before "
        "publishing to the record copied out, in Python.",
        "",
        "| strategy | silent: wake-ups/s | silent: CPU % | stream: wake-ups/s | stream: CPU % | p50 | p99 | p99.9 |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for label, phases in measured.items():
        silent, stream = phases["silent"], phases["streaming"]
        late = " | ".join(duration(stream[key]) for key in ("p50", "p99", "p999"))
        lines.append(
            f"| {label} | {silent['wakeups']:.0f} | {silent['cpu']:.2f} | {stream['wakeups']:.0f} | "
            f"{stream['cpu']:.2f} | {late} |"
        )
    return "\n".join(lines) + "\n"


def bell_table(bell: dict[str, float]) -> str:
    """What the futex prototype adds to publishing."""
    lines = ["| publishing one record | ns |", "|---|---:|"]
    lines += [f"| {name} | {ns:,.0f} |" for name, ns in bell.items() if name != "waking a sleeper"]
    lines.append(f"| what waking a sleeper on the other processor adds | {bell['waking a sleeper']:,.0f} |")
    return "\n".join(lines) + "\n"


def collector_table(idle: dict[str, Any], busy: dict[str, Any], seconds: float) -> str:
    """Every process of a collector: wake-ups per second and CPU %."""
    names = list(next(iter(idle.values())))
    heads = [f"{kind}, {profile}" for kind, runs in (("silent", idle), ("300 frames/s", busy)) for profile in runs]
    lines = [
        f"`ringcollect start` beside the simulator with two markets, {seconds:g} s each: wake-ups per second / CPU %.",
        "",
        "| process | " + " | ".join(heads) + " |",
        "|---|" + "---:|" * len(heads),
    ]
    columns = [*idle.values(), *busy.values()]
    for name in names:
        cells = [f"{column[name]['wakeups']:.0f} / {column[name]['cpu']:.2f}" for column in columns]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    sums = [
        f"{sum(p['wakeups'] for p in column.values()):.0f} / {sum(p['cpu'] for p in column.values()):.2f}"
        for column in columns
    ]
    lines.append("| **sum** | " + " | ".join(sums) + " |")
    return "\n".join(lines) + "\n"


def duration(us: float) -> str:
    """Three digits and a unit."""
    return f"{us / 1000:.3g} ms" if us >= 1000 else f"{us:.3g} us"


def draw(measured: dict[str, dict[str, dict[str, float]]], path: Path) -> str:
    """Wake-ups of a silent process against the latency of a stream; answers why not without matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return "no plot: matplotlib is not installed (pip install 'ringcollect[bench]')"
    figure = Figure(figsize=(9, 5), layout="constrained")
    axes = figure.add_subplot()
    for label, phases in measured.items():
        x, late = phases["silent"]["cpu"], phases["streaming"]
        axes.plot([x, x, x], [late["p50"], late["p99"], late["p999"]], marker="o", label=label)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("CPU % of a silent process")
    axes.set_ylabel("latency in us: p50, p99, p99.9")
    axes.set_title("Waiting: what it costs and what it gives")
    axes.grid(which="both", alpha=0.3)
    axes.legend(fontsize=7)
    figure.savefig(path, dpi=110)
    return ""
