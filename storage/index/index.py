"""The index file, open for writing: tables made, batches added in whole transactions.

Write-ahead logging, so that readers and the one writer never wait for each other, and
synchronous=FULL, so that a frontier entry marked done stays done through a power cut. An
Index is used by one thread at a time. Statements are plain SQL, as the questions are (reader.py).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Self

from msgspec import Struct, field

from storage.errors import ArchiveError, StoreFailed
from storage.index.columns import COLUMNS
from storage.index.reader import FILE_NAME, Reader, connect, sqlite_errors
from storage.index.rows import SCHEMA_VERSION, Row, Rows, Values
from storage.index.tables import LATER, TABLES

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
#: Milliseconds to wait for readers of the index that are about to end.
_READERS_MAY_END = 2_000
#: The primary keys of the tables that are written row by row, as schema.py has them.
KEYS: Mapping[str, tuple[str, ...]] = {
    "entries": ("site", "url"),
    "files": ("mark",),
    "memory": ("site", "key"),
    "meta": ("key",),
    "names": ("site", "name", "slug"),
    "runs": ("id",),
    "segments": ("name",),
    "sites": ("name",),
    "urls": ("mark", "format", "article"),
    "validators": ("mark",),
}


class Batch(Struct, frozen=True, kw_only=True):
    """What one transaction adds: manifests' rows, segments' committed bytes, notes of the run.

    ``segments`` maps a segment's name to its site and its committed length.
    """

    rows: tuple[Rows, ...] = ()
    segments: dict[str, tuple[str, int]] = field(default_factory=dict)
    entries: tuple[Row, ...] = ()
    validators: tuple[Values, ...] = ()
    memory: tuple[Row, ...] = ()
    names: tuple[Values, ...] = ()


class Index(Reader):
    """One open index, for writing too. State: the connection."""

    #: Groups that are best added at once: enough that the sync does not count, some MB of rows.
    page = 500
    _filling = False

    @classmethod
    def to_write(cls, root: Path, name: str = FILE_NAME) -> Self:
        """Return the index of the mirror at ``root``, made where it is not there.

        Raises IndexUnusable where it is another schema's or broken, else ReadOnly, DiskFull or
        StoreFailed.
        """
        with sqlite_errors(root, "opening the index"):
            index = cls(root, connect(f"{(root / name).as_uri()}?mode=rwc", _WRITER))
        try:
            index._prepare()
        except ArchiveError:
            index.close()
            raise
        return index

    @classmethod
    def to_fill(cls, root: Path, name: str) -> Self:
        """Return a new index that nobody reads before ``finish``: a crash leaves nothing of use."""
        with sqlite_errors(root, "opening the index"):
            index = cls(root, connect(f"{(root / name).as_uri()}?mode=rwc", _FILLER))
        index._filling = True
        index._prepare()
        return index

    def finish(self) -> None:
        """Make what a filled index is looked up by."""
        if self._filling:
            with self.begin("making the index") as connection:
                for statement in LATER:
                    connection.execute(statement)

    @classmethod
    def empty(cls, root: Path) -> Self:
        """Return an index of nothing, in memory: what a mirror without a segment has."""
        index = cls(root, connect("file::memory:", ()))
        index._prepare()
        return index

    @contextmanager
    def begin(self, doing: str) -> Iterator[sqlite3.Connection]:
        """One transaction: all that is done inside is done, or none of it. Raises as its error."""
        with sqlite_errors(self.root, doing), self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            yield self._connection

    def _prepare(self) -> None:
        if not self.ask("SELECT name FROM sqlite_master WHERE name = 'meta'"):
            with self.begin("making the index") as connection:
                for statement in TABLES if self._filling else (*TABLES, *LATER):
                    connection.execute(statement)
                _replace(connection, "meta", [{"key": "schema", "value": str(SCHEMA_VERSION)}])
        self.check_version()

    def apply(self, batch: Batch) -> None:
        """Add a batch in one transaction: visible as a whole or not at all."""
        with self.begin("writing the index") as connection:
            _add_rows(connection, batch.rows)
            keep_newest(connection, "names", batch.names)
            keep_newest(connection, "validators", batch.validators)
            _replace(connection, "entries", batch.entries)
            _replace(connection, "memory", batch.memory)
            _replace(
                connection,
                "segments",
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
        named = {"name": name, "site": name.partition("/")[0]}
        with self.begin("clearing a segment from the index") as connection:
            for statement in _FORGET_SEGMENT:
                connection.execute(statement, named)
            for question in ARTICLES_LEFT:
                for row in connection.execute(question, named).fetchall():
                    connection.execute(ADD_ARTICLE, row).fetchone()
            for statement in _FORGET_ARTICLES:
                connection.execute(statement, named)

    def replace(self, table: str, rows: Sequence[Row]) -> None:
        """Insert rows into ``table``, each in place of the one with its primary key."""
        with self.begin(f"writing the index's {table}") as connection:
            _replace(connection, table, rows)

    def scrub(self) -> None:
        """Write the file anew, so that nothing that was taken out is left in its free pages.

        Raises StoreFailed where somebody reads it, so that its log has to stay.
        """
        with sqlite_errors(self.root, "writing the index anew"):
            self._connection.execute("VACUUM")
            self._connection.execute(f"PRAGMA busy_timeout = {_READERS_MAY_END}")
            checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)"
            ((busy, *_),) = self._connection.execute(checkpoint).fetchall()
        if busy:
            raise StoreFailed("somebody reads the index, so its log still has what was taken out")

    def set_note(self, key: str, value: str) -> None:
        """Keep a small fact under ``key`` in the table ``meta``."""
        self.replace("meta", [{"key": key, "value": value}])


#: Numbers of rows taken out are given again: files/ must not take those for written.
FILES_OWED = """
    UPDATE meta SET value = min(CAST(value AS INTEGER),
                                (SELECT coalesce(max(n), 0) FROM representations))
    WHERE key = 'files'
"""

_FORGET_SEGMENT = (
    """DELETE FROM validators WHERE mark IN (
         SELECT mark FROM urls WHERE article IN (SELECT n FROM articles WHERE site = :site))""",
    "DELETE FROM entries WHERE site = :site",
    "DELETE FROM memory WHERE site = :site",
    """DELETE FROM representations WHERE n IN (
         SELECT shown.n FROM snapshots
           JOIN articles ON articles.site = snapshots.site AND articles.slug = snapshots.slug
           JOIN representations AS shown
             ON shown.article = articles.n AND shown.sequence = snapshots.sequence
         WHERE snapshots.segment = :name)""",
    "DELETE FROM snapshots WHERE segment = :name",
    "DELETE FROM events WHERE segment = :name",
    # Their numbers stay, for the representations in other segments.
    "UPDATE articles SET last = 0, newest = 0, placed = 0 WHERE site = :site",
    "DELETE FROM segments WHERE name = :name",
    FILES_OWED,
)
_FORGET_ARTICLES = (
    """DELETE FROM urls WHERE article IN (
         SELECT n FROM articles WHERE site = :site AND last = 0)""",
    "DELETE FROM articles WHERE site = :site AND last = 0",
)

#: What of the table ``articles`` follows from the site's snapshots, and from its events.
ARTICLES_LEFT = (
    """SELECT site, slug, url, sequence AS last, sequence AS newest, sequence AS placed
       FROM snapshots WHERE site = :site""",
    """SELECT site, slug, url, sequence AS last, 0 AS newest,
              CASE WHEN event = 'moved' THEN sequence ELSE 0 END AS placed
       FROM events WHERE site = :site""",
)

#: Brings the standing of an article up to what one of its groups tells.
# By sequence number and not by arrival: segments may be indexed again in any order.
ARTICLE_STANDS = """
    ON CONFLICT (site, slug) DO UPDATE SET
      url = CASE WHEN excluded.placed > articles.placed
                   OR articles.placed = 0 AND excluded.placed = 0
                      AND excluded.last >= articles.last
                 THEN excluded.url ELSE articles.url END,
      last = CASE WHEN excluded.last > articles.last
                  THEN excluded.last ELSE articles.last END,
      newest = CASE WHEN excluded.newest > articles.newest
                    THEN excluded.newest ELSE articles.newest END,
      placed = CASE WHEN excluded.placed > articles.placed
                    THEN excluded.placed ELSE articles.placed END
"""
#: The same, where there may be no row yet, and returns the article's number.
ADD_ARTICLE = f"""
    INSERT INTO articles (site, slug, url, last, newest, placed) VALUES (?, ?, ?, ?, ?, ?)
    {ARTICLE_STANDS} RETURNING n
"""  # noqa: S608  - our own


def _add_rows(connection: sqlite3.Connection, rows: Sequence[Rows]) -> None:
    add_sites(connection, rows)
    numbers = [connection.execute(ADD_ARTICLE, one.article).fetchone()[0] for one in rows]
    add(connection, "files", {row: None for one in rows for row in one.files}, IF_NEW)
    add_groups(connection, rows, numbers)
    numbered = zip(numbers, rows, strict=True)
    add(connection, "urls", [(n, *row) for n, one in numbered for row in one.urls], IF_NAMED)
    keep_newest(connection, "names", [row for one in rows for row in one.names])
    keep_newest(connection, "validators", [row for one in rows for row in one.validators])


def add_sites(connection: sqlite3.Connection, rows: Sequence[Rows]) -> None:
    """Insert the sites that groups tell of."""
    sites = dict.fromkeys(one.site for one in rows)
    # A host first captured for a foreign canonical may be mirrored for itself later, never back.
    for implicit in (True, False):
        some = [row for row in sites if row[2] is implicit]
        add(connection, "sites", some, _in_place("sites", "WHERE sites.implicit"))


def add_groups(
    connection: sqlite3.Connection, rows: Sequence[Rows], numbers: Sequence[int]
) -> None:
    """Insert what is of one group alone; ``numbers`` are their articles'."""
    add(connection, "snapshots", [one.snapshot for one in rows if one.snapshot])
    add(connection, "events", [one.event for one in rows if one.event])
    numbered = zip(numbers, rows, strict=True)
    shown = [(n, *row) for n, one in numbered for row in one.representations]
    add(connection, "representations", shown)


def keep_newest(connection: sqlite3.Connection, table: str, rows: Sequence[Values]) -> None:
    """Insert rows, each in place of an older one that is there."""
    # By the moment seen and not by arrival: segments may be indexed again in any order.
    add(connection, table, rows, _in_place(table, f"WHERE excluded.seen_at >= {table}.seen_at"))


IF_NEW = "ON CONFLICT DO NOTHING"
#: What was first seen without being stored is given its file's name later.
IF_NAMED = "ON CONFLICT DO UPDATE SET file = excluded.file WHERE urls.file = ''"


def _replace(connection: sqlite3.Connection, table: str, rows: Sequence[Row]) -> None:
    """Insert rows, each in place of the one with its primary key."""
    if rows:
        columns = tuple(rows[0])
        statement = _insert(table, columns, _in_place(table, "", columns))
        connection.executemany(statement, [tuple(row[name] for name in columns) for row in rows])


def add(
    connection: sqlite3.Connection, table: str, rows: Collection[Values], otherwise: str = ""
) -> None:
    """Insert rows in the order of COLUMNS; ``otherwise``: what if one is there."""
    if rows:
        connection.executemany(_insert(table, COLUMNS[table], otherwise), rows)


@cache
def _insert(table: str, columns: tuple[str, ...], otherwise: str) -> str:
    names = ", ".join(f'"{name}"' for name in columns)
    values = ", ".join("?" * len(columns))
    return f"INSERT INTO {table} ({names}) VALUES ({values}) {otherwise}"  # noqa: S608  - our names


@cache
def _in_place(table: str, condition: str, columns: tuple[str, ...] = ()) -> str:
    others = [name for name in columns or COLUMNS[table] if name not in KEYS[table]]
    new = ", ".join(f'"{name}" = excluded."{name}"' for name in others)
    return f"ON CONFLICT ({', '.join(KEYS[table])}) DO UPDATE SET {new} {condition}"
