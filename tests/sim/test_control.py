"""Control frames, paths, limits and keepalive, as documented for both markets."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sim.desk import SECOND, Desk


def _subscribe(*streams: str, number: Any = 1) -> dict[str, Any]:
    return {"method": "SUBSCRIBE", "params": list(streams), "id": number}


def test_the_ack_comes_before_the_first_data() -> None:
    desk = Desk()
    line = desk.open("/ws")
    desk.run(1 * SECOND)
    assert line.texts == []
    line.send(_subscribe("btcusdt@trade", "btcusdt@depth@100ms"))
    assert line.texts == ['{"result":null,"id":1}']
    desk.run(2 * SECOND)
    assert {frame["e"] for frame in line.frames()[1:]} == {"trade", "depthUpdate"}


def test_unknown_streams_are_acked_and_silent() -> None:
    desk = Desk()
    line = desk.open("/stream")
    line.send(_subscribe("nosuch@trade", "btcusdt@nonsense", "btcusdt@depth@7ms"))
    desk.run(5 * SECOND)
    assert line.texts == ['{"result":null,"id":1}']


@pytest.mark.parametrize(
    ("path", "delivers"),
    [
        ("/public/stream", {"btcusdt@trade", "btcusdt@bookTicker", "btcusdt@depth@100ms"}),
        ("/market/stream", {"btcusdt@aggTrade", "btcusdt@markPrice@1s", "btcusdt@kline_1m", "!markPrice@arr@1s"}),
        ("/linear/stream", {"btcusdt@trade", "btcusdt@bookTicker", "btcusdt@depth@100ms"}),
    ],
)
def test_a_usdm_path_acks_everything_and_sends_only_its_own(path: str, delivers: set[str]) -> None:
    everything = [
        "btcusdt@trade", "btcusdt@bookTicker", "btcusdt@depth@100ms", "btcusdt@aggTrade", "btcusdt@markPrice@1s",
        "btcusdt@kline_1m", "!markPrice@arr@1s",
    ]  # fmt: skip
    desk = Desk()
    line = desk.open(path)
    line.send(_subscribe(*everything))
    line.send({"method": "LIST_SUBSCRIPTIONS", "id": 2})
    desk.run(5 * SECOND)
    assert line.frames()[0] == {"result": None, "id": 1}
    assert line.frames()[1] == {"result": everything, "id": 2}
    assert {frame["stream"] for frame in line.frames()[2:]} == delivers


def test_unsubscribed_means_silent_and_the_chain_goes_on_unbroken_elsewhere() -> None:
    desk = Desk()
    line, other = desk.open("/stream?streams=btcusdt@trade/btcusdt@depth@100ms"), desk.open("/ws/btcusdt@trade")
    desk.run(1 * SECOND)
    line.send({"method": "UNSUBSCRIBE", "params": ["btcusdt@trade"], "id": 312})
    assert line.frames()[-1] == {"result": None, "id": 312}
    at, before = len(line.texts), len(other.texts)
    desk.run(2 * SECOND)
    assert {frame["stream"] for frame in line.frames()[at:]} == {"btcusdt@depth@100ms"}
    assert len(other.texts) > before


def test_set_property_changes_the_dress() -> None:
    desk = Desk()
    line = desk.open("/ws/btcusdt@trade")
    line.send({"method": "SET_PROPERTY", "params": ["combined", True], "id": 5})
    assert line.texts == ['{"result":null,"id":5}']
    desk.run(2 * SECOND)
    assert {frame.get("stream") for frame in line.frames()[1:]} == {"btcusdt@trade"}


@pytest.mark.parametrize(
    ("body", "code", "says"),
    [
        ("{nonsense", 3, "Invalid JSON"),
        ('{"id":1}', 2, "missing field `method`"),
        ('{"method":"SUBSCRIBE","params":["a@b"]}', 2, "missing field `id`"),
        ('{"method":"EXPLODE","params":[],"id":1}', 2, "unknown variant `EXPLODE`"),
        ('{"method":"SUBSCRIBE","params":["a@b"],"id":1.5}', 2, "id"),
        ('{"method":"SUBSCRIBE","params":["a@b"],"id":"' + "x" * 37 + '"}', 2, "id"),
        ('{"method":"SUBSCRIBE","params":"btcusdt@trade","id":1}', 2, "array"),
        ('{"method":"SET_PROPERTY","params":["colour",true],"id":1}', 0, "Unknown property"),
        ('{"method":"SET_PROPERTY","params":["combined","yes"],"id":1}', 1, "Boolean"),
        ("[1,2]", 2, "map"),
    ],
)
def test_bad_requests_get_the_documented_codes(body: str, code: int, says: str) -> None:
    line = Desk().open("/ws")
    line.send(body)
    (answer,) = line.frames()
    assert answer["code"] == code
    assert says in answer["msg"]


def test_ids_may_be_texts_or_null_on_spot_and_only_unsigned_on_usdm() -> None:
    desk = Desk()
    spot = desk.open("/ws")
    for number in ("abc123", None, -5):
        spot.send(_subscribe("btcusdt@trade", number=number))
    assert [frame["id"] for frame in spot.frames()] == ["abc123", None, -5]
    linear = desk.open("/public/ws")
    for number in ("abc123", None, -5):
        linear.send(_subscribe("btcusdt@trade", number=number))
    assert [frame["code"] for frame in linear.frames()] == [2, 2, 2]


@pytest.mark.parametrize(("path", "most"), [("/ws", 5), ("/public/ws", 10)])
def test_too_many_messages_in_a_second_end_the_connection(path: str, most: int) -> None:
    desk = Desk()
    line = desk.open(path)
    for number in range(most):
        line.send(_subscribe("btcusdt@trade", number=number))
    assert not line.peer.closed
    desk.run(1 * SECOND)
    for number in range(most):
        line.send(_subscribe("btcusdt@trade", number=number))
    assert not line.peer.closed
    line.send(_subscribe("btcusdt@trade"))
    assert line.peer.closed


def test_a_connection_takes_1024_streams() -> None:
    line = Desk().open("/ws")
    line.send(_subscribe(*(f"s{i}@trade" for i in range(1024))))
    line.send(_subscribe("one@toomany"))
    assert line.frames()[0] == {"result": None, "id": 1}
    assert line.frames()[1]["code"] == 2


@pytest.mark.parametrize(("path", "every_s", "deadline_s"), [("/ws", 20, 60), ("/public/ws", 180, 600)])
def test_pings_come_on_time_and_must_be_answered(path: str, every_s: int, deadline_s: int) -> None:
    desk = Desk(rate=1.0)
    good, bad = desk.open(path), desk.open(path)
    for _ in range(3):
        desk.run(every_s * SECOND, step_ns=SECOND)
        good.peer.pong()
    assert len(good.pings) == 3
    desk.run((deadline_s - 2 * every_s - 2) * SECOND, step_ns=SECOND)
    good.peer.pong()
    assert not bad.peer.closed
    desk.run(2 * SECOND, step_ns=SECOND)
    assert bad.peer.closed
    assert not good.peer.closed


def test_a_day_is_the_longest_a_connection_lives() -> None:
    desk = Desk(rate=0.1, linear=())
    line = desk.open("/ws")
    desk.world.advance(desk.now)
    line.peer.timer(desk.now + 24 * 3600 * SECOND - 1)
    assert not line.peer.closed or line.peer.close_reason == "Pong timeout"
    fresh = desk.open("/ws")
    fresh.peer.timer(desk.now + 24 * 3600 * SECOND)
    assert fresh.peer.closed
    assert fresh.peer.close_code == 1001


@pytest.mark.parametrize("target", ["/", "/nonsense", "/public", "/market/api", "/stream/btcusdt@trade"])
def test_other_paths_do_not_exist(target: str) -> None:
    desk = Desk()
    assert desk.world.connect(target, desk.now) is None


def test_symbols_that_are_not_ascii_arrive_percent_encoded() -> None:
    desk = Desk(spot=("币安人生USDT",))
    line = desk.open("/stream?streams=%E5%B8%81%E5%AE%89%E4%BA%BA%E7%94%9Fusdt@trade")
    desk.run(5 * SECOND)
    assert line.data("币安人生usdt@trade")
