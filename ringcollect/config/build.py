"""From parsed TOML to the schema's structs, finding every problem instead of stopping at the first.

A value that is wrong is noted and replaced by its default (or by an empty value of its type), so that the rest can
still be checked in the same go; positions in arrays stay what they are in the file.
"""

from __future__ import annotations

from types import UnionType
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin, get_type_hints

import msgspec

from ringcollect.config.problems import Path, Problems, nearest
from ringcollect.config.rules import BarSize, Duration, Rule

_TYPE_NAMES = {
    str: "a string", bool: "true or false", int: "an integer", float: "a number", tuple: "an array", dict: "a table",
}  # fmt: skip


class Shape(NamedTuple):
    """What one key takes: a scalar type with its rule, a struct, or an array of either.

    A scalar or a struct with an ``item`` may be an array of those instead.
    """

    type: Any
    rule: Rule | None = None
    item: Shape | None = None

    @property
    def is_table(self) -> bool:
        return isinstance(self.type, type) and issubclass(self.type, msgspec.Struct)

    @property
    def is_array(self) -> bool:
        return self.type is tuple


def shape_of(hint: Any) -> Shape:
    """The shape of a field's type hint."""
    if get_origin(hint) is Annotated:
        inner, rule = get_args(hint)
        return Shape(shape_of(inner).type, rule)
    if get_origin(hint) in (UnionType, Union):
        first, second = (shape_of(arm) for arm in get_args(hint))
        # X | None: a key that may be left out, and then says nothing
        return first._replace(item=second.item) if second.is_array else first
    if get_origin(hint) is tuple:
        return Shape(tuple, item=shape_of(get_args(hint)[0]))
    return Shape(hint)


def shapes(struct: type[msgspec.Struct]) -> dict[str, Shape]:
    """The keys of a table, in the schema's order."""
    hints = get_type_hints(struct, include_extras=True)
    return {field.name: shape_of(hints[field.name]) for field in msgspec.structs.fields(struct)}


def build(struct: type[msgspec.Struct], raw: Any, path: Path, problems: Problems) -> Any:
    """One table as a struct; ``raw`` is what the TOML parser gave."""
    known = shapes(struct)
    is_table = isinstance(raw, dict)
    if not is_table:
        problems.mismatch(path, raw, "a table with the keys " + ", ".join(known))
        raw = {}
    for key in raw:
        if key not in known:
            problems.add((*path, key), f"unknown key; {nearest(key, known)}")
    values = {key: _value(known[key], raw[key], (*path, key), problems) for key in known if key in raw}
    for field in msgspec.structs.fields(struct):
        if field.name in values and values[field.name] is not None:
            continue
        if not field.required:
            values.pop(field.name, None)
            continue
        if is_table and field.name not in raw:
            problems.add((*path, field.name), f"missing; allowed: {_allowed(known[field.name])}")
        values[field.name] = () if known[field.name].is_array else ""
    return struct(**values)


def _value(shape: Shape, raw: Any, path: Path, problems: Problems) -> Any:
    """The checked value, or None when it is wrong (and noted)."""
    if shape.is_table and not (shape.item is not None and isinstance(raw, list)):
        if shape.item is None or isinstance(raw, dict):
            return build(shape.type, raw, path, problems)
        problems.mismatch(path, raw, f"{_allowed(shape)}, or a table")
        return None
    if shape.item is not None and (shape.is_array or isinstance(raw, list)):
        if not isinstance(raw, list):
            problems.mismatch(path, raw, _allowed(shape))
            return None
        return tuple(_item(shape.item, item, (*path, i), problems) for i, item in enumerate(raw))
    if not _is(shape.type, raw) or (shape.rule is not None and not shape.rule.holds(raw)):
        problems.mismatch(path, raw, _allowed(shape))
        return None
    if isinstance(shape.rule, Duration | BarSize):
        return shape.rule.canonical(raw)
    return float(raw) if shape.type is float else raw


def _item(shape: Shape, raw: Any, path: Path, problems: Problems) -> Any:
    value = _value(shape, raw, path, problems)
    return "" if value is None else value


def _is(wanted: type, raw: Any) -> bool:
    if wanted is float:
        return isinstance(raw, int | float) and not isinstance(raw, bool)
    return type(raw) is wanted


def _allowed(shape: Shape) -> str:
    array = ""
    if shape.item is not None:
        array = "an array of tables" if shape.item.is_table else f"an array, each {_allowed(shape.item)}"
        if shape.is_array:
            return array
    if shape.is_table:
        return array
    scalar = shape.rule.allowed if shape.rule is not None else _TYPE_NAMES[shape.type]
    return f"{scalar}, or {array}" if array else scalar
