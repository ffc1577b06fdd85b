"""The fences survive to machine code: aarch64 assembly (cross-compiled, not executed) and what runs on this host."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from numba import types

from ringcollect.jit import njit
from ringcollect.ring import protocol
from ringcollect.ring.layout import H_CLAIM, H_DATA_CLAIM, H_HEAD, H_TABLE_COUNT
from tests.ring.control_flow import reachable

CLAIM, DATA_CLAIM = f"#{H_CLAIM * 8}]", f"#{H_DATA_CLAIM * 8}]"
ROOT = Path(__file__).parents[2]
PUBLISHING = {"publish": CLAIM, "publish_frame": DATA_CLAIM, "publish_frame/publish": CLAIM, "settle/publish": CLAIM}
"""Every way to publish: the record ring's, a frame's payload, a frame's entry, and the kernel of the hot path."""
READING = {"consume": CLAIM, "consume_frames/consume": CLAIM, "consume_frames": DATA_CLAIM}
"""Every way to read: records, a frame's entries, their payloads."""
OTHERS = ("write_row", "read_row", "publish_word", "load_word", "claim_after_reads")
WITHOUT = tuple(f"{name}-fence_release" for name in (*PUBLISHING, "write_row")) + tuple(
    f"{name}-fence_acquire" for name in (*READING, "read_row", "claim_after_reads")
)


@pytest.fixture(scope="module")
def aarch64(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[str]]:
    """The lines of a kernel in aarch64 assembly; all are compiled once, in a process and a cache of their own."""
    environment = os.environ | {
        "NUMBA_OPT": "0",
        "PYTHONPATH": str(ROOT),
        "XDG_CACHE_HOME": str(tmp_path_factory.mktemp("cache")),
    }
    wanted = (*PUBLISHING, *READING, *OTHERS, *WITHOUT)
    command = [sys.executable, "-m", "tests.ring.cross_compile", *wanted]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    bodies = dict(part.split("\n", 1) for part in done.stdout.split("== ")[1:])
    return lambda name: bodies[name].splitlines()


def accesses(lines: list[str], mnemonic: str, among: set[int] | None = None) -> list[str]:
    """The loads (``ld``) or stores (``st``) of memory that is not the kernel's own stack frame, as far as ``among``."""
    own = ("[sp", "[x29")
    places = range(len(lines)) if among is None else sorted(among)
    return [lines[i] for i in places if lines[i].startswith(mnemonic) and not any(s in lines[i] for s in own)]


def ends(lines: list[str]) -> set[int]:
    return {i for i, line in enumerate(lines) if line == "ret"}


def assert_claim_is_stored_before_any_slot(lines: list[str], claim: str) -> None:
    barriers = [i for i, line in enumerate(lines) if line == "dmb ish"]
    assert barriers, "there is no barrier"
    [before] = accesses(lines, "st", reachable(lines, 0, without=barriers))
    assert claim in before, "what is stored on a way around the barrier is the claim"
    after = accesses(lines, "st", reachable(lines, barriers[0]))
    assert len([s for s in after if s.startswith("stp q")]) >= 2, "the slot stores stand behind the barrier"
    assert not any(claim in s for s in after)


def assert_head_is_stored_with_release_behind_every_slot(lines: list[str]) -> None:
    [release] = [i for i, line in enumerate(lines) if line.startswith("stlr")]
    behind = accesses(lines, "st", reachable(lines, release))
    assert not [s for s in behind if s.startswith("stp q")], "never a slot"
    assert len(behind) <= 3, "what is returned, and where a frame began"
    assert ends(lines).isdisjoint(reachable(lines, 0, without=[release])), "no way out without it"


def assert_claim_is_loaded_behind_every_copy(lines: list[str], claim: str) -> None:
    [barrier] = [i for i, line in enumerate(lines) if line == "dmb ishld"]
    copied = accesses(lines, "st", reachable(lines, 0, without=[barrier]))
    assert [s for s in copied if s.startswith("stp q")], "the copy stands before the barrier"
    behind = reachable(lines, barrier)
    assert not [s for s in accesses(lines, "ld", behind) if s.startswith("ldp q")], "nothing is copied behind it"
    first = next(i for i in range(barrier, len(lines)) if lines[i].startswith("ld") and "[sp" not in lines[i])
    assert claim in lines[first], "the first load behind the barrier is the claim"
    copies = [i for i, line in enumerate(lines) if line.startswith("stp q") and "[sp" not in line]
    for copy in copies:
        assert ends(lines).isdisjoint(reachable(lines, copy, without=[barrier])), "no answer without it"


def assert_a_row_is_written_between_its_versions(lines: list[str]) -> None:
    [barrier] = [i for i, line in enumerate(lines) if line == "dmb ish"]
    assert len(accesses(lines, "st", reachable(lines, 0, without=[barrier]))) == 1, "the odd version"
    [release] = [i for i, line in enumerate(lines) if line.startswith("stlr")]
    assert barrier < release and len(accesses(lines, "st", reachable(lines, release))) <= 1


def assert_a_row_is_read_between_its_versions(lines: list[str]) -> None:
    acquire = next(i for i, line in enumerate(lines) if line.startswith(("ldar", "ldapr")))
    [barrier] = [i for i, line in enumerate(lines) if line == "dmb ishld"]
    assert accesses(lines, "st", reachable(lines, acquire, without=[barrier])), "the row is copied before the barrier"
    assert len(accesses(lines, "ld", reachable(lines, barrier))) == 1, "the version again"


def assert_claim_is_loaded_behind_a_barrier(lines: list[str]) -> None:
    [barrier] = [i for i, line in enumerate(lines) if line == "dmb ishld"]
    assert not accesses(lines, "ld", reachable(lines, 0, without=[barrier]))
    [claim] = accesses(lines, "ld", reachable(lines, barrier))
    assert CLAIM in claim


def check(name: str, lines: list[str]) -> None:
    """Everything that must hold for this kernel's order."""
    if name in PUBLISHING:
        assert_claim_is_stored_before_any_slot(lines, PUBLISHING[name])
        assert_head_is_stored_with_release_behind_every_slot(lines)
    elif name in READING:
        assert_claim_is_loaded_behind_every_copy(lines, READING[name])
    elif name == "write_row":
        assert_a_row_is_written_between_its_versions(lines)
    elif name == "read_row":
        assert_a_row_is_read_between_its_versions(lines)
    else:
        assert_claim_is_loaded_behind_a_barrier(lines)


CHECKED = (*PUBLISHING, *READING, "write_row", "read_row", "claim_after_reads")


@pytest.mark.parametrize("name", CHECKED)
def test_on_arm_the_order_of_the_protocol_is_in_the_machine_code(name: str, aarch64: Callable) -> None:
    check(name, aarch64(name))


@pytest.mark.parametrize("name", WITHOUT)
def test_the_check_fails_where_a_fence_is_taken_away(name: str, aarch64: Callable) -> None:
    assert aarch64(name) != aarch64(name.partition("-")[0])
    with pytest.raises((AssertionError, ValueError)):
        check(name.partition("-")[0], aarch64(name))


@pytest.mark.parametrize("name", READING)
def test_on_arm_a_reader_loads_head_with_acquire_before_it_copies_anything(name: str, aarch64: Callable) -> None:
    lines = aarch64(name)
    if name == "consume_frames":  # through consume, whose entries it has already
        call = next(i for i, line in enumerate(lines) if line.startswith("bl ") and "7consumeB" in line)
    else:
        call = next(i for i, line in enumerate(lines) if line.startswith(("ldar", "ldapr")))
    early = accesses(lines, "ld", reachable(lines, 0, without=[call]))
    assert not [s for s in early if s.startswith("ldp q")]


def test_on_arm_a_count_is_stored_with_release_and_loaded_with_acquire(aarch64: Callable) -> None:
    assert [s for s in accesses(aarch64("publish_word"), "st") if s.startswith("stlr")]
    assert [s for s in accesses(aarch64("load_word"), "ld") if s.startswith(("ldar", "ldapr"))]
    assert H_TABLE_COUNT != H_HEAD, "both go through these two kernels"


@pytest.mark.parametrize("name", [*PUBLISHING, *READING])
def test_the_copy_is_never_left_to_a_library(name: str, aarch64: Callable) -> None:
    calls = {line for line in aarch64(name) if line.startswith("bl ")}
    assert not [c for c in calls if re.search(r"bl \w*mem(cpy|move|set)", c)], "a library may store around the cache"


# What runs here: the IR after numba's O3, and the x86 machine code.


@cache
def compiled_here(name: str) -> tuple[str, str]:
    """(the kernel's body in optimised IR, all of its assembly)."""
    kernel = njit(getattr(protocol, name).py_func, cache=False)
    words = types.Array(types.int64, 1, "C")
    kernel.compile((words, words, types.int64) if name == "publish" else (words, types.int64, words, types.int64))
    ir = kernel.inspect_llvm(kernel.signatures[0])
    mangled = kernel.overloads[kernel.signatures[0]].fndesc.mangled_name
    body = ir[re.search(rf"define [^@]*@{re.escape(mangled)}\(", ir).start() :]
    assembly = kernel.inspect_asm(kernel.signatures[0])
    code = assembly[assembly.index(f"\n{mangled}:") :]
    return body[: body.index("\n}")], code[: code.index(".Lfunc_end")] if ".Lfunc_end" in code else code


def test_the_ir_looked_at_is_what_the_optimiser_left() -> None:
    body, _ = compiled_here("publish")
    assert "fence release" in body
    raw = subprocess.run(
        [sys.executable, "-c", "from tests.ring.test_memory_order import compiled_here as c; print(c('publish')[0])"],
        cwd=ROOT, env=os.environ | {"NUMBA_OPT": "0", "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert raw.count("alloca") > 20 and body.count("alloca") <= 1, "unoptimised IR keeps every variable in memory"


def test_on_this_host_the_optimised_ir_keeps_claim_fence_slots_head_in_order() -> None:
    body, _ = compiled_here("publish")
    atomics = [m.start() for m in re.finditer("store atomic i64", body)]
    fence = body.index("fence release")
    slots = [m.start() for m in re.finditer(r"store (i64|<\d+ x i64>)", body)]
    first_slot = min(at for at in slots if at > fence)
    assert atomics[0] < fence < first_slot
    assert not [at for at in slots if atomics[0] < at < fence], "no slot store between claim and fence"
    assert "monotonic" in body[atomics[0] : body.index("\n", atomics[0])]
    assert "release" in body[atomics[-1] : body.index("\n", atomics[-1])]


def test_on_this_host_the_optimised_ir_loads_claim_behind_the_fence_behind_every_copy() -> None:
    body, _ = compiled_here("consume")
    fence = body.index("fence acquire")
    copies = [m.start() for m in re.finditer(r"load <\d+ x i64>", body)]
    assert copies and max(copies) < fence
    claim = body.index("load atomic i64", fence)
    assert "monotonic" in body[claim : body.index("\n", claim)]
    assert "acquire" in body[body.index("load atomic i64") : body.index("\n", body.index("load atomic i64"))]


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="reads x86-64 assembly")
def test_on_x86_no_path_of_the_machine_code_writes_a_slot_before_the_claim_or_after_the_head() -> None:
    _, code = compiled_here("publish")
    lines = [line.split("#")[0].strip().replace("\t", " ") for line in code.splitlines()]
    lines = [line for line in lines if line and (not line.startswith(".") or line.startswith(".LBB"))]

    def stores(among: set[int]) -> list[str]:
        found = [lines[i] for i in sorted(among) if re.match(r"v?mov\w* [^(]+, -?\w*\([^)]*\)$", lines[i])]
        return [line for line in found if "(%rsp" not in line and "(%rbp" not in line]

    claim = next(i for i, line in enumerate(lines) if re.search(rf", {H_CLAIM * 8}\(%\w+\)$", line))
    head = next(i for i, line in enumerate(lines) if re.search(rf", {H_HEAD * 8}\(%\w+\)$", line))
    assert stores(reachable(lines, 0, without=[claim])) == []
    slots = stores(reachable(lines, claim, without=[head]))
    assert [s for s in slots if re.search(r"%[xyz]mm\d+, ", s)], "slots are written between the two"
    assert not [s for s in stores(reachable(lines, head)) if re.search(r"%[xyz]mm\d+, ", s)]


@pytest.mark.parametrize("name", ["publish", "consume"])
def test_on_this_host_the_copy_is_never_left_to_a_library_either(name: str) -> None:
    _, code = compiled_here(name)
    assert not re.findall(r"\$(mem\w+)|call\w*\s+(mem\w+)", code)
    assert "movnt" not in code, "stores around the cache"
