"""How the catalogue is filled: the index followed from its first row on, some articles at a time.

Rows of the index are numbered as they are added, so what is new since the last look is what has a
higher number. One thread fills a catalogue; others read it meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

from msgspec import Struct

from storage.errors import DamageFound
from storage.index.catalogue import TABLES, Catalogue
from storage.index.reader import Reader
from storage.index.rows import Row, SnapshotRow, from_micros, snapshot_row, to_micros
from storage.index.sqlite import connect, sqlite_errors

if TYPE_CHECKING:
    from storage.archive import Archive

#: Derived and soon gone: nothing of it has to survive the process.
_SETTINGS = ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = OFF", "PRAGMA temp_store = MEMORY")
#: Rows of the index that are followed in one step: some hundredths of a second of work.
STEP = 64
#: An article's topics (or entities) that are catalogued: no list is narrowed down by the others.
MOST_VALUES = 64
#: Characters of a value: a longer topic is no topic.
_MOST_CHARACTERS = 200
_DAY = 86_400_000_000
#: What of a snapshot's reasons counts as an edit, announced or not.
_EDITS = frozenset({"edit", "silent-edit", "same-day", "undated", "reverted"})


class Entry(Struct, frozen=True, kw_only=True):
    """An article as it is catalogued, with its ``values``: kind and value."""

    site: str
    slug: str
    sequence: int
    updated_at: int
    title: str
    values: tuple[tuple[str, str], ...]


class Filling(Catalogue):
    """A catalogue, open for writing. State: the connection."""

    @classmethod
    def create(cls, path: Path) -> Self:
        """Make an empty catalogue at ``path``, where no file is."""
        with sqlite_errors(path, "making the catalogue"):
            connection = connect(f"{path.as_uri()}?mode=rwc", _SETTINGS)
            with connection:
                for statement in TABLES:
                    connection.execute(statement)
        return cls(path, connection)

    def fits(self, index: Reader) -> bool:
        """Tell whether the rows followed last are the index's still.

        Where they were taken out (prune, forget), their numbers may be given again.
        """
        for table in ("snapshots", "events"):
            n, record_id = self.followed(table)
            row = index.ask_one("SELECT id FROM", table, "WHERE n = :n", n=n) if n else None
            if n and (row is None or row["id"] != record_id):
                return False
        return True

    def step(self, archive: Archive, *, private: bool) -> bool:
        """Follow the index by ``STEP`` rows; returns whether there may be more.

        ``private``: snapshots fetched with a private header count too. Raises ArchiveError.
        """
        with sqlite_errors(self.root, "filling the catalogue"), self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            snapshots = _added(archive.index, "snapshots", self.followed("snapshots")[0])
            events = _added(archive.index, "events", self.followed("events")[0])
            for row in snapshots:
                if private or not row["private"]:
                    self._count(row)
            happened = {(row["site"], row["slug"]) for row in events}
            kept = {(row["site"], row["slug"]) for row in snapshots}
            for name in sorted(happened | kept):
                self._catalogue(archive, *name, private=private, again=name in happened)
            self._note("snapshots", snapshots)
            self._note("events", events)
        return STEP in {len(snapshots), len(events)}

    def count_failures(self, index: Reader) -> None:
        """Count each site's entries that fail, by the day when they were last tried."""
        rows = index.ask(
            """SELECT site, checked_at / :day AS day, count(*) AS number FROM entries
               WHERE verdict = 'failed' GROUP BY site, day""",
            day=_DAY,
        )
        with sqlite_errors(self.root, "filling the catalogue"), self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.execute("DELETE FROM days WHERE what = 'failures'")
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
            self._put(Entry(
                site=site, slug=slug, sequence=row.sequence, updated_at=to_micros(row.updated_at),
                title=row.title or "", values=tuple(_values(archive, row)),
            ))  # fmt: skip

    def _put(self, entry: Entry) -> None:
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


def newest_shown(index: Reader, site: str, slug: str, *, private: bool) -> SnapshotRow | None:
    """Return an article's newest snapshot that may be shown, with ``gone_at``, or None."""
    row = index.ask_one(
        "SELECT * FROM snapshots WHERE site = :site AND slug = :slug",
        "" if private else "AND NOT private", "ORDER BY sequence DESC", site=site, slug=slug,
    )  # fmt: skip
    return None if row is None else snapshot_row(row, gone_at(index, site, slug, row["sequence"]))


def gone_at(index: Reader, site: str, slug: str, sequence: int) -> datetime | None:
    """Return since when an article is gone that had a snapshot of that number, or None."""
    event = index.ask_one(
        """SELECT event, observed_at FROM events
           WHERE site = :site AND slug = :slug AND sequence > :sequence
             AND event IN ('gone', 'returned') ORDER BY sequence DESC""",
        site=site, slug=slug, sequence=sequence,
    )  # fmt: skip
    gone = event is not None and event["event"] == "gone"
    return from_micros(event["observed_at"]) if event and gone else None


def _values(archive: Archive, row: SnapshotRow) -> Iterator[tuple[str, str]]:
    yield "state", "gone" if row.gone_at else "here"
    yield from (("finding", finding.kind) for finding in row.findings)
    try:
        record = archive.manifest(row).record
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
