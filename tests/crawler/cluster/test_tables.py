"""The queue's tables: made once, by whoever comes first, and never taken for another version's."""

from __future__ import annotations

import asyncio
from pathlib import Path

import psycopg
import pytest

from crawler.cluster.place import QueueError, QueuePlace, queue_place
from crawler.cluster.tables import prepare
from storage.layout import Places


def tables(place: QueuePlace) -> set[str]:
    asked = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
    with psycopg.connect(place.conninfo) as connection:
        return {row[0] for row in connection.execute(asked)}


async def test_of_several_at_once_one_makes_them(place: QueuePlace) -> None:
    await asyncio.gather(*(prepare(place) for _ in range(5)))
    assert {"procrastinate_jobs", "slugline_hosts", "slugline_sites"} <= tables(place)


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
