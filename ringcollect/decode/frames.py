"""A list of bytes objects as a kernel's argument: the frames of one socket read without a copy or a look at each.

The kernel asks CPython itself for every item (``PyList_GetItem``, ``PyBytes_AsStringAndSize``), which checks what it is
given; the caller's reference to the list keeps the items alive, and the GIL, which kernels keep, keeps the list as it
is. Joining the frames and handing over their lengths costs more than twice as much, and a copy.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from ringcollect.jit import NativeValue, cgutils, intrinsic, models, register_model, types, unbox

_I64 = ir.IntType(64)


class FrameListType(types.Opaque):
    """numba's name for a Python list of bytes that stays a Python object."""

    def __init__(self) -> None:
        super().__init__(name="FrameList")


FRAME_LIST = FrameListType()
register_model(FrameListType)(models.OpaqueModel)


@unbox(FrameListType)
def _unbox_frame_list(kind: Any, obj: Any, c: Any) -> Any:
    """The object itself; anything but a list is refused with an exception."""
    size = c.pyapi.list_size(obj)
    return NativeValue(obj, is_error=c.builder.icmp_signed("<", size, size.type(0)))


@intrinsic
def frame_count(typingctx: Any, frames: Any) -> Any:
    """How many frames the list has."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return context.get_python_api(builder).list_size(args[0])

    return types.int64(FRAME_LIST), codegen


@intrinsic
def frame_at(typingctx: Any, frames: Any, index: Any) -> Any:
    """(address, length) of frame ``index``, which must be in the list; address 0 for what is no bytes object."""
    result = types.UniTuple(types.int64, 2)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        api = context.get_python_api(builder)
        text = cgutils.alloca_once(builder, api.cstring)
        length = cgutils.alloca_once(builder, api.py_ssize_t)
        good = api.bytes_as_string_and_size(api.list_getitem(args[0], args[1]), text, length)
        with builder.if_else(good) as (then, otherwise):
            with then:
                address, size = builder.ptrtoint(builder.load(text), _I64), builder.load(length)
                found = builder.block
            with otherwise:
                api.err_clear()
                refused = builder.block
        values = []
        for value in (address, size):
            phi = builder.phi(_I64)
            phi.add_incoming(value, found)
            phi.add_incoming(_I64(0), refused)
            values.append(phi)
        return context.make_tuple(builder, result, values)

    return result(FRAME_LIST, types.int64), codegen
