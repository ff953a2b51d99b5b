"""The catalogue: every article's newest snapshot by date, and by what lists are narrowed down by.

Language, topics and entities stand in manifests alone, and neither they nor an order by date are
worth a slower commit: so whoever lists for many readers keeps this small database in a file beside
the index. Derived: removing it costs only the time of making it again. It holds which articles
there are, and in which order; what is shown of them is the index's. cataloguing.py fills it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Self

from msgspec import Struct, field

from storage.errors import ArchiveError, CatalogueUnusable, IndexUnusable
from storage.index.beside import derived_errors
from storage.index.reader import Reader, where
from storage.index.rows import Row
from storage.index.sqlite import Connected, Sqlite, connect

#: What the tables below are called together: another number's file is made again.
VERSION = "2"

TABLES = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
    """CREATE TABLE articles (
         n INTEGER PRIMARY KEY, site TEXT NOT NULL, slug TEXT NOT NULL, sequence INTEGER NOT NULL,
         updated_at INTEGER NOT NULL, UNIQUE (site, slug))""",
    # How many articles a site has of each value; it is a facet of them.
    """CREATE TABLE facets (
         id INTEGER PRIMARY KEY, site TEXT NOT NULL, kind TEXT NOT NULL, value TEXT NOT NULL,
         number INTEGER NOT NULL, UNIQUE (site, kind, value))""",
    "CREATE INDEX facets_number ON facets (site, kind, number)",
    "CREATE INDEX facets_value ON facets (kind, value)",
    """CREATE TABLE listed (
         facet INTEGER NOT NULL, updated_at INTEGER NOT NULL, n INTEGER NOT NULL,
         PRIMARY KEY (facet, updated_at, n)) WITHOUT ROWID""",
    "CREATE INDEX listed_article ON listed (n)",
    """CREATE TABLE days (
         site TEXT NOT NULL, what TEXT NOT NULL, day INTEGER NOT NULL, number INTEGER NOT NULL,
         PRIMARY KEY (site, what, day)) WITHOUT ROWID""",
    # What became visible after later changes were listed: the moment under which it is listed.
    """CREATE TABLE late (
         at INTEGER NOT NULL, site TEXT NOT NULL, slug TEXT NOT NULL, sequence INTEGER NOT NULL,
         PRIMARY KEY (site, at, slug, sequence)) WITHOUT ROWID""",
    # How far a table of the index was followed: the row's number, and whose it was.
    "CREATE TABLE followed (rows TEXT PRIMARY KEY, n INTEGER NOT NULL, id BLOB NOT NULL)",
    """CREATE VIRTUAL TABLE titles USING fts5 (
         title, slug, tokenize = "unicode61 remove_diacritics 2")""",
)
_LISTED = """
    SELECT articles.site, articles.slug, listed.updated_at, listed.n
    FROM listed JOIN articles ON articles.n = listed.n
"""
_ALSO = """EXISTS (SELECT 1 FROM listed AS also WHERE also.facet = {}
             AND also.updated_at = listed.updated_at AND also.n = listed.n)"""


class ListItem(Struct, frozen=True, kw_only=True):
    """An article in a list; ``mark`` is where the list goes on after it."""

    site: str
    slug: str
    mark: tuple[int, int]


class Wanted(Struct, frozen=True, kw_only=True):
    """Which articles of a site: of all these values by kind, dated from ``since`` to ``until``.

    Kinds are ``language``, ``topic``, ``entity``, ``finding``, ``original`` and ``state``, which is
    ``gone`` or ``here``; the dates are the articles' own, in microseconds since 1970.
    """

    site: str
    values: Mapping[str, str] = field(default_factory=dict)
    since: int | None = None
    until: int | None = None


class Catalogue(Reader):
    """One open catalogue, in a file of SQLite's wherever the index is. State: the connection."""

    def __init__(self, path: Path, connection: Connected) -> None:
        """Use ``at`` instead; ``path`` is named in errors."""
        super().__init__(path, Sqlite(path, connection))
        self._connection = connection

    @classmethod
    def at(cls, path: Path) -> Self:
        """Return the catalogue at ``path`` for reading, while another fills it."""
        settings = ("PRAGMA query_only = ON", "PRAGMA trusted_schema = OFF")
        with catalogue_errors(path, "opening the catalogue"):
            catalogue = cls(path, connect(f"{path.as_uri()}?mode=rw", settings))
        try:
            catalogue.check()
        except ArchiveError:
            catalogue.close()
            raise
        return catalogue

    def check(self) -> None:
        """Raise CatalogueUnusable unless the tables are those of this code, and no more."""
        made = {row["sql"] for row in self.ask("SELECT sql FROM sqlite_master WHERE sql NOT NULL")}
        others = self.ask("SELECT 1 FROM sqlite_master WHERE type NOT IN ('table', 'index')")
        if others or not made.issuperset(TABLES) or self.note("version") != VERSION:
            raise CatalogueUnusable(self.root, "it was made by another slugline")

    def ask(self, *sql: str, **values: object) -> list[Row]:
        """Return every row of a question; its parts are joined by a space."""
        try:
            return super().ask(*sql, **values)
        except IndexUnusable as error:
            raise CatalogueUnusable(self.root, "it is broken") from error

    def page(
        self, wanted: Wanted, most: int, after: tuple[int, int] | None = None
    ) -> list[ListItem]:
        """Return the articles wanted, newest first by their own date, ``most`` of them."""
        facets = self._facets(wanted.site, {"all": "", **wanted.values})
        if facets is None:
            return []
        rarest, *others = facets
        conditions = ["listed.facet = :rarest", *(_ALSO.format(int(other)) for other in others)]
        if wanted.since is not None:
            conditions.append("listed.updated_at >= :since")
        if wanted.until is not None:
            conditions.append("listed.updated_at <= :until")
        if after is not None:
            conditions.append("(listed.updated_at, listed.n) < (:after_date, :after_n)")
        before, last = after or (None, None)
        rows = self.ask(
            _LISTED, where(conditions),
            "ORDER BY listed.updated_at DESC, listed.n DESC LIMIT :most",
            rarest=rarest, since=wanted.since, until=wanted.until, after_date=before, after_n=last,
            most=most,
        )  # fmt: skip
        return [_listed(row) for row in rows]

    def _facets(self, site: str, values: Mapping[str, str]) -> list[int] | None:
        """Return the facets' numbers, the one of fewest articles first; None: one has none."""
        found = []
        for kind, value in values.items():
            row = self.ask_one(
                """SELECT id, number FROM facets
                   WHERE site = :site AND kind = :kind AND value = :value""",
                site=site, kind=kind, value=value,
            )  # fmt: skip
            if row is None or not row["number"]:
                return None
            found.append((row["number"], row["id"]))
        return [facet for _, facet in sorted(found)]

    def among(self, wanted: Wanted, articles: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
        """Return which of some articles of the site are wanted."""
        facets = self._facets(wanted.site, {"all": "", **wanted.values})
        if facets is None:
            return set()
        marks = {
            row["n"]: (row["site"], row["slug"], row["updated_at"])
            for row in self.matching("articles", ("site", "slug"), set(articles))
        }
        asked = [(facet, date, n) for n, (*_, date) in marks.items() for facet in facets]
        found: dict[int, int] = {}
        for row in self.matching("listed", ("facet", "updated_at", "n"), asked):
            found[row["n"]] = found.get(row["n"], 0) + 1
        return {
            (site, slug)
            for n, (site, slug, date) in marks.items()
            if found.get(n) == len(facets) and _within(date, wanted)
        }

    def titled(self, words: Iterable[str], site: str | None, most: int) -> list[tuple[str, str]]:
        """Return the articles whose title or slug has all these words, the best first."""
        match = " ".join('"' + word.replace('"', '""') + '"*' for word in words)
        of_site = "AND articles.site = :site" if site else ""
        rows = self.ask(
            """SELECT articles.site, articles.slug FROM titles
               JOIN articles ON articles.n = titles.rowid
               WHERE titles MATCH :match""", of_site, "ORDER BY titles.rank LIMIT :most",
            match=match, site=site, most=most,
        )  # fmt: skip
        return [(row["site"], row["slug"]) for row in rows]

    def count(self, site: str, kind: str = "all", value: str = "") -> int:
        """Return how many articles of a site have a value."""
        row = self.ask_one(
            "SELECT number FROM facets WHERE site = :site AND kind = :kind AND value = :value",
            site=site, kind=kind, value=value,
        )  # fmt: skip
        return row["number"] if row else 0

    def commonest(self, site: str, kind: str, most: int) -> list[tuple[str, int]]:
        """Return a site's commonest values of a kind, each with its number of articles."""
        rows = self.ask(
            """SELECT value, number FROM facets
               WHERE site = :site AND kind = :kind AND number > 0
               ORDER BY number DESC, value LIMIT :most""",
            site=site, kind=kind, most=most,
        )  # fmt: skip
        return [(row["value"], row["number"]) for row in rows]

    def of_original(self, url: str, most: int) -> list[tuple[str, str]]:
        """Return the articles of all sites whose canonical source is ``url``, newest first."""
        rows = self.ask(
            """SELECT articles.site, articles.slug FROM facets
               JOIN listed ON listed.facet = facets.id JOIN articles ON articles.n = listed.n
               WHERE facets.kind = 'original' AND facets.value = :url
               ORDER BY listed.updated_at DESC, articles.site, articles.slug LIMIT :most""",
            url=url, most=most,
        )  # fmt: skip
        return [(row["site"], row["slug"]) for row in rows]

    def days(self, site: str, since: int) -> dict[str, dict[int, int]]:
        """Return numbers by what they count and by day since 1970."""
        rows = self.ask(
            "SELECT what, day, number FROM days WHERE site = :site AND day >= :since",
            site=site, since=since,
        )  # fmt: skip
        found: dict[str, dict[int, int]] = {}
        for row in rows:
            found.setdefault(row["what"], {})[row["day"]] = row["number"]
        return found

    def last_day(self, site: str) -> int | None:
        """Return the last day of which there is a number, as days since 1970."""
        rows = self.ask("SELECT max(day) AS day FROM days WHERE site = :site", site=site)
        return rows[0]["day"] if rows else None

    def late(self, site: str, most: int) -> dict[tuple[str, int], int]:
        """Return when the newest late changes of a site became visible, by slug and sequence.

        That is the moment, in microseconds, of the newest change that was listed before them.
        """
        rows = self.ask(
            "SELECT slug, sequence, at FROM late WHERE site = :site ORDER BY at DESC LIMIT :most",
            site=site, most=most,
        )  # fmt: skip
        return {(row["slug"], row["sequence"]): row["at"] for row in rows}

    def followed(self, table: str) -> tuple[int, object]:
        """Return the last row of a table of the index that was followed: its number and its id."""
        row = self.ask_one("SELECT n, id FROM followed WHERE rows = :rows", rows=table)
        return (row["n"], row["id"]) if row else (0, "")


def catalogue_errors(path: Path, doing: str) -> AbstractContextManager[None]:
    """Turn SQLite's errors into ours: whose fault it is, and what was being done."""
    return derived_errors(path, doing, CatalogueUnusable)


def _listed(row: Row) -> ListItem:
    return ListItem(site=row["site"], slug=row["slug"], mark=(row["updated_at"], row["n"]))


def _within(date: int, wanted: Wanted) -> bool:
    after = wanted.since is None or date >= wanted.since
    return after and (wanted.until is None or date <= wanted.until)
