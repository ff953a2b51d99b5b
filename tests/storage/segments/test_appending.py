"""Appending: where groups go, when a segment closes, and that a failed write leaves no trace."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.errors import DiskFull, StoreFailed
from storage.segments.appending import Appender, rest_of
from storage.segments.local import LocalSegments
from storage.segments.recovery import Group
from tests.storage.segment_samples import NOON, SITE, group

GROUPS = [group(n, 2) for n in range(1, 6)]
NAME = f"{SITE}/20260619T120000250000Z-1.warc.gz"


def begin(
    root: Path,
    at: datetime = NOON,
    resume: dict[str, int] | None = None,
    segment_bytes: int = 1 << 30,
) -> Appender:
    return LocalSegments(root).appender(
        started_at=at, resume=resume or {}, segment_bytes=segment_bytes
    )


def slugs(root: Path) -> list[str]:
    segments = LocalSegments(root)
    found = (one for name in segments.names() for one in segments.walk(name))
    return [one.manifest.slug for one in found if isinstance(one, Group)]


@contextmanager
def no_file_longer_than(size: int) -> Iterator[None]:
    """Set the system's own limit: a write past it is short, or refused with EFBIG."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_groups_stand_where_they_are_said_to(tmp_path: Path) -> None:
    appender = begin(tmp_path)
    places = appender.append(SITE, GROUPS[:2]) + appender.append(SITE, GROUPS[2:])
    committed = appender.sync()
    data = LocalSegments(tmp_path).path(NAME).read_bytes()
    assert committed == {NAME: len(data)}
    for place, one in zip(places, GROUPS, strict=True):
        assert (place.segment, place.length) == (NAME, len(one))
        assert data[place.offset : place.offset + place.length] == one
    assert slugs(tmp_path) == ["a1", "a2", "a3", "a4", "a5"]
    assert appender.sync() == {}
    appender.close()


def test_a_run_that_stores_nothing_writes_nothing(tmp_path: Path) -> None:
    appender = begin(tmp_path)
    assert appender.append(SITE, []) == []
    assert appender.sync() == {}
    appender.close()
    assert list(tmp_path.iterdir()) == []


def test_each_site_has_a_segment_of_its_own(tmp_path: Path) -> None:
    appender = begin(tmp_path)
    appender.append("a.org", GROUPS[:1])
    appender.append("b.org+8080", GROUPS[1:2])
    assert [name.partition("/")[0] for name in appender.sync()] == ["a.org", "b.org+8080"]
    appender.close()


def test_a_full_segment_closes_and_no_group_is_split(tmp_path: Path) -> None:
    appender = begin(tmp_path, segment_bytes=2 * len(GROUPS[0]) + 500)
    places = appender.append(SITE, GROUPS)
    appender.append(SITE, [])
    committed = appender.sync()
    appender.close()
    assert [place.segment[-9:-8] for place in places] == ["1", "1", "2", "2", "3"]
    assert len(committed) == 3
    assert slugs(tmp_path) == ["a1", "a2", "a3", "a4", "a5"]


def test_a_group_larger_than_a_segment_stands_in_one_alone(tmp_path: Path) -> None:
    appender = begin(tmp_path, segment_bytes=100)
    places = appender.append(SITE, GROUPS[:3])
    appender.sync()
    appender.close()
    assert len({place.segment for place in places}) == 3


def test_the_next_run_goes_on_where_it_may(tmp_path: Path) -> None:
    first = begin(tmp_path)
    first.append(SITE, GROUPS[:1])
    committed = first.sync()
    first.close()
    second = begin(tmp_path, NOON + timedelta(hours=1), resume=committed)
    (place,) = second.append(SITE, GROUPS[1:2])
    assert (place.segment, place.offset) == (NAME, committed[NAME])
    second.sync()
    second.close()
    assert slugs(tmp_path) == ["a1", "a2"]


@pytest.mark.parametrize("why", ["new month", "not named", "full", "another length"])
def test_the_next_run_begins_a_segment_where_it_must(tmp_path: Path, why: str) -> None:
    first = begin(tmp_path)
    first.append(SITE, GROUPS[:1])
    committed = first.sync()
    first.close()
    second = begin(
        tmp_path,
        NOON + timedelta(days=30 if why == "new month" else 1),
        resume={
            "not named": {},
            "another length": {NAME: committed[NAME] - 1},
        }.get(why, committed),
        segment_bytes=committed[NAME] if why == "full" else 1 << 30,
    )
    assert second.append(SITE, GROUPS[1:2])[0].segment != NAME
    second.sync()
    second.close()
    assert slugs(tmp_path) == ["a1", "a2"]


def test_a_name_that_is_taken_is_passed_over(tmp_path: Path) -> None:
    for number in ("1", "2"):
        appender = begin(tmp_path)
        assert appender.append(SITE, GROUPS[:1])[0].segment.endswith(f"-{number}.warc.gz")
        appender.sync()
        appender.close()


def test_what_is_abandoned_leaves_no_trace(tmp_path: Path) -> None:
    appender = begin(tmp_path)
    appender.append(SITE, GROUPS[:1])
    appender.sync()
    before = LocalSegments(tmp_path).path(NAME).read_bytes()
    appender.append(SITE, GROUPS[1:3])
    appender.append("other.org", GROUPS[3:4])
    appender.abandon()
    assert LocalSegments(tmp_path).names() == [NAME]
    assert LocalSegments(tmp_path).path(NAME).read_bytes() == before
    appender.append(SITE, GROUPS[4:])
    appender.sync()
    appender.close()
    assert slugs(tmp_path) == ["a1", "a5"]


def test_a_full_disk_takes_the_batch_back_and_the_next_one_goes_in(tmp_path: Path) -> None:
    appender = begin(tmp_path)
    appender.append(SITE, GROUPS[:1])
    committed = appender.sync()
    appender.append("other.org", GROUPS[:1])
    with no_file_longer_than(committed[NAME] + 700), pytest.raises(DiskFull):
        appender.append(SITE, GROUPS[1:3])
    assert LocalSegments(tmp_path).names() == [NAME]
    assert LocalSegments(tmp_path).size(NAME) == committed[NAME]
    appender.append(SITE, GROUPS[3:4])
    appender.sync()
    appender.close()
    assert slugs(tmp_path) == ["a1", "a4"]


def test_after_a_failed_sync_nothing_is_written_any_more(tmp_path: Path) -> None:
    segments = LocalSegments(tmp_path)
    segments.path(NAME).parent.mkdir(parents=True)
    # A device that takes every byte and can't be synced.
    segments.path(NAME).symlink_to("/dev/null")
    appender = begin(tmp_path, resume={NAME: 0})
    appender.append(SITE, GROUPS[:1])
    with pytest.raises(StoreFailed, match="did not keep"):
        appender.sync()
    with pytest.raises(StoreFailed):
        appender.append(SITE, GROUPS[1:2])
    with pytest.raises(StoreFailed):
        appender.append("other.org", GROUPS[1:2])
    appender.abandon()
    appender.close()
    assert segments.names() == [NAME]


def test_a_write_that_can_not_be_taken_back_ends_all_writing(tmp_path: Path) -> None:
    segments = LocalSegments(tmp_path)
    appender = begin(tmp_path)
    appender.append(SITE, GROUPS[:1])
    segments.path(NAME).unlink()
    with pytest.raises(StoreFailed, match="cut back"):
        appender.abandon()
    with pytest.raises(StoreFailed):
        appender.append(SITE, GROUPS[1:2])
    appender.close()


def test_closing_takes_back_what_is_not_synced(tmp_path: Path) -> None:
    appender = begin(tmp_path)
    appender.append(SITE, GROUPS[:1])
    appender.close()
    assert LocalSegments(tmp_path).names() == []
    with pytest.raises(StoreFailed, match="closed"):
        appender.append(SITE, GROUPS[:1])


@given(st.lists(st.binary(max_size=9), max_size=6), st.integers(0, 54))
def test_what_a_short_write_left_is_written_next(pieces: list[bytes], written: int) -> None:
    whole = b"".join(pieces)
    assert b"".join(rest_of(pieces, written)) == whole[written:]
