"""What a file of the lake is called in the archive, and back.

``hive`` keeps the path and puts ``server=NAME`` before ``date=DAY`` where a name is set, so that several collectors
share one bucket and readers see one more partition column. ``flat`` is
``exchange/symbol/type/[server/]DAY/EPOCH_MS.parquet`` for scripts that expect those keys.
"""

from __future__ import annotations

import calendar
import re
import time
from pathlib import PurePosixPath
from typing import NamedTuple

from ringcollect.errors import LakeError
from ringcollect.store.naming import folder_value

CERTIFICATES = "certificates"
_FLAT_CERTIFICATES = "_certificates"  # no symbol's folder begins with an underscore
_STAMP = re.compile(r"_(\d{8}_\d{6})\.(\d{3})(-[0-9-]+)?\.parquet$")
_SINGULAR = {"orderbooks": "orderbook", "trades": "trade"}


class Keys(NamedTuple):
    """How keys are made: ``layout`` and the name of this collector in the archive (empty: none)."""

    layout: str = "hive"
    server: str = ""

    def key(self, path: str) -> str:
        """The key of the file ``path`` (relative to the lake, below a ``date=`` folder). Different for different files.

        Raises LakeError for a path that no segment has.
        """
        parts = PurePosixPath(path).parts
        values = {name: value for name, found, value in (part.partition("=") for part in parts[:-1]) if found}
        if "date" not in values or "exchange" not in values:
            raise LakeError(f"{path} is in no day folder: it cannot be archived")
        server = [folder_value(self.server)] if self.server else []
        if self.layout == "flat":
            return "/".join(_flat(parts, values, server, path))
        at = next(n for n, part in enumerate(parts) if part.startswith("date="))
        return "/".join((*parts[:at], *(f"server={name}" for name in server), *parts[at:]))

    def certificates_folder(self, exchange: str = "") -> str:
        """The folder of the certificates (hive), or of those of ``exchange`` (flat; a folder's name)."""
        return CERTIFICATES if self.layout == "hive" else f"{exchange}/{_FLAT_CERTIFICATES}"

    def certificate_of(self, key: str) -> str | None:
        """The path a key in :meth:`certificates_folder` stands for, None if it is another collector's or no such."""
        parts = list(PurePosixPath(key).parts)
        server = folder_value(self.server) if self.server else None
        if self.layout == "flat":
            if len(parts) != 4 + (server is not None) or parts[1] != _FLAT_CERTIFICATES:
                return None
            if server is not None and parts.pop(2) != server:
                return None
            return f"{CERTIFICATES}/exchange={parts[0]}/date={parts[2]}/{parts[3]}"
        if len(parts) != 4 + (server is not None) or parts[0] != CERTIFICATES:
            return None
        if server is not None and parts.pop(2) != f"server={server}":
            return None
        return "/".join(parts)


def _flat(parts: tuple[str, ...], values: dict[str, str], server: list[str], path: str) -> list[str]:
    exchange, day = values["exchange"], values["date"]
    if parts[0] == CERTIFICATES:
        at = next(n for n, part in enumerate(parts) if part.startswith("date="))
        return [exchange, _FLAT_CERTIFICATES, *server, day, *parts[at + 1 :]]
    stamp = _STAMP.search(parts[-1])
    if stamp is None:
        raise LakeError(f"{path} has no time stamp in its name: it cannot be archived with layout flat")
    seconds = calendar.timegm(time.strptime(stamp[1], "%Y%m%d_%H%M%S"))
    table = parts[1] if "market" in values else parts[0]
    kind = _SINGULAR.get(table, table)
    if parts[0] in ("rest", "sync"):
        step = next((value for name, value in values.items() if name in ("grid", "duration")), "")
        kind = "-".join(filter(None, (parts[0], kind, step)))
    market = values.get("market", "spot")
    if market not in ("spot", "_exchange", "_unknown"):
        kind = f"{kind}-{market}"  # BTCUSDT is a symbol of several markets
    return [
        exchange,
        values.get("symbol", "_exchange"),
        kind,
        *server,
        day,
        f"{seconds}{stamp[2]}{stamp[3] or ''}.parquet",
    ]
