"""How a command ends: one message and an exit code, whatever happened inside."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import click
import pytest

from ringcollect import cli
from ringcollect.errors import ConfigError, EnvironmentRefused, LakeError, NotFoundError


@pytest.fixture
def command_that(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], int]:
    """Run the command line with a command that does what the test says; its exit code."""

    def run(body: Callable[[], object]) -> int:
        command = click.Command("probe", callback=body)
        monkeypatch.setattr(cli.LazyGroup, "get_command", lambda self, ctx, name: command)
        return cli.run(["probe"])

    return run


def _raise(error: BaseException) -> Callable[[], None]:
    def body() -> None:
        raise error

    return body


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (LakeError("lost"), 1),
        (ConfigError("wrong"), 2),
        (NotFoundError("nothing here"), 3),
        (EnvironmentRefused("no room"), 4),
    ],
)
def test_each_of_our_errors_is_one_line_on_stderr_and_its_exit_code(
    error: Exception, code: int, command_that: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command_that(_raise(error)) == code
    out, err = capsys.readouterr()
    assert (out, err) == ("", f"ringcollect: {error}\n")


def test_an_interrupt_is_quiet(command_that: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert command_that(_raise(KeyboardInterrupt())) == 130
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(("result", "code"), [(None, 0), (0, 0), (5, 5), ("text", 0)])
def test_what_a_command_returns_is_its_exit_code(result: object, code: int, command_that: Callable[..., int]) -> None:
    assert command_that(lambda: result) == code


def test_ctx_exit_is_the_exit_code_too(command_that: Callable[..., int]) -> None:
    assert command_that(lambda: click.get_current_context().exit(3)) == 3


def test_a_bug_of_ours_keeps_its_traceback(command_that: Callable[..., int]) -> None:
    with pytest.raises(ZeroDivisionError):
        command_that(_raise(ZeroDivisionError()))


def test_a_reader_that_goes_away_is_no_error() -> None:
    program = (
        "import click, sys\nfrom ringcollect import cli\n"
        "def body():\n    for number in range(100000): click.echo(number)\n"
        "cli.LazyGroup.get_command = lambda self, ctx, name: click.Command('probe', callback=body)\n"
        "sys.exit(cli.run(['probe']))"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        err = process.stderr.read()
        assert process.wait(timeout=30) == 0
    assert err == b""
