"""How the catalogue is filled: the index followed from its first row on, some articles at a time.

Rows of the index are numbered as they are added, so what is new since the last look is what has a
higher number. Each step is a transaction of its own, so several processes may fill one file, and
others read it meanwhile.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

from msgspec import Struct

from storage.errors import ArchiveError, CatalogueUnusable, DamageFound
from storage.index.beside import remove
from storage.index.reader import Reader
from storage.index.replacing import REWRITES
from storage.index.rows import Row, SnapshotRow, to_micros
from storage.index.sqlite import connect
from storage.index.versions import newest_shown
from storage.web.catalogue import TABLES, VERSION, Catalogue, catalogue_errors

if TYPE_CHECKING:
    from storage.archive import Archive

_SETTINGS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA trusted_schema = OFF",
)
#: Under which note stands of which index file a catalogue is.
_OF = "of"
#: Under which notes stand the moment of the newest change, and that the first filling is over.
_NEWEST, _FILLED = "newest", "filled"
#: Rows of the index that are followed in one step: some hundredths of a second of work.
STEP = 64
#: An article's topics (or entities) that are catalogued: no list is narrowed down by the others.
MOST_VALUES = 64
#: Characters of a value: a longer topic is no topic.
_MOST_CHARACTERS = 200
_DAY = 86_400_000_000
#: Microseconds by which a change is late: several workers' batches come a little out of order, and
#: whoever reads changes looks back for a day (ResourceSync's clients of ours).
_LATE = 3_600_000_000
#: What of a snapshot's reasons counts as an edit, announced or not.
_EDITS = frozenset({"edit", "silent-edit", "same-day", "undated", "reverted"})


class Catalogued(Struct, frozen=True, kw_only=True):
    """An article as it is catalogued, with its ``values``: kind and value."""

    site: str
    slug: str
    sequence: int
    updated_at: int
    title: str
    values: tuple[tuple[str, str], ...]


class CatalogueFiller(Catalogue):
    """A catalogue, open for writing. State: the connection."""

    @classmethod
    def open(cls, path: Path) -> Self:
        """Return the catalogue at ``path``, made where it is not there, is broken or is old.

        Raises ReadOnly, DiskFull, StoreFailed.
        """
        try:
            return cls._open(path)
        except CatalogueUnusable:
            remove(path)
            return cls._open(path)

    @classmethod
    def _open(cls, path: Path) -> Self:
        with catalogue_errors(path, "opening the catalogue"):
            filling = cls(path, connect(f"{path.as_uri()}?mode=rwc", _SETTINGS))
        try:
            filling._make()
            filling.check()
        except ArchiveError:
            filling.close()
            raise
        return filling

    def _make(self) -> None:
        if self.ask("SELECT 1 FROM sqlite_master"):
            return
        with self._transaction("making the catalogue") as connection:
            if connection.execute("SELECT 1 FROM sqlite_master").fetchone():
                return  # another process was quicker
            for statement in TABLES:
                connection.execute(statement)
            self._keep("version", VERSION)

    def fits(self, index: Reader, of: str = "") -> bool:
        """Tell whether what was followed stands in the index still: else make a new catalogue.

        ``of`` says which file the index is. Where rows were taken out of it (prune, forget), or it
        was made again, their numbers may be others'.
        """
        for table in ("snapshots", "events"):
            n, record_id = self.followed(table)
            row = index.ask_one("SELECT id FROM", table, "WHERE n = :n", n=n) if n else None
            if n and (row is None or row["id"] != record_id):
                return False
        known = self.note(_OF), self.note(REWRITES)
        return known in {(None, None), (of, index.note(REWRITES) or "")}

    def step(self, archive: Archive, of: str = "", *, private: bool) -> bool:
        """Follow the index by ``STEP`` rows; returns whether there may be more.

        ``private``: snapshots fetched with a private header count too. Raises ArchiveError.
        """
        if not self._behind(archive.index):
            return False
        with self._transaction("filling the catalogue"):
            if self.note(_OF) is None:
                # What it was begun with: where that changes amid filling, it does not fit any more.
                self._keep(_OF, of)
                self._keep(REWRITES, archive.index.note(REWRITES) or "")
            snapshots = _added(archive.index, "snapshots", self.followed("snapshots")[0])
            events = _added(archive.index, "events", self.followed("events")[0])
            for row in snapshots:
                if private or not row["private"]:
                    self._count(row)
            more = STEP in {len(snapshots), len(events)}
            self._note_late([*snapshots, *events], more=more)
            happened = {(row["site"], row["slug"]) for row in events}
            kept = {(row["site"], row["slug"]) for row in snapshots}
            for name in sorted(happened | kept):
                self._catalogue(archive, *name, private=private, again=name in happened)
            self._note("snapshots", snapshots)
            self._note("events", events)
        return more

    def look_through(self) -> None:
        """Raise CatalogueUnusable where any of it is broken, or more than our tables."""
        self.check()
        with self._transaction("looking the catalogue through") as connection:
            ((found,),) = connection.execute("PRAGMA quick_check(1)").fetchall()
            if found != "ok":
                raise CatalogueUnusable(self.root, "it is broken")
            connection.execute("INSERT INTO titles (titles) VALUES ('integrity-check')")

    def _behind(self, index: Reader) -> bool:
        return any(
            index.ask_one("SELECT 1 FROM", table, "WHERE n > :n", n=self.followed(table)[0])
            for table in ("snapshots", "events")
        )

    def _note_late(self, rows: list[Row], *, more: bool) -> None:
        """Note what became visible after later changes: a batch that waited for its bucket, say.

        What is followed in the first filling was all there, in whatever order.
        """
        newest = int(self.note(_NEWEST) or 0)
        if self.note(_FILLED) is not None:
            late = (row for row in rows if row["observed_at"] < newest - _LATE)
            self._connection.executemany(
                "INSERT OR REPLACE INTO late VALUES (?, ?, ?, ?)",
                [(newest, row["site"], row["slug"], row["sequence"]) for row in late],
            )
        elif not more:
            self._keep(_FILLED, "")
        moments = [row["observed_at"] for row in rows]
        self._keep(_NEWEST, str(max([newest, *moments])))

    @contextmanager
    def _transaction(self, doing: str) -> Iterator[sqlite3.Connection]:
        with catalogue_errors(self.root, doing), self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            yield self._connection

    def _keep(self, key: str, value: str) -> None:
        self._connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def count_failures(self, index: Reader) -> None:
        """Count each site's entries that fail, by the day when they were last tried."""
        rows = index.ask(
            """SELECT site, checked_at / :day AS day, count(*) AS number FROM entries
               WHERE verdict = 'failed' GROUP BY site, day""",
            day=_DAY,
        )
        with self._transaction("filling the catalogue") as connection:
            connection.execute("DELETE FROM days WHERE what = 'failures'")
            for row in rows:
                self._add_day(row["site"], "failures", row["day"], row["number"])

    def _count(self, row: Row) -> None:
        site, seen = row["site"], row["observed_at"] // _DAY
        if row["reason"] == "first":
            self._add_day(site, "articles", row["updated_at"] // _DAY, 1)
        elif row["reason"] in _EDITS:
            self._add_day(site, "edits", seen, 1)
        if row["reason"] == "silent-edit":
            self._add_day(site, "silent", seen, 1)
        if row["state"] == "partial":
            self._add_day(site, "partial", seen, 1)
        self._add_day(site, "bytes", seen, row["length"])

    def _add_day(self, site: str, what: str, day: int, number: int) -> None:
        self._connection.execute(
            """INSERT INTO days VALUES (?, ?, ?, ?)
               ON CONFLICT DO UPDATE SET number = number + excluded.number""",
            (site, what, day, number),
        )

    def _catalogue(
        self, archive: Archive, site: str, slug: str, *, private: bool, again: bool
    ) -> None:
        """Bring an article up to date; ``again``: even where its snapshot is catalogued already."""
        standing = self.ask_one(
            "SELECT n, sequence FROM articles WHERE site = :site AND slug = :slug",
            site=site, slug=slug,
        )  # fmt: skip
        row = newest_shown(archive.index, site, slug, private=private)
        if standing and row and standing["sequence"] == row.sequence and not again:
            return
        if standing:
            for statement in _REMOVE:
                self._connection.execute(statement, (standing["n"],))
        if row:
            self._put(Catalogued(
                site=site, slug=slug, sequence=row.sequence, updated_at=to_micros(row.updated_at),
                title=row.title or "", values=tuple(_values(archive, row)),
            ))  # fmt: skip

    def _put(self, entry: Catalogued) -> None:
        run = self._connection.execute
        n = run(
            "INSERT INTO articles (site, slug, sequence, updated_at) VALUES (?, ?, ?, ?)",
            (entry.site, entry.slug, entry.sequence, entry.updated_at),
        ).lastrowid
        run(
            "INSERT INTO titles (rowid, title, slug) VALUES (?, ?, ?)",
            (n, entry.title, entry.slug.replace("-", " ")),
        )
        for kind, value in dict.fromkeys((("all", ""), *entry.values)):
            ((facet,),) = run(
                """INSERT INTO facets (site, kind, value, number) VALUES (?, ?, ?, 1)
                   ON CONFLICT DO UPDATE SET number = number + 1 RETURNING id""",
                (entry.site, kind, value),
            ).fetchall()
            run("INSERT INTO listed VALUES (?, ?, ?)", (facet, entry.updated_at, n))

    def _note(self, table: str, rows: list[Row]) -> None:
        if rows:
            self._connection.execute(
                "INSERT OR REPLACE INTO followed VALUES (?, ?, ?)",
                (table, rows[-1]["n"], rows[-1]["id"]),
            )


_REMOVE = (
    "UPDATE facets SET number = number - 1 WHERE id IN (SELECT facet FROM listed WHERE n = ?)",
    "DELETE FROM listed WHERE n = ?",
    "DELETE FROM titles WHERE rowid = ?",
    "DELETE FROM articles WHERE n = ?",
)


def _added(index: Reader, table: str, after: int) -> list[Row]:
    question = ("SELECT * FROM", table, "WHERE n > :after ORDER BY n LIMIT :most")
    return index.ask(*question, after=after, most=STEP)


def _values(archive: Archive, row: SnapshotRow) -> Iterator[tuple[str, str]]:
    yield "state", "gone" if row.gone_at else "here"
    yield from (("finding", finding.kind) for finding in row.findings)
    try:
        record = archive.manifest(row, text=False).record
    except DamageFound:
        # What is damaged is said on the article's own page; the list goes on.
        return
    if record is None:
        return
    if record.lang:
        yield "language", record.lang[:_MOST_CHARACTERS]
    if record.canonical_source:
        yield "original", record.canonical_source
    yield from (("topic", topic[:_MOST_CHARACTERS]) for topic in record.topics[:MOST_VALUES])
    yield from (("entity", name[:_MOST_CHARACTERS]) for name in record.entities[:MOST_VALUES])
