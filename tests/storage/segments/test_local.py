"""Segments in files: reading with bounds, and mending that loses not a byte."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from storage.errors import DamageFound
from storage.segments.kinds import Recovery
from storage.segments.local import LocalSegments
from storage.warc_read import read_member
from tests.storage.segment_samples import SITE, group, store

GROUPS = (group(1, 2), group(2, 0), group(3, 1))


def files(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def test_names_stand_in_the_order_of_their_making(tmp_path: Path) -> None:
    segments = LocalSegments(tmp_path)
    assert segments.names() == []
    names = [
        "a.org/20260101T000000000000Z-2.warc.gz",
        "a.org/20260101T000000000000Z-10.warc.gz",
        "a.org/20260301T000000000000Z-1.warc.gz",
        "b.org/20250101T000000000000Z-1.warc.gz",
    ]
    for name in (*reversed(names), "a.org/notes.txt"):
        segments.path(name).parent.mkdir(parents=True, exist_ok=True)
        segments.path(name).touch()
    assert segments.names() == names
    assert segments.names("b.org") == names[3:]
    assert segments.names("c.org") == []


@pytest.mark.parametrize("name", ["", "a", "/a", "a/", "../a", "a/..", "a/b/c", "./a", "a/\0"])
def test_a_name_that_leaves_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="no segment's name"):
        LocalSegments(tmp_path).path(name)


def test_manifests_and_records_are_read_at_their_places(tmp_path: Path) -> None:
    segments, places = store(tmp_path, *GROUPS)
    first = segments.manifest(places[0].segment, places[0].offset)
    assert (first.length, first.manifest.slug) == (places[0].length, "a1")
    at = places[0].offset + places[0].length
    for ref in reversed(first.manifest.records):
        at -= ref.length
        record = segments.record(places[0].segment, at, ref.length)
        assert record.head.id == ref.id
        assert record == read_member(segments.read(places[0].segment, at, ref.length))


def test_reading_past_the_end_or_where_nothing_begins_is_damage(tmp_path: Path) -> None:
    segments, places = store(tmp_path, *GROUPS)
    name, size = places[0].segment, segments.size(places[0].segment)
    assert size is not None
    for offset, length in ((0, size + 1), (size, 1), (-1, 1), (1 << 62, 1 << 62), (0, -1)):
        with pytest.raises(DamageFound, match=name):
            segments.read(name, offset, length)
    with pytest.raises(DamageFound, match="at byte 7"):
        segments.record(name, 7, 100)
    for offset in (7, size, places[1].offset + 1, -5):
        with pytest.raises(DamageFound):
            segments.manifest(name, offset)


def test_a_manifest_whose_records_are_not_all_there_is_damage(tmp_path: Path) -> None:
    segments, places = store(tmp_path, *GROUPS)
    os.truncate(segments.path(places[2].segment), places[2].offset + places[2].length - 1)
    with pytest.raises(DamageFound, match="ends before the group"):
        segments.manifest(places[2].segment, places[2].offset)


def test_a_segment_that_is_as_the_index_knows_it_is_clean(tmp_path: Path) -> None:
    segments, places = store(tmp_path, *GROUPS)
    end = places[2].offset + places[2].length
    recovery = segments.recover(places[0].segment, end)
    assert recovery == Recovery(segment=places[0].segment, groups=(), length=end)
    assert recovery.clean


def test_whole_groups_past_the_committed_length_are_given_back(tmp_path: Path) -> None:
    segments, places = store(tmp_path, *GROUPS)
    recovery = segments.recover(places[0].segment, places[1].offset)
    assert [g.manifest.slug for g in recovery.groups] == ["a2", "a3"]
    assert [(g.offset, g.length) for g in recovery.groups] == [
        (p.offset, p.length) for p in places[1:]
    ]
    assert (recovery.lost, recovery.clean) == (None, False)


def test_a_torn_tail_goes_to_lost_and_the_rest_stays(tmp_path: Path) -> None:
    segments, places = store(tmp_path, *GROUPS)
    path = segments.path(places[0].segment)
    data = path.read_bytes()[:-5]
    path.write_bytes(data)
    recovery = segments.recover(places[0].segment, places[1].offset)
    assert [g.manifest.slug for g in recovery.groups] == ["a2"]
    assert recovery.length == places[2].offset == path.stat().st_size
    assert recovery.lost is not None
    assert path.read_bytes() + recovery.lost.read_bytes() == data
    assert recovery.lost_bytes == len(data) - recovery.length
    assert recovery.lost.parent == tmp_path / "lost" / SITE
    again = segments.recover(places[0].segment, recovery.length)
    assert again.clean


def test_cutting_is_done_over_where_it_was_interrupted(tmp_path: Path) -> None:
    segments, places = store(tmp_path, *GROUPS)
    path = segments.path(places[0].segment)
    data = path.read_bytes()[:-5]
    path.write_bytes(data)
    first = segments.recover(places[0].segment, 0)
    path.write_bytes(data)
    assert segments.recover(places[0].segment, 0) == first
    assert len(files(tmp_path / "lost")) == 1


@pytest.mark.parametrize("keep", [0, 1, 300, 400])
def test_a_segment_without_one_whole_group_goes_to_lost_altogether(
    tmp_path: Path, keep: int
) -> None:
    segments, places = store(tmp_path, *GROUPS)
    path = segments.path(places[0].segment)
    data = path.read_bytes()[:keep]
    path.write_bytes(data)
    recovery = segments.recover(places[0].segment, 0 if keep else 1)
    assert (recovery.groups, recovery.length) == ((), 0)
    assert not path.exists()
    assert list(files(tmp_path / "lost").values()) == [data]


def test_a_file_shorter_than_the_index_believes_is_read_from_its_start(tmp_path: Path) -> None:
    segments, places = store(tmp_path, *GROUPS)
    end = places[2].offset + places[2].length
    os.truncate(segments.path(places[0].segment), places[2].offset)
    recovery = segments.recover(places[0].segment, end)
    assert recovery.from_start
    assert [g.manifest.slug for g in recovery.groups] == ["a1", "a2"]
    assert recovery.length == places[2].offset


def test_a_file_that_is_gone_has_no_groups(tmp_path: Path) -> None:
    recovery = LocalSegments(tmp_path).recover(f"{SITE}/20260101T000000000000Z-1.warc.gz", 100)
    assert (recovery.from_start, recovery.groups, recovery.length) == (True, (), 0)


@pytest.mark.parametrize("committed", [0, 353])
def test_damage_changes_not_a_byte(tmp_path: Path, committed: int) -> None:
    segments, places = store(tmp_path, *GROUPS)
    path = segments.path(places[0].segment)
    data = bytearray(path.read_bytes())
    data[places[1].offset + 60] ^= 1
    path.write_bytes(data)
    before = files(tmp_path)
    with pytest.raises(DamageFound):
        segments.recover(places[0].segment, committed and places[0].offset)
    assert files(tmp_path) == before
