"""Blocks: each got once while it is held, more at a time where reading goes on."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from storage.errors import DamageFound, StoreFailed
from storage.segments.blocks import BLOCK, Blocks
from storage.segments.objects import Objects

SIZE = 5 * BLOCK + 1_000


@pytest.fixture
def objects(tmp_path: Path) -> Objects:
    (tmp_path / "objects").mkdir()
    objects = Objects(f"file://{tmp_path}/objects")
    put(objects, "a/1", Random(1).randbytes(SIZE))
    objects.requests = 0
    return objects


def put(objects: Objects, name: str, data: bytes) -> None:
    folder = Path(objects.url.removeprefix("file://"))
    (folder.parent / "data").write_bytes(data)
    objects.replace(name, folder.parent / "data")


def test_what_is_held_is_not_asked_for_again(objects: Objects) -> None:
    blocks, data = Blocks(objects), Random(1).randbytes(SIZE)
    for at in (10, BLOCK - 5, 100, 0):
        assert blocks.some("a/1", at, 5) == data[at : at + 5]
    assert objects.requests == 1
    assert blocks.size("a/1") == SIZE
    assert objects.requests == 1


def test_reading_on_and_on_gets_more_at_a_time(objects: Objects) -> None:
    blocks, found = Blocks(objects), b""
    while piece := blocks.some("a/1", len(found), 64 << 10):
        found += piece
        if len(found) == SIZE:
            break
    assert found == Random(1).randbytes(SIZE)
    assert objects.requests == 3


def test_a_long_read_is_one_request(objects: Objects) -> None:
    blocks = Blocks(objects)
    assert blocks.some("a/1", 0, 4 * BLOCK)
    assert blocks.some("a/1", 3 * BLOCK, BLOCK)
    assert objects.requests == 1


def test_the_least_used_is_let_go(objects: Objects) -> None:
    for number in range(140):
        put(objects, f"b/{number}", bytes(10))
    objects.requests, blocks = 0, Blocks(objects)
    for number in (*range(140), 139, 0):
        blocks.some(f"b/{number}", 0, 10)
    assert objects.requests == 141


def test_what_others_were_joined_to_is_read_to_its_new_end(objects: Objects) -> None:
    blocks, data = Blocks(objects), Random(1).randbytes(SIZE)
    assert blocks.some("a/1", SIZE - 10, 10) == data[-10:]
    put(objects, "a/1", data + b"more")
    assert blocks.some("a/1", SIZE, 10) == b"more"


def test_another_object_under_the_name_is_said(objects: Objects) -> None:
    blocks = Blocks(objects)
    blocks.some("a/1", 0, 10)
    put(objects, "a/1", bytes(3 * BLOCK))
    with pytest.raises(StoreFailed, match="written anew"):
        blocks.some("a/1", BLOCK, 10)
    blocks.drop("a/1")
    assert blocks.some("a/1", BLOCK, 10) == bytes(10)


def test_a_listing_that_tells_another_size_counts(objects: Objects) -> None:
    blocks = Blocks(objects)
    blocks.some("a/1", 0, 10)
    blocks.know({"a/1": 7, "b/1": 8})
    assert (blocks.size("a/1"), blocks.size("b/1")) == (7, 8)


def test_an_object_that_is_not_there_is_damage(objects: Objects) -> None:
    with pytest.raises(DamageFound, match="not there"):
        Blocks(objects).some("a/2", 0, 10)
    assert Blocks(objects).size("a/2") is None
