"""``ringcollect features list`` and ``describe``: the catalogue of columns, for people and as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from ringcollect.errors import NotFoundError

if TYPE_CHECKING:
    from ringcollect.sync.catalogue import Feature

_INPUTS = {
    "B": "book", "T": "trades", "L": "liquidations", "F": "funding", "O": "open interest", "M": "mark and index price",
    "R": "previous rows", "U": "book updates of the bin", "C": "the clock",
}  # fmt: skip
_NEAR = 5
BARS = "bars"
"""In the place of a set: the columns of every bar."""


@click.command("list")
@click.argument("choice", nargs=-1, metavar="[SET|NAME|WILDCARD|bars]...")
@click.option("--json", "as_json", is_flag=True, help="As one JSON array.")
def listing(choice: tuple[str, ...], as_json: bool) -> None:
    """The columns a row can have, in catalogue order: all, or those of a set (minimal, ...), a name, a wildcard.

    bars: the columns that every bar has.
    """
    from ringcollect.sync.catalogue import COLUMNS, choose

    entries = [word for text in choice for word in text.split(",") if word]
    of_rows = [word for word in entries if word != BARS]
    wanted = set(choose(of_rows, "features list")) if of_rows else set()
    chosen = [feature for feature in COLUMNS if not entries or feature.name in wanted]
    chosen += _of_bars() if BARS in entries else []
    if as_json:
        click.echo(json.dumps([_plain(feature) for feature in chosen], indent=1, ensure_ascii=False))
        return
    rows = [("name", "group", "unit", "sets", "formula")]
    rows += [(f.name, f.group, f.unit, ",".join(_sets(f.name)), f.formula) for f in chosen]
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    for row in rows:
        head = "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=False))
        click.echo(f"{head}  {row[4]}".rstrip())


@click.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def describe(name: str, as_json: bool) -> None:
    """One column: formula, unit, what it is made of, its value where the formula has none, and where it comes from."""
    from ringcollect.sync.catalogue import COLUMNS

    known = [*COLUMNS, *_of_bars()]
    feature = next((feature for feature in known if feature.name == name), None)
    if feature is None:
        raise NotFoundError(f"no feature is called {name!r}; {_nearest(name, [f.name for f in known])}")
    if as_json:
        click.echo(json.dumps(_plain(feature), indent=1, ensure_ascii=False))
        return
    lines = {
        "formula": feature.formula,
        "unit": feature.unit,
        "inputs": _inputs(feature.inputs),
        "window": feature.window,
        "undefined": feature.undefined,
        "group": feature.group,
        "sets": ", ".join(_sets(name)) or "none: only by its name",
        "source": feature.source,
    }
    click.echo(name)
    for key, text in lines.items():
        click.echo(f"  {key:<10} {text}")


def _of_bars() -> list[Feature]:
    """The columns of bars, stamps included."""
    from ringcollect.sync.catalogue import Options, bars
    from ringcollect.sync.catalogue.feature import Group

    return Group("P", BARS, bars.FAMILIES, slab=0).features(Options())


def _inputs(letters: str) -> str:
    return "records of any kind" if letters == "all" else ", ".join(_INPUTS.get(letter, "none") for letter in letters)


def _sets(name: str) -> list[str]:
    """The named sets that hold a column, smallest first."""
    from ringcollect.sync.catalogue import SETS

    if any(feature.name == name for feature in _of_bars()):
        return [BARS]
    return [key for key, names in sorted(SETS.items(), key=lambda item: len(item[1])) if name in names]


def _plain(feature: Feature) -> dict[str, Any]:
    return {
        "name": feature.name,
        "formula": feature.formula,
        "unit": feature.unit,
        "inputs": feature.inputs,
        "window": feature.window,
        "undefined": feature.undefined,
        "group": feature.group,
        "sets": _sets(feature.name),
        "source": feature.source,
    }


def _nearest(name: str, known: list[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, known, _NEAR)
    return f"near to it: {', '.join(near)}" if near else "`ringcollect features list` shows all"
