"""The command line. Only the command that runs is imported, so that ``--help`` costs no numpy, numba or pyarrow."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from ringcollect import __version__
from ringcollect.cli.invocation import Invocation
from ringcollect.errors import RingcollectError

COMMANDS = {
    "start": "Collect: feeds, synchronizer and writer, until stopped.",
    "reload": "Let the running collector take over a changed configuration.",
    "status": "What a running collector does: state, streams, losses, memory.",
    "rings": "The rings of this host, their fill and their readers.",
    "tail": "Print records of a ring as they come.",
    "replay": "Feed a capture through the same code as live, into Parquet.",
    "verify": "Recompute every claim of the lake's files.",
    "stats": "What a lake holds: rows, span, prices, gaps and bytes per type and instrument.",
    "query": "SQL over a lake, each type a view (extra duckdb).",
    "compact": "Merge the small files of each day of the lake.",
    "archive": "Segments to the object store and back by hand, and what waits.",
    "retain": "Remove what is too old or too much, as configured.",
    "report": "Quality of the record per day: coverage, gaps and their causes, latency, clock.",
    "features": "The columns a row can have, and rows built again from a lake's records.",
    "config": "Write, check or show the configuration.",
    "sim": "Simulated exchanges on loopback that speak the real protocols.",
    "warm": "Compile the numerical kernels into the cache.",
    "clean": "Remove rings that no process owns any more.",
}
"""Every command with its help line; the command itself is ``ringcollect.cli.<name>:command``."""

INTERRUPTED = 130


class LazyGroup(click.Group):
    """A group that lists its commands from the table and imports one only to run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the table's order: by what a user does first."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command; None if there is no such command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"ringcollect.cli.{cmd_name}").command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; that its reader went away (``ringcollect tail ... | head``) is the reader's right."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # Python would complain once more when it flushes stdout at exit: that goes to the null device.
            with contextlib.suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table, without importing what it lists."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--config", "config_path", type=click.Path(path_type=Path), metavar="PATH", help="Configuration file.")
@click.option("--log-level", type=click.Choice(["debug", "info", "warning", "error"]), help="Instead of [log] level.")
@click.option("--log-format", type=click.Choice(["json", "pretty"]), help="Instead of [log] format.")
@click.version_option(__version__, prog_name="ringcollect", message="%(prog)s %(version)s")
@click.pass_context
def group(ctx: click.Context, config_path: Path | None, log_level: str | None, log_format: str | None) -> None:
    """Crypto market data: shared-memory rings, exact loss accounting, certified Parquet.

    Exit codes: 0 done and nothing lost; 1 done, but something was lost, rejected, or a claim failed; 2 usage or
    configuration error; 3 not running or nothing found; 4 the environment refuses (permission, tmpfs, disk); 5 a
    process was killed past its stop budget.
    """
    ctx.obj = Invocation(config_path, log_level, log_format)


def run(args: Sequence[str]) -> int:
    """Run one command line and return its exit code; errors are one message on stderr, never a traceback."""
    try:
        code = group.main(args=list(args), prog_name="ringcollect", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except RingcollectError as error:
        click.echo(f"ringcollect: {error}", err=True)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    return code if isinstance(code, int) else 0


def main() -> None:
    """Entry point of the ``ringcollect`` script."""
    sys.exit(run(sys.argv[1:]))
