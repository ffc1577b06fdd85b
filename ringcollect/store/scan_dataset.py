"""The files of a scan as a pyarrow dataset, for engines that prune columns and rows themselves."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import and_
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from ringcollect.store.files import LakeFile
from ringcollect.store.location import Lake
from ringcollect.store.scan_rows import Wanted
from ringcollect.store.selection import FOREVER


def dataset_of(lake: Lake, listed: Sequence[LakeFile], wanted: Wanted) -> ds.Dataset:
    """Every file a fragment that knows what its folders say; rows outside the span are filtered away."""
    fields = [
        pa.field(field.name, pa.string()) if field.name in wanted.values else field.with_nullable(True)
        for field in wanted.schema
    ]
    form = ds.ParquetFileFormat()
    fragments = [
        form.make_fragment(lake.path(file.path), lake.filesystem, partition_expression=_says(file, wanted))
        for file in listed
    ]
    names = {field.name for field in fields}
    hidden = [field for field in _time_field(wanted) if field.name not in names]
    dataset = ds.FileSystemDataset(fragments, pa.schema([*fields, *hidden]), form, lake.filesystem)
    time = pc.field(wanted.time_column)
    if wanted.start_ns > 0:
        dataset = dataset.filter(time >= wanted.start_ns)
    if wanted.end_ns < FOREVER:
        dataset = dataset.filter(time < wanted.end_ns)
    return dataset


def _says(file: LakeFile, wanted: Wanted) -> Any:
    values = {key: file.tier if key == "tier" else file.value(key) for key in wanted.values}
    return reduce(and_, (pc.field(key) == value for key, value in values.items()))


def _time_field(wanted: Wanted) -> list[pa.Field]:
    return [pa.field(wanted.time_column, pa.int64())]
