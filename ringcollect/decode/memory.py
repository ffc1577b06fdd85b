"""Loads, stores and 128-bit products: what plain numba cannot say.

Addresses are int64. Whoever passes one keeps the memory alive for the call and answers for the bounds.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir

from ringcollect.jit import intrinsic, make_array, njit, types

_I64 = ir.IntType(64)
_I128 = ir.IntType(128)


@intrinsic
def out_of_line(typingctx: Any) -> Any:
    """Keep the function that says this out of its callers: a rare way must not swell the common one."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.function.attributes.add("noinline")
        return context.get_dummy_value()

    return types.void(), codegen


@intrinsic
def plain(typingctx: Any, value: Any) -> Any:
    """A constant as an ordinary int64: numba would compile the callee once more for every literal."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return args[0]

    return types.int64(types.int64), codegen


def _base(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    """The address of a buffer, or the address given."""
    if isinstance(kind, types.Integer):
        return value
    return builder.ptrtoint(make_array(kind)(context, builder, value).data, _I64)


def _address_or_words(kind: Any) -> Any:
    return types.int64 if isinstance(kind, types.Integer) else kind


@intrinsic
def address_of(typingctx: Any, buffer: Any) -> Any:
    """Address of the first byte of a bytes object or contiguous array (an address stays what it is)."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _base(context, builder, signature.args[0], args[0])

    return types.int64(buffer), codegen


@intrinsic
def byte_at(typingctx: Any, address: Any, offset: Any) -> Any:
    """The byte at ``address + offset`` as int64."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = builder.inttoptr(builder.add(args[0], args[1]), ir.IntType(8).as_pointer())
        return builder.zext(builder.load(pointer), _I64)

    return types.int64(types.int64, types.int64), codegen


@intrinsic
def put_byte(typingctx: Any, address: Any, offset: Any, value: Any) -> Any:
    """Store the low byte of ``value`` at ``address + offset``."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = builder.inttoptr(builder.add(args[0], args[1]), ir.IntType(8).as_pointer())
        builder.store(builder.trunc(args[2], ir.IntType(8)), pointer)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), codegen


@intrinsic
def eight_bytes(typingctx: Any, address: Any, offset: Any) -> Any:
    """The eight bytes at ``address + offset``, unaligned, little-endian."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = builder.inttoptr(builder.add(args[0], args[1]), _I64.as_pointer())
        load = builder.load(pointer)
        load.align = 1
        return load

    return types.uint64(types.int64, types.int64), codegen


@intrinsic
def four_bytes(typingctx: Any, address: Any, offset: Any) -> Any:
    """The four bytes at ``address + offset``, unaligned, little-endian, as int64."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = builder.inttoptr(builder.add(args[0], args[1]), ir.IntType(32).as_pointer())
        load = builder.load(pointer)
        load.align = 1
        return builder.zext(load, _I64)

    return types.int64(types.int64, types.int64), codegen


@intrinsic
def word_at(typingctx: Any, address: Any, index: Any) -> Any:
    """The int64 at ``address + 8 * index`` (aligned); an int64 array may stand for its address."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        base = _base(context, builder, signature.args[0], args[0])
        offset = builder.shl(args[1], ir.Constant(_I64, 3))
        return builder.load(builder.inttoptr(builder.add(base, offset), _I64.as_pointer()))

    return types.int64(_address_or_words(address), types.int64), codegen


@intrinsic
def put_word(typingctx: Any, address: Any, index: Any, value: Any) -> Any:
    """Store an int64 at ``address + 8 * index`` (aligned); an int64 array may stand for its address."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        base = _base(context, builder, signature.args[0], args[0])
        offset = builder.shl(args[1], ir.Constant(_I64, 3))
        builder.store(args[2], builder.inttoptr(builder.add(base, offset), _I64.as_pointer()))
        return context.get_dummy_value()

    return types.void(_address_or_words(address), types.int64, types.int64), codegen


@intrinsic
def move_words(typingctx: Any, to: Any, source: Any, words: Any) -> Any:
    """Copy ``words`` words from address ``source`` to address ``to``; the two may overlap (libc's memmove)."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = ir.IntType(8).as_pointer()
        move = builder.module.declare_intrinsic("llvm.memmove", [pointer, pointer, _I64])
        target, origin = builder.inttoptr(args[0], pointer), builder.inttoptr(args[1], pointer)
        size = builder.shl(args[2], ir.Constant(_I64, 3))
        builder.call(move, [target, origin, size, ir.Constant(ir.IntType(1), 0)])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), codegen


@intrinsic
def word_pointer(typingctx: Any, address: Any) -> Any:
    """``address`` as a pointer to int64, for ``numba.carray``."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.inttoptr(args[0], _I64.as_pointer())

    return types.CPointer(types.int64)(types.int64), codegen


@intrinsic
def call_words(typingctx: Any, function: Any, a: Any, b: Any, c: Any, d: Any, e: Any) -> Any:
    """The int64 that the function at an address (``jit.Entry.address``) gives for five of them."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = ir.FunctionType(_I64, [_I64] * 5)
        return builder.call(builder.inttoptr(args[0], kind.as_pointer()), args[1:])

    return types.int64(*[types.int64] * 6), codegen


@intrinsic
def float_bits(typingctx: Any, value: Any) -> Any:
    """The bits of a float64 as int64."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], _I64)

    return types.int64(types.float64), codegen


@intrinsic
def bits_float(typingctx: Any, bits: Any) -> Any:
    """The float64 of these bits."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.DoubleType())

    return types.float64(types.int64), codegen


@intrinsic
def high_product(typingctx: Any, x: Any, y: Any) -> Any:
    """Upper 64 bits of the 128-bit product of two uint64."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        product = builder.mul(builder.zext(args[0], _I128), builder.zext(args[1], _I128))
        return builder.trunc(builder.lshr(product, ir.Constant(_I128, 64)), _I64)

    return types.uint64(types.uint64, types.uint64), codegen


@intrinsic
def leading_zeros(typingctx: Any, value: Any) -> Any:
    """Leading zero bits of a uint64 that is not 0."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.ctlz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), codegen


@intrinsic
def trailing_zeros(typingctx: Any, value: Any) -> Any:
    """Trailing zero bits of a uint64; 64 of 0."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.uint64), codegen


@intrinsic
def count_ones(typingctx: Any, value: Any) -> Any:
    """How many bits of a uint64 are set."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.ctpop(args[0])

    return types.int64(types.uint64), codegen


@njit
def address(buffer: np.ndarray) -> int:
    """Address of the first byte of a bytes object or contiguous array, from Python."""
    return address_of(buffer)


def warm() -> None:
    """Compile what Python calls."""
    address(b"x")
    address(np.zeros(1, np.uint8))
    address(np.zeros(1, np.int64))
