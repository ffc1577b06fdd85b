"""A configuration as text: the merged values, each with where it came from, secrets masked."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

from ringcollect.config.loading import Loaded
from ringcollect.config.problems import Path, spell
from ringcollect.config.secrets import mask


def as_json(loaded: Loaded) -> str:
    """``{"file", "config", "sources", "warnings"}`` as one JSON document."""
    document = {
        "file": str(loaded.file) if loaded.file else None,
        "config": _masked(msgspec.to_builtins(loaded.config), ()),
        "sources": loaded.sources,
        "warnings": list(loaded.warnings),
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def as_toml(loaded: Loaded) -> str:
    """The merged configuration as TOML that loads again, with the origin of every value as its comment."""
    lines: list[str] = []
    _table(_masked(msgspec.to_builtins(loaded.config), ()), (), "", loaded.sources, lines)
    return "\n".join(lines).strip() + "\n"


def _table(table: dict[str, Any], path: Path, header: str, sources: dict[str, str], lines: list[str]) -> None:
    tables = {key: value for key, value in table.items() if isinstance(value, dict) or _is_tables(value)}
    for key, value in table.items():
        if key in tables or value is None or (key in ("markets", "override", "ccxt") and not value):
            continue
        assignment = f"{_key(key)} = {_literal(value)}"
        lines.append(f"{assignment:<40}  # {sources[spell((*path, key))]}")
    for key, value in tables.items():
        name = f"{header}.{_key(key)}" if header else _key(key)
        if isinstance(value, dict):
            lines.extend(("", f"[{name}]"))
            _table(value, (*path, key), name, sources, lines)
            continue
        for number, item in enumerate(value):
            lines.extend(("", f"[[{name}]]"))
            _table(item, (*path, key, number), name, sources, lines)


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _literal(key)


def _is_tables(value: Any) -> bool:
    return isinstance(value, list | tuple) and bool(value) and isinstance(value[0], dict)


def _literal(value: Any) -> str:
    """A TOML value; JSON's strings, numbers, booleans and arrays are TOML's, but for the DEL character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _masked(value: Any, path: Path) -> Any:
    if isinstance(value, dict):
        return {key: _masked(item, (*path, key)) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(item, (*path, number)) for number, item in enumerate(value)]
    return mask(path, value) if isinstance(value, str) else value
