"""Day folders compacted by the workers of a dask scheduler (extra ``dask``), a task for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ringcollect.errors import EnvironmentRefused
from ringcollect.store.compaction.run import FolderReport, Proofs, Settings, compact_folder
from ringcollect.store.location import Lake

if TYPE_CHECKING:
    from ringcollect.store.compaction.lake_run import Candidate


def on_dask(address: str, found: Sequence[Candidate], settings: Settings) -> Iterator[FolderReport]:
    """What became of each folder, in the order they are done. Workers need the lake at the same address.

    EnvironmentRefused without the extra, or if nobody answers at ``address``.
    """
    try:
        from distributed import Client, as_completed
    except ImportError as error:
        raise EnvironmentRefused("--dask needs dask.distributed: pip install 'ringcollect[dask]'") from error
    try:
        client = Client(address, timeout="10s")
    except (OSError, ValueError) as error:
        raise EnvironmentRefused(f"no dask scheduler at {address}: {error}") from error
    with client:
        tasks = [client.submit(compact_one, one.lake, one.folder, settings, pure=False) for one in found]
        for task in as_completed(tasks):
            yield task.result()


def compact_one(lake: Lake, folder: str, settings: Settings) -> FolderReport:
    """One folder, in a worker."""
    return compact_folder(lake, folder, settings, Proofs(lake))
