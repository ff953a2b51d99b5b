"""Databases beside the index: removed with all that is theirs, and whose fault a failure is."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from storage.errors import ArchiveError, CatalogueUnusable, DiskFull, ReadOnly, StoreFailed
from storage.index.beside import derived_errors, remove
from tests.modes import unwritable


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "lists.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE a (b)")
        connection.commit()
    return path


def failing(path: Path, *statements: str) -> ArchiveError:
    """Return what statements raise, the last of them at least."""
    with pytest.raises(ArchiveError) as raised:
        _tried(path, statements)
    return raised.value


def _tried(path: Path, statements: Sequence[str]) -> None:
    with (
        closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection,
        derived_errors(path, "trying", CatalogueUnusable),
    ):
        for each in statements:
            connection.execute(each)


def test_a_database_is_removed_with_what_stands_beside_it(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO a VALUES (1)")
        assert len(list(path.parent.iterdir())) == 3
        remove(path)
        assert list(path.parent.iterdir()) == []
    remove(path)


def test_a_folder_that_can_not_be_written_keeps_it(path: Path) -> None:
    with unwritable(path.parent), pytest.raises(ReadOnly):
        remove(path)
    assert path.exists()


def test_a_full_disk_is_nobodys_damage(path: Path) -> None:
    fill = "INSERT INTO a VALUES (zeroblob(100000))"
    assert isinstance(failing(path, "PRAGMA max_page_count = 2", fill), DiskFull)


def test_what_others_hold_is_a_failure_and_no_damage(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert isinstance(failing(path, "BEGIN IMMEDIATE"), StoreFailed)


def test_what_can_not_be_written_is_said(path: Path) -> None:
    assert isinstance(failing(path, "PRAGMA query_only = 1", "DELETE FROM a"), ReadOnly)


def test_what_is_broken_or_anothers_is_made_again(path: Path) -> None:
    assert isinstance(failing(path, "SELECT * FROM nothing"), CatalogueUnusable)
    path.write_bytes(b"no database" * 999)
    assert isinstance(failing(path, "SELECT * FROM a"), CatalogueUnusable)
