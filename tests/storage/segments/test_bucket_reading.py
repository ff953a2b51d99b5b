"""Segments in a bucket read and joined, and what is no bucket at all."""

from __future__ import annotations

import logging
import shutil
from functools import partial
from pathlib import Path

import pytest

from storage import layout
from storage.archive import Archive
from storage.errors import BadPlace, SegmentsAway
from storage.reindex import reindex
from storage.segments.blocks import Blocks
from storage.segments.bucket import BucketSegments, ObjectSource
from storage.segments.objects import Objects
from storage.upkeep.compact import compact
from tests.s3 import BUCKET, SECRET
from tests.storage.drafts import (
    SEEN,
    SITE,
    article,
    hour,
    open_store,
    segments_of,
    stored,
    words,
)
from tests.storage.segments.spools import (
    abandoned,
    keep_two,
    safe,
    slugs,
    spooled,
)
from tests.storage.verify.harming import problems

pytestmark = pytest.mark.usefixtures("bucket")


def test_other_bytes_under_the_name_are_an_error_and_stay(tmp_path: Path) -> None:
    store = safe(tmp_path, "a")
    segments = BucketSegments(tmp_path, layout.check(tmp_path).segments or "")
    other = tmp_path / "other"
    other.write_bytes(b"somebody else's")
    (name,) = spooled(tmp_path)
    segments.objects.create(f"{SITE}/{name}", other)
    with pytest.raises(SegmentsAway, match="with other bytes"):
        store.publish()
    abandoned(store)
    assert [one.read_bytes() for one in segments_of(tmp_path)] == [b"somebody else's"]


def test_an_export_gets_each_block_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    stored(tmp_path, *(article(f"a{n}") for n in range(50)))
    stored(tmp_path, *(article(f"b{n}") for n in range(50)))
    caplog.set_level(logging.INFO, "werkzeug")
    caplog.clear()
    with Archive.open(tmp_path) as archive:
        for row in reversed(list(archive.all_history())):
            archive.body(archive.manifest(row), "html")
    assert len([line for line in caplog.messages if " HTTP/1.1" in line]) == 2


def test_one_format_is_read_with_one_request(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stored(tmp_path, *(article(f"a{n}") for n in range(50)))
    caplog.set_level(logging.INFO, "werkzeug")
    caplog.clear()
    with Archive.open(tmp_path) as archive:
        manifest = archive.newest(SITE, "a7")
        assert manifest is not None
        assert archive.body(manifest, "markdown").decoded == words("a7", "markdown", "")
    asked = [line for line in caplog.messages if " HTTP/1.1" in line]
    assert len(asked) == 1
    assert "GET /" in asked[0]


def test_a_source_reads_as_a_file_does(tmp_path: Path) -> None:
    objects = Objects(f"s3://{BUCKET}/source")
    data = bytes(range(256)) * 20_000
    file = tmp_path / "data"
    file.write_bytes(data)
    objects.create("x/1.warc.gz", file)
    objects.requests = 0
    source = ObjectSource(Blocks(objects), "x/1.warc.gz")
    assert source.read(1_000, 5_000) == data[1_000:6_000]
    assert source.size == len(data)
    assert b"".join(source.chunks(0, len(data) * 2)) == data
    assert list(source.chunks(len(data), 10)) == []
    # one block, then four, then sixteen: not one request a chunk
    assert objects.requests == 3
    assert source.read(len(data) - 10, 10) == data[-10:]
    assert objects.requests == 3
    objects.delete("x/1.warc.gz")


def test_a_reader_finds_what_was_joined_meanwhile(tmp_path: Path) -> None:
    for number in range(4):
        stored(tmp_path, article(f"a{number}"), files=False, now=hour(number))
    with Archive.open(tmp_path) as archive:
        before = [archive.manifest(row) for row in archive.all_history()]
        compact(tmp_path, hour(9))
        assert [archive.manifest(row) for row in archive.all_history()] == before


def test_compacting_joins_small_objects(tmp_path: Path) -> None:
    for number in range(5):
        stored(tmp_path, article(f"a{number}"), files=False, now=hour(number))
    assert len(segments_of(tmp_path)) == 5
    compact(tmp_path, hour(9))
    assert len(segments_of(tmp_path)) == 2
    assert spooled(tmp_path) == []
    assert not list((tmp_path / "spool").glob("*/*"))
    assert len(slugs(tmp_path)) == 5
    assert problems(tmp_path) == []


@pytest.mark.parametrize("url", [f"s3://{BUCKET}/x?token={SECRET}", "s3:///x"])
def test_a_place_that_is_none_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(BadPlace) as told:
        BucketSegments(tmp_path, url)
    assert SECRET not in str(told.value)


def test_a_folder_of_files_is_a_bucket_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUGLINE_SEGMENTS", f"file://{tmp_path}/objects")
    root = tmp_path / "m"
    stored(root, article("a"), article("b"))
    assert len(list((tmp_path / "objects").glob("*/*.warc.gz"))) == 1
    assert slugs(root) == ["a", "b"]
    assert problems(root) == []
    keep_two(root)


def test_a_folder_of_files_that_is_not_there_is_no_empty_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUGLINE_SEGMENTS", f"file://{tmp_path}/objects")
    root = tmp_path / "m"
    stored(root, article("a"))
    shutil.move(tmp_path / "objects", tmp_path / "away")
    for look in (partial(reindex, now=SEEN), Archive.open, open_store):
        with pytest.raises(SegmentsAway, match="/objects can't be had: there is no such folder"):
            look(root)
    assert not (tmp_path / "objects").exists()
    shutil.move(tmp_path / "away", tmp_path / "objects")
    assert slugs(root) == ["a"]


def test_a_file_in_the_way_is_said_in_its_words(tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    objects = Objects(f"file://{tmp_path}")
    with pytest.raises(SegmentsAway, match="the folder said: "):
        objects.replace("x/1.warc.gz", tmp_path / "x")
