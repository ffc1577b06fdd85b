"""Frames as a kernel's argument: one bytes object, or a list of them, without a copy.

Of a list the kernel asks CPython itself for every item (``PyList_GetItem``, ``PyBytes_AsStringAndSize``), which checks
what it is given; the caller's reference to the list keeps the items alive, and the GIL, which kernels keep, keeps the
list as it is. Joining the frames and handing over their lengths costs more than twice as much, and a copy.
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


class FrameType(types.Type):
    """numba's name for one frame: where its bytes are. A bytes object costs two loads; other buffers are taken, too."""

    def __init__(self) -> None:
        super().__init__(name="Frame")


FRAME = FrameType()


@register_model(FrameType)
class _FrameModel(models.StructModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, [("address", types.int64), ("length", types.int64)])


@unbox(FrameType)
def _unbox_frame(kind: Any, obj: Any, c: Any) -> Any:
    """The bytes of a buffer, which the caller's reference keeps where they are; no buffer is refused with TypeError."""
    place = cgutils.create_struct_proxy(kind)(c.context, c.builder)
    text, length = cgutils.alloca_once(c.builder, c.pyapi.cstring), cgutils.alloca_once(c.builder, c.pyapi.py_ssize_t)
    refused = cgutils.alloca_once_value(c.builder, cgutils.false_bit)
    is_bytes = c.pyapi.bytes_as_string_and_size(obj, text, length)
    with c.builder.if_else(is_bytes, likely=True) as (then, otherwise):
        with then:
            place.address = c.builder.ptrtoint(c.builder.load(text), _I64)
            place.length = c.builder.load(length)
        with otherwise:
            c.pyapi.err_clear()
            buffer = c.pyapi.alloca_buffer()
            failed = c.builder.icmp_signed("!=", c.pyapi.get_buffer(obj, buffer), ir.IntType(32)(0))
            c.builder.store(failed, refused)
            with c.builder.if_then(c.builder.not_(failed)):
                words = c.builder.bitcast(buffer, _I64.as_pointer())  # Py_buffer: buf, obj, len, ...
                place.address = c.builder.load(words)
                place.length = c.builder.load(c.builder.gep(words, [_I64(2)]))
                c.pyapi.release_buffer(buffer)
    return NativeValue(place._getvalue(), is_error=c.builder.load(refused))


@intrinsic
def frame_place(typingctx: Any, frame: Any) -> Any:
    """(address, length) of a frame."""
    result = types.UniTuple(types.int64, 2)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        place = cgutils.create_struct_proxy(FRAME)(context, builder, value=args[0])
        return context.make_tuple(builder, result, [place.address, place.length])

    return result(FRAME), codegen


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
