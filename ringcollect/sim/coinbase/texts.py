"""Messages of both Coinbase feeds spelled out; sizes without trailing zeros, times ISO as Go writes them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

SECOND, MICROSECOND = 1_000_000_000, 1_000
NUMBER = '"sequence_num":#'
"""What stands where a connection writes its own count of messages."""
Level = tuple[int, str, str]
"""Side, price and size as they go over the wire."""


def iso(time_ns: int) -> str:
    """As ``time.RFC3339Nano`` has it: no zeros at the end, no point without decimals."""
    whole = datetime.fromtimestamp(time_ns // SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f"{time_ns % SECOND:09}".rstrip("0")
    return f"{whole}.{fraction}Z" if fraction else f"{whole}Z"


def micro(time_ns: int) -> str:
    """The matching engine's times have six decimals at most."""
    return iso(time_ns // MICROSECOND * MICROSECOND)


def _text(message: dict[str, Any]) -> str:
    return json.dumps(message, separators=(",", ":"))


def envelope(channel: str, now_ns: int, event: dict[str, Any]) -> str:
    """A message of Advanced Trade, to be numbered by its connection."""
    head = f'{{"channel":"{channel}","timestamp":"{iso(now_ns)}",{NUMBER},"events":['
    return head + _text(event) + "]}"


def l2_data(product: str, kind: str, levels: Sequence[Level], matched_ns: int, now_ns: int) -> str:
    """Levels of a book: sides are called bid and offer."""
    time = micro(matched_ns)
    updates = [
        {"side": "bid" if side > 0 else "offer", "event_time": time, "price_level": price, "new_quantity": size}
        for side, price, size in levels
    ]
    return envelope("l2_data", now_ns, {"type": kind, "product_id": product, "updates": updates})


def exchange_book(product: str, levels: Sequence[Level]) -> str:
    """A whole book of the Exchange feed, asks first and without a time."""
    sides = {
        name: [[price, size] for of, price, size in levels if of == side] for name, side in (("asks", -1), ("bids", 1))
    }
    return _text({"type": "snapshot", "product_id": product} | sides)


def l2update(product: str, levels: Sequence[Level], matched_ns: int) -> str:
    """Changes of a book; zero is spelled in several ways."""
    changes = [
        ["buy" if side > 0 else "sell", price, ("0.00", "0.00000000", "0")[len(price) % 3] if size == "0" else size]
        for side, price, size in levels
    ]
    return _text({"type": "l2update", "product_id": product, "changes": changes, "time": micro(matched_ns)})


def error(message: str, reason: str = "") -> str:
    """A refusal, of either feed."""
    return _text({"type": "error", "message": message} | ({"reason": reason} if reason else {}))


def subscribed(channels: dict[str, list[str]], now_ns: int) -> str:
    """Everything that is subscribed on Advanced Trade."""
    return envelope("subscriptions", now_ns, {"subscriptions": channels})


def exchange_subscribed(channels: dict[str, list[str]]) -> str:
    """Everything that is subscribed on the Exchange feed."""
    rows = [{"name": name, "product_ids": products} for name, products in channels.items()]
    return _text({"type": "subscriptions", "channels": rows})


def heartbeat(product: str, trade_id: int, now_ns: int) -> str:
    """The Exchange feed's, of one product, with its last trade."""
    return _text({
        "type": "heartbeat", "sequence": trade_id * 7, "last_trade_id": trade_id, "product_id": product,
        "time": micro(now_ns),
    })  # fmt: skip


def plain(message: dict[str, Any]) -> str:
    """Any other message of the Exchange feed."""
    return _text(message)
