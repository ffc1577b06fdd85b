"""``ringcollect warm``: compile the kernels into the cache, so that nothing is compiled while a socket is open."""

from __future__ import annotations

import click


@click.command()
@click.option("--exchange", "exchanges", multiple=True, help="Only what this exchange needs; repeatable.")
@click.option("--groups", default="A", help="With --exchange: groups of features, by letter (`features list`).")
@click.option("--jobs", default=1, type=click.IntRange(1, 64), help="Processes at a time; 400 MB each.")
@click.option("--json", "as_json", is_flag=True, help="As one JSON document.")
def command(exchanges: tuple[str, ...], groups: str, jobs: int, as_json: bool) -> None:
    """Compile the numerical kernels into the cache (or find them there); says how long it took and what it cost.

    Without --exchange those of all exchanges and features; `start` compiles what its configuration needs by itself.
    """
    import time

    import msgspec

    from ringcollect.config.unified import is_unified
    from ringcollect.config.venues import EXCHANGES
    from ringcollect.kernel_cache import choose_cache_dir
    from ringcollect.supervise.warming import mark_warm, warm_apart

    unknown = [name for name in exchanges if name not in EXCHANGES and not is_unified(name)]
    if unknown:
        raise click.UsageError(f"--exchange {unknown[0]}: there are {', '.join(EXCHANGES)}")

    begin = time.perf_counter()
    folder = choose_cache_dir()
    modules = warm_apart(exchanges, groups, jobs)
    report = {
        "cache": str(folder),
        "seconds": round(time.perf_counter() - begin, 3),
        "peak_mb": round(max(each.peak_bytes for each in modules) / 1e6, 1),
        "modules": {each.module: round(each.seconds, 3) for each in modules},
    }
    mark_warm(folder, report, [each.module for each in modules])
    if as_json:
        click.echo(msgspec.json.encode(report).decode())
        return
    for each in modules:
        click.echo(f"{each.seconds:7.2f} s  {each.peak_bytes / 1e6:6.1f} MB  {each.module}")
    click.echo(f"kernels ready in {report['seconds']} s, {report['peak_mb']} MB, cache {folder}")
