"""A mirror's index goes into a database and back, with all that it holds and runs remember."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from storage import layout
from storage.archive import Archive
from storage.errors import UnusablePlace
from storage.index.opening import is_there
from storage.moving_index import move_index
from tests.storage.drafts import SEEN, article, event, hour, open_store, stored
from tests.storage.indexes import rows

pytestmark = pytest.mark.index_file("it moves indexes between the two itself")


def lines(root: Path) -> list[object]:
    with Archive.open(root) as archive:
        told: list[object] = [row.as_log() for row in archive.all_history()]
        return told + [change.as_log() for change in archive.changes()]


def remembered(root: Path) -> list[object]:
    tables = ("entries", "memory", "runs", "names", "validators", "urls", "files")
    return [sorted(rows(root, f"SELECT * FROM {name}"), key=repr) for name in tables]  # noqa: S608  - our own


def filled(root: Path) -> Path:
    layout.make(root)
    store = open_store(root)
    store.begin_run("mirror", ("https://news.example/",), SEEN)
    store.close()
    stored(root, article("a"), article("b"), event("gone", "b", seen=hour(1)))
    stored(root, article("a", edition=" 2", seen=hour(2)))
    return root


def test_an_index_moves_into_a_database_and_back(tmp_path: Path, database: str) -> None:
    root = filled(tmp_path)
    before, state = lines(root), remembered(root)
    done = move_index(root, database, SEEN)
    assert (done.snapshots, done.events) == (3, 1)
    assert layout.check(root).index == done.to
    assert not (root / layout.INDEX).exists()
    assert (lines(root), remembered(root)) == (before, state)
    there = layout.check(root)
    assert move_index(root, None, SEEN).snapshots == 3
    assert layout.check(root).index is None
    assert (lines(root), remembered(root)) == (before, state)
    layout.move(there)
    assert not is_there(root)


def test_moving_to_where_it_is_changes_nothing(tmp_path: Path, database: str) -> None:
    root = filled(tmp_path)
    assert move_index(root, None, SEEN).to is None
    url = move_index(root, f"{database}&schema=news", SEEN).to
    assert move_index(root, url, SEEN).to == url


def test_no_password_is_taken(tmp_path: Path) -> None:
    root = filled(tmp_path)
    with pytest.raises(UnusablePlace, match="PGPASSWORD"):
        move_index(root, "postgresql://me:hunter2@db/news", SEEN)
    assert layout.check(root).index is None


def test_another_mirrors_index_is_not_overwritten(tmp_path: Path, database: str) -> None:
    one, other = filled(tmp_path / "one"), filled(tmp_path / "other")
    move_index(one, f"{database}&schema=news", SEEN)
    with pytest.raises(UnusablePlace, match="an index is there already"):
        move_index(other, f"{database}&schema=news", SEEN)
    assert layout.check(other).index is None
    assert lines(one)


def test_a_schema_with_tables_of_others_is_not_dropped(tmp_path: Path, database: str) -> None:
    root = filled(tmp_path)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA shop CREATE TABLE orders (n int)")
    with pytest.raises(UnusablePlace, match="orders, which is not slugline's"):
        move_index(root, f"{database}&schema=shop", SEEN)
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM shop.orders").fetchone() == (0,)
    assert lines(root)
