"""Imports go down the list of the design only; heavy and unwanted ones stand where they belong."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.house.tree import ROOT, Import, imports, modules

LAYERS = (
    ("cli",),
    ("supervise",),
    ("observe",),
    ("sources", "export", "sim"),
    ("store",),
    ("feed", "sync"),
    ("exchanges",),
    ("decode",),
    ("ring",),
    ("config",),
    ("instruments", "records"),
    ("errors", "failpoints", "jit", "kernel_cache", "bar_kinds", "durations", "runtime"),
)
"""From the top down. Units of one layer do not know each other, but for single files of the last two layers."""

RANK = {unit: rank for rank, units in enumerate(LAYERS) for unit in units}
SINGLE_FILES = {"instruments", "records", *LAYERS[-1]}


def unit_of(module: str) -> str:
    """``ring`` for ``ringcollect.ring.attach``; empty for the package itself."""
    return module.split(".")[1] if "." in module else ""


def internal() -> list[Import]:
    return [entry for entry in imports() if entry.target.split(".")[0] == "ringcollect"]


def test_every_part_of_the_package_has_its_place_in_the_list() -> None:
    assert {unit_of(module) for module in modules()} - {"", "__main__"} <= RANK.keys()


def test_imports_go_down_the_list_only() -> None:
    wrong = []
    for entry in internal():
        importer, imported = unit_of(entry.module), unit_of(entry.target)
        if importer in ("", "__main__") or imported in ("", importer):
            continue  # the package's own face shows the lower parts lazily
        below = RANK[imported] > RANK[importer]
        beside = RANK[imported] == RANK[importer] and {importer, imported} <= SINGLE_FILES
        if not (below or beside):
            wrong.append(f"{entry.module}:{entry.line} imports {entry.target}")
    assert wrong == []


def test_no_module_imports_itself_through_others() -> None:
    edges: dict[str, set[str]] = {module: set() for module in modules()}
    for entry in internal():
        if entry.at_top and entry.target in edges and entry.target != entry.module:
            edges[entry.module].add(entry.target)
    done: set[str] = set()

    def walk(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, " -> ".join((*path[path.index(module) :], module))
        if module in done:
            return
        for target in sorted(edges[module]):
            walk(target, (*path, module))
        done.add(module)

    for module in sorted(edges):
        walk(module, ())


def test_numba_is_reached_through_jit_only() -> None:
    """There the cache folder is set before numba reads it."""
    direct = {f"{e.module}:{e.line}" for e in imports() if e.target.split(".")[0] == "numba"}
    assert {place for place in direct if not place.startswith("ringcollect.jit:")} == set()
    assert direct


@pytest.mark.parametrize("first", ["ring.protocol", "decode.memory", "jit"])
def test_whichever_module_comes_first_kernels_are_cached_in_the_folder_of_their_sources(
    first: str, tmp_path: Path
) -> None:
    program = f"import ringcollect.{first}, numba; print(numba.config.CACHE_DIR)"
    clean = {name: value for name, value in os.environ.items() if "NUMBA" not in name}
    done = subprocess.run(
        [sys.executable, "-c", program], env=clean | {"RINGCOLLECT_CACHE": str(tmp_path)},
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert done.stdout.startswith(f"{tmp_path}/numba-")


def test_a_clone_with_equal_sources_does_not_take_anothers_warm_cache_for_its_own(tmp_path: Path) -> None:
    """numba keeps kernels by the path of their source: there the clone would compile with its sockets open."""
    clone = tmp_path / "ringcollect"
    shutil.copytree(ROOT / "ringcollect", clone, ignore=shutil.ignore_patterns("__pycache__"))
    program = "from ringcollect.kernel_cache import source_hash; print(source_hash())"
    hashes = {
        subprocess.run(
            [sys.executable, "-c", program], cwd=place, capture_output=True, text=True, check=True, timeout=60,
            env=os.environ | {"PYTHONPATH": str(place)},
        ).stdout
        for place in (ROOT, tmp_path)
    }  # fmt: skip
    assert len(hashes) == 2


@pytest.mark.parametrize("unit", ["ring", "decode", "sync", "records", "instruments"])
def test_kernels_and_rings_know_no_event_loop(unit: str) -> None:
    loops = {"asyncio", "uvloop", "aiohttp", "websockets", "threading"}
    wrong = [
        f"{e.module}:{e.line} imports {e.target}"
        for e in imports()
        if unit_of(e.module) == unit and e.target.split(".")[0] in loops
    ]
    assert wrong == []


def test_command_files_import_what_is_heavy_inside_functions_only() -> None:
    light = {"ringcollect", "ringcollect.errors", "ringcollect.durations"}
    wrong = []
    for entry in imports():
        if unit_of(entry.module) != "cli" or not entry.at_top:
            continue
        top = entry.target.split(".")[0]
        if top in sys.stdlib_module_names or top == "click" or entry.target in light or unit_of(entry.target) == "cli":
            continue
        wrong.append(f"{entry.module}:{entry.line} imports {entry.target}")
    assert wrong == []


def test_pyarrow_is_imported_by_the_sealer_and_readers_of_files_only() -> None:
    """Importing it costs 50 MB and a thread, which no long-running process may pay."""
    wrong = [
        f"{e.module}:{e.line}"
        for e in imports()
        if e.target.split(".")[0] == "pyarrow" and e.at_top and unit_of(e.module) != "store"
    ]
    assert wrong == []


CHOSEN_ONLY = {
    "dask": {"ringcollect.store.compaction.on_dask"},
    "duckdb": {"ringcollect.store.query"},
    "picows": {"ringcollect.feed.transport.with_picows", "ringcollect.feed.socks"},
    "report": {"ringcollect.store.quality.page"},
}
"""Extras, and the only modules that import what they bring: they run when somebody chose it."""


def test_what_is_imported_is_declared_and_what_is_declared_is_imported() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {re.split(r"[<>=!~\[; ]", text)[0].replace("-", "_").lower() for text in project["dependencies"]}
    chosen: set[str] = set()
    for extra, only in CHOSEN_ONLY.items():
        packages = {re.split(r"[<>=]", text)[0].replace("-", "_") for text in project["optional-dependencies"][extra]}
        assert {e.module for e in imports() if e.target.split(".")[0] in packages} == only
        chosen |= packages
    imported = {e.target.split(".")[0] for e in imports()} - set(sys.stdlib_module_names) - {"ringcollect"} - chosen
    provided = {"numba": {"llvmlite"}}
    allowed = declared | {name for package in declared for name in provided.get(package, ())}
    assert imported <= allowed
    assert declared <= imported
