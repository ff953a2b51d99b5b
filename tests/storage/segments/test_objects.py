"""Objects below a prefix: whole or not there, no other's bytes, and failures without secrets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.errors import SegmentsAway
from storage.segments.objects import Objects
from tests import azure
from tests.s3 import BUCKET, SECRET, S3Server


@pytest.fixture(scope="session")
def az() -> Iterator[None]:
    with azure.served():
        yield


@pytest.fixture(params=["s3", "file", "az"])
def objects(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Objects]:
    if request.param == "file":
        (tmp_path / "objects").mkdir()
        place = f"file://{tmp_path}/objects"
    else:
        request.getfixturevalue(request.param)
        place = f"{request.param}://{BUCKET}/a-prefix"
    objects = Objects(place)
    yield objects
    for name in objects.sizes():
        objects.delete(name)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "bytes"
    path.write_bytes(bytes(range(200)))
    return path


def test_what_was_created_is_read_by_ranges(objects: Objects, file: Path) -> None:
    objects.create("a.example/1", file)
    assert objects.size("a.example/1") == 200
    assert objects.get("a.example/1", 10, 20) == (bytes(range(10, 20)), 200)
    assert objects.get("a.example/1", 190, 1_000) == (bytes(range(190, 200)), 200)
    assert objects.get("a.example/1", 200, 300) == (b"", 200)


def test_what_is_not_there_is_none(objects: Objects) -> None:
    assert objects.size("a.example/1") is None
    assert objects.get("a.example/1", 0, 10) is None
    assert objects.sizes() == {}
    assert not objects.are_there()
    objects.delete("a.example/1")


def test_names_are_listed_below_the_prefix(objects: Objects, file: Path) -> None:
    names = ["a.example/1", "a.example/2", "b.example+8080/1", "é~%41/1"]
    for name in names:
        objects.create(name, file)
    assert objects.sizes() == dict.fromkeys(names, 200)
    assert objects.sizes("a.example/") == dict.fromkeys(names[:2], 200)
    assert objects.are_there()


def test_the_same_again_is_as_good_and_other_bytes_are_refused(
    objects: Objects, file: Path
) -> None:
    objects.create("a/1", file)
    objects.create("a/1", file)
    for other in (bytes(200), bytes(range(199))):
        file.write_bytes(other)
        with pytest.raises(SegmentsAway, match="with other bytes"):
            objects.create("a/1", file)
    assert objects.get("a/1", 0, 999) == (bytes(range(200)), 200)


def test_another_takes_its_place_and_is_taken_away(objects: Objects, file: Path) -> None:
    objects.create("a/1", file)
    file.write_bytes(b"new")
    objects.replace("a/1", file)
    assert objects.get("a/1", 0, 999) == (b"new", 3)
    objects.delete("a/1")
    assert objects.size("a/1") is None


def test_a_failure_names_the_place_and_no_secret(s3: S3Server, file: Path) -> None:
    objects = Objects("s3://nobodys-bucket/x")
    for work in (
        lambda: objects.create("a/1", file),
        lambda: objects.replace("a/1", file),
        objects.sizes,
    ):
        with pytest.raises(SegmentsAway, match=r"^the segments in s3://nobodys-bucket/x ") as told:
            work()
        assert SECRET not in str(told.value)
