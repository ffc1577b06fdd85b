"""``--help`` answers at once, because it imports nothing but click."""

from __future__ import annotations

import importlib
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

from ringcollect.cli import COMMANDS
from tests.cli.running import ringcollect

HEAVY = {"numpy", "numba", "llvmlite", "pyarrow", "msgspec", "structlog", "rich", "aiohttp", "websockets", "asyncio"}


def test_help_imports_neither_numba_nor_pyarrow_nor_numpy() -> None:
    program = (
        "import sys\nfrom ringcollect.cli import run\ncode = run(['--help'])\n"
        f"print(sorted({HEAVY!r} & sys.modules.keys()), code, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr.strip() == "[] 0"
    for name in COMMANDS:
        assert f"\n  {name} " in done.stdout


def test_help_answers_in_about_300_ms() -> None:
    """The best of five, so that a busy host is not taken for a slow program."""
    spans = []
    for _ in range(5):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-m", "ringcollect", "--help"], capture_output=True, check=True)
        spans.append(time.perf_counter() - started)
    assert min(spans) < 0.3


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_of_the_table_exists_and_explains_itself(name: str) -> None:
    command = importlib.import_module(f"ringcollect.cli.{name}").command
    assert isinstance(command, click.Command)
    assert command.help


def test_every_command_file_stands_in_the_table() -> None:
    import ringcollect.cli

    folder = Path(ringcollect.cli.__file__).parent
    with_command = {
        path.stem
        for path in folder.glob("*.py")
        if hasattr(importlib.import_module(f"ringcollect.cli.{path.stem}"), "command")
    }
    assert with_command == set(COMMANDS)


def test_the_version_is_the_packages(tmp_path: Path) -> None:
    from ringcollect import __version__

    assert ringcollect("--version", cwd=tmp_path).stdout == f"ringcollect {__version__}\n"
