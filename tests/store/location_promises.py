"""What a lake promises wherever it is: a folder here (test_location.py), a bucket in tests/servers."""

from __future__ import annotations

import hashlib
import pickle
import random

import pytest

from ringcollect.errors import LakeError, NotFoundError
from ringcollect.store.location import PIECE_BYTES, Lake

HOSTILE = "raw/trades/exchange=x/symbol=BTC%2FUSD~é+ #?&/date=2026-11-21/BTC-USD_trades_raw_1.parquet"


class LakePromises:
    """The fixture ``lake`` is an empty lake."""

    def test_what_was_written_is_read_back_to_the_byte(self, lake: Lake) -> None:
        for size in (0, 1, 70_000):
            content = random.Random(size).randbytes(size)
            lake.write(f"raw/{size}.parquet", content)
            assert lake.read(f"raw/{size}.parquet") == content
            assert b"".join(lake.pieces(f"raw/{size}.parquet")) == content
            found = lake.stat(f"raw/{size}.parquet")
            assert found is not None
            assert found.bytes == size
            with lake.open_file(f"raw/{size}.parquet") as file:
                assert file.size() == size

    def test_a_file_of_several_pieces_arrives_whole(self, lake: Lake) -> None:
        pieces = [random.Random(n).randbytes(PIECE_BYTES) for n in range(2)] + [b"end"]
        assert lake.write_pieces("big", pieces) == 2 * PIECE_BYTES + 3
        digest = hashlib.sha256()
        for piece in lake.pieces("big"):
            digest.update(piece)
        assert digest.digest() == hashlib.sha256(b"".join(pieces)).digest()

    def test_a_listing_has_every_file_below_a_folder_by_key_and_nothing_hidden(self, lake: Lake) -> None:
        for key in ("b/2", "b/1", "b/c/3", "a/1", "bb/1", "b/.being-written", "b/.hidden/1", HOSTILE):
            lake.write(key, b"x")
        assert [entry.key for entry in lake.files("b")] == ["b/1", "b/2", "b/c/3"]
        assert [entry.key for entry in lake.files()] == sorted(["a/1", "b/1", "b/2", "b/c/3", "bb/1", HOSTILE])
        assert lake.folders() == ["a", "b", "bb", "raw"]
        assert lake.folders("b") == ["c"]
        assert lake.files("nowhere") == []
        assert lake.folders("nowhere") == []

    def test_names_of_hostile_symbols_survive(self, lake: Lake) -> None:
        lake.write(HOSTILE, b"mine")
        assert lake.read(HOSTILE) == b"mine"
        assert lake.exists(HOSTILE)
        assert not lake.exists(HOSTILE.replace("%2F", "/"))

    def test_a_file_can_be_replaced_renamed_and_deleted(self, lake: Lake) -> None:
        lake.write("a/1", b"old")
        lake.write("a/1", b"new and longer")
        assert lake.read("a/1") == b"new and longer"
        lake.rename("a/1", "b/c/2")
        assert [entry.key for entry in lake.files()] == ["b/c/2"]
        lake.delete("b/c/2")
        assert lake.files() == []

    def test_a_file_that_is_not_there_is_named_with_its_lake(self, lake: Lake) -> None:
        assert lake.stat("no/such") is None
        for ask in (lake.read, lake.open_file, lambda key: list(lake.pieces(key))):
            with pytest.raises(NotFoundError, match=r"/no/such is not there") as caught:
                ask("no/such")
            assert str(caught.value).startswith(lake.uri)

    def test_pieces_that_fail_leave_no_file(self, lake: Lake) -> None:
        def pieces():  # type: ignore[no-untyped-def]
            yield bytes(PIECE_BYTES)
            yield b"more"
            raise RuntimeError("the disk below is broken")

        with pytest.raises(RuntimeError, match="below is broken"):
            lake.write_pieces("half", pieces())
        assert lake.files() == []

    def test_a_pickled_lake_is_the_same_lake_and_carries_no_credential(self, lake: Lake) -> None:
        lake.write("a", b"1")
        packed = pickle.dumps(lake)
        for secret in filter(None, lake._secrets):
            assert secret.encode() not in packed
            assert secret not in repr(lake)
        again = pickle.loads(packed)
        assert again == lake
        assert again.read("a") == b"1"

    @pytest.mark.parametrize("key", ["../x", "a/../../x", "/etc/passwd", "a//b", "./a", "a\0b", "a\\b"])
    def test_no_key_leaves_the_lake(self, lake: Lake, key: str) -> None:
        with pytest.raises(LakeError):
            lake.write(key, b"out")
        with pytest.raises(LakeError):
            lake.read(key)
