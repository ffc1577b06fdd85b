"""``warm`` says what it did, and marks the cache so that ``start`` need not ask again."""

from __future__ import annotations

import json
import os
from importlib.util import find_spec
from pathlib import Path

import pytest
from click.testing import CliRunner

from ringcollect.cli.warm import command
from ringcollect.exchanges import NAMES
from ringcollect.kernel_cache import cache_dir, choose_cache_dir
from ringcollect.supervise import warming
from ringcollect.supervise.kernels import CORE_MODULES, EXCHANGE_MODULES, FEATURE_MODULES, KERNEL_MODULES, modules_of
from ringcollect.supervise.warming import MARKER, Compiled, is_warm, mark_warm
from tests.cli.running import ringcollect


def test_warm_reports_time_memory_and_cache_and_leaves_the_mark(tmp_path: Path) -> None:
    cache = {name: os.environ[name] for name in ("RINGCOLLECT_CACHE",) if name in os.environ}
    done = ringcollect("warm", "--json", cwd=tmp_path, env=cache, timeout_s=180)
    report = json.loads(done.stdout)
    assert done.returncode == 0
    assert tuple(report["modules"]) == KERNEL_MODULES
    assert report["cache"] == str(cache_dir())
    assert report["peak_mb"] > 50
    assert is_warm(cache_dir())


def test_an_unwritable_cache_is_refused_with_the_variable_to_set(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file, not a folder")
    done = ringcollect("warm", cwd=tmp_path, env={"RINGCOLLECT_CACHE": str(tmp_path / "cache")})
    assert done.returncode == 4
    assert "RINGCOLLECT_CACHE" in done.stderr


def test_a_cold_cache_is_told_from_a_warm_one_and_from_one_of_other_exchanges(tmp_path: Path) -> None:
    assert not is_warm(tmp_path, ["binance"])
    mark_warm(tmp_path, {}, modules_of(["binance"]))
    assert is_warm(tmp_path, ["binance"]) and not is_warm(tmp_path, ["binance", "okx"]) and not is_warm(tmp_path)
    mark_warm(tmp_path, {}, modules_of(["okx"]))
    assert is_warm(tmp_path, ["okx", "binance"]), "what was warm stays so"
    mark_warm(tmp_path, {}, KERNEL_MODULES)
    assert is_warm(tmp_path)
    (tmp_path / MARKER).write_text("{half a doc")
    assert not is_warm(tmp_path, ["binance"])


def test_only_the_groups_of_features_that_are_chosen_are_compiled(tmp_path: Path) -> None:
    chosen = modules_of(["binance"], "ABG")
    assert [name.rpartition(".")[2] for name in chosen if name in FEATURE_MODULES] == ["core", "price", "order_flow"]
    mark_warm(tmp_path, {}, chosen)
    assert is_warm(tmp_path, ["binance"]) and is_warm(tmp_path, ["binance"], "AG")
    assert not is_warm(tmp_path, ["binance"], "AH")
    assert set(FEATURE_MODULES) < set(KERNEL_MODULES)


def test_an_exchange_nobody_has_is_refused_by_name(tmp_path: Path) -> None:
    done = ringcollect("warm", "--exchange", "mtgox", cwd=tmp_path)
    assert done.returncode == 2
    assert "mtgox" in done.stderr and "binance" in done.stderr


def test_every_exchange_with_a_kernel_of_its_own_has_it_in_the_list() -> None:
    """The others' frames are read by the shared kernel, which every collector loads, and by the typed way."""
    with_own = {name for name in NAMES if find_spec(f"ringcollect.exchanges.{name}.decode") is not None}
    assert set(EXCHANGE_MODULES) == with_own
    assert modules_of(["deribit"]) == CORE_MODULES


def test_an_exchange_that_ccxt_reaches_needs_the_core_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []

    def apart(exchanges: tuple[str, ...], groups: str, jobs: int) -> list[Compiled]:
        asked.append(modules_of(exchanges))
        return [Compiled(module, 0.0, 1) for module in asked[-1]]

    monkeypatch.setattr(warming, "warm_apart", apart)
    monkeypatch.setenv("RINGCOLLECT_CACHE", str(tmp_path))
    done = CliRunner().invoke(command, ["--exchange", "ccxt_kucoin"])
    assert done.exit_code == 0, done.output
    assert asked == [CORE_MODULES] and is_warm(choose_cache_dir(), ["ccxt_kucoin"])
