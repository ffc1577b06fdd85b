"""One picture per section: how many times as good we are, by case and peer, on a logarithmic axis."""

from __future__ import annotations

from pathlib import Path

from benchmarks.figures import Ratio, Section


def draw(section: Section, path: Path) -> str:
    """Write the PNG; answers why not when matplotlib is missing, else an empty string."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return "no plot: matplotlib is not installed (pip install 'ringcollect[bench]')"
    rows: list[tuple[str, Ratio]] = [
        (f"{case.name} | {ratio.peer}", ratio) for case in section.cases for ratio in section.ratios(case)
    ]
    if not rows:
        return "no plot: nothing was compared"
    labels = list(dict.fromkeys(label for label, _ in rows))
    subjects = list(dict.fromkeys(ratio.ours for _, ratio in rows))
    figure = Figure(figsize=(11, 1.5 + 0.24 * len(labels)), layout="constrained")
    axes = figure.add_subplot()
    for index, subject in enumerate(subjects):
        mine = [(labels.index(label), ratio) for label, ratio in rows if ratio.ours == subject]
        values = [ratio.value for _, ratio in mine]
        spread = [
            [max(0.0, ratio.value - ratio.low) for _, ratio in mine],
            [max(0.0, ratio.high - ratio.value) for _, ratio in mine],
        ]
        places = [-place + 0.15 * (index - (len(subjects) - 1) / 2) for place, _ in mine]
        axes.errorbar(values, places, xerr=spread, fmt="o", markersize=4, linewidth=1, label=subject)
    axes.axvline(1.0, color="black", linewidth=0.8)
    axes.set_xscale("log")
    axes.set_yticks([-place for place in range(len(labels))], labels, fontsize=7)
    axes.set_ylim(-len(labels) + 0.4, 0.6)
    axes.set_xlabel("times as good as the peer (right of the line ringcollect wins)")
    axes.set_title(section.title)
    axes.grid(axis="x", which="both", alpha=0.3)
    axes.legend(fontsize=7, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    figure.savefig(path, dpi=110)
    return ""
