"""A lake in a folder, and what an address may be."""

from __future__ import annotations

from pathlib import Path

import pytest

from ringcollect.errors import ConfigError, EnvironmentRefused, LakeError
from ringcollect.store.location import Endpoint, Lake, is_remote
from tests.store.location_promises import LakePromises

KEYS = {"AWS_ACCESS_KEY_ID": "known-key", "AWS_SECRET_ACCESS_KEY": "hidden-secret"}


class TestFolder(LakePromises):
    @pytest.fixture
    def lake(self, ram: Path) -> Lake:
        return Lake.open(ram)


def test_a_folder_is_named_absolutely(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lake = Lake.open("some/data")
    assert (lake.uri, lake.folder) == (str(tmp_path / "some/data"), tmp_path / "some/data")


def test_a_bucket_is_named_with_its_prefix_and_without_stray_slashes() -> None:
    lake = Lake.open("s3://bucket//lakes/one/", env=KEYS)
    assert (lake.uri, lake.root, lake.folder) == ("s3://bucket/lakes/one", "bucket/lakes/one", None)
    assert Lake.open("s3://bucket", env=KEYS).path("raw/a") == "bucket/raw/a"
    assert is_remote("s3://bucket/x")
    assert not is_remote(Path("s3:/bucket"))


@pytest.mark.parametrize("uri", ["s3://", "s3:///prefix-only/..", "gs://bucket/x", "file:///data", "s3://bucket/../x"])
def test_an_address_that_is_none_is_refused(uri: str) -> None:
    with pytest.raises((ConfigError, LakeError), match=r"bucket|neither|no name|leave"):
        Lake.open(uri, env=KEYS)


@pytest.mark.parametrize("endpoint", ["ftp://host", "http://user:pw@host", "http://host/path", "http://"])
def test_an_endpoint_that_is_none_is_refused_without_being_repeated(endpoint: str) -> None:
    with pytest.raises(ConfigError, match="endpoint of an object store") as caught:
        Lake.open("s3://bucket", Endpoint(endpoint), env=KEYS)
    assert "pw" not in str(caught.value)


def test_the_endpoint_given_goes_before_the_environments() -> None:
    env = KEYS | {"S3_ENDPOINT": "http://127.0.0.1:1", "AWS_REGION": "eu-west-1"}
    assert Lake.open("s3://bucket", env=env).endpoint == Endpoint("http://127.0.0.1:1", "eu-west-1")
    given = Endpoint("https://other:9000", "nowhere-1")
    assert Lake.open("s3://bucket", given, env=env).endpoint == given


def test_without_credentials_it_says_which_variables_to_set() -> None:
    with pytest.raises(ConfigError, match="set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"):
        Lake.open("s3://bucket", env={})
    Lake.open("s3://bucket", env={"AWS_ACCESS_KEY": "other-spelling", "AWS_SECRET_KEY": "of-both"})


def test_a_store_that_does_not_answer_is_named_without_any_credential() -> None:
    lake = Lake.open("s3://bucket/lake", Endpoint("http://127.0.0.1:1"), env=KEYS)
    with pytest.raises(
        EnvironmentRefused, match=r"cannot look at s3://bucket/lake/raw/a: the store does not answer"
    ) as e:
        lake.stat("raw/a")
    assert "hidden-secret" not in str(e.value)
    assert "known-key" not in str(e.value)


def test_a_disk_that_refuses_is_the_environments_refusal(tmp_path: Path) -> None:
    (tmp_path / "raw").write_bytes(b"a file where a folder should be")
    with pytest.raises(EnvironmentRefused, match="cannot write"):
        Lake.open(tmp_path).write("raw/trades/a", b"1")
