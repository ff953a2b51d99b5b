"""PostgreSQL's schema as the index's database: questions, transactions, tables.

An archive has a schema of its own, named in the URL (``?schema=news``). Who may do what at once is
postgres_line.py's. psycopg is loaded with this module.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
from psycopg import errors, sql
from psycopg.pq import TransactionStatus

from storage.errors import ArchiveError, IndexUnusable, StoreFailed, UnusablePlace
from storage.index.database import Given
from storage.index.database_url import DatabaseUrl
from storage.index.postgres_line import Line
from storage.index.postgres_spelling import Session, translated
from storage.index.rows import SCHEMA_VERSION

#: Tables that the archive's schemas have beside the index's: alembic's, and the texts'.
_OUR_OTHERS = frozenset({"alembic_version", "docs", "texts"})
#: Seconds until one that reads may end.
_READERS_MAY_END = 2.0


class Postgres(Line):
    """One open schema. State: the line's, the indexes that are made later, ``_inside``.

    That is whether a transaction is open: with a connection that is lost inside one, what was asked
    or written before in it is lost too, so that nothing goes on behind it.
    """

    def __init__(self, root: Path, url: DatabaseUrl, *, schema: str = "", reading: bool) -> None:
        """Use ``to_read``, ``to_write``, ``to_fill``; ``root`` is named in errors."""
        super().__init__(root, url, schema=schema, reading=reading)
        self._later: list[str] = []
        self._inside = False

    @classmethod
    def to_read(cls, root: Path, url: DatabaseUrl) -> Postgres:
        """Open the index of an archive. Raises IndexUnusable where there is none."""
        found = cls(root, url, reading=True)
        with found._closed_unless_opened():
            if found._version() is None:
                raise IndexUnusable(root, f"{found.name} has no index")
        return found

    @classmethod
    def to_write(cls, root: Path, url: DatabaseUrl) -> Postgres:
        """Open it for writing. Raises LockHeld while it is being made anew."""
        found = cls(root, url, reading=False)
        with found._closed_unless_opened():
            found._share()
        return found

    @classmethod
    def to_fill(cls, root: Path, url: DatabaseUrl) -> Postgres:
        """Make a schema beside the archive's; nobody writes there meanwhile, or LockHeld is raised.

        What a crash left of one is dropped.
        """
        found = cls(root, url, schema=f"{url.schema}_new", reading=False)
        with found._closed_unless_opened():
            found._alone()
            found._refuse_strangers(found._schema)
            found._drop(found._schema)
        return found

    @contextmanager
    def _closed_unless_opened(self) -> Iterator[None]:
        try:
            with self.errors("opening the index"):
                yield
        except ArchiveError:
            self.close()
            raise

    # questions

    def run(self, sql: str, values: Given) -> psycopg.Cursor[tuple[Any, ...]]:
        """Run one question, again where the connection was lost and nothing depends on it."""
        if self._inside:
            return self._connection.execute(translated(sql), values)
        for attempt in self._tries():
            with attempt:
                self._restore()
                return self._connection.execute(translated(sql), values)
        raise StoreFailed("no try was made")

    def pages(self, sql: str, size: int) -> Iterator[list[dict[str, Any]]]:
        """Give the rows of a question, ``size`` of them in memory at a time."""
        self._restore()
        # A cursor of the server's, which lives as long as a transaction.
        with self._connection.transaction(), self._connection.cursor("pages") as cursor:
            cursor.execute(translated(sql))
            names = [column.name for column in cursor.description or ()]
            while rows := cursor.fetchmany(size):
                yield [dict(zip(names, row, strict=True)) for row in rows]

    def hold(self) -> None:
        """See from the next question on what is there then, for as long as this is open."""
        self.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", ())
        self._inside = True

    # transactions

    @contextmanager
    def begin(self) -> Iterator[Session]:
        """One transaction, alone among writers: all that is done inside is done, or none of it."""
        self.run("BEGIN", ())
        self._inside = True
        try:
            self._connection.execute("SELECT pg_advisory_xact_lock(%s::bigint)", (self._key("w"),))
            yield Session(self._connection)
            self._connection.execute("COMMIT")
        except BaseException:
            self._roll_back()
            raise
        finally:
            self._inside = False

    def write(
        self, doing: str, work: Callable[[Session], None], stands: Callable[[], bool]
    ) -> None:
        """Do ``work`` in one transaction, over again while connections are lost.

        The lock that ``begin`` takes is free once the server has ended the lost transaction: only
        then does ``stands`` look whether it was committed.
        """
        lost = False
        with self.errors(doing):
            for attempt in self._tries():
                with attempt, self.begin() as session:
                    if not (lost and stands()):
                        lost = True
                        work(session)

    def _roll_back(self) -> None:
        # A lost connection's transaction is undone by the server.
        with suppress(psycopg.Error):
            if self._connection.info.transaction_status != TransactionStatus.IDLE:
                self._connection.execute("ROLLBACK")

    # the tables

    def make(self) -> bool:
        """Make the tables, or move them to what this code has; their version is among them."""
        version = self._version()
        if version is None or version < SCHEMA_VERSION:
            from storage.index.upgrading import upgrade  # noqa: PLC0415  - SQLAlchemy and alembic

            with self._connect_plainly() as connection:
                upgrade(connection, self._schema, self._key("w"))
            if self._schema != self._url.schema:
                self._drop_later()
        return False

    def make_schema(self) -> None:
        """Make the schema empty, as a transaction's first step: one that is there is used."""
        name = sql.Identifier(self._schema)
        there = self.run("SELECT to_regnamespace(quote_ident(:schema))", {"schema": self._schema})
        if there.fetchone() == (None,):
            self._connection.execute(sql.SQL("CREATE SCHEMA {}").format(name))
        for table in self._tables():
            drop = sql.SQL("DROP TABLE {}.{} CASCADE").format(name, table)
            self._connection.execute(drop)

    def _version(self) -> int | None:
        """Return the version of the tables, None where there are none."""
        there = self.run("SELECT to_regclass('meta') IS NOT NULL", ()).fetchone()
        if there is None or not there[0]:
            return None
        row = self.run("SELECT value FROM meta WHERE key = 'schema'", ()).fetchone()
        return int(row[0]) if row and str(row[0]).isdigit() else 0

    def check(self) -> None:
        """Do nothing: what else is in the schema is its owner's doing."""

    def faults(self, most: int) -> list[str]:
        """Return nothing: PostgreSQL tells of damaged pages when they are read."""
        del most
        return []

    def scrub(self) -> None:
        """Write the tables anew, so that nothing that was taken out is left in their pages.

        Raises StoreFailed where somebody reads them. PostgreSQL's own log and backups of it are not
        reached from here.
        """
        try:
            with self._waiting(_READERS_MAY_END):
                for name in self._tables():
                    self._connection.execute(sql.SQL("VACUUM (FULL) {}").format(name))
        except errors.LockNotAvailable as error:
            self._wait(self._url.patience)
            raise StoreFailed(
                f"somebody reads the index in {self.name}, which still has what was taken out"
            ) from error

    def _tables(self) -> list[sql.Identifier]:
        found = self.run(
            """SELECT relname FROM pg_class
               WHERE relkind = 'r' AND relnamespace = to_regnamespace(:schema)""",
            {"schema": self._schema},
        )
        return [sql.Identifier(name) for (name,) in found.fetchall()]

    # a schema filled aside

    def _drop_later(self) -> None:
        """Drop the indexes for looking up alone: made over rows, they take a fraction of it."""
        found = self.run(
            """SELECT pg_get_indexdef(i.indexrelid), c.relname FROM pg_index AS i
               JOIN pg_class AS c ON c.oid = i.indexrelid
               WHERE NOT i.indisunique AND c.relnamespace = to_regnamespace(:schema)
               ORDER BY c.relname""",
            {"schema": self._schema},
        ).fetchall()
        for made, name in found:
            self._connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
            self._later.append(made)

    def put_in_place(self) -> None:
        """Make what the filled schema is looked up by, and give it the archive's name."""
        new, old = (sql.Identifier(name) for name in (self._schema, self._url.schema))
        with self.errors("putting the new index in place"):
            self._refuse_strangers(self._url.schema)
            for made in self._later:
                self._connection.execute(made.encode())
            for name in self._tables():
                self._connection.execute(sql.SQL("ANALYZE {}").format(name))
            with self._connection.transaction():
                self._connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(old))
                self._connection.execute(sql.SQL("ALTER SCHEMA {} RENAME TO {}").format(new, old))
        self.close()

    def abandon(self) -> None:
        """Drop the schema that was filled, and close the connection."""
        try:
            with self.errors("removing the new index"):
                self._drop(self._schema)
        finally:
            self.close()

    def remove(self) -> None:
        """Drop the archive's schema, which this one would have filled anew, and close."""
        with self.errors("removing the index"):
            self._refuse_strangers(self._url.schema)
            self._refuse_strangers(f"{self._url.schema}_texts")
            self._drop(self._url.schema)
            self._drop(f"{self._url.schema}_texts")
        self.close()

    def _refuse_strangers(self, schema: str) -> None:
        """Raise UnusablePlace where a schema that is to be dropped holds tables of others."""
        from storage.index.schema import metadata  # noqa: PLC0415  - SQLAlchemy

        found = self.run(
            """SELECT relname FROM pg_class
               WHERE relkind IN ('r', 'v', 'm', 'f', 'p')
               AND relnamespace = to_regnamespace(:schema)""",
            {"schema": schema},
        ).fetchall()
        others = {name for (name,) in found} - {*metadata.tables, *_OUR_OTHERS}
        if others:
            why = f"the schema {schema} holds {min(others)}, which is not slugline's"
            raise UnusablePlace("index", self.name, why)

    def _drop(self, schema: str) -> None:
        drop = sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(schema))
        self._connection.execute(drop)

    # connections
