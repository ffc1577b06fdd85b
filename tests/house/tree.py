"""The package as its source text: files, lines, and who imports whom."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "ringcollect"


@dataclass(frozen=True)
class Import:
    """One import statement's target, as a dotted name, and where it stands."""

    module: str
    target: str
    line: int
    at_top: bool
    """Runs when the module is imported: not inside a function, not under TYPE_CHECKING."""


def package_files() -> list[Path]:
    """Every Python file of the package, sorted."""
    return sorted(PACKAGE.rglob("*.py"))


def files_of_tests() -> list[Path]:
    """Every Python file of the tests, sorted."""
    return sorted((ROOT / "tests").rglob("*.py"))


def line_count(path: Path) -> int:
    return path.read_text(encoding="utf-8").count("\n")


def dotted(path: Path) -> str:
    """``ringcollect.ring.attach`` for its file; a package for its ``__init__``."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def modules() -> dict[str, ast.Module]:
    """Dotted name to syntax tree of every module."""
    return {dotted(path): ast.parse(path.read_text(encoding="utf-8"), str(path)) for path in package_files()}


@cache
def imports() -> tuple[Import, ...]:
    """Every import of every module; ``from a import b`` targets ``a.b`` where that is a module, else ``a``."""
    known = modules()
    found: list[Import] = []
    for module, tree in known.items():
        for node, at_top in _statements(tree, True):
            for target in _targets(node, module, known):
                found.append(Import(module, target, node.lineno, at_top))
    return tuple(found)


def _statements(node: ast.AST, at_top: bool) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child, at_top
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from _statements(child, False)
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            for statement in child.body:
                yield from _statements(ast.Module([statement], []), False)
            for statement in child.orelse:
                yield from _statements(ast.Module([statement], []), at_top)
        else:
            yield from _statements(child, at_top)


def _targets(node: ast.Import | ast.ImportFrom, module: str, known: dict[str, ast.Module]) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    base = node.module or ""
    if node.level:
        package = module if (PACKAGE.parent / Path(*module.split("."))).is_dir() else module.rpartition(".")[0]
        for _ in range(node.level - 1):
            package = package.rpartition(".")[0]
        base = f"{package}.{base}".rstrip(".")
    for alias in node.names:
        name = f"{base}.{alias.name}"
        yield name if name in known else base
