"""A lake whose folders are listed and files opened under our eyes, as an object store would be asked."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.fs as pafs

from ringcollect.store.location import Lake


class _Reads(io.FileIO):
    """An open file that writes down which bytes are read."""

    def __init__(self, path: str, reads: list[tuple[str, int, int]]) -> None:
        super().__init__(path, "rb")
        self._path, self._reads = path, reads

    def read(self, size: int | None = -1) -> bytes:
        at = self.tell()
        content = super().read(-1 if size is None else size)
        self._reads.append((self._path, at, len(content)))
        return content


class Watch(pafs.FileSystemHandler):
    """A local file system that writes down what is asked of it: ``listed``, ``opened``, ``reads`` (path, at, bytes)."""

    def __init__(self) -> None:
        self._inner = pafs.LocalFileSystem()
        self.listed: list[str] = []
        self.opened: list[str] = []
        self.reads: list[tuple[str, int, int]] = []

    def get_file_info_selector(self, selector: Any) -> Any:
        self.listed.append(selector.base_dir)
        return self._inner.get_file_info(selector)

    def get_file_info(self, paths: Any) -> Any:
        return self._inner.get_file_info(paths)

    def open_input_file(self, path: str) -> Any:
        self.opened.append(path)
        return pa.PythonFile(_Reads(path, self.reads), mode="r")

    def open_input_stream(self, path: str) -> Any:
        return self.open_input_file(path)

    def get_type_name(self) -> str:
        return "watched"

    def normalize_path(self, path: str) -> str:
        return path

    def _refuse(self, *_args: object, **_more: object) -> Any:
        raise PermissionError("a reader writes nothing")

    create_dir = delete_dir = delete_dir_contents = delete_file = delete_root_dir_contents = _refuse
    move = copy_file = open_output_stream = open_append_stream = _refuse


def watched(data: Path, watch: Watch | None = None) -> Lake:
    """The lake ``data`` as if it were in an object store, asked through ``watch``."""
    return dataclasses.replace(Lake.open(data), folder=None, filesystem=pafs.PyFileSystem(watch or Watch()))
