"""SQLite's file as the index's database: connections, settings, transactions, errors made ours.

Write-ahead logging, so that readers and the one writer never wait for each other, and
synchronous=FULL, so that a frontier entry marked done stays done through a power cut.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import chain
from pathlib import Path
from typing import Any

from storage.errors import (
    ArchiveError,
    DamageFound,
    DiskFull,
    IndexUnusable,
    ReadOnly,
    StoreFailed,
    os_errors,
)
from storage.index.beside import remove
from storage.index.database import Given, Insert
from storage.index.tables import LATER, TABLES
from storage.layout import INDEX, sync_folder

#: Where an index is filled that is to take the place of another.
NEW = f"{INDEX}.new"
#: Seconds to wait for another connection's checkpoint; there is one writer, so it is short work.
_BUSY_SECONDS = 10.0
#: Milliseconds to wait for readers of the index that are about to end.
_READERS_MAY_END = 2_000
#: Rows of one statement, the most that there are: while each runs, another thread may take over,
#: and to get back from another processor takes longer than a row. A batch has 64 groups.
_AT_ONCE = (64, 16, 4, 1)
_READER = ("PRAGMA query_only = ON", "SELECT count(*) FROM sqlite_master")
#: The cache, in KiB, holds what lies above the leaves of a million articles' tables. A batch
#: touches leaves everywhere, which the system keeps: more room here was found to save no time.
_WRITER = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cache_size = -8192",
)
#: For a file that is put in place when it is whole: no log, no sync, and memory, in KiB, for the
#: rows of a large archive, whose marks come in no order.
_FILLER = (
    "PRAGMA journal_mode = OFF",
    "PRAGMA synchronous = OFF",
    "PRAGMA locking_mode = EXCLUSIVE",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cache_size = -131072",
)


class Connected(sqlite3.Connection):
    """A connection that puts rows in together, and gives those of a statement that is run a row."""

    def insert(self, into: Insert, rows: Sequence[Sequence[Any]], /) -> None:
        """Put rows in, each with the values of the columns in their order."""
        at = 0
        for size in _AT_ONCE:
            while len(rows) - at >= size:
                self.execute(into.sql(size), [*chain.from_iterable(rows[at : at + size])])
                at += size

    def numbers(self, sql: str, rows: Iterable[Given], /) -> list[Any]:
        """Run one statement that gives one row, once a row, and return what they gave."""
        return [self.execute(sql, row).fetchone() for row in rows]


class Sqlite:
    """One open file, or an index in memory. State: the connection.

    ``filling``: nobody reads it before ``put_in_place``, and a crash leaves nothing of use.
    """

    name = INDEX

    def __init__(self, root: Path, connection: Connected, *, filling: bool = False) -> None:
        """``root`` is the mirror's folder, named in errors."""
        self.root = root
        self.connection = connection
        self._filling = filling

    @classmethod
    def to_read(cls, root: Path) -> Sqlite:
        """Open the index of the mirror at ``root``. Raises IndexUnusable where it is missing."""
        path = root / INDEX
        if not path.is_file():
            raise IndexUnusable(root, f"{path} is missing")
        with sqlite_errors(root, "opening the index"):
            return cls(root, _connect_reader(path))

    @classmethod
    def to_write(cls, root: Path) -> Sqlite:
        """Open the index of the mirror at ``root``, a new file where there is none."""
        with sqlite_errors(root, "opening the index"):
            return cls(root, connect(f"{(root / INDEX).as_uri()}?mode=rwc", _WRITER))

    @classmethod
    def to_fill(cls, root: Path) -> Sqlite:
        """Make a new file beside the index, where what a crash left of one is removed."""
        remove(root / NEW)
        with sqlite_errors(root, "opening the index"):
            connection = connect(f"{(root / NEW).as_uri()}?mode=rwc", _FILLER)
            connection.execute("BEGIN IMMEDIATE")
            return cls(root, connection, filling=True)

    @classmethod
    def empty(cls, root: Path) -> Sqlite:
        """Make one in memory."""
        return cls(root, connect("file::memory:", ()))

    def errors(self, doing: str) -> AbstractContextManager[None]:
        """Turn SQLite's errors into ours: whose fault it is, and what was being done."""
        return sqlite_errors(self.root, doing)

    def run(self, sql: str, values: Given) -> sqlite3.Cursor:
        """Run one question."""
        return self.connection.execute(sql, values)

    def pages(self, sql: str, size: int) -> Iterator[list[dict[str, Any]]]:
        """Give the rows of a question, ``size`` of them in memory at a time."""
        cursor = self.connection.execute(sql)
        names = [column[0] for column in cursor.description]
        while rows := cursor.fetchmany(size):
            yield [dict(zip(names, row, strict=True)) for row in rows]

    def hold(self) -> None:
        """See from the next question on what is there then."""
        self.connection.execute("BEGIN")

    @contextmanager
    def begin(self) -> Iterator[Connected]:
        """One transaction: all that is done inside is done, or none of it."""
        if self._filling:
            # One for all: what is half done is never put in place, and an end takes time each.
            yield self.connection
            return
        with self.connection:
            self.connection.execute("BEGIN IMMEDIATE")
            yield self.connection

    def write(
        self, doing: str, work: Callable[[Connected], None], stands: Callable[[], bool]
    ) -> None:
        """Do ``work`` in one transaction; a file is no connection that may be lost."""
        del stands
        with self.errors(doing), self.begin() as connection:
            work(connection)

    def holding(
        self, sites: Collection[str], *, at_once: bool = False
    ) -> AbstractContextManager[None]:
        """Do nothing: who writes holds the mirror's lock."""
        del sites, at_once
        return nullcontext()

    def make(self) -> bool:
        """Make the tables where there is none; tells whether it did."""
        if self.connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone():
            return False
        with self.begin() as connection:
            for statement in TABLES if self._filling else (*TABLES, *LATER):
                connection.execute(statement)
        return True

    def check(self) -> None:
        """Raise IndexUnusable where more is there than tables and their indexes."""
        # A view may go on for ever, and a trigger changes what is written: ours has neither.
        others = "SELECT name FROM sqlite_master WHERE type NOT IN ('table', 'index')"
        if self.connection.execute(others).fetchall():
            raise IndexUnusable(self.root, f"{self.name} holds more than tables")

    def faults(self, most: int) -> list[str]:
        """Return what SQLite finds wrong with its file."""
        rows = self.connection.execute(f"PRAGMA integrity_check({most})").fetchall()
        said = [str(value) for (value,) in rows]
        return [] if said == ["ok"] else [f"SQLite says: {each}" for each in said]

    def scrub(self) -> None:
        """Write the file anew, so that nothing that was taken out is left in its free pages.

        Raises StoreFailed where somebody reads it, so that its log has to stay.
        """
        self.connection.execute("VACUUM")
        self.connection.execute(f"PRAGMA busy_timeout = {_READERS_MAY_END}")
        checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)"
        ((busy, *_),) = self.connection.execute(checkpoint).fetchall()
        if busy:
            raise StoreFailed("somebody reads the index, so its log still has what was taken out")

    def put_in_place(self) -> None:
        """Make what the filled file is looked up by, and put it in the old one's place."""
        with self.errors("making the index"), self.begin() as connection:
            for statement in LATER:
                connection.execute(statement)
            connection.commit()
            # A writer can't change to this while somebody reads: it would not begin.
            connection.execute("PRAGMA journal_mode = WAL")
        self.close()
        path = self.root / NEW
        with os_errors("putting the new index in place"):
            with path.open("r+b") as file:
                os.fsync(file.fileno())
            # The old log must be gone before a new file stands beside it: SQLite would play it
            # back.
            remove(self.root / INDEX)
            path.replace(self.root / INDEX)
            sync_folder(self.root)

    def abandon(self) -> None:
        """Close the file that was filled, and remove it."""
        self.close()
        remove(self.root / NEW)

    @staticmethod
    def remove(root: Path) -> None:
        """Remove the index of the mirror at ``root``."""
        remove(root / INDEX)

    def close(self) -> None:
        """Close the connection; the last one folds the write-ahead log back in."""
        self.connection.close()


def connect(uri: str, settings: Sequence[str]) -> Connected:
    """Return a connection with the settings made. Raises sqlite3.Error."""
    connection = sqlite3.connect(
        uri, uri=True, timeout=_BUSY_SECONDS, check_same_thread=False, factory=Connected
    )
    try:
        for setting in settings:
            connection.execute(setting).fetchall()
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _connect_reader(path: Path) -> Connected:
    # A read-only medium has no room for SQLite's shared memory: then nobody can be writing, and
    # the file alone is the whole index, if no log stands beside it.
    try:
        return connect(f"{path.as_uri()}?mode=rw", _READER)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
            raise  # somebody is writing: what is in the file may be half of it
        log = path.with_name(path.name + "-wal")
        if log.is_file() and log.stat().st_size:
            raise
        return connect(f"{path.as_uri()}?immutable=1", _READER)


@contextmanager
def sqlite_errors(root: Path, doing: str) -> Iterator[None]:
    """Turn SQLite's errors into ours: whose fault it is, and what was being done."""
    try:
        yield
    except sqlite3.IntegrityError as error:
        raise DamageFound(
            f"the segments of {root}", f"a snapshot is there twice ({error})"
        ) from error
    except sqlite3.Error as error:
        raise _ours(root, error, doing) from error


def _ours(root: Path, error: sqlite3.Error, doing: str) -> ArchiveError:
    code = getattr(error, "sqlite_errorcode", None) or 0
    primary = code & 0xFF  # the low byte is the plain code, the rest narrows it down
    if primary == sqlite3.SQLITE_FULL:
        return DiskFull(f"no room left on the disk while {doing}")
    if primary == sqlite3.SQLITE_READONLY:
        return ReadOnly(f"may not write in {root} while {doing}")
    if primary in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return IndexUnusable(root, f"{INDEX} is broken ({error})")
    if primary == sqlite3.SQLITE_ERROR:
        return IndexUnusable(root, f"{INDEX} is not slugline's ({error})")
    return StoreFailed(f"failed while {doing}: {error}")
