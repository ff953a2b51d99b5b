"""The tree of plain files: newest bytes, whole at any instant, nothing left lying about."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.errors import DamageFound, InTheWay
from storage.index.index import Index
from storage.plain_files import Tree, watermark, write_owed
from storage.records import Records
from storage.reindex import reindex
from tests.storage.drafts import SEEN, article, hour, keep, open_store, stored, tree, words
from tests.storage.indexes import lose


def test_a_file_has_its_bytes_and_the_moment_of_its_fetch(tmp_path: Path) -> None:
    with Tree(tmp_path) as files:
        files.write("a.example/x/y.html", b"words", SEEN)
        files.write("a.example/x/y.html", b"other", hour(1))
    path = tmp_path / "a.example" / "x" / "y.html"
    assert path.read_bytes() == b"other"
    assert path.stat().st_mtime_ns == int(hour(1).timestamp()) * 10**9
    assert [one.name for one in tmp_path.iterdir()] == ["a.example"]


def test_the_same_bytes_are_not_written_again(tmp_path: Path) -> None:
    with Tree(tmp_path) as files:
        files.write("x.txt", b"words", SEEN)
        before = (tmp_path / "x.txt").stat().st_ino
        files.write("x.txt", b"words", hour(1))
    assert (tmp_path / "x.txt").stat().st_ino == before
    assert (tmp_path / "x.txt").stat().st_mtime == hour(1).timestamp()


def test_what_a_killed_run_left_is_cleared_at_open(tmp_path: Path) -> None:
    (tmp_path / ".part").mkdir()
    (tmp_path / ".part" / "7").write_bytes(b"half a fi")
    with Tree(tmp_path) as files:
        assert list((tmp_path / ".part").iterdir()) == []
        files.write("x.txt", b"words", SEEN)
    assert [one.name for one in tmp_path.iterdir()] == ["x.txt"]


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x", "", "a//b", "CON", "a\\b", "a\0b"])
def test_a_name_that_leaves_the_tree_is_refused(tmp_path: Path, name: str) -> None:
    with Tree(tmp_path) as files, pytest.raises(ValueError, match="no name"):
        files.write(name, b"words", SEEN)
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_a_folders_place_is_said(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    with Tree(tmp_path) as files, pytest.raises(InTheWay, match="not a folder"):
        files.write("a/b", b"words", SEEN)


def test_the_newest_edition_stands_whatever_order_the_index_has(tmp_path: Path) -> None:
    stored(tmp_path, article(edition=" 1"), article(edition=" 2", seen=hour(1)))
    # The clock is set back: a reindex reads the third edition's segment first.
    stored(tmp_path, article(edition=" 3", seen=hour(-9)), now=hour(-9))
    lose(tmp_path)
    stored(tmp_path)
    assert tree(tmp_path)["news.example/news/story.html"] == words("story", "html", " 3")


def test_a_format_that_vanished_keeps_its_last_bytes(tmp_path: Path) -> None:
    stored(tmp_path, article(formats=("html", "text")))
    stored(tmp_path, article(formats=("html",), edition=" 2", seen=hour(1)))
    assert tree(tmp_path) == {
        "news.example/news/story.html": words("story", "html", " 2"),
        "news.example/news/story.txt": words("story", "text", ""),
    }


def test_what_is_owed_is_written_once(tmp_path: Path) -> None:
    stored(tmp_path, article("a"), article("b", coding="gzip"), files=False)
    index = Index.to_write(tmp_path)
    records = Records(tmp_path, index)
    assert watermark(index) == 0
    with Tree(tmp_path / "files") as files:
        assert write_owed(index, files, records.body) == 4
        assert write_owed(index, files, records.body) == 0
    assert watermark(index) == 4
    records.close()
    index.close()
    assert tree(tmp_path)["news.example/news/b.md"] == words("b", "markdown", "")


def test_after_a_reindex_nothing_is_said_of_files_that_are_there(tmp_path: Path) -> None:
    stored(tmp_path, article("a"))
    reindex(tmp_path, SEEN)
    store = open_store(tmp_path)
    assert store.notes == ()
    store.close()
    (tmp_path / "files/news.example/news/a.md").unlink()
    reindex(tmp_path, SEEN)
    store = open_store(tmp_path)
    assert store.notes == ("wrote 1 plain file that an earlier run owed",)
    store.close()


def test_a_body_that_is_not_as_its_manifest_says_is_damage(tmp_path: Path) -> None:
    store = open_store(tmp_path, files=False)
    keep(store, article(formats=("html",)))
    store.close()
    index = Index.to_write(tmp_path)
    with Tree(tmp_path / "files") as files, pytest.raises(DamageFound, match="bytes"):
        write_owed(index, files, lambda _: b"short")
    assert watermark(index) == 0
    index.close()
