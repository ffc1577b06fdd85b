"""The numbers of a healthy tree."""

from __future__ import annotations

import ast
import re
import statistics

from tests.house.tree import PACKAGE, ROOT, files_of_tests, line_count, modules, package_files

SAYS_NOTHING = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
LEFT_FOR_SOMEBODY = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError)\b|pragma: no cover|mark\.xfail")


def files_of_tests_are_short_and_hold_one_idea() -> None:
    sizes = {path: line_count(path) for path in package_files()}
    assert statistics.median(sizes.values()) < 150
    assert sum(size < 400 for size in sizes.values()) >= 0.9 * len(sizes)
    assert {str(path.relative_to(ROOT)): size for path, size in sizes.items() if size > 800} == {}


def test_no_name_that_tells_nobody_what_is_inside() -> None:
    names = {part for path in package_files() for part in path.relative_to(PACKAGE).with_suffix("").parts}
    assert names & SAYS_NOTHING == set()


def test_nothing_is_left_for_somebody() -> None:
    left = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in [*package_files(), *files_of_tests()]
        if path.name != "test_size.py"
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if LEFT_FOR_SOMEBODY.search(line)
    ]
    assert left == []


def test_every_module_says_what_it_is_for() -> None:
    assert [name for name, tree in modules().items() if not ast.get_docstring(tree)] == []


def test_no_function_rebinds_a_module_global() -> None:
    rebinding = [name for name, tree in modules().items() if any(isinstance(n, ast.Global) for n in ast.walk(tree))]
    assert rebinding == []
