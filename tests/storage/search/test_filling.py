"""Bringing the text index up to the index: what is read when, and what never gets in."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from storage.archive import Archive
from storage.errors import TextIndexUnusable
from storage.index.index import Index
from storage.index.replacing import settle
from storage.model import Finding
from storage.reindex import reindex
from storage.search.filling import FulltextFiller
from storage.search.opening import opened
from storage.upkeep.forget import forget as takedown
from tests.storage.drafts import SEEN, hour, segments_of, stored
from tests.storage.texts import found, text_file, told, vocabulary


def read(root: Path, most: int = 512) -> list[int]:
    """Bring the text index up; returns how many rows were left after each step."""
    left = []
    with Archive.open(root) as archive, opened(root) as filling:
        while filling.behind(archive.index):
            left.append(filling.step(archive, most))
    return left


def test_only_what_is_new_is_read(tmp_path: Path) -> None:
    stored(tmp_path, told("one", "alpha"), told("two", "alpha"), told("three", "alpha"))
    assert read(tmp_path, 2) == [1, 0]
    stored(tmp_path, told("one", "beta", seen=hour(1)), told("four", "beta"))
    assert read(tmp_path) == [0]
    assert sorted(found(tmp_path, "alpha")) == ["three", "two"]
    assert sorted(found(tmp_path, "beta")) == ["four", "one"]
    assert read(tmp_path) == []


def test_an_articles_newest_words_are_found_alone(tmp_path: Path) -> None:
    editions = [told("one", f"word{n}", seen=hour(n)) for n in range(5)]
    stored(tmp_path, *editions)
    assert read(tmp_path, 1) == [4, 3, 2, 1, 0]
    assert found(tmp_path, "word3") == []
    assert found(tmp_path, "word4") == ["one"]


def test_a_damaged_article_is_looked_at_once_when_segments_were_rewritten(tmp_path: Path) -> None:
    stored(tmp_path, told("one", "alpha", said={"title": "Beta"}))
    found(tmp_path, "alpha")
    (path,) = segments_of(tmp_path)
    data = bytearray(path.read_bytes())
    data[len(data) // 4 : len(data) // 2] = bytes(len(data) // 2 - len(data) // 4)
    path.write_bytes(data)
    with FulltextFiller.open(text_file(tmp_path)) as filling:
        filling._connection.execute("UPDATE docs SET id = ''")  # noqa: SLF001  - as damage leaves it
        filling._connection.commit()  # noqa: SLF001  - the same
    index = Index.to_write(tmp_path)
    settle(index)
    index.close()
    assert found(tmp_path, "beta") == ["one"]


@pytest.mark.index_file("FTS5's own tables")
def test_lists_of_words_become_one_where_many_came_new(tmp_path: Path) -> None:
    segments = []
    for n in range(7):
        stored(tmp_path, told(f"n{n}", "alpha", seen=hour(n)))
        with Archive.open(tmp_path) as archive, FulltextFiller.open(text_file(tmp_path)) as filling:
            filling.worth_merging = 3
            filling.step(archive)
        with sqlite3.connect(text_file(tmp_path)) as connection:
            asked = "SELECT count(DISTINCT segid) FROM texts_idx"
            segments.append(connection.execute(asked).fetchone()[0])
        connection.close()
    assert (segments[2], segments[5]) == (1, 1)
    assert max(segments) > 1
    assert len(found(tmp_path, "alpha")) == 7


def test_no_private_and_no_forbidden_words_get_in(tmp_path: Path) -> None:
    noarchive = (Finding(kind="noarchive"),)
    stored(
        tmp_path,
        told("public", "shown before"),
        told("public", "hidden", seen=hour(1), private=True),
        told("private", "hidden", private=True),
        told("barred", "hidden"),
        told("barred", "", said={"title": "hidden"}, seen=hour(1), findings=noarchive),
    )
    assert found(tmp_path, "hidden") == []
    assert found(tmp_path, "shown") == ["public"]
    assert "hidden" not in vocabulary(text_file(tmp_path))


def test_who_asks_for_private_words_gets_them_in_a_file_apart(tmp_path: Path) -> None:
    stored(tmp_path, told("one", "hidden", private=True))
    path = tmp_path / "apart.sqlite"
    with Archive.open(tmp_path) as archive, FulltextFiller.open(path, private=True) as filling:
        filling.step(archive)
    assert "hidden" in vocabulary(path)


def test_an_index_made_again_finds_the_same(tmp_path: Path) -> None:
    stored(tmp_path, told("one", "alpha"), now=SEEN)
    stored(tmp_path, told("two", "alpha"), told("one", "beta", seen=hour(2)), now=hour(1))
    before = found(tmp_path, "alpha"), found(tmp_path, "beta")
    reindex(tmp_path, hour(3))
    assert (found(tmp_path, "alpha"), found(tmp_path, "beta")) == before
    stored(tmp_path, told("three", "alpha"), now=hour(4))
    assert sorted(found(tmp_path, "alpha")) == ["three", "two"]


def test_what_an_index_made_again_has_no_more_is_found_no_more(tmp_path: Path) -> None:
    stored(tmp_path, told("one", "alpha"), told("two", "alpha", site="other.example"))
    assert sorted(found(tmp_path, "alpha")) == ["one", "two"]
    segments_of(tmp_path)[-1].unlink()
    index = Index.to_write(tmp_path)
    with index.begin("having it know the segment no more") as connection:
        connection.execute("DELETE FROM segments WHERE site = 'other.example'")
    index.close()
    reindex(tmp_path, hour(2))
    assert found(tmp_path, "alpha") == ["one"]
    assert read(tmp_path) == []


@pytest.mark.index_file("its file is put elsewhere")
def test_a_mirror_whose_numbers_were_given_again_is_read_again(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    stored(one, told("it", "alpha"), told("that", "alpha"))
    stored(two, told("it", "beta"))
    assert found(one, "alpha")
    text_file(one).replace(text_file(two))
    assert (found(two, "alpha"), found(two, "beta")) == ([], ["it"])


def test_rewritten_segments_are_looked_through_again(tmp_path: Path) -> None:
    stored(tmp_path, told("one", "alpha"), told("two", "alpha"))
    assert read(tmp_path) == [0]
    index = Index.to_write(tmp_path)
    with index.begin("losing a snapshot") as connection:
        connection.execute("DELETE FROM snapshots WHERE slug = 'one'")
    settle(index)
    index.close()
    assert found(tmp_path, "alpha") == ["two"]


@pytest.mark.index_file("its file is removed")
def test_a_file_that_was_removed_is_made_again(tmp_path: Path) -> None:
    stored(tmp_path, told("one", "alpha"))
    assert found(tmp_path, "alpha") == ["one"]
    text_file(tmp_path).unlink()
    assert found(tmp_path, "alpha") == ["one"]


@pytest.mark.parametrize("data", [b"", b"no database" * 100, b"SQLite format 3\0" + bytes(5000)])
def test_a_file_that_is_broken_is_made_again(tmp_path: Path, data: bytes) -> None:
    stored(tmp_path, told("one", "alpha"))
    text_file(tmp_path).write_bytes(data)
    assert found(tmp_path, "alpha") == ["one"]


def test_an_older_sluglines_file_is_made_again(tmp_path: Path) -> None:
    stored(tmp_path, told("one", "alpha"))
    read(tmp_path)
    with (
        FulltextFiller.open(text_file(tmp_path)) as filling,
        filling._transaction("x") as connection,  # noqa: SLF001  - an older one
    ):
        connection.execute("UPDATE meta SET value = '0' WHERE key = 'version'")
    assert found(tmp_path, "alpha") == ["one"]


def test_of_what_is_damaged_the_title_is_found(tmp_path: Path) -> None:
    stored(tmp_path, told("one", "alpha"))
    with Archive.open(tmp_path) as archive:
        (row,) = archive.newest_all()
    (segment,) = segments_of(tmp_path)
    data, at = segment.read_bytes(), row.offset + row.head // 2
    segment.write_bytes(data[:at] + bytes(20) + data[at + 20 :])
    assert found(tmp_path, "alpha") == []
    assert found(tmp_path, "the one") == ["one"]


def test_a_takedown_takes_the_words_too(tmp_path: Path) -> None:
    stored(tmp_path, told("one", "alpha xyzzyplugh"), told("two", "alpha"))
    assert sorted(found(tmp_path, "alpha")) == ["one", "two"]
    takedown(tmp_path, "one", reason="asked for", now=hour(2))
    assert "xyzzyplugh" not in vocabulary(text_file(tmp_path))
    assert found(tmp_path, "alpha") == ["two"]


@pytest.mark.index_file("its file is broken")
def test_looking_it_through_finds_what_is_broken(tmp_path: Path) -> None:
    stored(tmp_path, told("one", "alpha"))
    read(tmp_path)
    with FulltextFiller.open(text_file(tmp_path)) as filling:
        filling.look_through()
    with closing(sqlite3.connect(text_file(tmp_path))) as connection:
        connection.execute("DELETE FROM texts_data WHERE id > 10")
        connection.commit()
    with (
        FulltextFiller.open(text_file(tmp_path)) as filling,
        pytest.raises(TextIndexUnusable),
    ):
        filling.look_through()
