"""The queue's tables: procrastinate's and three of ours, made by whoever comes first.

All of it can be made again: it holds what is due and who does it, and nothing of the archive.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
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
#: What made them, step by step: what changes later is one more step, and no word of an older one.
OURS: tuple[LiteralString, ...] = (
    """
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
""",
)

#: What made procrastinate's, step by step.
MIGRATIONS = sorted(
    Path(SchemaManager.get_migrations_path()).glob("*.sql"), key=lambda path: path.name
)
#: A schema's comment, which says of what steps its tables are; without ours, of the first one.
_COMMENT = re.compile(r"procrastinate (\S+)(?:, slugline ([1-9]\d{0,3}))?\Z")
_ALIVE: LiteralString = """
SELECT count(*) FROM procrastinate_workers
WHERE last_heartbeat > now() - %s * interval '1 second'
"""


async def prepare(place: QueuePlace, ours: Sequence[LiteralString] = OURS) -> None:
    """Make the queue where there is none, bring an older one up to date; several may try at once.

    ``ours`` are the steps that make our tables.

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
                await _make(connection, place.schema, ours)
            elif found != version(ours):
                await _migrate(connection, place, found, ours)
    except psycopg.Error as error:
        raise unreachable(place, error) from error


async def _make(
    connection: psycopg.AsyncConnection, schema: str, ours: Sequence[LiteralString]
) -> None:
    order = sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema))
    await connection.execute(order)
    for step in (SchemaManager.get_schema(), *ours):
        await connection.execute(step)
    await _mark(connection, schema, ours)


async def _migrate(
    connection: psycopg.AsyncConnection,
    place: QueuePlace,
    found: str,
    ours: Sequence[LiteralString],
) -> None:
    """Apply what changed since ``found``: all of it, or nothing."""
    missing = steps_since(found, ours)
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
    for step in missing:
        await connection.execute(step)
    await _mark(connection, place.schema, ours)


def version(ours: Sequence[LiteralString] = OURS) -> str:
    """Return what the comment of a schema is whose tables these steps of ours made."""
    return f"procrastinate {MIGRATIONS[-1].stem}" + (
        f", slugline {len(ours)}" if len(ours) > 1 else ""
    )


def steps_since(found: str, ours: Sequence[LiteralString] = OURS) -> list[bytes] | None:
    """Return what brings tables that were ``found`` up to date, in order; None: not known here."""
    told = _COMMENT.match(found)
    known = [path.stem for path in MIGRATIONS]
    if told is None or told[1] not in known or int(told[2] or 1) > len(ours):
        return None
    theirs = [path.read_bytes() for path in MIGRATIONS[known.index(told[1]) + 1 :]]
    return [*theirs, *(step.encode() for step in ours[int(told[2] or 1) :])]


async def _mark(
    connection: psycopg.AsyncConnection, schema: str, ours: Sequence[LiteralString]
) -> None:
    order = sql.SQL("COMMENT ON SCHEMA {} IS {}")
    await connection.execute(order.format(sql.Identifier(schema), sql.Literal(version(ours))))


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
