"""The catalogue: every column a row can have, in order, and which group of kernels writes it.

What the configuration chooses from it becomes data (a bit mask, offsets, a list of columns): no choice compiles
anything. Nothing here imports a kernel.
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from ringcollect.errors import ConfigError
from ringcollect.sync.catalogue.feature import Feature
from ringcollect.sync.catalogue.groups import ACROSS, GROUPS
from ringcollect.sync.catalogue.options import Options
from ringcollect.sync.catalogue.venues import MADE_OF

__all__ = [
    "ACROSS", "COLUMNS", "FEATURES", "GROUPS", "SETS", "Feature", "Options", "choose", "divided", "features_with",
    "select",
]  # fmt: skip


def features_with(options: Options) -> tuple[Feature, ...]:
    """Every column of a row there is with these options, in catalogue order."""
    return tuple(feature for group in GROUPS for feature in group.features(options))


def across_with(options: Options) -> tuple[Feature, ...]:
    """Those columns of group O whose own column is there with these options."""
    there = {feature.name for feature in features_with(options)}
    return tuple(feature for feature in ACROSS.features(options) if MADE_OF[feature.name] in there)


FEATURES = features_with(Options())
"""The columns of a row with the default options."""
COLUMNS = (*FEATURES, *across_with(Options()))
"""Every column that can be chosen, group O behind those of a row."""


def _is_in(feature: Feature, name: str) -> bool:
    return name == "full" or (feature.core if name == "core" else feature.group == "A")


SETS = {name: tuple(f.name for f in COLUMNS if _is_in(f, name)) for name in ("minimal", "core", "full")}
"""Named sets, with the default options: ``minimal`` is group A (flags are part of every row), ``full`` everything."""


def select(wanted: Sequence[str], key: str = "sync.features", options: Options | None = None) -> list[str]:
    """The columns of a row for what :func:`choose` finds: those of group O by the columns they are made of."""
    return list(divided(choose(wanted, key, options), options or Options())[0])


def choose(wanted: Sequence[str], key: str = "sync.features", options: Options | None = None) -> list[str]:
    """Column names for sets, names and wildcards (``["minimal", "ofi*", "rv_{5,60}s"]``), in catalogue order.

    Raises ConfigError naming an entry that matches nothing, and the ``key`` it stands in.
    """
    features = (*features_with(options), *across_with(options)) if options else COLUMNS
    names = {f.name for f in features}
    chosen: set[str] = set()
    for entry in wanted:
        if entry in names:  # looked up: matching hundreds of names with hundreds of patterns takes a tenth of a second
            found = [entry]
        elif entry in SETS:
            found = [f.name for f in features if _is_in(f, entry)]
        else:
            patterns = _alternatives(entry)
            found = [f.name for f in features if any(fnmatchcase(f.name, pattern) for pattern in patterns)]
        if not found:
            raise ConfigError(f"{key}: {entry!r} is no set ({', '.join(SETS)}) and matches no feature")
        chosen.update(found)
    return [f.name for f in features if f.name in chosen]


def divided(columns: Sequence[str], options: Options) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(columns of a row, columns of group O): ``columns`` in two, the first with what the second is made of."""
    across = tuple(name for name in columns if name in MADE_OF)
    wanted = set(columns) | {MADE_OF[name] for name in across}
    return tuple(f.name for f in features_with(options) if f.name in wanted), across


def _alternatives(pattern: str) -> list[str]:
    """``a{1,2}b`` as ``a1b`` and ``a2b``; a brace without its partner stands for itself."""
    head, brace, rest = pattern.partition("{")
    inner, partner, tail = rest.partition("}")
    if not brace or not partner:
        return [pattern]
    return [head + choice + after for choice in inner.split(",") for after in _alternatives(tail)]
