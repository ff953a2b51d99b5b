"""Moving segments: to a bucket and back, digest for digest, and going on after a kill."""

from __future__ import annotations

from collections.abc import Iterator
from gzip import decompress
from hashlib import sha256
from pathlib import Path

import pytest
from msgspec import structs

from storage import layout
from storage.archive import Archive
from storage.errors import SegmentsAway, StoreFailed, UnusablePlace
from storage.reindex import reindex
from storage.upkeep.forget import forget
from storage.upkeep.moving import move_segments
from storage.warc import GZIP_HEADER
from tests.s3 import BUCKET, S3Server
from tests.storage.drafts import (
    article,
    copied,
    hour,
    segment_files,
    segments_of,
    stored,
    write_segment,
)
from tests.storage.killed_rewriting import bucket, killed
from tests.storage.verify.harming import problems
from tests.storage.verify.mirrors import filled


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin with mirrors that are all in their folders."""
    monkeypatch.delenv("SLUGLINE_SEGMENTS", raising=False)


@pytest.fixture
def place(s3: S3Server, tmp_path: Path) -> str:
    """Give a place in a bucket that nothing is in yet."""
    return f"s3://{BUCKET}/moved-{sha256(bytes(tmp_path)).hexdigest()[:12]}"


def digests(root: Path) -> list[str]:
    return [sha256(one.read_bytes()).hexdigest() for one in segments_of(root)]


def log(root: Path) -> list[dict[str, object]]:
    with Archive.open(root) as archive:
        return [row.as_log() for row in archive.all_history()]


def test_there_and_back_every_byte_is_the_same(tmp_path: Path, place: str) -> None:
    root = filled(tmp_path / "m", segment_bytes=6_000)
    before, lines = digests(root), log(root)
    done = move_segments(root, place, hour(50))
    assert (done.segments, done.copied) == (len(before), done.bytes)
    assert layout.check(root).segments == place
    assert segment_files(root) == []
    assert (digests(root), log(root), problems(root)) == (before, lines, [])
    reindex(root, hour(51))
    assert log(root) == lines
    stored(root, article("later", seen=hour(60)))
    move_segments(root, None, hour(61))
    assert layout.check(root).segments is None
    assert set(digests(root)) > set(before)
    assert len(segment_files(root)) == len(before) + 1
    assert problems(root) == []
    reindex(root, hour(62))
    assert len(log(root)) == len(lines) + 1
    stored(root, article("last", seen=hour(70)), now=hour(70))
    assert problems(root) == []


def test_a_move_that_was_killed_goes_on(tmp_path: Path, place: str) -> None:
    root = filled(tmp_path / "m", segment_bytes=6_000)
    first, *others = segment_files(root)
    layout.make(tmp_path / "other", segments=place)
    write_segment(tmp_path / "other", f"{first.parent.name}/{first.name}", first.read_bytes())
    done = move_segments(root, place, hour(50))
    assert done.segments == len(others) + 1
    assert done.copied < done.bytes
    assert problems(root) == []


@pytest.mark.parametrize("part", range(4))
def test_killed_at_any_instant_it_goes_on_or_is_swept(tmp_path: Path, part: int) -> None:
    source = filled(tmp_path / "source", segment_bytes=6_000)
    before = digests(source)
    whole = copied(source, tmp_path / "whole")
    lines = killed(whole, "move", 0, hour(50))
    for after in range(1 + part * lines // 4, (part + 1) * lines // 4, max(lines // 12, 1)):
        root = copied(source, tmp_path / str(after))
        killed(root, "move", after, hour(50))
        assert digests(root) == before
        assert problems(root) == []
        assert move_segments(root, f"file://{bucket(root)}", hour(51)).segments == len(before)
        assert (digests(root), segment_files(root), problems(root)) == (before, [], [])
        assert layout.check(root).left is None


@pytest.mark.parametrize("part", range(4))
def test_what_a_killed_move_left_is_forgotten_too(tmp_path: Path, part: int) -> None:
    source = filled(tmp_path / "source", segment_bytes=6_000)
    lines = killed(copied(source, tmp_path / "whole"), "move", 0, hour(50))
    for after in range(1 + part * lines // 4, (part + 1) * lines // 4, max(lines // 12, 1)):
        root = copied(source, tmp_path / str(after))
        killed(root, "move", after, hour(50))
        forget(root, "a1", reason="a court asked", now=hour(51))
        assert layout.check(root).left is None
        for folder in (root, bucket(root)):
            assert [path for path, data in members(folder) if b"a1 as " in data] == []
        assert problems(root) == []


def members(folder: Path) -> Iterator[tuple[Path, bytes]]:
    for path in folder.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            yield path, decompress(data) if data[:2] == GZIP_HEADER[:2] else data


def test_what_was_left_where_nobody_gets_any_more_is_said_with_a_way_out(
    tmp_path: Path, place: str
) -> None:
    root = tmp_path / "m"
    stored(root, article())
    left = layout.Leftover(what="segments", url="s3://nobodys-bucket/x")
    layout.move(structs.replace(layout.check(root), left=left))
    with pytest.raises(StoreFailed, match=r"s3://nobodys-bucket/x.*take \"left\" out of"):
        move_segments(root, place, hour(1))
    assert problems(root) == []


@pytest.mark.parametrize("name", ["news.example/20260101T000000000000Z-1.warc.gz", None])
def test_a_place_with_other_segments_is_refused(
    tmp_path: Path, place: str, name: str | None
) -> None:
    root = tmp_path / "m"
    stored(root, article())
    (segment,) = segment_files(root)
    layout.make(tmp_path / "other", segments=place)
    write_segment(tmp_path / "other", name or f"news.example/{segment.name}", b"another's")
    with pytest.raises(UnusablePlace):
        move_segments(root, place, hour(1))
    assert layout.check(root).segments is None
    assert problems(root) == []


def test_what_can_not_be_reached_leaves_all_as_it_is(tmp_path: Path, place: str) -> None:
    root = tmp_path / "m"
    stored(root, article())
    with pytest.raises(SegmentsAway, match="no such bucket"):
        move_segments(root, "s3://nobodys-bucket/x", hour(1))
    assert problems(root) == []


def test_the_same_place_under_another_name_is_refused(tmp_path: Path) -> None:
    root = filled(tmp_path / "m")
    before = digests(root)
    (tmp_path / "link").symlink_to(root)
    for url in (f"file://{root}/segments", f"file://{tmp_path}/link/segments", f"file://{root}"):
        with pytest.raises(UnusablePlace, match="in the other"):
            move_segments(root, url, hour(9))
    move_segments(root, f"file://{tmp_path}/b", hour(9))
    with pytest.raises(UnusablePlace, match="under another name"):
        move_segments(root, f"file://localhost{tmp_path}/b", hour(9))
    assert digests(root) == before
    assert problems(root) == []


@pytest.mark.parametrize("url", ["s3://", "file://elsewhere/b", "file:///"])
def test_a_url_that_names_no_place_is_refused(url: str, tmp_path: Path) -> None:
    root = filled(tmp_path)
    with pytest.raises(UnusablePlace, match="names no"):
        move_segments(root, url, hour(9))
