"""``ringcollect archive``: segments to the archive and back by hand, and what waits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ringcollect.cli.invocation import Invocation
from ringcollect.cli.lake_options import LakeOptions, lake_options
from ringcollect.cli.progress import Progress
from ringcollect.errors import ConfigError

if TYPE_CHECKING:
    from ringcollect.store.archive.by_hand import Local
    from ringcollect.store.archive.settings import Target

_dry_run = click.option("--dry-run", is_flag=True, help="Only say what would move.")
_json = click.option("--json", "as_json", is_flag=True, help="As JSON on standard output.")


@click.group("archive", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Sealed segments in an object store. Where it is: [archive] of the configuration, or S3_ENDPOINT and S3_BUCKET.

    A segment (one sealed journal: all types and symbols of an exchange over some minutes) is chosen whole if anything
    in it is. Exit codes: 0 done, 1 something could not be moved, 3 nothing there, 4 store or disk refuses.
    """


@command.command()
@lake_options
@_dry_run
@_json
@click.pass_obj
def push(invocation: Invocation, lake: LakeOptions, dry_run: bool, as_json: bool) -> int:
    """Send what the archive does not have; with mode s3, remove it here then. The running archiver does this, too."""
    from ringcollect.store.archive import by_hand

    data, target, remove = _places(invocation, lake)
    found = [one for one in by_hand.segments_in(data, target, lake.selection()) if not one.is_removed]
    waiting = found if remove else [one for one in found if not one.is_archived]
    if dry_run:
        return _say_waiting(waiting, target, as_json)
    progress = Progress("bytes")
    try:
        pushed = by_hand.push(data, target, waiting, progress.show, remove=remove)
    finally:
        progress.clear()
    if as_json:
        click.echo(json.dumps({name: getattr(pushed, name) for name in pushed.__struct_fields__}, indent=1))
    else:
        for name, why in pushed.failed:
            click.echo(f"failed: {name}: {why}")
        click.echo(
            f"{pushed.segments:,} segments to {target.uri}: {pushed.files:,} files, {pushed.bytes / 1e6:.1f} MB sent, "
            f"{pushed.there:,} were there, {pushed.removed:,} removed here; {len(pushed.failed)} segments failed"
        )
    return 1 if pushed.failed else 0


@command.command()
@lake_options
@_dry_run
@_json
@click.pass_obj
def pull(invocation: Invocation, lake: LakeOptions, dry_run: bool, as_json: bool) -> int:
    """Bring segments back into the lake --data, each file checked against its certificate.

    Only those of this server_name (none: those without one). What is here already is not fetched.
    """
    from ringcollect.store.archive.pull import pull as bring
    from ringcollect.store.archive.pull import segments_of
    from ringcollect.store.location import Lake, is_remote

    config = invocation.load().config
    uri = lake.uri(invocation)
    _, target, remove = _places(invocation, lake, remote=is_remote(uri))
    if remove and not is_remote(uri) and Path(uri).absolute() == config.data_path():
        raise ConfigError("with [archive] mode = s3 the archiver would remove it again: name another lake with --data")
    archive = target.open()
    found = list(segments_of(archive, target.keys, lake.selection()))
    size = sum(remote.segment.bytes for remote in found)
    files = sum(len(remote.segment.files) for remote in found)
    if not found:
        click.echo(f"nothing of it is in {target.uri}")
        return 3
    if dry_run:
        said = {"segments": len(found), "files": files, "bytes": size}
        click.echo(json.dumps(said, indent=1) if as_json else f"{_text(said)} would come from {target.uri}")
        return 0
    progress = Progress("bytes")
    try:
        pulled = bring(archive, target.keys, found, Lake.open(uri), progress.show)
    finally:
        progress.clear()
    if as_json:
        click.echo(json.dumps(pulled._asdict(), indent=1))
    else:
        click.echo(
            f"{pulled.segments:,} segments from {target.uri}: {pulled.files:,} files came, "
            f"{pulled.bytes / 1e6:.1f} MB; {pulled.here:,} were here"
        )
    return 0


@command.command()
@lake_options
@_json
@click.pass_obj
def status(invocation: Invocation, lake: LakeOptions, as_json: bool) -> int:
    """What of the lake is archived, what waits, what is in the archive only: from the lake's own marks."""
    from ringcollect.store.archive import by_hand

    data, target, _ = _places(invocation, lake)
    found = list(by_hand.segments_in(data, target, lake.selection()))
    kinds = {
        "waiting": [one for one in found if not one.is_archived and not one.is_removed],
        "archived": [one for one in found if one.is_archived and not one.is_removed],
        "archived_only": [one for one in found if one.is_archived and one.is_removed],
    }
    counts = {name: _count(members) for name, members in kinds.items()}
    if as_json:
        click.echo(json.dumps({"uri": target.uri, **counts}, indent=1))
    else:
        texts = {"waiting": "wait", "archived": "are here and there", "archived_only": "are there only"}
        click.echo(target.uri)
        for name, members in counts.items():
            click.echo(f"  {_text(members)} {texts[name]}")
    return 0


def _places(invocation: Invocation, lake: LakeOptions, *, remote: bool = False) -> tuple[Path, Target, bool]:
    """The lake's folder, its archive, and whether what is archived is removed here."""
    from ringcollect.store.archive.settings import named_target
    from ringcollect.store.location import is_remote

    config = invocation.load().config
    uri = lake.uri(invocation)
    if is_remote(uri) and not remote:
        raise ConfigError(f"--data: {uri} is in an object store; segments are archived from a folder")
    return Path(uri).absolute(), named_target(config), config.archive.mode == "s3"


def _say_waiting(waiting: list[Local], target: Target, as_json: bool) -> int:
    counts = _count(waiting)
    click.echo(json.dumps(counts, indent=1) if as_json else f"{_text(counts)} would go to {target.uri}")
    return 0


def _count(members: list[Local]) -> dict[str, int]:
    return {
        "segments": len(members),
        "files": sum(len(one.segment.files) for one in members),
        "bytes": sum(one.segment.bytes for one in members),
    }


def _text(counts: dict[str, int]) -> str:
    return f"{counts['segments']:,} segments ({counts['files']:,} files, {counts['bytes'] / 1e6:.1f} MB)"
