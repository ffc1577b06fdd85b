"""A day's report as one HTML page with plots (plotly; its script lies beside the pages, nothing is fetched)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any
from urllib.parse import quote

import numpy as np

from ringcollect.errors import ConfigError
from ringcollect.store.quality.facts import DayFacts, StreamFacts
from ringcollect.store.quality.wording import COLUMNS, cells, clock_lines, clock_time, headline, missing, window_cells

SCRIPT = "plotly.min.js"
PLOTTED = 12
"""So many streams, those with the most rows, are drawn; the table has all."""
_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 1200px; padding: 0 1rem; color: #1c2430 }
h1 { font-size: 1.5rem } h2 { font-size: 1.15rem; margin-top: 2rem }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 13px }
th, td { text-align: left; padding: .25rem .6rem; border-bottom: 1px solid #dde2e8; white-space: nowrap }
td.bad { background: #fdecea } .wide { overflow-x: auto } .note { color: #5b6673 }
@media (prefers-color-scheme: dark) { body { background: #14181d; color: #e4e8ee }
  th, td { border-color: #2c343d } td.bad { background: #4a2320 } .note { color: #9aa5b1 } }
"""


def load_plotly() -> Any:
    """The module plotly.graph_objects; ConfigError with what to install if it is not there."""
    try:
        import plotly.graph_objects
    except ImportError as error:
        raise ConfigError('the HTML report needs plotly: pip install "ringcollect[report]"') from error
    return plotly.graph_objects


def script() -> str:
    """plotly's own script, for the file :data:`SCRIPT` beside the pages."""
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs())


def page(day: DayFacts, to_script: str) -> str:
    """The whole page; ``to_script`` is the relative path of plotly's script."""
    go = load_plotly()
    plots = [_rates(go, day), _coverage(go, day), _latencies(go, day)]
    drawn = [plot.to_html(full_html=False, include_plotlyjs=False, default_height=360) for plot in plots if plot]
    title = f"{day.name} on {day.date}"
    parts = [
        f"<h1>{escape(title)} (UTC)</h1><p><strong>{escape(headline(day))}</strong></p>",
        f'<p class="note">Judged from {clock_time(day.from_ns)} to {clock_time(day.until_ns - 1)}.</p>',
        "<h2>Streams</h2>",
        _table(COLUMNS, map(cells, day.streams), bad=_bad_cell),
        *drawn,
    ]
    if day.offline:
        parts += ["<h2>Offline windows of the collector</h2>"]
        parts += [_table(("from", "to", "seconds", "cause"), map(window_cells, day.offline))]
    gaps = missing(day)
    if gaps:
        parts += ["<h2>Gaps</h2>", _table(("market", "symbol", "channel", "from", "to", "seconds", "cause"), gaps)]
    if day.lost:
        lost = ((r.ring, str(r.generation), f"{r.seq_from} to {r.seq_to - 1}", r.cause) for r in day.lost)
        parts += ["<h2>Lost records</h2>", _table(("ring", "generation", "seq", "cause"), lost)]
    parts += ["<h2>Clock</h2><ul>", *(f"<li>{escape(line)}</li>" for line in clock_lines(day)), "</ul>"]
    return _document(title, "\n".join(parts), f'<script src="{escape(to_script)}"></script>')


def index(days: Sequence[DayFacts]) -> str:
    """All days of a report with a link each."""
    rows = "".join(
        f'<tr><td><a href="{quote(d.folder)}/{d.date}.html">{escape(d.name)} {d.date}</a></td>'
        f"<td>{escape(headline(d))}</td></tr>"
        for d in days
    )
    return _document("Quality of the record", f"<h1>Quality of the record</h1><table>{rows}</table>", "")


def _document(title: str, body: str, head: str) -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width">{head}<style>{_STYLE}</style></head>'
        f"<body>{body}</body></html>"
    )


def _table(names: Sequence[str], rows: Iterable[Sequence[str]], bad: Any = None) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    lines = []
    for row in rows:
        marks = [' class="bad"' if bad and bad(names[i], cell) else "" for i, cell in enumerate(row)]
        lines.append(
            "<tr>" + "".join(f"<td{mark}>{escape(cell)}</td>" for mark, cell in zip(marks, row, strict=True)) + "</tr>"
        )
    return f'<div class="wide"><table><tr>{head}</tr>{"".join(lines)}</table></div>'


def _bad_cell(name: str, cell: str) -> bool:
    if name == "coverage":
        return cell not in ("100 %", "not told")
    return name in ("gaps", "id gaps") and cell != "0"


def _most(day: DayFacts) -> list[StreamFacts]:
    return sorted((s for s in day.streams if s.rows), key=lambda s: -s.rows)[:PLOTTED]


def _name(stream: StreamFacts) -> str:
    return escape(f"{stream.symbol} {stream.market} {stream.channel}")


def _times(day: DayFacts, count: int) -> list[str]:
    step = 1440 // count
    return [f"{day.date}T{i * step // 60:02d}:{i * step % 60:02d}:00" for i in range(count)]


def _rates(go: Any, day: DayFacts) -> Any:
    plot = go.Figure(layout_title_text="Rows per minute (streams with the most rows)")
    for stream in _most(day):
        minutes = np.asarray(stream.minutes)
        seen = slice(int(np.flatnonzero(minutes)[0]), int(np.flatnonzero(minutes)[-1]) + 1)
        plot.add_scatter(x=_times(day, 1440)[seen], y=minutes[seen].tolist(), name=_name(stream), mode="lines")
    return plot if plot.data else None


def _coverage(go: Any, day: DayFacts) -> Any:
    """What is missing, each window a bar on its stream's line: nothing drawn is a day without gaps."""
    plot = go.Figure(layout_title_text="Windows without data")
    bars: dict[str, list[tuple[str, int, int]]] = {}
    for window in day.offline:
        bars.setdefault(f"collector: {window.cause}", []).append(("collector", window.from_ns, window.to_ns or 0))
    for stream in day.streams:
        for window in stream.gaps:
            bars.setdefault(window.cause, []).append((_name(stream), window.from_ns, window.to_ns or day.until_ns))
    for cause, spans in bars.items():
        plot.add_bar(
            y=[name for name, _, _ in spans],
            base=[first / 1e6 for _, first, _ in spans],
            x=[max(last - first, 1_000_000) / 1e6 for _, first, last in spans],
            name=escape(cause),
            orientation="h",
        )
    plot.update_layout(barmode="overlay", xaxis={"type": "date", "range": [day.from_ns / 1e6, day.until_ns / 1e6]})
    return plot if plot.data else None


def _latencies(go: Any, day: DayFacts) -> Any:
    plot = go.Figure(layout_title_text="Latency per hour, median and 99th percentile (ms)")
    plot.update_yaxes(type="log")
    for stream in [s for s in _most(day) if s.latency]:
        for label, hours in (("p50", stream.hours_p50_ns), ("p99", stream.hours_p99_ns)):
            plot.add_scatter(
                x=_times(day, 24),
                y=[None if ns is None or ns <= 0 else ns / 1e6 for ns in hours],
                name=f"{_name(stream)} {label}",
                mode="lines+markers",
                line={"dash": "dot"} if label == "p99" else {},
            )
    return plot if plot.data else None
