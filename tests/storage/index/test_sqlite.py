"""SQLite's file as the index's database: how rows are put in."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.index.database import Insert
from storage.index.sqlite import Connected, Sqlite

KEPT = Insert("kept", ("key", "value"), "ON CONFLICT (key) DO UPDATE SET value = excluded.value")


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
