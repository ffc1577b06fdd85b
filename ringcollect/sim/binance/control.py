"""SUBSCRIBE and its family: requests in, acks and errors out."""

from __future__ import annotations

from typing import Any

import msgspec

from ringcollect.sim.peer import Peer

_METHODS = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY")
_INT64 = range(-(2**63), 2**63)


class Request(msgspec.Struct, frozen=True):
    """One valid request; ``refusal`` is the error text to send instead when it is not."""

    method: str = ""
    params: tuple[Any, ...] = ()
    number: Any = None
    refusal: str = ""


def read_request(text: str, peer: Peer) -> Request:
    """Parse one incoming text as the venue does."""
    try:
        body = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return Request(refusal=_error(3, "Invalid JSON: expected value at line 1 column 1"))
    where = f"at line 1 column {len(text)}"
    if not isinstance(body, dict):
        return Request(refusal=_error(2, f"Invalid request: expected a map {where}"))
    for field in ("method", "id"):
        if field not in body:
            return Request(refusal=_error(2, f"Invalid request: missing field `{field}` {where}"))
    method, number, params = body["method"], body["id"], body.get("params", [])
    if not _valid_id(number, peer.rules.string_ids):
        return Request(refusal=_error(2, f"Invalid request: invalid id {where}"))
    if method not in _METHODS:
        expected = ", ".join(f"`{name}`" for name in _METHODS)
        return Request(refusal=_error(2, f"Invalid request: unknown variant `{method}`, expected one of {expected}"))
    if not isinstance(params, list):
        return Request(refusal=_error(2, f"Invalid request: request parameters must be an array {where}"))
    if method in ("SUBSCRIBE", "UNSUBSCRIBE"):
        if not params or not all(isinstance(name, str) for name in params):
            return Request(refusal=_error(2, f"Invalid request: params must be stream names {where}"))
        more = len({*peer.streams, *params}) if method == "SUBSCRIBE" else 0
        if more > peer.rules.streams_per_connection:
            return Request(refusal=_error(2, "Invalid request: too many parameters"))
    elif method == "SET_PROPERTY":
        if len(params) != 2 or params[0] != "combined":
            return Request(refusal=_error(0, "Unknown property", number))
        if not isinstance(params[1], bool):
            return Request(refusal=_error(1, "Invalid value type: expected Boolean", number))
    elif method == "GET_PROPERTY" and params != ["combined"]:
        return Request(refusal=_error(0, "Unknown property", number))
    return Request(method, tuple(params), number)


def result(value: Any, number: Any) -> str:
    """The answer to a request: ``{"result":null,"id":1}``."""
    return msgspec.json.encode({"result": value, "id": number}).decode()


def _error(code: int, message: str, number: Any = None) -> str:
    fields: dict[str, Any] = {"code": code, "msg": message}
    if number is not None:
        fields["id"] = number
    return msgspec.json.encode(fields).decode()


def _valid_id(number: Any, texts_too: bool) -> bool:
    if isinstance(number, bool):
        return False
    if isinstance(number, int):
        return number in _INT64 if texts_too else 0 <= number < 2**64
    if not texts_too:
        return False
    return number is None or (isinstance(number, str) and number.isascii() and number.isalnum() and len(number) <= 36)
