"""The index, open for writing: tables made, batches added in whole transactions.

An Index is used by one thread at a time. Statements are plain SQL, as the questions are
(reader.py).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import cache, partial
from pathlib import Path
from typing import Self

from msgspec import Struct, field

from storage.errors import ArchiveError, StoreFailed
from storage.index import opening
from storage.index.columns import BOOLEANS, COLUMNS
from storage.index.database import Connection, Insert
from storage.index.deriving import Rows
from storage.index.packing import Packed
from storage.index.reader import Reader
from storage.index.rows import SCHEMA_VERSION, Row, Values
from storage.index.sqlite import Sqlite
from storage.layout import Places

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


class Index(Reader):
    """One open index, for writing too. State: the database."""

    #: Groups that are best added at once: enough that the sync does not count, some MB of rows.
    page = 500

    @classmethod
    def to_write(cls, root: Path, places: Places | None = None) -> Self:
        """Return the index of the mirror at ``root``, made where it is not there.

        ``places``: where it is, where mirror.json does not say that yet.
        Raises IndexUnusable where it is another schema's or broken, else ReadOnly, DiskFull or
        StoreFailed.
        """
        index = cls(root, opening.to_write(places or opening.places_of(root)))
        try:
            index._prepare()
        except ArchiveError:
            index.close()
            raise
        return index

    @classmethod
    def to_fill(cls, places: Places) -> Self:
        """Return a new index that nobody reads before ``put_in_place``, or ``abandon``.

        A crash leaves nothing of use.
        """
        index = cls(places.root, opening.to_fill(places))
        try:
            index._prepare()
        except BaseException:
            with suppress(ArchiveError):  # what is left of it, the next one drops
                index.abandon()
            raise
        return index

    @classmethod
    def empty(cls, root: Path) -> Self:
        """Return an index of nothing, in memory: what a mirror without a segment has."""
        index = cls(root, Sqlite.empty(root))
        index._prepare()
        return index

    def put_in_place(self) -> None:
        """Close an index that was filled, and have it be the mirror's."""
        self.database.put_in_place()

    def abandon(self) -> None:
        """Close an index that was filled, and leave nothing of it."""
        self.database.abandon()

    def holding(
        self, sites: Collection[str], *, at_once: bool = False
    ) -> AbstractContextManager[None]:
        """Until this ends, nobody else numbers snapshots of these sites.

        ``at_once``: SiteHeld is raised where another one does.
        """
        return self.database.holding(sites, at_once=at_once)

    @contextmanager
    def begin(self, doing: str) -> Iterator[Connection]:
        """One transaction: all that is done inside is done, or none of it. Raises as its error."""
        with self.database.errors(doing), self.database.begin() as connection:
            yield connection

    def _prepare(self) -> None:
        with self.database.errors("making the index"):
            if self.database.make():
                with self.database.begin() as connection:
                    _replace(connection, "meta", [{"key": "schema", "value": str(SCHEMA_VERSION)}])
        self.check_version()

    def apply(self, batch: Batch) -> None:
        """Add a batch in one transaction: visible as a whole or not at all."""
        self.database.write("writing the index", partial(_add_batch, batch), self._has(batch))

    def apply_behind(self, batch: Batch) -> None:
        """Add a batch whose numbers are still nobody's; it may have waited for long.

        Others may have had its sites while the connection was lost that held them. Raises
        StoreFailed where one has given a number of the batch: nothing of it is added.
        """

        def work(connection: Connection) -> None:
            self._check_numbers(batch.rows)
            _add_batch(batch, connection)

        self.database.write("writing the index", work, self._has(batch))

    def _check_numbers(self, rows: Sequence[Rows]) -> None:
        first: dict[tuple[str, str], int] = {}
        for one in rows:
            site, slug, _, sequence, *_ = one.article
            first.setdefault((site, slug), sequence)
        for site, slug, last in self.last_numbers(first.keys()):
            if last >= first[site, slug]:
                raise StoreFailed(
                    f"another writer has gone on with {site} meanwhile: what waits here is "
                    "brought to order when this one is started again"
                )

    def _has(self, batch: Batch) -> Callable[[], bool]:
        """Return what tells whether the rows of a batch are in: all are, or none is."""

        def has() -> bool:
            one = next(iter(batch.rows), None)
            values = None if one is None else one.snapshot or one.event
            if values is None:
                return False  # notes alone: the same again changes nothing
            table = "snapshots" if one and one.snapshot else "events"
            row = dict(zip(COLUMNS[table], values, strict=True))
            found = self.database.run(_SAME.format(table), {k: row[k] for k in _SAME_KEYS})
            return found.fetchone() is not None

        return has

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
                connection.numbers(ADD_ARTICLE, connection.execute(question, named).fetchall())
            for statement in _FORGET_ARTICLES:
                connection.execute(statement, named)

    def replace(self, table: str, rows: Sequence[Row]) -> None:
        """Insert rows into ``table``, each in place of the one with its primary key."""
        work = partial(_replace, table=table, rows=rows)
        self.database.write(f"writing the index's {table}", work, lambda: False)

    def take_over(self, table: str, other: Reader) -> None:
        """Put the rows of another index's ``table`` in the place of those with their keys."""
        for rows in other.pages(f"SELECT * FROM {table}"):  # noqa: S608  - our own tables
            self.replace(table, [_of_any(row) for row in rows])

    def add(self, table: str, row: Row) -> bool:
        """Insert a row into ``table``; tells whether none had its primary key."""
        names = ", ".join(f'"{name}"' for name in row)
        values = ", ".join(f":{name}" for name in row)
        insert = f"INSERT INTO {table} ({names}) VALUES ({values})"  # noqa: S608  - our own tables
        with self.begin(f"writing the index's {table}") as connection:
            return bool(connection.numbers(f"{insert} {IF_NEW} RETURNING 1", [row])[0])

    def scrub(self) -> None:
        """Leave nothing of what was taken out, not in free pages either.

        Raises StoreFailed where somebody reads it, so that its log has to stay.
        """
        with self.database.errors("writing the index anew"):
            self.database.scrub()

    def set_note(self, key: str, value: str) -> None:
        """Keep a small fact under ``key`` in the table ``meta``."""
        self.replace("meta", [{"key": key, "value": value}])


_SAME = "SELECT 1 FROM {} WHERE site = :site AND slug = :slug AND sequence = :sequence AND id = :id"
_SAME_KEYS = ("site", "slug", "sequence", "id")

#: Numbers of rows taken out are given again: files/ must not take those for written.
FILES_OWED = """
    UPDATE meta SET value = CAST((SELECT coalesce(max(n), 0) FROM representations) AS TEXT)
    WHERE CASE WHEN key = 'files' OR key LIKE 'files %'
          THEN CAST(value AS BIGINT) > (SELECT coalesce(max(n), 0) FROM representations) END
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


def _add_batch(batch: Batch, connection: Connection) -> None:
    _add_rows(connection, batch.rows)
    keep_newest(connection, "validators", batch.validators)
    _replace(connection, "entries", batch.entries)
    _remember(connection, batch.memory)
    segments = [
        {"name": name, "site": site, "committed": committed}
        for name, (site, committed) in sorted(batch.segments.items())
    ]
    _replace(connection, "segments", segments)


def _remember(connection: Connection, rows: Sequence[Row]) -> None:
    """Keep what runs remember, the last word on each key; an empty one takes the row away."""
    last = {(row["site"], row["key"]): row for row in rows}
    _replace(connection, "memory", [row for row in last.values() if row["value"]])
    for named in (named for named, row in last.items() if not row["value"]):
        connection.execute("DELETE FROM memory WHERE site = ? AND key = ?", named)


def _add_rows(connection: Connection, rows: Sequence[Rows]) -> None:
    add_sites(connection, rows)
    numbers = [n for (n,) in connection.numbers(ADD_ARTICLE, [one.article for one in rows])]
    add(connection, "files", {row: None for one in rows for row in one.files}, IF_NEW)
    add_groups(connection, rows, numbers)
    numbered = zip(numbers, rows, strict=True)
    add(connection, "urls", [(n, *row) for n, one in numbered for row in one.urls], IF_NAMED)
    keep_newest(connection, "names", [row for one in rows for row in one.names])
    keep_newest(connection, "validators", [row for one in rows for row in one.validators])


def add_sites(connection: Connection, rows: Sequence[Rows]) -> None:
    """Insert the sites that groups tell of."""
    sites = dict.fromkeys(one.site for one in rows)
    # A host first captured for a foreign canonical may be mirrored for itself later, never back.
    for implicit in (True, False):
        some = [row for row in sites if row[2] is implicit]
        add(connection, "sites", some, _in_place("sites", "WHERE sites.implicit"))


def add_groups(connection: Connection, rows: Sequence[Rows], numbers: Sequence[int]) -> None:
    """Insert what is of one group alone; ``numbers`` are their articles'."""
    add(connection, "snapshots", [one.snapshot for one in rows if one.snapshot])
    add(connection, "events", [one.event for one in rows if one.event])
    numbered = zip(numbers, rows, strict=True)
    shown = [(n, *row) for n, one in numbered for row in one.representations]
    add(connection, "representations", shown)


def keep_newest(connection: Connection, table: str, rows: Sequence[Values]) -> None:
    """Insert rows, each in place of an older one that is there."""
    # By the moment seen and not by arrival: segments may be indexed again in any order.
    add(connection, table, rows, _in_place(table, f"WHERE excluded.seen_at >= {table}.seen_at"))


IF_NEW = "ON CONFLICT DO NOTHING"
#: What was first seen without being stored is given its file's name later.
IF_NAMED = (
    "ON CONFLICT (mark, format, article) DO UPDATE SET file = excluded.file WHERE urls.file = ''"
)


def _replace(connection: Connection, table: str, rows: Sequence[Row]) -> None:
    """Insert rows, each in place of the one with its primary key."""
    if rows:
        columns = tuple(rows[0])
        into = Insert(table, columns, _in_place(table, "", columns))
        connection.insert(into, [tuple([row[name] for name in columns]) for row in rows])


def add(connection: Connection, table: str, rows: Collection[Values], otherwise: str = "") -> None:
    """Insert rows in the order of COLUMNS; ``otherwise``: what if one is there."""
    if rows:
        connection.insert(Insert(table, COLUMNS[table], otherwise), tuple(rows))


def _of_any(row: Row) -> Row:
    """Return a row of whichever engine: SQLite has numbers for truths and any type anywhere."""
    return {
        name: bool(value)
        if name in BOOLEANS
        else Packed(value)
        if name == "digest" and isinstance(value, str)
        else value
        for name, value in row.items()
    }


@cache
def _in_place(table: str, condition: str, columns: tuple[str, ...] = ()) -> str:
    others = [name for name in columns or COLUMNS[table] if name not in KEYS[table]]
    new = ", ".join(f'"{name}" = excluded."{name}"' for name in others)
    return f"ON CONFLICT ({', '.join(KEYS[table])}) DO UPDATE SET {new} {condition}"
