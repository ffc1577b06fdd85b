"""Host profiles: defaults for a class of host, under the file and the environment."""

from __future__ import annotations

from typing import Any

PROFILE_VALUES: dict[str, dict[str, dict[str, Any]]] = {
    "default": {},
    # 1 to 2 GB of memory and a slow card: half the ring pages, smaller segments (the sealer's peak grows with
    # them), fewer checkpoints, polls and wake-ups. The price: a lapped reader loses earlier, rows come up to 50 ms
    # later, and there are more files.
    "low-power": {
        "ring": {"capacity": 65_536, "frame_entries": 1024, "frame_bytes": 1 << 20},
        "wait": {"min": "10ms", "max": "50ms"},
        "sync": {"checkpoint_interval": "30s"},
        "storage": {"rotate_records": 250_000, "zstd_level": 1},
        "websocket": {"open_interest_poll": "30s"},
    },
}
