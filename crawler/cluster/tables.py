"""The queue's tables: procrastinate's and three of ours, made by whoever comes first.

All of it can be made again: it holds what is due and who does it, and nothing of the archive.
"""

from __future__ import annotations

from hashlib import sha256
from typing import LiteralString

import psycopg
from procrastinate.schema import SchemaManager
from psycopg import sql

from crawler.cluster.place import QueueError, QueuePlace

#: ``hosts``: which job may ask a host, and when it may be asked next; a worker's end frees it.
#: ``members``: the workers as people know them. ``sites``: each site's last job, and all its jobs.
OURS: LiteralString = """
CREATE TABLE slugline_hosts (
    host text PRIMARY KEY,
    job_id bigint,
    worker_id bigint REFERENCES procrastinate_workers (id) ON DELETE SET NULL,
    next_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX slugline_hosts_worker ON slugline_hosts (worker_id) WHERE worker_id IS NOT NULL;
CREATE TABLE slugline_members (
    id bigint PRIMARY KEY REFERENCES procrastinate_workers (id) ON DELETE CASCADE,
    machine text NOT NULL,
    pid integer NOT NULL,
    concurrency integer NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    jobs bigint NOT NULL DEFAULT 0,
    articles bigint NOT NULL DEFAULT 0,
    snapshots bigint NOT NULL DEFAULT 0,
    requests bigint NOT NULL DEFAULT 0,
    bytes bigint NOT NULL DEFAULT 0
);
CREATE TABLE slugline_sites (
    url text PRIMARY KEY,
    state text NOT NULL,
    machine text NOT NULL,
    worker_id bigint NOT NULL,
    began_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    why text NOT NULL DEFAULT '',
    jobs bigint NOT NULL DEFAULT 0,
    articles bigint NOT NULL DEFAULT 0,
    snapshots bigint NOT NULL DEFAULT 0,
    requests bigint NOT NULL DEFAULT 0,
    bytes bigint NOT NULL DEFAULT 0
);
"""


async def prepare(place: QueuePlace) -> None:
    """Make the queue where there is none; several may try at once.

    Raises QueueError where the database can't be reached, or the tables are another version's.
    """
    made = SchemaManager.get_schema() + OURS
    version = sha256(made.encode()).hexdigest()[:16]
    schema = sql.Identifier(place.schema)
    try:
        async with (
            await psycopg.AsyncConnection.connect(place.conninfo) as connection,
            connection.transaction(),
        ):
            await connection.execute("SELECT pg_advisory_xact_lock(hashtext('slugline queue'))")
            await connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(schema))
            found = await _version(connection, place.schema)
            if found is None:
                await connection.execute(made)
                comment = sql.SQL("COMMENT ON SCHEMA {} IS {}")
                await connection.execute(comment.format(schema, sql.Literal(version)))
    except psycopg.Error as error:
        raise unreachable(place, error) from error
    if found not in (None, version):
        raise QueueError(
            f"the queue in {place.shown} was made by another version: run one version of slugline "
            f"everywhere, or stop all workers and DROP SCHEMA {place.schema} CASCADE; it holds "
            "only what is due, and the next worker makes it again"
        )


def unreachable(place: QueuePlace, error: BaseException) -> QueueError:
    """Say that the database does not answer as it should."""
    why = str(error).strip().partition("\n")[0] or type(error).__name__
    return QueueError(f"the queue in {place.shown} can't be used: {why}")


async def _version(connection: psycopg.AsyncConnection, schema: str) -> str | None:
    asked = "SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = %s"
    cursor = await connection.execute(asked, (schema,))
    row = await cursor.fetchone()
    return None if row is None else row[0]
