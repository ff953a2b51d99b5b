"""The index file, open for writing: tables made, batches added in whole transactions.

Write-ahead logging, so that readers and the one writer never wait for each other, and
synchronous=FULL, so that a frontier entry marked done stays done through a power cut. An
Index is used by one thread at a time. Statements are plain SQL, as the questions are (reader.py);
the tables are SQLAlchemy's, which is loaded for a new file alone.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from msgspec import Struct, field

from storage.errors import ArchiveError, StoreFailed
from storage.index.reader import FILE_NAME, Reader, connect, sqlite_errors
from storage.index.rows import SCHEMA_VERSION, Row, Rows

_WRITER = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA temp_store = MEMORY",
)
#: Milliseconds to wait for readers of the index that are about to end.
_READERS_MAY_END = 2_000
#: The primary keys of the tables that are written row by row, as schema.py has them.
KEYS: Mapping[str, tuple[str, ...]] = {
    "articles": ("site", "slug"),
    "entries": ("site", "url"),
    "files": ("folded",),
    "memory": ("site", "key"),
    "meta": ("key",),
    "names": ("site", "name", "slug"),
    "runs": ("id",),
    "segments": ("name",),
    "sites": ("name",),
    "validators": ("url",),
}


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


class Index(Reader):
    """One open index, for writing too. State: the connection."""

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
            from storage.index import schema  # noqa: PLC0415  - SQLAlchemy, for a new file alone

            with self.begin("making the index") as connection:
                for statement in schema.statements():
                    connection.execute(statement)
                _replace(connection, "meta", [{"key": "schema", "value": str(SCHEMA_VERSION)}])
        self.check_version()

    def apply(self, batch: Batch) -> None:
        """Add a batch in one transaction: visible as a whole or not at all."""
        with self.begin("writing the index") as connection:
            _add_rows(connection, batch.rows)
            _keep_newest(connection, "names", batch.names)
            _keep_newest(connection, "validators", batch.validators)
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
                cursor = connection.execute(question, named)
                columns = [column[0] for column in cursor.description]
                add_articles(connection, [dict(zip(columns, row, strict=True)) for row in cursor])

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
    """DELETE FROM validators
       WHERE url IN (SELECT url FROM representations WHERE site = :site)""",
    "DELETE FROM entries WHERE site = :site",
    "DELETE FROM memory WHERE site = :site",
    "DELETE FROM snapshots WHERE segment = :name",
    "DELETE FROM events WHERE segment = :name",
    "DELETE FROM representations WHERE segment = :name",
    "DELETE FROM articles WHERE site = :site",
    "DELETE FROM segments WHERE name = :name",
    FILES_OWED,
)

#: What of the table ``articles`` follows from the site's snapshots, and from its events.
ARTICLES_LEFT = (
    """SELECT site, slug, url, sequence AS last, sequence AS newest, sequence AS placed
       FROM snapshots WHERE site = :site""",
    """SELECT site, slug, url, sequence AS last, 0 AS newest,
              CASE WHEN event = 'moved' THEN sequence ELSE 0 END AS placed
       FROM events WHERE site = :site""",
)


def _add_rows(connection: sqlite3.Connection, rows: Sequence[Rows]) -> None:
    _add_sites(connection, {one.site["name"]: one.site for one in rows if one.site["implicit"]})
    _add_sites(connection, {one.site["name"]: one.site for one in rows if not one.site["implicit"]})
    add_articles(connection, [one.article for one in rows])
    files = {row["folded"]: row for one in rows for row in one.files}
    _add(connection, "files", list(files.values()), "ON CONFLICT DO NOTHING")
    _add(connection, "snapshots", [one.snapshot for one in rows if one.snapshot])
    _add(connection, "events", [one.event for one in rows if one.event])
    _add(connection, "representations", [row for one in rows for row in one.representations])
    _keep_newest(connection, "names", [row for one in rows for row in one.names])
    _keep_newest(connection, "validators", [row for one in rows for row in one.validators])


def _add_sites(connection: sqlite3.Connection, rows: Mapping[str, Row]) -> None:
    # A host first captured for a foreign canonical may be mirrored for itself later, never back.
    _replace(connection, "sites", list(rows.values()), "WHERE sites.implicit")


def add_articles(connection: sqlite3.Connection, rows: Sequence[Row]) -> None:
    """Bring the standing of articles up to what these rows tell, each of one of their groups."""
    # By sequence number and not by arrival: segments may be indexed again in any order.
    _add(
        connection,
        "articles",
        rows,
        """ON CONFLICT (site, slug) DO UPDATE SET
             url = CASE WHEN excluded.placed > articles.placed
                          OR articles.placed = 0 AND excluded.placed = 0
                             AND excluded.last >= articles.last
                        THEN excluded.url ELSE articles.url END,
             last = CASE WHEN excluded.last > articles.last
                         THEN excluded.last ELSE articles.last END,
             newest = CASE WHEN excluded.newest > articles.newest
                           THEN excluded.newest ELSE articles.newest END,
             placed = CASE WHEN excluded.placed > articles.placed
                           THEN excluded.placed ELSE articles.placed END""",
    )


def _keep_newest(connection: sqlite3.Connection, table: str, rows: Sequence[Row]) -> None:
    # By the moment seen and not by arrival: segments may be indexed again in any order.
    _replace(connection, table, rows, f"WHERE excluded.seen_at >= {table}.seen_at")


def _replace(
    connection: sqlite3.Connection, table: str, rows: Sequence[Row], condition: str = ""
) -> None:
    """Insert rows, each in place of the one with its primary key, where ``condition`` holds."""
    if not rows:
        return
    others = [name for name in rows[0] if name not in KEYS[table]]
    new = ", ".join(f'"{name}" = excluded."{name}"' for name in others)
    found = f"ON CONFLICT ({', '.join(KEYS[table])}) DO UPDATE SET {new} {condition}"
    _add(connection, table, rows, found)


def _add(
    connection: sqlite3.Connection, table: str, rows: Sequence[Row], otherwise: str = ""
) -> None:
    """Insert rows, all of the first one's columns; ``otherwise``: what if one is there."""
    if not rows:
        return
    columns = ", ".join(f'"{name}"' for name in rows[0])
    values = ", ".join(f":{name}" for name in rows[0])
    parts = ("INSERT INTO", table, f"({columns})", "VALUES", f"({values})", otherwise)
    connection.executemany(" ".join(parts), rows)
