"""Who compacts a bucket: object stores have no locks, so the one that does leaves its name and renews it.

Two that begin in the same moment both write and then look who was last; only that one goes on. Whoever was killed is
waited for until its lease is over, unless it can be seen on this host that it lives no more.
"""

from __future__ import annotations

import platform
import time
import uuid

import msgspec
import psutil

from ringcollect.errors import EnvironmentRefused, NotFoundError
from ringcollect.store.compaction.record import COMPACTION
from ringcollect.store.location import Lake

KEY = f"{COMPACTION}/lease"
LASTS_NS = 900_000_000_000
_RENEWED_NS = 60_000_000_000
_LOOK_AGAIN_S = 1.0


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """Who holds it: ``began`` is when its process started, so that a pid that was given away again is told apart."""

    token: str
    host: str
    pid: int
    began: float


class Lease:
    """Held from entering to leaving; nothing at all in a folder, where each day folder has a lock, or if not ``held``.

    Entering raises EnvironmentRefused while somebody else has it.
    """

    def __init__(self, lake: Lake, *, held: bool = True) -> None:
        self._lake = lake
        self._is_needed = held and lake.folder is None
        process = psutil.Process()
        self._own = Holder(token=uuid.uuid4().hex, host=platform.node(), pid=process.pid, began=process.create_time())
        self._renewed_ns = 0

    def __enter__(self) -> Lease:
        if self._is_needed:
            self._refuse_others()
            self._write()
            time.sleep(_LOOK_AGAIN_S)
            self._refuse_others()
        return self

    def __exit__(self, *error: object) -> None:
        if self._is_needed and self._holder() == self._own:
            self._lake.delete(KEY)

    def renew(self) -> None:
        """Say that it is still needed. EnvironmentRefused if somebody else took it: it was over."""
        if self._is_needed and time.time_ns() - self._renewed_ns > _RENEWED_NS:
            self._refuse_others()
            self._write()

    def _write(self) -> None:
        self._lake.write(KEY, msgspec.json.encode(self._own))
        self._renewed_ns = time.time_ns()

    def _refuse_others(self) -> None:
        holder, entry = self._holder(), self._lake.stat(KEY)
        if holder is None or entry is None or holder == self._own or _is_dead(holder):
            return
        left_s = (entry.mtime_ns + LASTS_NS - time.time_ns()) // 1_000_000_000
        if left_s > 0:
            raise EnvironmentRefused(
                f"{self._lake} is being compacted by process {holder.pid} on {holder.host}; if that lives no more, "
                f"wait {left_s} s"
            )

    def _holder(self) -> Holder | None:
        try:
            return msgspec.json.decode(self._lake.read(KEY), type=Holder)
        except (NotFoundError, msgspec.MsgspecError):
            return None


def _is_dead(holder: Holder) -> bool:
    if holder.host != platform.node():
        return False
    try:
        return psutil.Process(holder.pid).create_time() != holder.began
    except psutil.NoSuchProcess:
        return True
