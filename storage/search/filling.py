"""How the full-text index is brought up to the index: some snapshots at a time, each read once.

Rows of the index are numbered as they are added, so what is new is what has a higher number than
the last row read, if that is the same row still. Where it is another's (the index was made again),
or where segments were rewritten, every article is compared with what is kept of it, and only what
differs is read. Several processes may fill one file: each step is a transaction of its own.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Self

from msgspec import Struct

from storage.errors import ArchiveError, DamageFound, DiskFull, TextIndexUnusable
from storage.index.beside import remove
from storage.index.database import Connection
from storage.index.packing import unpacked
from storage.index.reader import Reader
from storage.index.replacing import REWRITES
from storage.index.rows import Row, SnapshotRow, to_micros
from storage.index.sqlite import Connected, connect
from storage.index.versions import newest_shown
from storage.model import Record
from storage.search.fulltext import FOLLOWED, TABLES, VERSION, WORDS, Fulltext, Texts, text_errors
from storage.search.words import indexed, mark, without_links

if TYPE_CHECKING:
    from storage.archive import Archive

#: Snapshots of one step: some tenths of a second, and few enough merges of FTS5's.
STEP = 512
#: Snapshots read since the last merge that are worth one: what is read for a second or more.
_MANY = 5_000
#: Values of a kind by which one article is found: no list is narrowed down by the others.
_MOST_VALUES = 64
#: The finding of a snapshot whose publisher forbids copies.
_NOARCHIVE = "noarchive"
#: Bytes of new words that FTS5 gathers before it writes them, and pages of the log before they are
#: folded back in: some 16 and 32 MB of memory and of disk.
_GATHERED = 16 << 20
_SETTINGS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    "PRAGMA wal_autocheckpoint = 8000",
    "PRAGMA cache_size = -65536",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA trusted_schema = OFF",
)
_SUBTAG = re.compile("[-_]")


class Doc(Struct, frozen=True, kw_only=True):
    """An article's words on their way in, as they are indexed; ``id`` is the snapshot's, or ""."""

    row: SnapshotRow
    id: str
    title: str
    summary: str
    names: str
    body: str
    links: str
    marks: tuple[str, ...]


class Filler(Texts):
    """A full-text index, open for writing, of either kind.

    ``private``: it holds snapshots that were fetched with a private header too, and is nobody's
    but this process's.
    """

    private = False

    @abstractmethod
    def _transaction(self, doing: str) -> AbstractContextManager[Connection]:
        """One transaction, alone among those that fill it."""

    @abstractmethod
    def _take_out(self, connection: Connection, n: int) -> None:
        """Take a document out."""

    @abstractmethod
    def _put(self, connection: Connection, doc: Doc) -> None:
        """Put a document in."""

    @abstractmethod
    def forget(self, site: str, slug: str) -> None:
        """Take an article out so that no byte of its words is left.

        Raises ArchiveError where that can't be done now.
        """

    def step(self, archive: Archive, most: int = STEP) -> int:
        """Read the next rows, ``most`` of each table; returns how many are left.

        Of what is damaged the title alone is found, until it is mended. Raises ArchiveError.
        """
        index = archive.index
        if not self.behind(index):
            return 0
        with self._transaction("filling the full-text index") as connection:
            self._follow(archive, connection)
            added = {
                table: index.ask(
                    "SELECT n, id, site, slug FROM", table,
                    "WHERE n > :after ORDER BY n LIMIT :most",
                    after=self.read_to(table)[0], most=most,
                )
                for table in FOLLOWED
            }  # fmt: skip
            rows = chain.from_iterable(added.values())
            for name in dict.fromkeys((row["site"], row["slug"]) for row in rows):
                self._bring_up(archive, connection, *name)
            for table, new in added.items():
                if new:
                    _note_read(connection, table, new[-1]["n"], unpacked(new[-1]["id"]))
        return self.behind(index)

    def _follow(self, archive: Archive, connection: Connection) -> None:
        """Have all that was read as the index has it still; of another index nothing was read."""
        index = archive.index
        if not self.is_of(index):
            for table in FOLLOWED:
                _note_read(connection, table, 0, "")
        elif self.note(REWRITES) == (index.note(REWRITES) or ""):
            return
        for row in _changed(connection, index):
            self._bring_up(archive, connection, row["site"], row["slug"])
        note(connection, REWRITES, index.note(REWRITES) or "")

    def _bring_up(self, archive: Archive, connection: Connection, site: str, slug: str) -> None:
        """Have an article's newest words, and no others, and whether it is gone."""
        newest = newest_shown(archive.index, site, slug, private=self.private)
        standing = connection.execute(
            "SELECT n, id, gone FROM docs WHERE site = ? AND slug = ?", (site, slug)
        ).fetchone()
        if standing and newest and standing[1] == newest.id:
            gone = int(newest.gone_at is not None)
            if gone != standing[2]:
                connection.execute("UPDATE docs SET gone = ? WHERE n = ?", (gone, standing[0]))
            return
        if standing:
            self._take_out(connection, standing[0])
        if newest and not any(finding.kind == _NOARCHIVE for finding in newest.findings):
            self._put(connection, _doc(archive, newest))


class FulltextFiller(Filler, Fulltext):
    """A full-text index in SQLite's file, open for writing. State: the connection."""

    worth_merging = _MANY

    @classmethod
    def open(cls, path: Path, *, private: bool = False) -> Self:
        """Return the text index at ``path``, made where it is not there, is broken or is old.

        Raises ReadOnly, DiskFull, StoreFailed.
        """
        try:
            index = cls._open(path)
        except TextIndexUnusable:
            remove(path)
            index = cls._open(path)
        index.private = private
        return index

    @classmethod
    def _open(cls, path: Path) -> Self:
        with text_errors(path, "opening the full-text index"):
            index = cls(path, connect(f"{path.as_uri()}?mode=rwc", _SETTINGS))
        try:
            if not index._ask("SELECT 1 FROM sqlite_master"):
                index._make()
            index.check()
        except ArchiveError:
            index.close()
            raise
        return index

    def _make(self) -> None:
        with self._transaction("making the full-text index") as connection:
            if connection.execute("SELECT 1 FROM sqlite_master").fetchone():
                return  # another process was quicker
            for statement in TABLES:
                connection.execute(statement)
            connection.execute(
                "INSERT INTO texts (texts, rank) VALUES ('hashsize', ?)", (_GATHERED,)
            )
            note(connection, "version", VERSION)

    def step(self, archive: Archive, most: int = STEP) -> int:
        """Read the next rows, ``most`` of each table; returns how many are left."""
        left = super().step(archive, most)
        if not left:
            self._merge()
        return left

    def look_through(self) -> None:
        """Raise TextIndexUnusable where any of it is broken, or more than our tables."""
        self.check()
        with self._transaction("looking the full-text index through") as connection:
            ((found,),) = connection.execute("PRAGMA quick_check(1)").fetchall()
            if found != "ok":
                raise TextIndexUnusable(self.path, "it is broken")
            _run(connection, "integrity-check")

    def _merge(self) -> None:
        """Put the lists of words into one where many came new: a question looks in one place.

        So often that a word is written again some four times, however large the index grows.
        """
        read, merged = self.read_to("snapshots")[0], int(self.note("merged") or 0)
        if read - merged < max(self.worth_merging, merged // 4):
            return
        with suppress(DiskFull), self._transaction("merging the full-text index") as connection:
            # where there is no room for a second copy, searches are slower, and that is all
            _run(connection, "optimize")
            note(connection, "merged", str(read))

    def forget(self, site: str, slug: str) -> None:
        """Take an article out so that no byte of its words is left in the file.

        Raises ArchiveError where that can't be done now: then remove the file.
        """
        with self._transaction("forgetting an article's words") as connection:
            rows = connection.execute(
                "SELECT n FROM docs WHERE site = ? AND slug = ?", (site, slug)
            ).fetchall()
            for (n,) in rows:
                self._take_out(connection, n)
            # A word that is taken out stays in FTS5's lists until they are merged into one.
            _run(connection, "optimize")
        with text_errors(self.path, "writing the full-text index anew"):
            self._connection.execute("VACUUM")
            checkpoint = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if checkpoint[0]:
            raise TextIndexUnusable(self.path, "another process reads what is to be forgotten")

    @contextmanager
    def _transaction(self, doing: str) -> Iterator[Connected]:
        with text_errors(self.path, doing), self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            yield self._connection

    def _take_out(self, connection: Connection, n: int) -> None:
        for table in WORDS:
            connection.execute(f"DELETE FROM {table} WHERE rowid = ?", (n,))  # noqa: S608  - our own
        connection.execute("DELETE FROM docs WHERE n = ?", (n,))

    def _put(self, connection: Connection, doc: Doc) -> None:
        (n,) = connection.execute(PUT_DOC, values_of_doc(doc)).fetchone()
        marks = " ".join(doc.marks)
        connection.execute(
            """INSERT INTO texts (rowid, title, summary, names, body, links, marks)
               VALUES (?, ?, ?, ?, ?, ?, ?)""",
            (n, doc.title, doc.summary, doc.names, doc.body, doc.links, marks),
        )
        connection.execute(
            "INSERT INTO heads (rowid, title, summary, names, marks) VALUES (?, ?, ?, ?, ?)",
            (n, doc.title, doc.summary, doc.names, marks),
        )


def _run(connection: Connection, command: str) -> None:
    """Run a command of FTS5's on both tables of words."""
    for table in WORDS:
        connection.execute(f"INSERT INTO {table} ({table}) VALUES (?)", (command,))  # noqa: S608  - our own


def note(connection: Connection, key: str, value: str) -> None:
    """Keep a small fact under ``key``."""
    connection.execute(
        "INSERT INTO meta (key, value) VALUES (?, ?)"
        " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (key, value),
    )


def _note_read(connection: Connection, table: str, n: int, record_id: str) -> None:
    """Keep up to which row a table of the index was read: see Texts.read_to."""
    note(connection, table, f"{n} {record_id}")


#: Puts an article in; its words follow, under the number that this gives.
PUT_DOC = """
    INSERT INTO docs (site, slug, sequence, id, updated_at, observed_at, gone)
    VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING n
"""


def values_of_doc(doc: Doc) -> tuple[object, ...]:
    """Return the values of ``PUT_DOC``."""
    row = doc.row
    moments = (to_micros(row.updated_at), to_micros(row.observed_at))
    gone = int(row.gone_at is not None)
    return (row.site, row.slug, row.sequence, doc.id, *moments, gone)


def _changed(connection: Connection, index: Reader) -> Iterator[Row]:
    """Give the articles whose indexed snapshot is no more, or is another one."""
    by = ("site", "slug", "sequence")
    after = 0
    # What is brought up meanwhile is put behind the last one, and is not looked at again.
    (last,) = connection.execute("SELECT max(n) FROM docs").fetchone()
    while rows := connection.execute(
        """SELECT n, site, slug, sequence, id FROM docs
           WHERE n > ? AND n <= ? ORDER BY n LIMIT 500""",
        (after, last),
    ).fetchall():
        after = rows[-1][0]
        named = {row[1:4] for row in rows}
        there = {unpacked(row["id"]) for row in index.matching("snapshots", by, named, ("id",))}
        yield from ({"site": row[1], "slug": row[2]} for row in rows if row[4] not in there)


def _doc(archive: Archive, row: SnapshotRow) -> Doc:
    record_id = row.id
    try:
        record = archive.manifest(row).record
    except DamageFound:
        record, record_id = None, ""
    record = record or Record(slug=row.slug, url=row.url, title=row.title)
    body, links = without_links(record.body_md)
    return Doc(
        row=row,
        id=record_id,
        title=indexed(record.title or row.title),
        summary=indexed(record.summary),
        names=indexed(" / ".join((row.slug, *record.topics, *record.entities))),
        body=indexed(body),
        links=indexed(links),
        marks=tuple(sorted(set(_marks(row, record)))),
    )


def _marks(row: SnapshotRow, record: Record) -> Iterator[str]:
    yield mark("site", row.site)
    if not row.implicit:
        yield mark("own", "")
    if record.lang:
        yield mark("language", record.lang)
        yield mark("language", _SUBTAG.split(record.lang, maxsplit=1)[0])
    values = {"topic": record.topics, "entity": record.entities}
    values["finding"] = tuple(finding.kind for finding in row.findings)
    for kind, each in values.items():
        yield from (mark(kind, value) for value in each[:_MOST_VALUES])
