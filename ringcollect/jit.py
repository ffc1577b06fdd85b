"""The one way to numba: the cache folder chosen before numba reads it, one set of compiler options.

Import what is numba's from here, never from numba: whichever module comes first would make it read the environment
before the folder is chosen, and the kernels would be cached beside their sources, where an edited callee is not seen.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import Any

from ringcollect.kernel_cache import cache_dir, choose_cache_dir, source_hash

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

choose_cache_dir()

import numba  # noqa: E402
from llvmlite import ir  # noqa: E402
from numba import carray, extending  # noqa: E402
from numba.core import cgutils, types  # noqa: E402
from numba.extending import NativeValue, models, register_model, unbox  # noqa: E402
from numba.np.arrayobj import make_array  # noqa: E402

__all__ = [
    "Entry", "NativeValue", "cache_dir", "carray", "cgutils", "inlined", "intrinsic", "ir", "make_array", "models",
    "njit", "register_model", "source_hash", "types", "unbox",
]  # fmt: skip


intrinsic: Any = extending.intrinsic


def njit(function: Callable[..., Any] | None = None, **options: Any) -> Any:
    """``numba.njit(cache=True, error_model="numpy")``, also with extra options (``inline="always"``)."""
    # forceinline said outright: left open, a callee would inherit it from whoever compiles it first
    options = {"cache": True, "error_model": "numpy", "forceinline": False} | options
    decorate: Any = numba.njit(**options)  # type: ignore[call-overload]
    return decorate if function is None else decorate(function)


def inlined(function: Callable[..., Any]) -> Any:
    """:func:`njit` for a small function that LLVM shall copy into every caller, whatever it thinks of the size."""
    return njit(function, forceinline=True)


class Entry:
    """A kernel for arguments of one signature, called without its dispatcher's look at their types.

    That look takes as long as decoding a small frame, and cannot name the type of a list that shall stay one.
    ``signature()`` gives the argument types; the first call compiles the kernel or loads it from the cache.
    """

    def __init__(self, kernel: Any, signature: Callable[[], tuple[Any, ...]]) -> None:
        self._kernel = kernel
        self._signature = signature

    @functools.cached_property
    def direct(self) -> Callable[..., Any]:
        """The compiled function itself: refuses arguments that it cannot read as its types."""
        return self._kernel.compile(self._signature())

    @functools.cached_property
    def address(self) -> int:
        """Where the kernel's machine code begins, as a C function of its arguments; valid as long as the process."""
        self._kernel.compile(self._signature())
        compiled = self._kernel.overloads[self._signature()]
        return int(compiled.library.get_pointer_to_function(compiled.fndesc.llvm_cfunc_wrapper_name))

    def __call__(self, *arguments: Any) -> Any:
        return self.direct(*arguments)
