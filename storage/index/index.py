"""The index file: opened, written in whole transactions, asked for rows; SQLite by SQLAlchemy Core.

Write-ahead logging, so that readers and the one writer never wait for each other, and
synchronous=FULL, so that a frontier entry marked done stays done through a power cut. An
Index is used by one thread at a time. SQLAlchemy's and SQLite's exceptions end here.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from msgspec import Struct, field
from sqlalchemy import (
    Column,
    Connection,
    Executable,
    RowMapping,
    Select,
    Table,
    and_,
    case,
    create_engine,
    delete,
    insert,
    literal,
    or_,
    select,
    tuple_,
)
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.pool import StaticPool

from storage.errors import ArchiveError, DamageFound, DiskFull, IndexUnusable, ReadOnly, StoreFailed
from storage.index import schema
from storage.index.rows import Row, Rows

FILE_NAME = "index.sqlite"
#: Seconds to wait for another connection's checkpoint; there is one writer, so it is short work.
_BUSY_SECONDS = 10.0
#: Rows taken from a result at once while a long list is walked.
_PAGE = 1_000


class Batch(Struct, frozen=True, kw_only=True):
    """What one transaction adds: manifests' rows, segments' committed bytes, notes of the run.

    ``segments`` maps a segment's name to its site and its committed length.
    """

    rows: tuple[Rows, ...] = ()
    segments: dict[str, tuple[str, int]] = field(default_factory=dict)
    entries: tuple[Row, ...] = ()
    validators: tuple[Row, ...] = ()
    memory: tuple[Row, ...] = ()
    names: tuple[Row, ...] = ()


class Index:
    """One open index. The only mutable state is the connection; close it when done."""

    def __init__(self, root: Path, connect: Callable[[], sqlite3.Connection]) -> None:
        """Use ``to_write``, ``to_read`` or ``empty`` instead; ``root`` is named in errors."""
        self.root = root
        self._engine = create_engine("sqlite+pysqlite://", creator=connect, poolclass=StaticPool)

    @classmethod
    def to_write(cls, root: Path, name: str = FILE_NAME) -> Self:
        """Return the index of the mirror at ``root``, made where it is not there.

        Raises IndexUnusable where it is another schema's or broken, else ReadOnly, DiskFull or
        StoreFailed.
        """
        index = cls(root, lambda: _connect(f"{(root / name).as_uri()}?mode=rwc", _WRITER))
        try:
            index._prepare()
        except ArchiveError:
            index.close()
            raise
        return index

    @classmethod
    def to_read(cls, root: Path, name: str = FILE_NAME) -> Self:
        """Return the index at ``root`` for reading, while a writer may be at work.

        Raises IndexUnusable where it is missing, another schema's or broken.
        """
        path = root / name
        if not path.is_file():
            raise IndexUnusable(root, f"{path} is missing")
        index = cls(root, lambda: _connect_reader(path))
        try:
            index._check_version()
        except ArchiveError:
            index.close()
            raise
        return index

    @classmethod
    def empty(cls, root: Path) -> Self:
        """Return an index of nothing, in memory: what a mirror without a segment has."""
        index = cls(root, lambda: _connect("file::memory:", ()))
        index._prepare()
        return index

    def close(self) -> None:
        """Close the connection; the last one folds the write-ahead log back in."""
        self._engine.dispose()

    @contextmanager
    def _begin(self, doing: str) -> Iterator[Connection]:
        with self._errors(doing), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _errors(self, doing: str) -> Iterator[None]:
        try:
            yield
        except IntegrityError as error:
            where = f"the segments of {self.root}"
            raise DamageFound(where, f"a snapshot is there twice ({error.orig})") from error
        except DBAPIError as error:
            raise _ours(self.root, error.orig or error, doing) from error
        except sqlite3.Error as error:
            raise _ours(self.root, error, doing) from error

    def _prepare(self) -> None:
        with self._begin("making the index") as connection:
            schema.metadata.create_all(connection)
            connection.execute(
                upsert(schema.meta).on_conflict_do_nothing(),
                {"key": "schema", "value": str(schema.SCHEMA_VERSION)},
            )
        self._check_version()

    def _check_version(self) -> None:
        found = self.note("schema")
        if found != str(schema.SCHEMA_VERSION):
            raise IndexUnusable(self.root, f"{FILE_NAME} was made by another slugline")

    # writing

    def apply(self, batch: Batch) -> None:
        """Add a batch in one transaction: visible as a whole or not at all."""
        with self._begin("writing the index") as connection:
            _add_rows(connection, batch.rows)
            _keep_newest(connection, schema.names, batch.names)
            _keep_newest(connection, schema.validators, batch.validators)
            _replace(connection, schema.entries, batch.entries)
            _replace(connection, schema.memory, batch.memory)
            _replace(
                connection,
                schema.segments,
                [
                    {"name": name, "site": site, "committed": committed}
                    for name, (site, committed) in sorted(batch.segments.items())
                ],
            )

    def forget_segment(self, name: str) -> None:
        """Take out every row that points into the segment, and the segment's own.

        With it goes what runs remember of its site: entries, validators and dates may be those of
        snapshots that are not there any more, and would hide that they are owed.
        """
        site = name.partition("/")[0]
        urls = select(schema.representations.c.url).where(schema.representations.c.site == site)
        with self._begin("clearing a segment from the index") as connection:
            connection.execute(delete(schema.validators).where(schema.validators.c.url.in_(urls)))
            for table in (schema.entries, schema.memory):
                connection.execute(delete(table).where(table.c.site == site))
            for table in (schema.snapshots, schema.events, schema.representations):
                connection.execute(delete(table).where(table.c.segment == name))
            connection.execute(delete(schema.articles).where(schema.articles.c.site == site))
            for query in _articles_left(site):
                _add_articles(
                    connection, [dict(row) for row in connection.execute(query).mappings()]
                )
            connection.execute(delete(schema.segments).where(schema.segments.c.name == name))

    def replace(self, table: Table, rows: Sequence[Row]) -> None:
        """Insert rows into ``table``, each in place of the one with its primary key."""
        with self._begin(f"writing the index's {table.name}") as connection:
            _replace(connection, table, rows)

    def set_note(self, key: str, value: str) -> None:
        """Keep a small fact under ``key`` in the table ``meta``."""
        self.replace(schema.meta, [{"key": key, "value": value}])

    # reading

    def note(self, key: str) -> str | None:
        """Return the fact kept under ``key``, or None."""
        row = self.first(select(schema.meta.c.value).where(schema.meta.c.key == key))
        return None if row is None else str(row["value"])

    def all(self, query: Select[Any]) -> Sequence[RowMapping]:
        """Every row of a query."""
        with self._errors("reading the index"), self._engine.connect() as connection:
            return connection.execute(query).mappings().all()

    def first(self, query: Select[Any]) -> RowMapping | None:
        """Return the first row of a query, or None."""
        with self._errors("reading the index"), self._engine.connect() as connection:
            return connection.execute(query).mappings().first()

    def count(self, query: Executable) -> int:
        """Return the one whole number that a query asks for; 0 for NULL."""
        with self._errors("reading the index"), self._engine.connect() as connection:
            return connection.execute(query).scalar() or 0

    def walk(self, query: Select[Any], keys: Sequence[Column[Any]]) -> Iterator[RowMapping]:
        """Return the rows of a query by ``keys`` (unique together), a page in memory."""
        page = query.order_by(*keys).limit(_PAGE)
        rows = self.all(page)
        while rows:
            yield from rows
            if len(rows) < _PAGE:
                return
            last = [rows[-1][key.name] for key in keys]
            rows = self.all(page.where(tuple_(*keys) > tuple_(*last)))


_WRITER = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA temp_store = MEMORY",
)
_READER = ("PRAGMA query_only = ON", "SELECT count(*) FROM sqlite_master")


def _connect(uri: str, settings: Sequence[str]) -> sqlite3.Connection:
    connection = sqlite3.connect(uri, uri=True, timeout=_BUSY_SECONDS, check_same_thread=False)
    try:
        for setting in settings:
            connection.execute(setting).fetchall()
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _connect_reader(path: Path) -> sqlite3.Connection:
    # A read-only medium has no room for SQLite's shared memory: then nobody can be writing, and
    # the file alone is the whole index, if no log stands beside it.
    try:
        return _connect(f"{path.as_uri()}?mode=rw", _READER)
    except sqlite3.OperationalError:
        log = path.with_name(path.name + "-wal")
        if log.is_file() and log.stat().st_size:
            raise
        return _connect(f"{path.as_uri()}?immutable=1", _READER)


def _ours(root: Path, error: BaseException, doing: str) -> ArchiveError:
    code = getattr(error, "sqlite_errorcode", None) or 0
    primary = code & 0xFF  # the low byte is the plain code, the rest narrows it down
    if primary == sqlite3.SQLITE_FULL:
        return DiskFull(f"no room left on the disk while {doing}")
    if primary == sqlite3.SQLITE_READONLY:
        return ReadOnly(f"may not write in {root} while {doing}")
    if primary in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return IndexUnusable(root, f"{FILE_NAME} is broken ({error})")
    if primary == sqlite3.SQLITE_ERROR:
        return IndexUnusable(root, f"{FILE_NAME} is not slugline's ({error})")
    return StoreFailed(f"failed while {doing}: {error}")


def _add_rows(connection: Connection, rows: Sequence[Rows]) -> None:
    _add_sites(connection, {one.site["name"]: one.site for one in rows if one.site["implicit"]})
    _add_sites(connection, {one.site["name"]: one.site for one in rows if not one.site["implicit"]})
    _add_articles(connection, [one.article for one in rows])
    _add_files(connection, {row["folded"]: row for one in rows for row in one.files})
    for table, found in (
        (schema.snapshots, [one.snapshot for one in rows if one.snapshot]),
        (schema.events, [one.event for one in rows if one.event]),
        (schema.representations, [row for one in rows for row in one.representations]),
    ):
        if found:
            connection.execute(insert(table), found)
    _keep_newest(connection, schema.names, [row for one in rows for row in one.names])
    _keep_newest(connection, schema.validators, [row for one in rows for row in one.validators])


def _add_sites(connection: Connection, rows: dict[str, Row]) -> None:
    # A host first captured for a foreign canonical may be mirrored for itself later, never back.
    if not rows:
        return
    statement = upsert(schema.sites)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["name"],
            set_={"scope": statement.excluded.scope, "implicit": statement.excluded.implicit},
            where=schema.sites.c.implicit,
        ),
        list(rows.values()),
    )


def _articles_left(site: str) -> tuple[Select[Any], ...]:
    """Return what of the table ``articles`` follows from the site's snapshots, and its events."""
    shot, event = schema.snapshots.c, schema.events.c
    placed = case((event.event == "moved", event.sequence), else_=0)
    return tuple(
        select(
            c.site, c.slug, c.url, c.sequence.label("last"), *(n.label(k) for k, n in more.items())
        ).where(c.site == site)
        for c, more in (
            (shot, {"newest": shot.sequence, "placed": shot.sequence}),
            (event, {"newest": literal(0), "placed": placed}),
        )
    )


def _add_articles(connection: Connection, rows: Sequence[Row]) -> None:
    # By sequence number and not by arrival: segments may be indexed again in any order.
    if not rows:
        return
    statement = upsert(schema.articles)
    old, new = schema.articles.c, statement.excluded
    unplaced = and_(old.placed == 0, new.placed == 0, new.last >= old.last)
    moved = or_(new.placed > old.placed, unplaced)
    higher = {
        name: case((new[name] > old[name], new[name]), else_=old[name])
        for name in ("last", "newest", "placed")
    }
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["site", "slug"],
            set_={"url": case((moved, new.url), else_=old.url), **higher},
        ),
        rows,
    )


def _add_files(connection: Connection, rows: dict[str, Row]) -> None:
    if rows:
        connection.execute(upsert(schema.files).on_conflict_do_nothing(), list(rows.values()))


def _replace(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    if not rows:
        return
    statement = upsert(table)
    others = {c.name: statement.excluded[c.name] for c in table.columns if not c.primary_key}
    keys = [c.name for c in table.primary_key]
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=others), rows)


def _keep_newest(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    # By the moment seen and not by arrival: segments may be indexed again in any order.
    if not rows:
        return
    statement = upsert(table)
    others = {c.name: statement.excluded[c.name] for c in table.columns if not c.primary_key}
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[c.name for c in table.primary_key],
            set_=others,
            where=statement.excluded.seen_at >= table.c.seen_at,
        ),
        rows,
    )
