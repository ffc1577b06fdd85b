"""The fences survive to machine code: aarch64 assembly (cross-compiled, not executed) and the host's own IR."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from numba import types

from ringcollect.jit import njit
from ringcollect.ring import protocol
from ringcollect.ring.layout import H_CLAIM, H_DATA_CLAIM
from tests.ring.control_flow import reachable

CLAIM, DATA_CLAIM = f"#{H_CLAIM * 8}]", f"#{H_DATA_CLAIM * 8}]"
ROOT = Path(__file__).parents[2]


@cache
def aarch64(kernel: str) -> list[str]:
    environment = os.environ | {"NUMBA_OPT": "0", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "tests.ring.cross_compile", kernel]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def accesses(lines: list[str], mnemonic: str, among: set[int] | None = None) -> list[str]:
    """The loads (``ld``) or stores (``st``) of memory that is not the kernel's own stack frame, as far as ``among``."""
    own = ("[sp", "[x29")
    places = range(len(lines)) if among is None else sorted(among)
    return [lines[i] for i in places if lines[i].startswith(mnemonic) and not any(s in lines[i] for s in own)]


def test_on_arm_a_full_barrier_stands_between_the_claim_store_and_the_first_slot_store() -> None:
    lines = aarch64("publish")
    barrier = lines.index("dmb ish")
    [before] = accesses(lines, "st", reachable(lines, 0, without=[barrier]))
    assert CLAIM in before, "what is stored on a way around the barrier is the claim"
    after = accesses(lines, "st", reachable(lines, barrier))
    assert len([s for s in after if s.startswith("stp q")]) >= 2, "the slot stores stand behind the barrier"
    assert not any(CLAIM in s for s in after)


def test_on_arm_head_is_stored_with_release_after_every_slot_store() -> None:
    lines = aarch64("publish")
    [release] = [i for i, line in enumerate(lines) if line.startswith("stlr")]
    behind = accesses(lines, "st", reachable(lines, release))
    assert len(behind) <= 1, "at most the result is stored behind it, never a slot"
    ends = {i for i, line in enumerate(lines) if line == "ret"}
    assert ends.isdisjoint(reachable(lines, 0, without=[release])), "no way out without it"


def test_on_arm_a_load_barrier_stands_between_the_last_slot_load_and_the_claim_load() -> None:
    lines = aarch64("consume")
    acquire = next(i for i, line in enumerate(lines) if line.startswith(("ldar", "ldapr")))
    barrier = lines.index("dmb ishld")
    assert barrier in reachable(lines, acquire)
    copied = accesses(lines, "st", reachable(lines, acquire, without=[barrier]))
    assert [s for s in copied if s.startswith("stp q")], "the copy stands before the barrier"
    behind = reachable(lines, barrier)
    assert not [s for s in accesses(lines, "ld", behind) if s.startswith("ldp q")], "no slot is copied behind it"
    first = next(i for i in range(barrier, len(lines)) if lines[i].startswith("ld") and "[sp" not in lines[i])
    assert CLAIM in lines[first], "the first load behind the barrier is the claim"
    ends = {i for i, line in enumerate(lines) if line == "ret"}
    assert ends.isdisjoint(reachable(lines, acquire, without=[barrier])), "nothing is answered without it"


def test_on_arm_both_claims_of_a_frame_ring_stand_before_the_barrier_and_everything_else_behind_it() -> None:
    lines = aarch64("publish_frame")
    barrier = lines.index("dmb ish")
    before = accesses(lines, "st", reachable(lines, 0, without=[barrier]))
    assert sorted(before) == sorted(s for s in before if CLAIM in s or DATA_CLAIM in s) and len(before) == 2
    after = accesses(lines, "st", reachable(lines, barrier))
    assert [s for s in after if s.startswith("stp q")] and not [s for s in after if CLAIM in s or DATA_CLAIM in s]
    releases = [i for i, line in enumerate(lines) if line.startswith("stlr")]
    assert len(releases) == 2, "the payload's head, then the entries'"
    assert len(accesses(lines, "st", reachable(lines, releases[0]))) <= 2, "the other head and the result, no slot"
    ends = {i for i, line in enumerate(lines) if line == "ret"}
    for release in releases:
        assert ends.isdisjoint(reachable(lines, 0, without=[release])), "no way out without it"


def test_on_arm_both_claims_of_a_frame_ring_are_loaded_behind_every_entry_and_payload_load() -> None:
    lines = aarch64("consume_frames")
    acquire = next(i for i, line in enumerate(lines) if line.startswith(("ldar", "ldapr")))
    barrier = lines.index("dmb ishld")
    assert [s for s in accesses(lines, "st", reachable(lines, acquire, without=[barrier])) if s.startswith("stp q")]
    behind = reachable(lines, barrier)
    assert not [s for s in accesses(lines, "ld", behind) if s.startswith("ldp q")], "no payload is copied behind it"
    loads = [lines[i] for i in sorted(behind) if lines[i].startswith("ld") and "[sp" not in lines[i]]
    assert CLAIM in loads[0] and DATA_CLAIM in loads[1]
    ends = {i for i, line in enumerate(lines) if line == "ret"}
    assert ends.isdisjoint(reachable(lines, acquire, without=[barrier])), "nothing is answered without it"


def test_on_arm_a_table_row_lies_between_its_two_versions_for_writer_and_reader() -> None:
    written = aarch64("write_row")
    barrier = written.index("dmb ish")
    assert len(accesses(written, "st", reachable(written, 0, without=[barrier]))) == 1, "the odd version"
    [release] = [i for i, line in enumerate(written) if line.startswith("stlr")]
    assert barrier < release and len(accesses(written, "st", reachable(written, release))) <= 1
    read = aarch64("read_row")
    acquire = next(i for i, line in enumerate(read) if line.startswith(("ldar", "ldapr")))
    barrier = read.index("dmb ishld")
    assert accesses(read, "st", reachable(read, acquire, without=[barrier])), "the row is copied before the barrier"
    assert len(accesses(read, "ld", reachable(read, barrier))) == 1, "the version again"


def test_on_arm_who_looks_at_slots_where_they_lie_asks_for_the_claim_behind_a_load_barrier() -> None:
    lines = aarch64("claim_after_reads")
    barrier = lines.index("dmb ishld")
    assert not accesses(lines, "ld", reachable(lines, 0, without=[barrier]))
    [claim] = accesses(lines, "ld", reachable(lines, barrier))
    assert CLAIM in claim


@pytest.mark.parametrize("kernel", ["publish", "consume", "publish_frame", "consume_frames"])
def test_the_copy_is_never_left_to_a_library(kernel: str) -> None:
    calls = {line for line in aarch64(kernel) if line.startswith("bl ")}
    assert not [c for c in calls if "mem" in c], "a library may store around the cache, out of order with the claim"


def test_on_this_host_the_copy_is_never_left_to_a_library_either() -> None:
    for kernel, arguments in (("publish", "wwi"), ("consume", "wiwi")):
        compiled = njit(getattr(protocol, kernel).py_func, cache=False)
        words = types.Array(types.int64, 1, "C")
        compiled.compile(tuple(words if a == "w" else types.int64 for a in arguments))
        assembly = compiled.inspect_asm(compiled.signatures[0])
        assert not re.findall(r"\$(mem\w+)|call\w*\s+(mem\w+)", assembly)
        assert "vmovnt" not in assembly and "movnt" not in assembly, "stores around the cache"


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
