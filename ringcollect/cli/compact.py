"""``ringcollect compact``: small segments of a day become one file."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import click

from ringcollect.cli.invocation import Invocation
from ringcollect.cli.lake_options import LakeOptions, lake_options
from ringcollect.cli.progress import Progress
from ringcollect.durations import parse_duration
from ringcollect.errors import ConfigError, EnvironmentRefused

if TYPE_CHECKING:
    from ringcollect.store.compaction.lake_run import CompactionReport


@click.command()
@lake_options
@click.option("--min-files", type=click.IntRange(2), default=2, show_default=True, help="Merge no fewer files.")
@click.option("--target-files", type=click.IntRange(1), default=1, show_default=True, help="Into so many a day.")
@click.option("--older-than", default="1h", show_default=True, metavar="DUR", help="No file with a younger row.")
@click.option("--dry-run", is_flag=True, help="Only say what would be merged.")
@click.option("--dask", metavar="ADDR", help="Let this dask scheduler's workers do it, a task per folder.")
@click.option("--json", "as_json", is_flag=True, help="The report as JSON on standard output.")
@click.pass_obj
def command(
    invocation: Invocation,
    lake: LakeOptions,
    min_files: int,
    target_files: int,
    older_than: str,
    dry_run: bool,
    dask: str | None,
    as_json: bool,
) -> int:
    """Merge the small files of each day folder, rows in their order, and prove that every row is there before the old
    files go. It can be killed and run again at any point, and readers and the running collector are not disturbed.

    Files of one ring and generation become one. --start and --end choose days. Exit codes: 0 done (also with nothing
    to do), 1 a folder is damaged and was left as it is, 3 no lake, 4 the host refuses (run again: nothing is lost).
    """
    try:
        age_ns = parse_duration(older_than)
    except ValueError as error:
        raise ConfigError(f"--older-than: {error}") from error
    storage = invocation.load().config.storage
    uri, selection = lake.uri(invocation), lake.selection()
    from functools import partial

    from ringcollect.store.compaction.lake_run import compact
    from ringcollect.store.compaction.plan import Policy
    from ringcollect.store.compaction.run import Settings
    from ringcollect.store.location import Lake

    place = Lake.open(uri)
    settings = Settings(
        policy=Policy(min_files=min_files, target_files=target_files, before_ns=time.time_ns() - age_ns),
        level=storage.zstd_level,
        sync=storage.fsync != "off",
        dry_run=dry_run,
    )
    run = None
    if dask is not None:
        from ringcollect.store.compaction.on_dask import on_dask

        run = partial(on_dask, dask)
    progress = Progress("rows")
    try:
        report = compact(place, selection, settings, progress.show, run)
    except OSError as error:
        raise EnvironmentRefused(f"{error}; nothing is lost, running again goes on there") from error
    finally:
        progress.clear()
    click.echo(json.dumps(report.to_dict(), indent=1) if as_json else "\n".join(_lines(report)))
    return report.exit_code


def _lines(report: CompactionReport) -> list[str]:
    out = [f"busy: {one.folder}: another compaction is at it" for one in report.folders if one.busy]
    if report.dry_run:
        out += [f"{one.folder}: {one.files_before} files to {one.files_after}" for one in report.merged]
    out += [f"problem: {one.folder}: {one.problem}" for one in report.problems]
    totals = report.to_dict()
    what = "would become" if report.dry_run else "became"
    sizes = f"{totals['bytes_before'] / 1e6:.1f} MB"
    if not report.dry_run:
        sizes += f" to {totals['bytes_after'] / 1e6:.1f} MB"
    out.append(
        f"{totals['files_before']:,} files {what} {totals['files_after']:,} in {totals['merged']:,} day folders, "
        f"{totals['rows']:,} rows, {sizes}"
    )
    return out
