"""``RINGCOLLECT__SECTION__KEY``: environment variables over the file.

``RINGCOLLECT__RING__CAPACITY=65536``, ``RINGCOLLECT__MARKETS__0__SYMBOLS=BTCUSDT,ETHUSDT``. Arrays are written with
commas or as TOML; the position one past the last appends a table, so that a container needs no file at all.
"""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from ringcollect.config.build import Shape, shapes
from ringcollect.config.problems import Path, Problems, nearest
from ringcollect.config.schema import Config

PREFIX = "RINGCOLLECT__"


def apply_environment(raw: dict[str, Any], env: Mapping[str, str], problems: Problems) -> None:
    """Set what ``env`` says in the parsed file ``raw``, noting origins and unknown names."""
    for variable, path, text in _overrides(env):
        problems.origins[path] = variable
        shape = _shape_at(path, variable, problems)
        if shape is not None:
            _put(raw, path, _parse(shape, text), problems)


def _overrides(env: Mapping[str, str]) -> Iterator[tuple[str, Path, str]]:
    """Variables with their paths; array positions in numeric order, so that appended tables follow each other."""
    named = [
        (tuple(int(s) if s.isdecimal() and len(s) < 6 else s for s in name[len(PREFIX) :].lower().split("__")), name)
        for name in env
        if name.startswith(PREFIX)
    ]
    for path, name in sorted(named, key=lambda pair: [(isinstance(s, str), s) for s in pair[0]]):
        yield name, path, env[name]


def _shape_at(path: Path, variable: str, problems: Problems) -> Shape | None:
    """What the schema has at ``path``; None, noted, where it has no such key."""
    shape = Shape(Config)
    for depth, step in enumerate(path):
        known = shapes(shape.type) if shape.is_table else {}
        of_tables = shape.item is not None and shape.item.is_table
        if step in known:
            shape = known[str(step)]
            continue
        if of_tables and isinstance(step, int) and shape.item is not None:
            shape = shape.item
            continue
        here = path[: depth + 1]
        problems.origins[here] = variable
        if known:
            problems.add(here, f"unknown key; {nearest(str(step), known)}")
        elif of_tables:
            problems.add(here, f'"{step}" is not a position in the array (0, 1, ...)')
        else:
            problems.add(here, "is a value, not a table: it has no keys of its own")
        return None
    if (shape.is_table and shape.item is None) or (shape.is_array and shape.item is not None and shape.item.is_table):
        problems.add(path, "is a table: set its keys one by one")
        return None
    return shape


def _parse(shape: Shape, text: str) -> Any:
    """The text as the key's type; unparsable text stays text, which the check then reports."""
    if shape.type is str:
        return text
    if shape.item is not None and not text.lstrip().startswith("["):
        return [part.strip() for part in text.split(",") if part.strip()]
    try:
        parsed = tomllib.loads(f"value = {text.strip().lower() if shape.type is bool else text}")
    except (ValueError, RecursionError):
        return text
    return parsed["value"] if len(parsed) == 1 else text


def _put(raw: dict[str, Any], path: Path, value: Any, problems: Problems) -> None:
    node: Any = raw
    for step, following in itertools.pairwise(path):
        empty: Any = [] if isinstance(following, int) else {}
        if isinstance(step, int):
            if not isinstance(node, list):
                return  # the file has something else there, which the check reports
            if step > len(node):
                problems.add(path, f"position {step} does not exist: the array has {len(node)} entries")
                return
            if step == len(node):
                node.append(empty)
            node = node[step]
        else:
            if not isinstance(node, dict):
                return
            node = node.setdefault(step, empty)
    if isinstance(node, dict):
        node[str(path[-1])] = value
