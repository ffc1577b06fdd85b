"""Host profiles: defaults for a class of host, under the file and the environment."""

from __future__ import annotations

from typing import Any

PROFILE_VALUES: dict[str, dict[str, dict[str, Any]]] = {
    "default": {},
    # 1 to 2 GB of memory and a slow card: half the ring pages, smaller segments (the sealer's peak grows with
    # them), fewer checkpoints, polls and wake-ups. A tenth of the journal's syncs, each of which writes whole pages to
    # the card. The price: a lapped reader loses earlier, rows come up to 50 ms later, a power cut costs up to 10 s, and
    # what is sealed is up to an hour old.
    "low-power": {
        "ring": {"capacity": 65_536, "frame_entries": 1024, "frame_bytes": 1 << 20},
        "wait": {"min": "10ms", "max": "50ms"},
        "sync": {"checkpoint_interval": "30s"},
        "storage": {"flush": "10s", "rotate_records": 250_000, "rotate_time": "1h", "zstd_level": 1},
        "websocket": {"open_interest_poll": "30s"},
    },
}
