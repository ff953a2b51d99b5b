"""The server's text index: the mirror's own, or this process's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from storage import layout
from storage.archive import Archive
from storage.errors import ReadOnly
from storage.search.fulltext import Question
from storage.search.opening import to_ask
from storage.web.texts import TextKeeper
from tests.modes import unwritable
from tests.storage.drafts import article, stored
from tests.storage.texts import told


@contextmanager
def texts_of(root: Path, folder: Path, *, private: bool = False) -> Iterator[TextKeeper]:
    """Open the texts of a mirror; ``folder`` is the process's own."""
    folder.mkdir(exist_ok=True)
    texts = TextKeeper(root, folder, private=private)
    try:
        yield texts
    finally:
        texts.close()


def fill(texts: TextKeeper, root: Path) -> None:
    with Archive.open(root) as archive:
        while texts.step(archive):
            pass


def hits(texts: TextKeeper, words: str) -> list[str]:
    place = texts.place()
    assert place is not None
    with to_ask(place) as index:
        return [hit.slug for hit in index.search(Question(words=words)).hits]


@pytest.mark.index_file("its file is the place")
def test_there_is_none_to_search_in_until_all_is_read(tmp_path: Path) -> None:
    root = tmp_path / "mirror"
    stored(root, told("story", "Of the tides."))
    with texts_of(root, tmp_path / "own") as texts:
        assert texts.place() is None
        fill(texts, root)
        assert texts.place() == root / layout.FULLTEXT
        assert hits(texts, "tides") == ["story"]


def test_what_comes_later_is_read_too(tmp_path: Path) -> None:
    root = tmp_path / "mirror"
    stored(root, told("story", "Of the tides."))
    with texts_of(root, tmp_path / "own") as texts:
        fill(texts, root)
        stored(root, told("other", "More tides."))
        fill(texts, root)
        assert sorted(hits(texts, "tides")) == ["other", "story"]


def test_private_words_stand_in_this_processs_own_file(tmp_path: Path) -> None:
    root = tmp_path / "mirror"
    stored(root, told("story", "Of the tides.", private=True), article("other"))
    with texts_of(root, tmp_path / "own", private=True) as texts:
        fill(texts, root)
        assert texts.place() == tmp_path / "own" / layout.FULLTEXT
        assert hits(texts, "tides") == ["story"]
    assert not (root / layout.FULLTEXT).exists()


def test_a_file_that_was_removed_is_made_again(tmp_path: Path) -> None:
    root = tmp_path / "mirror"
    stored(root, told("story", "Of the tides."))
    with texts_of(root, tmp_path / "own") as texts:
        fill(texts, root)
        for file in root.glob(f"{layout.FULLTEXT}*"):
            file.unlink()
        fill(texts, root)
        assert hits(texts, "tides") == ["story"]


def test_an_empty_mirror_has_no_texts(tmp_path: Path) -> None:
    root = tmp_path / "mirror"
    stored(root)
    with texts_of(root, tmp_path / "own") as texts:
        fill(texts, root)
        assert texts.place() is None


@pytest.mark.index_file("a file's mode is what counts")
def test_a_mirror_that_cannot_be_written_is_searched_where_it_has_all_texts(
    tmp_path: Path,
) -> None:
    root = tmp_path / "mirror"
    stored(root, told("story", "Of the tides."))
    with texts_of(root, tmp_path / "own") as texts:
        fill(texts, root)
    with unwritable(root, root / layout.FULLTEXT), texts_of(root, tmp_path / "own") as texts:
        fill(texts, root)
        assert texts.place() == root / layout.FULLTEXT
        assert hits(texts, "tides") == ["story"]


@pytest.mark.index_file("a file's mode is what counts")
@pytest.mark.parametrize("before", [True, False])
def test_one_that_has_not_all_is_read_into_this_processs_own_file(
    tmp_path: Path, before: bool
) -> None:
    root = tmp_path / "mirror"
    stored(root, told("story", "Of the tides."))
    closed = [root]
    if before:
        with texts_of(root, tmp_path / "own") as texts:
            fill(texts, root)
        closed.append(root / layout.FULLTEXT)
    stored(root, told("other", "More tides."))
    with unwritable(*closed), texts_of(root, tmp_path / "own") as texts:
        fill(texts, root)
        assert texts.place() == tmp_path / "own" / layout.FULLTEXT
        assert sorted(hits(texts, "tides")) == ["other", "story"]


@pytest.mark.index_file("a file's mode is what counts")
def test_where_nothing_can_be_written_it_is_said(tmp_path: Path) -> None:
    root = tmp_path / "mirror"
    stored(root, told("story", "Of the tides."))
    with texts_of(root, tmp_path / "own") as texts:
        closed = unwritable(root, tmp_path / "own")
        with closed, pytest.raises(ReadOnly):
            fill(texts, root)


def test_texts_beside_an_index_in_a_database_are_searched_there(
    tmp_path: Path, database: str
) -> None:
    layout.make(tmp_path / "mirror", index=f"{database}&schema=news")
    root = tmp_path / "mirror"
    stored(root, told("story", "Of the tides."))
    with texts_of(root, tmp_path / "own") as texts:
        fill(texts, root)
        texts.look_through()
        assert hits(texts, "tides") == ["story"]
    assert not list(tmp_path.rglob(layout.FULLTEXT))
