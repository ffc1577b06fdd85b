"""Logs: one line per event, in the format asked for, with no secret in it."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator

import pytest
import structlog

from ringcollect.config import Log
from ringcollect.observe.logs import configure


@pytest.fixture
def stderr(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """Reads what was written to standard error since the last call; logging is put back afterwards."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    for handler in handlers:
        root.removeHandler(handler)
    yield lambda: capsys.readouterr().err
    for handler in list(root.handlers):
        root.removeHandler(handler)
    for handler in handlers:
        root.addHandler(handler)
    root.setLevel(level)
    structlog.reset_defaults()


def lines(stderr: Callable[[], str]) -> list[dict]:
    return [json.loads(line) for line in stderr().splitlines()]


def test_json_lines_name_time_level_process_and_fields(stderr: Callable[[], str]) -> None:
    configure(Log(format="json"), "feed binance")
    structlog.get_logger().info("connected", market="spot", conn=2)
    (line,) = lines(stderr)
    assert line["event"] == "connected"
    assert line["level"] == "info"
    assert line["process"] == "feed binance"
    assert (line["market"], line["conn"]) == ("spot", 2)
    assert line["time"].endswith("Z")


def test_what_libraries_log_has_the_same_form(stderr: Callable[[], str]) -> None:
    configure(Log(format="json"), "sync")
    logging.getLogger("some.library").warning("low on %s", "space")
    (line,) = lines(stderr)
    assert (line["event"], line["level"], line["process"]) == ("low on space", "warning", "sync")


def test_below_the_level_nothing_is_written(stderr: Callable[[], str]) -> None:
    configure(Log(format="json", level="warning"), "sync")
    structlog.get_logger().info("quiet")
    logging.getLogger("library").info("quiet")
    structlog.get_logger().warning("loud")
    assert [line["event"] for line in lines(stderr)] == ["loud"]


def test_debug_does_not_log_every_frame_of_the_transport(stderr: Callable[[], str]) -> None:
    configure(Log(format="json", level="debug"), "feed")
    logging.getLogger("websockets.client").debug("< TEXT {...}")
    logging.getLogger("picows.ringcollect").info("WS connection established")
    logging.getLogger("asyncio").debug("poll")
    structlog.get_logger().debug("ours")
    assert [line["event"] for line in lines(stderr)] == ["ours"]


@pytest.mark.parametrize("form", ["json", "pretty"])
def test_no_secret_leaves_in_any_field_at_any_depth(stderr: Callable[[], str], form: str) -> None:
    configure(Log(format=form), "feed")
    log = structlog.get_logger()
    log.info(
        "connect wss://u:hunter2@h/x",
        url="wss://u:hunter2@h/ws?apiKey=hunter2",
        api_key="hunter2",
        settings={"password": "hunter2", "inner": [{"token": "hunter2"}, "https://a:hunter2@b/"]},
        error=ValueError("https://a:hunter2@b/"),
    )
    logging.getLogger("library").warning("GET %s", "https://a:hunter2@b/?signature=hunter2")
    try:
        raise RuntimeError("wss://u:hunter2@h/")
    except RuntimeError:
        log.exception("failed")
    written = stderr()
    assert "hunter2" not in written
    assert written.count("********") >= 8


def test_pretty_is_for_people_and_one_line_per_event(stderr: Callable[[], str]) -> None:
    configure(Log(format="pretty"), "supervisor")
    structlog.get_logger().info("ready", exchanges=1)
    (line,) = stderr().splitlines()
    assert "ready" in line
    assert "exchanges=1" in line
    assert "\x1b" not in line  # colours are for terminals only


def test_a_child_may_configure_again(stderr: Callable[[], str]) -> None:
    log = structlog.get_logger()
    configure(Log(format="json"), "supervisor")
    log.info("one")
    configure(Log(format="json"), "feed")
    log.info("two")
    assert [(line["process"], line["event"]) for line in lines(stderr)] == [("supervisor", "one"), ("feed", "two")]


def test_with_a_file_the_lines_go_there(stderr: Callable[[], str], tmp_path) -> None:
    configure(Log(format="json", file=str(tmp_path / "logs" / "rc.log")), "feed")
    structlog.get_logger().info("to the file")
    assert stderr() == ""
    assert json.loads((tmp_path / "logs" / "rc.log").read_text())["event"] == "to the file"
