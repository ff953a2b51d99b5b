"""The queue's tables: made once, by whoever comes first, and never taken for another version's."""

from __future__ import annotations

import asyncio
from pathlib import Path

import psycopg
import pytest

from crawler.cluster.place import QueueError, QueuePlace, queue_place
from crawler.cluster.tables import MIGRATIONS, OURS, prepare
from storage.layout import Places


def tables(place: QueuePlace) -> set[str]:
    asked = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
    with psycopg.connect(place.conninfo) as connection:
        return {row[0] for row in connection.execute(asked)}


async def test_of_several_at_once_one_makes_them(place: QueuePlace) -> None:
    await asyncio.gather(*(prepare(place) for _ in range(5)))
    assert {"procrastinate_jobs", "slugline_hosts", "slugline_sites"} <= tables(place)


def shape(place: QueuePlace) -> list[tuple[str, ...]]:
    """Return every function, column and index of the queue."""
    asked = """
    SELECT 'function', p.oid::regprocedure::text, p.prosrc FROM pg_proc AS p
    WHERE pronamespace = current_schema()::regnamespace
    UNION ALL SELECT 'column', table_name || '.' || column_name, data_type
    FROM information_schema.columns WHERE table_schema = current_schema()
    UNION ALL SELECT 'index', indexname, indexdef
    FROM pg_indexes WHERE schemaname = current_schema()
    UNION ALL SELECT 'value', enumtypid::regtype::text, enumlabel FROM pg_enum
    ORDER BY 1, 2, 3
    """
    with psycopg.connect(place.conninfo) as connection:
        return connection.execute(asked.encode()).fetchall()


def make_older(place: QueuePlace, version: str) -> None:
    """Make the queue as a version that ended with the migration ``version`` made it."""
    newest = [f"procrastinate {path.stem}" for path in MIGRATIONS].index(version)
    with psycopg.connect(place.conninfo, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {place.schema}".encode())
        for path in MIGRATIONS[: newest + 1]:
            connection.execute(path.read_bytes())
        connection.execute(OURS[0])
        connection.execute(f"COMMENT ON SCHEMA {place.schema} IS '{version}'".encode())


OLDER = "procrastinate 03.01.00_50_post_add_heartbeat"


async def test_older_tables_are_brought_up_to_date(place: QueuePlace) -> None:
    await prepare(place)
    new = shape(place)
    with psycopg.connect(place.conninfo) as connection:
        connection.execute(f"DROP SCHEMA {place.schema} CASCADE".encode())
    make_older(place, OLDER)
    await asyncio.gather(*(prepare(place) for _ in range(3)))
    assert shape(place) == new
    await prepare(place)


async def test_tables_of_ours_that_are_older_are_brought_up_to_date(place: QueuePlace) -> None:
    make_older(place, OLDER)
    later = (*OURS, "CREATE TABLE slugline_later (a int)", "ALTER TABLE slugline_later ADD b int")
    await prepare(place, later[:-1])
    assert "slugline_later" in tables(place)
    await asyncio.gather(*(prepare(place, later) for _ in range(3)))
    migrated = shape(place)
    assert ("column", "slugline_later.b", "integer") in migrated
    with pytest.raises(QueueError, match="another version"):
        await prepare(place)
    with psycopg.connect(place.conninfo) as connection:
        connection.execute(f"DROP SCHEMA {place.schema} CASCADE".encode())
    await prepare(place, later)
    assert shape(place) == migrated


async def test_older_tables_are_left_alone_while_their_workers_work(place: QueuePlace) -> None:
    make_older(place, OLDER)
    with psycopg.connect(place.conninfo) as connection:
        connection.execute("INSERT INTO procrastinate_workers DEFAULT VALUES")
    before = shape(place)
    with pytest.raises(QueueError, match="stop them all first"):
        await prepare(place)
    assert shape(place) == before


async def test_tables_of_another_version_are_left_alone_and_named(place: QueuePlace) -> None:
    await prepare(place)
    with psycopg.connect(place.conninfo) as connection:
        connection.execute(f"COMMENT ON SCHEMA {place.schema} IS 'older'".encode())
    with pytest.raises(QueueError, match=f"DROP SCHEMA {place.schema} CASCADE"):
        await prepare(place)


async def test_a_database_that_is_not_there_is_named_in_one_sentence(tmp_path: Path) -> None:
    place = queue_place(f"postgresql:///news?host={tmp_path}", Places(root=tmp_path))
    with pytest.raises(QueueError) as told:
        await prepare(place)
    assert str(told.value).startswith(f"the queue in news on {tmp_path} can't be used: ")
    assert "\n" not in str(told.value)
