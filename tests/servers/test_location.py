"""A lake in a bucket keeps the promises of one in a folder, and says what a store refuses."""

from __future__ import annotations

import pytest

from ringcollect.errors import EnvironmentRefused, NotFoundError
from ringcollect.store.location import Lake
from tests.servers.seaweed import Seaweed
from tests.store.location_promises import LakePromises


class TestBucket(LakePromises):
    @pytest.fixture
    def lake(self, bucket: str) -> Lake:
        return Lake.open(f"{bucket}/lakes/one")


def test_lakes_of_one_bucket_do_not_see_each_other(bucket: str) -> None:
    one, two = Lake.open(f"{bucket}/a"), Lake.open(f"{bucket}/ab")
    one.write("x", b"1")
    two.write("y", b"2")
    assert [entry.key for entry in one.files()] == ["x"]
    assert [entry.key for entry in two.files()] == ["y"]
    assert [entry.key for entry in Lake.open(bucket).files()] == ["a/x", "ab/y"]


def test_more_files_than_one_page_of_a_listing(bucket: str) -> None:
    lake = Lake.open(bucket)
    for n in range(1003):
        lake.write(f"raw/{n:04d}", b"")
    assert [entry.key for entry in lake.files()] == [f"raw/{n:04d}" for n in range(1003)]


def test_a_bucket_that_is_not_there_is_named(s3: Seaweed) -> None:
    lake = Lake.open("s3://no-such-bucket/lake")
    with pytest.raises((NotFoundError, EnvironmentRefused), match="s3://no-such-bucket/lake"):  # not every store tells
        lake.write("raw/a", b"1")
    with pytest.raises(NotFoundError, match="s3://no-such-bucket/lake"):
        lake.read("raw/a")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"AWS_SECRET_ACCESS_KEY": "not-the-secret"}, "wrong secret key|secret key is wrong"),
        ({"AWS_ACCESS_KEY_ID": "nobody-we-know"}, "does not know this access key"),
    ],
)
def test_wrong_credentials_are_said_to_be_wrong_and_not_shown(bucket: str, s3: Seaweed, change: dict, why: str) -> None:
    lake = Lake.open(bucket, env=s3.env | change)
    for act in (lambda: lake.write("a", b"1"), lambda: lake.files()):
        with pytest.raises(EnvironmentRefused, match=why) as caught:
            act()
        assert not any(value in str(caught.value) for value in change.values())


def test_the_other_names_of_the_credentials_do_as_well(bucket: str, s3: Seaweed) -> None:
    env = {"AWS_ACCESS_KEY": s3.env["AWS_ACCESS_KEY_ID"], "AWS_SECRET_KEY": s3.env["AWS_SECRET_ACCESS_KEY"]}
    lake = Lake.open(bucket, env=env | {"S3_ENDPOINT": s3.endpoint})
    lake.write("a", b"1")
    assert lake.read("a") == b"1"
