"""Segments' names: their order, and that no two writers ever give one."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice

import pytest

from storage.segments.names import (
    by_number,
    by_writer,
    is_name,
    order,
    site_and_file,
    started_of,
    writer_of,
)

BEGAN = datetime(2026, 11, 23, 1, 57, 0, 123456, tzinfo=UTC)


def test_segments_are_in_the_order_of_run_and_number_whoever_wrote_them() -> None:
    names = [
        "a.example/copied.warc.gz",
        "a.example/20261123T015700123456Z-2-00000000.warc.gz",
        "a.example/20261123T015700123456Z-9.warc.gz",
        "a.example/20261123T015700123456Z-10-ffffffff.warc.gz",
        "a.example/20261124T000000000000Z-1.warc.gz",
        "b.example/20261101T000000000000Z-1.warc.gz",
    ]
    assert sorted(set(names), key=order) == names
    assert [started_of(name) for name in names[:2]] == ["", "20261123T015700123456Z"]


def test_a_run_numbers_each_sites_segments() -> None:
    naming = by_number(BEGAN)
    expected = [f"a/20261123T015700123456Z-{number}.warc.gz" for number in (1, 2)]
    assert list(islice(naming("a"), 2)) == expected
    assert list(islice(naming("a"), 2)) == expected


def test_a_writer_gives_no_name_twice() -> None:
    naming = by_writer(BEGAN, "0123abcd")
    given = [next(naming(site)) for site in ("a", "b", "a")]
    stamp = "20261123T015700123456Z"
    assert given == [
        f"a/{stamp}-1-0123abcd.warc.gz",
        f"b/{stamp}-2-0123abcd.warc.gz",
        f"a/{stamp}-3-0123abcd.warc.gz",
    ]


@pytest.mark.parametrize("name", ["x", "../x", "a/../x", "a/b/c", "/x", "a/", "a/x\0"])
def test_what_leaves_the_folder_is_no_name(name: str) -> None:
    with pytest.raises(ValueError, match="no segment's name"):
        site_and_file(name)


def test_what_stands_beside_segments_is_none() -> None:
    assert is_name("a.example/x.warc.gz")
    others = ("x.warc.gz", "a/b/x.warc.gz", "a/x.txt", "a/.x.warc.gz", "/x.warc.gz")
    assert not any(map(is_name, others))


def test_a_segment_without_a_writers_mark_is_its_own_writers() -> None:
    naming = by_writer(BEGAN, "0a1b2c3d")
    one, two = islice(naming("a.example"), 2)
    assert writer_of(one) == writer_of(two) != writer_of(next(naming("b.example")))
    other = next(by_number(BEGAN)("a.example"))
    assert writer_of(other) == other
