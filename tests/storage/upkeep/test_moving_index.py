"""A mirror's index goes into a database and back, with all that it holds and runs remember."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from msgspec import structs

from storage import layout
from storage.archive import Archive
from storage.errors import UnusablePlace
from storage.index.opening import is_there
from storage.layout import Leftover, Places
from storage.reindex import rebuild_at
from storage.upkeep.forget import forget
from storage.upkeep.moving_index import move_index
from tests.storage.drafts import SEEN, article, event, hour, open_store, stored
from tests.storage.indexes import rows

pytestmark = pytest.mark.index_file("it moves indexes between the two itself")


def lines(root: Path) -> list[object]:
    with Archive.open(root) as archive:
        told: list[object] = [row.as_log() for row in archive.all_history()]
        return told + [change.as_log() for change in archive.changes()]


def remembered(root: Path) -> list[object]:
    tables = ("entries", "memory", "runs", "names", "validators", "urls", "files")
    return [sorted(rows(root, f"SELECT * FROM {name}"), key=repr) for name in tables]


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


def schemas(database: str) -> list[str]:
    with psycopg.connect(database) as connection:
        asked = "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'mirror_%' ORDER BY nspname"
        names = [name for (name,) in connection.execute(asked).fetchall()]
        return [name for name in names if not name.endswith("_texts")]


def killed_before_it_was_the_mirrors(root: Path, database: str) -> Places:
    """Leave a mirror as a move does that was killed with the new index in place."""
    places = layout.check(root)
    url = layout.chosen("index", database, places)
    layout.move(structs.replace(places, left=Leftover(what="index", url=url)))
    rebuild_at(structs.replace(places, index=url))
    return structs.replace(places, index=url)


def test_a_move_that_was_killed_goes_on_in_the_same_schema(tmp_path: Path, database: str) -> None:
    root = filled(tmp_path)
    before, state = lines(root), remembered(root)
    begun = killed_before_it_was_the_mirrors(root, database)
    assert move_index(root, database, SEEN).to == begun.index
    assert len(schemas(database)) == 1
    assert (lines(root), remembered(root)) == (before, state)
    assert layout.check(root).left is None


def test_what_a_killed_move_left_goes_before_anything_is_forgotten(
    tmp_path: Path, database: str
) -> None:
    root = filled(tmp_path)
    killed_before_it_was_the_mirrors(root, database)
    forget(root, "a", reason="a court asked", now=hour(3))
    assert schemas(database) == []
    moved = layout.check(root)
    assert moved.left is None
    # Killed after the switch: the old one, in the folder, is what is left.
    there = killed_before_it_was_the_mirrors(root, database)
    layout.move(structs.replace(there, left=Leftover(what="index")))
    assert (root / layout.INDEX).exists()
    forget(root, "b", reason="a court asked", now=hour(4))
    assert not (root / layout.INDEX).exists()
    assert len(schemas(database)) == 1


def test_another_archives_index_at_a_place_that_a_move_was_to_is_left_alone(
    tmp_path: Path, database: str
) -> None:
    root, other = filled(tmp_path / "one"), tmp_path / "other"
    url = f"{database}&schema=mirror_x"
    layout.move(structs.replace(layout.check(root), left=Leftover(what="index", url=url)))
    layout.make(other, index=url)
    stored(other, article("theirs"), now=hour(5))
    forget(root, "a", reason="a court asked", now=hour(3))
    assert schemas(database) == ["mirror_x"]
    assert len(lines(other)) == 2


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
