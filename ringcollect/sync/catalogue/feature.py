"""What the catalogue is made of: families of columns, and the columns they become with given options."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import msgspec

from ringcollect.durations import format_duration
from ringcollect.sync.catalogue.options import Options


class Family(msgspec.Struct, frozen=True):
    """Columns with one formula.

    ``names`` are patterns: ``{H}`` stands for each horizon, ``{a}_{b}`` for each band between two edges, ``{x}`` for
    each edge above 0, ``{L}`` for each stored price level, ``{K}`` for each level of order flow. ``inputs``: B book at
    the row's close, U book updates of the bin, T trades, L liquidations, F funding, O open interest, M mark and index,
    R earlier rows, C clock. ``core``: whether the set ``core`` has it.
    """

    names: tuple[str, ...]
    formula: str
    unit: str
    inputs: str
    window: str
    undefined: str
    source: str
    core: bool = True

    def columns(self, options: Options) -> Iterator[str]:
        """The names with every pattern filled in, in catalogue order."""
        for name in self.names:
            if "{H}s" in name:
                yield from (name.replace("{H}s", seconds_name(ns)) for ns in options.horizons_ns)
            elif "{a}" in name:
                edges = [edge_name(edge) for edge in options.bands_bps]
                yield from (name.format(a=a, b=b) for a, b in pairwise(edges))
            elif "{x}" in name:
                yield from (name.format(x=edge_name(edge)) for edge in options.bands_bps if edge > 0)
            elif "{L}" in name:
                yield from (name.format(L=i) for i in range(options.price_levels))
            elif "{K}" in name:
                yield from (name.format(K=i) for i in range(options.ofi_levels))
            else:
                yield name


class Feature(msgspec.Struct, frozen=True):
    """One column of a row."""

    name: str
    group: str
    formula: str
    unit: str
    inputs: str
    window: str
    undefined: str
    source: str
    core: bool


class Group(msgspec.Struct, frozen=True):
    """A file of kernels.

    ``letter`` names it in the catalogue and orders it; ``module`` is its kernel's module in ``sync/features``, ``slab``
    the 8-byte words of state it keeps per instrument. ``hears`` are the events its kernel is called for besides the
    closing row: U updates, T trades, L liquidations, S states. ``deep``: it needs more of the book at the row's close
    than the best level. ``reads`` names each series (places.py) with the longest window over it, in seconds or as the
    name of an option; ``requires`` the groups that push those which are not the core's.
    """

    letter: str
    module: str
    families: tuple[Family, ...]
    slab: int
    hears: str = ""
    deep: bool = False
    reads: tuple[tuple[int, int | str], ...] = ()
    requires: tuple[str, ...] = ()

    @property
    def bit(self) -> int:
        """The group's bit in the run-time mask."""
        return 1 << self.index

    @property
    def index(self) -> int:
        """The group's place in the tables of ``params``."""
        return ord(self.letter) - ord("A")

    def features(self, options: Options) -> list[Feature]:
        """The group's columns in the order in which its kernel writes them."""
        return [
            Feature(
                name=name, group=self.letter, formula=family.formula, unit=family.unit, inputs=family.inputs,
                window=family.window, undefined=family.undefined, source=family.source, core=family.core,
            )
            for family in self.families
            for name in family.columns(options)
        ]  # fmt: skip


def seconds_name(ns: int) -> str:
    """A horizon as column names have it: ``5s``; below a second as a duration is written (``250ms``)."""
    return f"{ns // 10**9}s" if ns % 10**9 == 0 else format_duration(ns)


def edge_name(edge: float) -> str:
    """A band's edge as column names have it: ``10``, ``2.5``."""
    return f"{edge:g}"
