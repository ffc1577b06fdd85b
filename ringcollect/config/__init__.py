"""``config.toml``: typed, validated before anything starts, every error in one go with the path of its key."""

from __future__ import annotations

from ringcollect.config.feature_options import SyncFeatures
from ringcollect.config.loading import Loaded, find_file, load, parse
from ringcollect.config.narrow import narrowed
from ringcollect.config.retention import Retention, RetentionOverride
from ringcollect.config.row_plan import RowPlan
from ringcollect.config.schema import (
    Collector,
    Config,
    Http,
    Log,
    Market,
    Override,
    Ring,
    Storage,
    Wait,
)
from ringcollect.config.sync_section import Sync, SyncGrid, SyncOutput
from ringcollect.config.websocket import Websocket, WebsocketOverride

__all__ = [
    "Collector",
    "Config",
    "Http",
    "Loaded",
    "Log",
    "Market",
    "Override",
    "Retention",
    "RetentionOverride",
    "Ring",
    "RowPlan",
    "Storage",
    "Sync",
    "SyncFeatures",
    "SyncGrid",
    "SyncOutput",
    "Wait",
    "Websocket",
    "WebsocketOverride",
    "find_file",
    "load",
    "narrowed",
    "parse",
]
