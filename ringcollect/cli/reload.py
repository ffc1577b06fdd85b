"""``ringcollect reload``: a changed configuration for the collector that runs."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ringcollect.cli.invocation import Invocation
from ringcollect.errors import EnvironmentRefused

if TYPE_CHECKING:
    from ringcollect.supervise.reload import Result

_AIR_S = 10.0
_LOOK_S = 0.05


@click.command()
@click.option("--json", "as_json", is_flag=True, help="As one JSON document.")
@click.pass_obj
def command(invocation: Invocation, as_json: bool) -> int:
    """Let the running collector read its configuration again and take over what has changed (as SIGHUP does).

    Symbols, channels, depths, rules and deadlines change on the live connections; nothing else that is collected is
    disturbed. A configuration with a problem changes nothing. Exit codes: 0 taken over, 1 in part (the rest is named),
    2 configuration, 3 not running.
    """
    import msgspec

    runtime = invocation.load().config.runtime_path()
    result = ask(runtime)
    click.echo(msgspec.json.encode(result).decode() if as_json else "\n".join(result.lines))
    return result.exit_code


def ask(runtime: Path) -> Result:
    """Have the supervisor of ``runtime`` reload; returns its answer.

    Raises NotFoundError if none is running, EnvironmentRefused if it may not be asked or does not answer.
    """
    from ringcollect.observe.status import running_table
    from ringcollect.supervise.reload import ANSWER_S, read_result

    table = running_table(runtime)
    before = read_result(runtime)
    try:
        os.kill(table.supervisor_pid, signal.SIGHUP)
    except OSError as error:
        raise EnvironmentRefused(f"the collector (pid {table.supervisor_pid}) cannot be asked: {error}") from error
    deadline = time.monotonic() + ANSWER_S + _AIR_S
    while time.monotonic() < deadline:
        result = read_result(runtime)
        if result is not None and result != before and result.run_ns == table.started_ns:
            return result
        time.sleep(_LOOK_S)
    raise EnvironmentRefused(f"the collector (pid {table.supervisor_pid}) does not answer; its log says more")
