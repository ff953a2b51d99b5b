"""Whose lists a server keeps, and when they are made again."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, redirect_stderr
from datetime import UTC, datetime
from functools import partial
from io import StringIO
from pathlib import Path

import pytest

from storage.errors import CatalogueUnusable, TextIndexUnusable
from storage.layout import CATALOGUE, FULLTEXT
from storage.reindex import reindex
from storage.upkeep.forget import forget
from storage.web.catalogue import Catalogue, Wanted
from storage.web.follower import Follower
from tests.modes import unwritable
from tests.storage.drafts import SITE, article, hour, stored

#: Seconds until a list of a few articles is made: only a hung thread takes as long.
_SECONDS = 20


@contextmanager
def following(root: Path, *, private: bool = False) -> Iterator[Path]:
    """Follow a mirror until its lists are made, and give the catalogue's file."""
    follower = Follower(root, private=private)
    try:
        follower.start()
        assert follower.caught_up.wait(_SECONDS)
        yield follower.path()
    finally:
        follower.close()


def listed(path: Path) -> list[str]:
    catalogue = Catalogue.at(path)
    found = sorted(one.slug for one in catalogue.page(Wanted(site=SITE), 99))
    catalogue.close()
    return found


def numbers(path: Path) -> dict[str, int]:
    """Return the row of each article: it is another one where the article was listed again."""
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT slug, n FROM articles").fetchall()
    connection.close()
    return dict(rows)


def test_the_next_start_finds_the_lists_and_adds_what_is_new(tmp_path: Path) -> None:
    stored(tmp_path, article("a"), article("b"))
    with following(tmp_path) as path:
        assert path == tmp_path / CATALOGUE
    before = path.stat().st_ino, numbers(path)
    with following(tmp_path):
        assert (path.stat().st_ino, numbers(path)) == before
    stored(tmp_path, article("c"))
    with following(tmp_path):
        assert listed(path) == ["a", "b", "c"]
        after = numbers(path)
    assert path.stat().st_ino == before[0]
    assert {slug: after[slug] for slug in "ab"} == before[1]


@pytest.mark.index_file("another file is what tells")
def test_lists_of_an_index_that_was_made_again_are_made_again(tmp_path: Path) -> None:
    stored(tmp_path, article("a"), article("b"))
    with following(tmp_path) as path:
        before = path.stat().st_ino
        keep = path.with_name("kept")  # so that the new file can't have the old one's number
        keep.hardlink_to(path)
    reindex(tmp_path, hour(5))
    with following(tmp_path):
        assert path.stat().st_ino != before
        assert listed(path) == ["a", "b"]


def test_what_is_no_catalogue_of_ours_is_made_again(tmp_path: Path) -> None:
    stored(tmp_path, article("a"))
    path = tmp_path / CATALOGUE
    path.write_bytes(b"no database" * 400)
    with following(tmp_path):
        assert listed(path) == ["a"]
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE meta SET value = '0' WHERE key = 'version'")
    connection.close()
    stored(tmp_path, article("b"))
    with following(tmp_path):
        assert listed(path) == ["a", "b"]


def test_what_is_private_is_listed_in_a_file_of_the_servers_own(tmp_path: Path) -> None:
    stored(tmp_path, article("a"), article("b", private=True))
    with following(tmp_path, private=True) as path:
        assert path.parent != tmp_path
        assert listed(path) == ["a", "b"]
    assert not (tmp_path / CATALOGUE).exists()
    assert not path.exists()


def test_a_forgotten_articles_title_is_in_no_list_of_the_mirror(tmp_path: Path) -> None:
    stored(tmp_path, article("a"), article("b"))
    with following(tmp_path) as path:
        assert b"The b" in path.read_bytes() + path.with_name(f"{CATALOGUE}-wal").read_bytes()
    forget(tmp_path, "b", reason="asked", now=datetime.now(UTC))
    with following(tmp_path):
        assert listed(path) == ["a"]
        found = [file.read_bytes() for file in tmp_path.glob(f"{CATALOGUE}*")]
    assert all(b"The b" not in each for each in found)


def _hurt(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        if statement:
            connection.execute(statement)
            connection.commit()
            return
    data = path.read_bytes()
    path.write_bytes(data[:4096] + bytes(len(data) - 4096))


@pytest.mark.index_file("the texts are in a file")
@pytest.mark.parametrize("statement", ["CREATE VIEW more AS SELECT 1", ""])
def test_what_a_page_finds_broken_is_made_again(tmp_path: Path, statement: str) -> None:
    stored(tmp_path, article("a"), article("b"))
    follower = Follower(tmp_path, private=False)
    look = partial(follower._look, count=True)  # noqa: SLF001  - what its thread does, done now
    look()
    files = {name: tmp_path / name for name in (CATALOGUE, FULLTEXT)}
    before = {name: path.stat().st_ino for name, path in files.items()}
    for path in files.values():
        _hurt(path, statement)
    for error in (CatalogueUnusable, TextIndexUnusable):
        follower.doubt(error(tmp_path, "it is broken"))
    look()
    assert listed(files[CATALOGUE]) == ["a", "b"]
    assert follower.texts.place() == files[FULLTEXT]
    assert all(path.stat().st_ino != before[name] for name, path in files.items())
    before = {name: path.stat().st_ino for name, path in files.items()}
    follower.doubt(CatalogueUnusable(tmp_path, "nothing is the matter with it"))
    look()
    assert all(path.stat().st_ino == before[name] for name, path in files.items())
    follower.close()


@pytest.mark.index_file("a folder's mode is what counts")
def test_lists_of_a_mirror_that_cannot_be_written_are_the_servers_own(tmp_path: Path) -> None:
    stored(tmp_path, article("a"), article("b"))
    with unwritable(tmp_path), following(tmp_path) as path:
        assert path.parent != tmp_path
        assert listed(path) == ["a", "b"]
    assert not (tmp_path / CATALOGUE).exists()
    assert not path.exists()


@pytest.mark.index_file("a file's mode is what counts")
def test_lists_that_can_be_written_no_more_are_made_anew_elsewhere(tmp_path: Path) -> None:
    stored(tmp_path, article("a"))
    with following(tmp_path) as shared:
        assert listed(shared) == ["a"]
    stored(tmp_path, article("b"))
    with unwritable(tmp_path / CATALOGUE), following(tmp_path) as path:
        assert path != shared
        assert listed(path) == ["a", "b"]
    assert listed(shared) == ["a"]


class Told(StringIO):
    """What was written, and whether anything was, for a thread that waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self.anything = threading.Event()

    def write(self, text: str) -> int:
        written = super().write(text)
        self.anything.set()
        return written


@pytest.mark.index_file("the mirror's own files are removed")
def test_what_keeps_the_lists_from_being_kept_is_said_until_it_is_over(tmp_path: Path) -> None:
    stored(tmp_path, article("a"))
    follower = Follower(tmp_path, private=False)
    for part in tmp_path.glob("index.sqlite*"):
        part.unlink()
    with redirect_stderr(Told()) as told:
        follower.start()
        assert told.anything.wait(_SECONDS)
        reindex(tmp_path, hour(5))
        assert follower.caught_up.wait(_SECONDS)
        follower.close()
    assert told.getvalue().count("lists are not brought up to date: ") == 1
