"""``ringcollect warm``: compile the kernels into the cache, so that nothing is compiled while a socket is open."""

from __future__ import annotations

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="As one JSON document.")
def command(as_json: bool) -> None:
    """Compile every numerical kernel into the cache (or find it there); says how long it took and what it cost."""
    import time

    import msgspec

    from ringcollect.kernel_cache import choose_cache_dir
    from ringcollect.supervise.warming import MARKER, warm_apart

    begin = time.perf_counter()
    folder = choose_cache_dir()
    modules = warm_apart()
    report = {
        "cache": str(folder),
        "seconds": round(time.perf_counter() - begin, 3),
        "peak_mb": round(max(each.peak_bytes for each in modules) / 1e6, 1),
        "modules": {each.module: round(each.seconds, 3) for each in modules},
    }
    (folder / MARKER).write_bytes(msgspec.json.encode(report))
    if as_json:
        click.echo(msgspec.json.encode(report).decode())
        return
    for each in modules:
        click.echo(f"{each.seconds:7.2f} s  {each.peak_bytes / 1e6:6.1f} MB  {each.module}")
    click.echo(f"kernels ready in {report['seconds']} s, {report['peak_mb']} MB, cache {folder}")
