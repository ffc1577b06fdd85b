"""Is the text what we guess it is? Whole words are compared, so that a right guess costs next to nothing."""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from ringcollect.jit import intrinsic, types

_I64 = ir.IntType(64)


@intrinsic(prefer_literal=True)
def follows(typingctx: Any, a: Any, i: Any, n: Any, text: Any) -> Any:
    """Whether ``text``, an ASCII literal, stands at ``i`` and ends at ``n`` or before."""
    if not isinstance(text, types.StringLiteral):
        return None
    raw = text.literal_value.encode("ascii")

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        address, offset, limit = args[:3]
        fits = builder.icmp_signed("<=", builder.add(offset, _I64(len(raw))), limit)
        with builder.if_else(fits) as (then, otherwise):
            with then:
                differs = _differs(builder, builder.add(address, offset), raw)
                same = builder.icmp_unsigned("==", differs, _I64(0))
                checked = builder.block
            with otherwise:
                short = builder.block
        answer = builder.phi(ir.IntType(1))
        answer.add_incoming(same, checked)
        answer.add_incoming(ir.IntType(1)(0), short)
        return answer

    return types.boolean(types.int64, types.int64, types.int64, text), codegen


def _differs(builder: Any, address: Any, raw: bytes) -> Any:
    """0 when the bytes at ``address`` are ``raw``: unaligned loads of 8, 4, 2 and 1 bytes, all differences or-ed."""
    found = _I64(0)
    at = 0
    while at < len(raw):
        width = next(size for size in (8, 4, 2, 1) if size <= len(raw) - at)
        kind = ir.IntType(8 * width)
        load = builder.load(builder.inttoptr(builder.add(address, _I64(at)), kind.as_pointer()))
        load.align = 1
        wanted = kind(int.from_bytes(raw[at : at + width], "little"))
        difference = builder.xor(load, wanted)
        found = builder.or_(found, difference if width == 8 else builder.zext(difference, _I64))
        at += width
    return found
