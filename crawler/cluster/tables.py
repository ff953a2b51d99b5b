"""The queue's tables: procrastinate's and three of ours, made by whoever comes first.

All of it can be made again: it holds what is due and who does it, and nothing of the archive.
"""

from __future__ import annotations

from pathlib import Path
from typing import LiteralString

import psycopg
from procrastinate.schema import SchemaManager
from psycopg import sql

from crawler.cluster.heart import Times
from crawler.cluster.place import QueueAway, QueueError, QueuePlace
from storage.index.postgres_line import is_away

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


#: What this version's tables are called in the schema's comment: procrastinate's newest migration.
#: Ours follow it once they change.
MIGRATIONS = sorted(
    Path(SchemaManager.get_migrations_path()).glob("*.sql"), key=lambda path: path.name
)
_VERSION = f"procrastinate {MIGRATIONS[-1].stem}"
_ALIVE: LiteralString = """
SELECT count(*) FROM procrastinate_workers
WHERE last_heartbeat > now() - %s * interval '1 second'
"""


async def prepare(place: QueuePlace) -> None:
    """Make the queue where there is none, bring an older one up to date; several may try at once.

    Raises QueueAway where the database can't be reached, and QueueError where it refuses, or the
    tables are a newer version's.
    """
    try:
        async with (
            await psycopg.AsyncConnection.connect(place.conninfo) as connection,
            connection.transaction(),
        ):
            await connection.execute("SELECT pg_advisory_xact_lock(hashtext('slugline queue'))")
            found = await _version(connection, place.schema)
            if found is None:
                await _make(connection, place.schema)
            elif found != _VERSION:
                await _migrate(connection, place, found)
    except psycopg.Error as error:
        raise unreachable(place, error) from error


async def _make(connection: psycopg.AsyncConnection, schema: str) -> None:
    order = sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema))
    await connection.execute(order)
    await connection.execute(SchemaManager.get_schema() + OURS)
    await _mark(connection, schema)


async def _migrate(connection: psycopg.AsyncConnection, place: QueuePlace, found: str) -> None:
    """Apply what procrastinate changed since ``found``: all of it, or nothing."""
    missing = migrations_since(found)
    if missing is None:
        raise QueueError(
            f"the queue in {place.shown} was made by another version ({found}): run that one "
            f"everywhere, or stop all workers and DROP SCHEMA {place.schema} CASCADE; it holds "
            "only what is due, and the next worker makes it again"
        )
    alive = await (await connection.execute(_ALIVE, (Times().dead,))).fetchone()
    if alive is not None and alive[0]:
        raise QueueError(
            f"the queue in {place.shown} is an older version's, whose workers work: stop them "
            "all first; the next command brings it up to date"
        )
    for path in missing:
        await connection.execute(path.read_bytes())
    await _mark(connection, place.schema)


def migrations_since(version: str) -> list[Path] | None:
    """Return what brings tables of ``version`` up to date, in order; None: not known here."""
    known = [f"procrastinate {path.stem}" for path in MIGRATIONS]
    return MIGRATIONS[known.index(version) + 1 :] if version in known else None


async def _mark(connection: psycopg.AsyncConnection, schema: str) -> None:
    order = sql.SQL("COMMENT ON SCHEMA {} IS {}")
    await connection.execute(order.format(sql.Identifier(schema), sql.Literal(_VERSION)))


def unreachable(place: QueuePlace, error: BaseException) -> QueueError:
    """Say that the database does not answer as it should, or not at all (QueueAway)."""
    why = str(error).strip().partition("\n")[0] or type(error).__name__
    kind = QueueAway if is_away(error) else QueueError
    return kind(f"the queue in {place.shown} can't be used: {why}")


async def _version(connection: psycopg.AsyncConnection, schema: str) -> str | None:
    asked = "SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = %s"
    cursor = await connection.execute(asked, (schema,))
    row = await cursor.fetchone()
    return None if row is None else row[0]
