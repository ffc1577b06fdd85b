"""The fences survive to machine code: aarch64 assembly (cross-compiled, not executed) and the host's own IR."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

from numba import types

from ringcollect.jit import njit
from ringcollect.ring import protocol
from ringcollect.ring.layout import H_CLAIM

CLAIM = f"#{H_CLAIM * 8}]"
ROOT = Path(__file__).parents[2]


@cache
def aarch64(kernel: str) -> list[str]:
    environment = os.environ | {"NUMBA_OPT": "0", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "tests.ring.cross_compile", kernel]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def accesses(lines: list[str], mnemonic: str) -> list[int]:
    """Where the kernel loads (``ld``) or stores (``st``) memory that is not its own stack frame."""
    return [i for i, s in enumerate(lines) if s.startswith(mnemonic) and "[sp" not in s and "[x29" not in s]


def test_on_arm_a_full_barrier_stands_between_the_claim_store_and_the_first_slot_store() -> None:
    lines = aarch64("publish")
    barrier = lines.index("dmb ish")
    stores = accesses(lines, "st")
    before = [lines[i] for i in stores if i < barrier]
    assert len(before) == 1 and CLAIM in before[0], before
    after = [lines[i] for i in stores if i > barrier]
    assert len([s for s in after if not s.startswith("stlr")]) >= 5, "the slot stores stand behind the barrier"
    assert not any(CLAIM in s for s in after)


def test_on_arm_head_is_stored_with_release_after_every_slot_store() -> None:
    lines = aarch64("publish")
    releases = [i for i, line in enumerate(lines) if line.startswith("stlr")]
    assert len(releases) == 1
    behind = [lines[i] for i in accesses(lines, "st") if i > releases[0]]
    assert len(behind) <= 1, "at most the result is stored behind it, never a slot"


def test_on_arm_a_load_barrier_stands_between_the_last_slot_load_and_the_claim_load() -> None:
    lines = aarch64("consume")
    acquire = next(i for i, line in enumerate(lines) if line.startswith(("ldar", "ldapr")))
    barrier = lines.index("dmb ishld")
    assert acquire < barrier
    assert [i for i in accesses(lines, "st") if acquire < i < barrier], "the copy stands before the barrier"
    behind = [i for i in accesses(lines, "ld") if i > barrier]
    assert CLAIM in lines[behind[0]], "the first load behind the barrier is the claim"


def test_the_assembly_check_fails_on_a_producer_without_the_fence() -> None:
    assert "dmb ish" not in aarch64("unfenced")


def test_on_this_host_the_optimised_ir_keeps_claim_fence_slots_head_in_order() -> None:
    kernel = njit(protocol.publish.py_func, cache=False)
    words = types.Array(types.int64, 1, "C")
    kernel.compile((words, words, types.int64))
    ir = kernel.inspect_llvm(kernel.signatures[0])
    name = kernel.overloads[kernel.signatures[0]].fndesc.mangled_name
    body = ir[re.search(rf"define [^@]*@{re.escape(name)}\(", ir).start() :]
    body = body[: body.index("\n}")]
    atomics = [m.start() for m in re.finditer("store atomic i64", body)]
    fence = body.index("fence release")
    slots = [m.start() for m in re.finditer(r"store (i64|<\d+ x i64>)", body)]
    first_slot = min(at for at in slots if at > fence)
    assert atomics[0] < fence < first_slot
    assert not [at for at in slots if atomics[0] < at < fence], "no slot store between claim and fence"
    assert "monotonic" in body[atomics[0] : body.index("\n", atomics[0])]
    assert "release" in body[atomics[-1] : body.index("\n", atomics[-1])]
