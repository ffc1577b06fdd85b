"""Print the aarch64 assembly of kernels: ``python -m tests.ring.cross_compile KERNEL[/INNER][-FENCE] ...``.

INNER is a kernel that KERNEL calls, as it is in the machine code of KERNEL. ``-fence_release`` compiles all of it as it
must not be, without that fence. Nothing is executed.

numba's own optimiser runs for the host and leaves host intrinsics behind, so it is switched off (``NUMBA_OPT=0``), and
LLVM's O3 pipeline runs for aarch64 instead. What this process caches nobody else may load: it needs its own cache.
"""

from __future__ import annotations

import re
import sys
from typing import Any

import llvmlite.binding as llvm
from numba import types

from ringcollect.exchanges import hot
from ringcollect.jit import njit
from ringcollect.ring import protocol

TRIPLE = "aarch64-unknown-linux-gnu"
FENCES = ("fence_release", "fence_acquire")
_WORDS, _INTEGER = types.Array(types.int64, 1, "C"), types.int64
SIGNATURES: dict[str, tuple[Any, ...]] = {
    "publish": (_WORDS, _WORDS, _INTEGER),
    "consume": (_WORDS, _INTEGER, _WORDS, _INTEGER),
    "publish_frame": (_WORDS, _WORDS, _WORDS, _INTEGER),
    "consume_frames": (_WORDS, _INTEGER, _WORDS, _INTEGER, _WORDS),
    "write_row": (_WORDS, _INTEGER, _WORDS),
    "read_row": (_WORDS, _INTEGER, _WORDS),
    "publish_word": (_WORDS, _INTEGER, _INTEGER),
    "load_word": (_WORDS, _INTEGER),
    "claim_after_reads": (_WORDS,),
    "settle": (_WORDS, _INTEGER, _INTEGER, _INTEGER, _INTEGER),
}


def aarch64(wanted: str) -> list[str]:
    """Instructions of ``KERNEL[/INNER][-FENCE]`` and the labels of its blocks, without directives."""
    path, _, fence = wanted.partition("-")
    name, _, inner = path.partition("/")
    whole = {kernel: getattr(protocol, kernel) for kernel in (*SIGNATURES, *FENCES) if hasattr(protocol, kernel)}
    try:
        if fence:
            setattr(protocol, fence, njit(lambda: None, cache=False))
        for kernel in whole.keys() - set(FENCES):
            setattr(protocol, kernel, njit(whole[kernel].py_func, cache=False))
        return _body(name, inner)
    finally:
        for kernel, function in whole.items():
            setattr(protocol, kernel, function)


def _body(name: str, inner: str) -> list[str]:
    module = hot if name == "settle" else protocol
    compiled = njit(getattr(module, name).py_func, cache=False)
    compiled.compile(SIGNATURES[name])
    text = assemble(compiled.inspect_llvm(compiled.signatures[0]))
    mangled = compiled.overloads[compiled.signatures[0]].fndesc.mangled_name
    if inner:
        names = re.findall(r"^(\w+):$", text, re.MULTILINE)
        [mangled] = [found for found in names if f"{len(inner)}{inner}B" in found and found != mangled]
    body = text[text.index(f"\n{mangled}:") :]
    lines = [line.split("//")[0].strip().replace("\t", " ") for line in body[: body.index(".Lfunc_end")].splitlines()]
    return [line for line in lines if line and (not line.startswith(".") or line.startswith(".LBB"))]


def assemble(ir: str) -> str:
    """LLVM IR through the O3 pipeline of a Raspberry Pi 4's processor, as assembly."""
    ir = re.sub(r'target triple = ".*"', f'target triple = "{TRIPLE}"', ir)
    ir = re.sub(r'target datalayout = ".*"\n', "", ir)
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    module = llvm.parse_assembly(ir)
    module.verify()
    machine = llvm.Target.from_triple(TRIPLE).create_target_machine(cpu="cortex-a72", opt=3)
    builder = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=3))
    builder.getModulePassManager().run(module, builder)
    return machine.emit_assembly(module)


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        print("\n".join([f"== {argument}", *aarch64(argument)]))
