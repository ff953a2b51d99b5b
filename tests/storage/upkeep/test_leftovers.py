"""What a killed move left elsewhere: only copies of the mirror's own are anybody's to remove."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

from storage.index.index import Index
from storage.index.reader import Reader
from storage.segments.local import LocalSegments
from storage.upkeep.leftovers import is_copy, is_index_of, is_same, sweep_segments
from tests.storage.segment_samples import group, store

OTHERS = "example.org/20200101T000000000000Z-1.warc.gz"


def two(tmp_path: Path) -> tuple[LocalSegments, LocalSegments]:
    """Return a mirror's segments, and a copy of them."""
    own, _ = store(tmp_path / "own", group())
    shutil.copytree(tmp_path / "own", tmp_path / "copy")
    return own, LocalSegments(tmp_path / "copy")


def test_two_places_are_one_where_what_is_put_in_one_is_in_both(tmp_path: Path) -> None:
    own, copy = two(tmp_path)
    (tmp_path / "link").symlink_to(tmp_path / "own")
    assert not is_same(own, copy)
    assert is_same(own, LocalSegments(tmp_path / "link"))
    assert own.names() == copy.names()


def test_copies_are_removed_and_what_is_others_stays(tmp_path: Path) -> None:
    own, copy = two(tmp_path)
    path = tmp_path / "copy" / "segments" / OTHERS
    path.write_bytes(b"somebody else's")
    sweep_segments(own, copy)
    assert copy.names() == [OTHERS]
    assert len(own.names()) == 1


def test_nothing_is_removed_where_both_places_are_one(tmp_path: Path) -> None:
    own, _ = two(tmp_path)
    before = own.names()
    (tmp_path / "link").symlink_to(tmp_path / "own")
    sweep_segments(own, LocalSegments(tmp_path / "link"))
    assert own.names() == before


def test_a_copy_begins_with_the_same_record(tmp_path: Path) -> None:
    own, copy = two(tmp_path)
    (name,) = own.names()
    path = tmp_path / "copy" / "segments" / name
    data = path.read_bytes()
    path.write_bytes(data + b"more")
    assert is_copy(own, copy, name)
    path.write_bytes(bytes(len(data)))
    assert not is_copy(own, copy, name)
    path.unlink()
    assert not is_copy(own, copy, name)


def indexed(root: Path) -> Index:
    root.mkdir(exist_ok=True)
    return Index.to_write(root)


def test_an_index_is_a_leftover_where_it_has_our_segments_and_is_not_ours(tmp_path: Path) -> None:
    own, other = indexed(tmp_path / "own"), indexed(tmp_path / "other")
    add = "INSERT INTO segments (name, site, committed) VALUES ('a/1', 'a', 9)"
    for each in (own, other):
        with each.begin("adding a segment") as connection:
            connection.execute(add)
    other.close()
    assert is_index_of(own, Reader.to_read(tmp_path / "other"))
    assert not is_index_of(own, Reader.to_read(tmp_path / "own"))
    assert is_index_of(own, None)
    with (
        closing(indexed(tmp_path / "other")) as other,
        other.begin("adding another's") as connection,
    ):
        connection.execute(add.replace("'a/1'", "'b/1'"))
    assert not is_index_of(own, Reader.to_read(tmp_path / "other"))
    own.close()
