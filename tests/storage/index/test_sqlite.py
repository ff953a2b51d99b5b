"""The index in a file of SQLite's: one file, and what to run where it is missing or broken."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from storage import layout
from storage.errors import IndexUnusable
from storage.index.database import Insert
from storage.index.index import Batch, Index
from storage.index.sqlite import Connected, Sqlite
from storage.layout import INDEX as FILE_NAME
from tests.storage.index.made import count, rows

KEPT = Insert("kept", ("key", "value"), "ON CONFLICT (key) DO UPDATE SET value = excluded.value")


@pytest.fixture(autouse=True)
def _mirror(elsewhere: None, tmp_path: Path) -> None:
    layout.make(tmp_path)


@pytest.mark.index_file("its files are what is looked at")
def test_closing_leaves_one_file(tmp_path: Path) -> None:
    index = Index.to_write(tmp_path)
    index.apply(Batch(rows=(rows(),)))
    index.close()
    with_reader = Index.to_read(tmp_path)
    assert count(with_reader) == 1
    with_reader.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == [FILE_NAME, layout.MARK]


def test_a_missing_index_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(IndexUnusable, match="slugline reindex --mirror"):
        Index.to_read(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [layout.MARK]


@pytest.mark.index_file("a file that is none")
@pytest.mark.parametrize("content", [b"this is no database, by far" * 100, b"\0" * 4096])
def test_a_broken_index_says_what_to_run(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    with pytest.raises(IndexUnusable, match="slugline reindex"):
        Index.to_read(tmp_path)


@pytest.mark.index_file("a file of somebody else's")
def test_somebody_elses_database_is_not_written_to(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / FILE_NAME)
    other.execute("CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT)")
    other.execute("INSERT INTO meta VALUES ('schema', '99')")
    other.commit()
    other.close()
    for opened in (Index.to_read, Index.to_write):
        with pytest.raises(IndexUnusable, match="another slugline"):
            opened(tmp_path)


@pytest.fixture
def connection(tmp_path: Path) -> Connected:
    made = Sqlite.empty(tmp_path).connection
    made.execute("CREATE TABLE kept (n INTEGER PRIMARY KEY, key TEXT UNIQUE, value INTEGER)")
    return made


@pytest.mark.parametrize("many", [0, 1, 3, 4, 63, 64, 65, 150])
def test_rows_stand_in_the_order_in_which_they_were_given(connection: Connected, many: int) -> None:
    rows = [(f"key {number}", number) for number in range(many)]
    connection.insert(KEPT, rows)
    assert connection.execute("SELECT key, value FROM kept ORDER BY n").fetchall() == rows
    connection.close()


def test_of_two_rows_with_one_key_the_second_stands(connection: Connected) -> None:
    connection.insert(KEPT, [("same", 1), ("other", 2), ("same", 3), ("more", 4)])
    rows = connection.execute("SELECT key, value FROM kept ORDER BY n").fetchall()
    assert rows == [("same", 3), ("other", 2), ("more", 4)]
    connection.close()
