"""A changed configuration of a running collector: what is taken over, what takes a restart, and how that is told.

Symbols, channels, depths, rules and the feeds' deadlines are taken over by the feeds on their live sockets; exchanges
that the configuration drops are stopped. Everything else is named and stays as it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from ringcollect.config import Config
from ringcollect.config.secrets import mask
from ringcollect.config.websocket import Websocket, WebsocketOverride
from ringcollect.feed.desk import Desk
from ringcollect.feed.plan import plan_from_config
from ringcollect.runtime import write_atomically

RESULT_FILE = "reload.json"
ANSWER_S = 30.0
"""A feed has this long: an instrument list must come first, and it may have to be asked for twice."""
DONE, PARTLY, REFUSED = 0, 1, 2
_LIVE = ("markets", "websocket")
_LIVE_DEADLINES = (
    "stale", "ack_deadline", "data_deadline", "open_interest_poll", "align", "backfill", "instruments_refresh",
)  # fmt: skip
_TAKES_A_RESTART = "takes a restart"


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of a running configuration: ``config`` is in force, ``feeds`` change, ``stopped`` end.

    ``refused``: what stays as it was, in words.
    """

    config: Config
    feeds: tuple[str, ...] = ()
    stopped: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """How a reload ended. ``run_ns`` and ``number`` name it; ``exit_code`` is that of ``ringcollect reload``."""

    run_ns: int
    number: int
    exit_code: int
    lines: tuple[str, ...] = ()


def compare(running: Config, wanted: Config) -> Change:
    """What of ``wanted`` a collector that runs by ``running`` can take over. Pure."""
    fixed = [section for section in Config.__struct_fields__ if section not in _LIVE]
    refused = [line for section in fixed for line in _differences(section, running, wanted)]
    known = running.exchanges()
    fresh = [exchange for exchange in wanted.exchanges() if exchange not in known]
    refused += [f"{exchange}: an exchange that was not collected before {_TAKES_A_RESTART}" for exchange in fresh]
    addresses = {(m.exchange, m.market): (m.url, m.rest_url) for m in running.markets}
    markets = []
    for market in wanted.markets:
        if market.exchange in fresh:
            continue
        url, rest_url = addresses.get((market.exchange, market.market), (market.url, market.rest_url))
        if (url, rest_url) != (market.url, market.rest_url):
            refused.append(f"another address of {market.exchange} {market.market} {_TAKES_A_RESTART}")
        markets.append(msgspec.structs.replace(market, url=url, rest_url=rest_url))
    config = msgspec.structs.replace(running, markets=tuple(markets))
    kept = config.exchanges()
    refused += [line for exchange in kept for line in _socket_differences(exchange, running, wanted)]
    config = msgspec.structs.replace(config, websocket=_sockets(kept, running.websocket, wanted.websocket))
    refused += [
        f"{exchange}: which symbols have rows of their own ([[markets.override]] grid, features) {_TAKES_A_RESTART}"
        for exchange in kept
        if _rows(running, exchange) != _rows(config, exchange)
    ]
    return Change(
        config=config,
        feeds=tuple(e for e in kept if plan_from_config(running, e) != plan_from_config(config, e)),
        stopped=tuple(e for e in known if e not in kept),
        refused=tuple(dict.fromkeys(refused)),
    )


def _differences(section: str, running: Config, wanted: Config) -> list[str]:
    old, new = getattr(running, section), getattr(wanted, section)
    if not isinstance(old, msgspec.Struct):
        return [f"{section} {_TAKES_A_RESTART}"] if old != new else []
    return [
        f"{section}.{key}: {_shown(section, key, old)} -> {_shown(section, key, new)} {_TAKES_A_RESTART}"
        for key in old.__struct_fields__
        if getattr(old, key) != getattr(new, key)
    ]


def _socket_differences(exchange: str, running: Config, wanted: Config) -> list[str]:
    """What the sockets of ``exchange`` cannot take over while they are open."""
    old, new = running.websocket.of(exchange), wanted.websocket.of(exchange)
    return [
        f"websocket.{key}: {_shown('websocket', key, old)} -> {_shown('websocket', key, new)} {_TAKES_A_RESTART}"
        for key in old.__struct_fields__
        if key not in _LIVE_DEADLINES and getattr(old, key) != getattr(new, key)
    ]


def _sockets(exchanges: Sequence[str], running: Websocket, wanted: Websocket) -> Websocket:
    """``running`` with the deadlines of ``wanted``, said for each exchange by itself."""
    keys = [key for key in running.__struct_fields__ if key != "override"]
    override = tuple(
        WebsocketOverride(
            exchange=exchange,
            **{key: getattr((wanted if key in _LIVE_DEADLINES else running).of(exchange), key) for key in keys},
        )
        for exchange in exchanges
    )
    return msgspec.structs.replace(running, override=override)


def _shown(section: str, key: str, table: Any) -> str:
    value = getattr(table, key)
    return mask((section, key), value) if isinstance(value, str) else str(value)


def _rows(config: Config, exchange: str) -> tuple[Any, ...]:
    return config.row_plans(exchange) if config.sync.enabled else ()


class Reloading:
    """One change on its way: orders are with the feeds, receipts come back."""

    def __init__(self, change: Change, runtime: Path, run_ns: int, number: int, now_s: float) -> None:
        """Gives out the orders. Raises OSError when the runtime folder refuses them."""
        self.change = change
        self._desks = {exchange: Desk(runtime, exchange) for exchange in change.feeds}
        self._run_ns, self._number = run_ns, number
        self._deadline_s = now_s + ANSWER_S
        for exchange, desk in self._desks.items():
            desk.order(number, plan_from_config(change.config, exchange))

    def result(self, now_s: float) -> Result | None:
        """How it ended; None while a feed has not answered and still has time."""
        receipts = {exchange: desk.receipt(self._number) for exchange, desk in self._desks.items()}
        late = [exchange for exchange, receipt in receipts.items() if receipt is None]
        if late and now_s < self._deadline_s:
            return None
        lines = [
            f"{exchange}: {receipt.added} streams added, {receipt.ended} ended"
            for exchange, receipt in receipts.items()
            if receipt is not None
        ]
        lines += [f"{exchange}: stopped, it is not configured any more" for exchange in self.change.stopped]
        lines += [f"{exchange}: takes over when it has the exchange's instrument list again" for exchange in late]
        lines += [f"not changed: {text}" for text in self.change.refused]
        code = PARTLY if late or self.change.refused else DONE
        return Result(
            run_ns=self._run_ns, number=self._number, exit_code=code, lines=tuple(lines) or ("nothing has changed",)
        )


def write_result(runtime: Path, result: Result) -> None:
    """Leave it where ``ringcollect reload`` looks. Raises OSError."""
    write_atomically(runtime / RESULT_FILE, msgspec.json.encode(result))


def read_result(runtime: Path) -> Result | None:
    """The newest result, None if there is none or it is of another version."""
    try:
        return msgspec.json.decode((runtime / RESULT_FILE).read_bytes(), type=Result)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
