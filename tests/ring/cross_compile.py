"""Print the aarch64 assembly of a kernel: ``NUMBA_OPT=0 python -m tests.ring.cross_compile KERNEL``.

numba's own optimiser runs for the host and leaves host intrinsics behind, so it is switched off in this process;
LLVM's O3 pipeline then runs for aarch64 instead. Nothing is executed.
"""

from __future__ import annotations

import re
import sys

import llvmlite.binding as llvm
from numba import types

from ringcollect.jit import njit
from ringcollect.ring import protocol

TRIPLE = "aarch64-unknown-linux-gnu"


def unfenced(ring, batch, n):  # type: ignore[no-untyped-def]
    """Publishing as it must not be: claim stored with release, no fence."""
    protocol.store_release(ring, 64, n)
    for i in range(n):
        ring[512 + i] = batch[i]
    protocol.store_release(ring, 96, n)
    return n


def aarch64(name: str) -> list[str]:
    """The kernel's instructions and the labels of its blocks, without directives."""
    words, integer = types.Array(types.int64, 1, "C"), types.int64
    signatures = {
        "publish": (words, words, integer),
        "unfenced": (words, words, integer),
        "consume": (words, integer, words, integer),
        "publish_frame": (words, words, words, integer),
        "consume_frames": (words, integer, words, integer, words),
        "write_row": (words, integer, words),
        "read_row": (words, integer, words),
        "claim_after_reads": (words,),
    }
    function = unfenced if name == "unfenced" else getattr(protocol, name).py_func
    kernel = njit(function, cache=False)
    kernel.compile(signatures[name])
    signature = kernel.signatures[0]
    ir = kernel.inspect_llvm(signature)
    ir = re.sub(r'target triple = ".*"', f'target triple = "{TRIPLE}"', ir)
    ir = re.sub(r'target datalayout = ".*"\n', "", ir)
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    module = llvm.parse_assembly(ir)
    module.verify()
    machine = llvm.Target.from_triple(TRIPLE).create_target_machine(cpu="cortex-a72", opt=3)
    builder = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=3))
    builder.getModulePassManager().run(module, builder)
    text = machine.emit_assembly(module)
    body = text[text.index(f"\n{kernel.overloads[signature].fndesc.mangled_name}:") :]
    body = body[: body.index(".Lfunc_end")]
    lines = [line.split("//")[0].strip().replace("\t", " ") for line in body.splitlines()]
    return [line for line in lines if line and (not line.startswith(".") or line.startswith(".LBB"))]


if __name__ == "__main__":
    print("\n".join(aarch64(sys.argv[1])))
