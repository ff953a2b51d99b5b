"""A connection that PostgreSQL cuts in the middle of a question: asked, and never answered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import LiteralString

import psycopg

from crawler.cluster.place import QueuePlace

_CUT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE wait_event_type = 'Lock' AND datname = current_database() AND pid <> pg_backend_pid()
"""


@asynccontextmanager
async def cut_once(place: QueuePlace, rows: LiteralString) -> AsyncIterator[None]:
    """Cut whoever first wants to change one of ``rows`` within: a SELECT that can lock them."""
    async with (
        await psycopg.AsyncConnection.connect(place.conninfo) as holder,
        await psycopg.AsyncConnection.connect(place.conninfo, autocommit=True) as cutter,
    ):
        await holder.execute(rows + " FOR UPDATE")
        task = asyncio.create_task(_cut(cutter, holder))
        yield
        await asyncio.wait_for(task, 30)


async def _cut(cutter: psycopg.AsyncConnection, holder: psycopg.AsyncConnection) -> None:
    while not await (await cutter.execute(_CUT)).fetchall():  # noqa: ASYNC110  - a lock that is waited for tells nobody
        await asyncio.sleep(0.02)
    await holder.rollback()
