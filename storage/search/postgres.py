"""The full-text index in PostgreSQL: a schema beside the index's, which a reindex leaves alone.

Several machines may fill and ask it at once. Words are cut and folded by tokens.py, kept
as a ``tsvector`` with a GIN index, and ranked by ``ts_rank_cd``; what is shown around them is cut
from the text as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Self

from storage.errors import ArchiveError
from storage.index.database import Connection
from storage.index.database_url import DatabaseUrl
from storage.index.postgres import Postgres
from storage.index.reader import where
from storage.index.rows import Row
from storage.layout import Places
from storage.search import fulltext
from storage.search.filling import PUT_DOC, Doc, Filler, note, values_of_doc
from storage.search.fulltext import (
    SNIPPET_WORDS,
    Hit,
    Question,
    bounds_of,
    hit_of,
    marks_of,
)
from storage.search.tokens import marked, tokens, tsquery

#: What the tables below are called together: another number's schema is made again.
_VERSION = "2"
_TABLES = (
    "CREATE TABLE meta (key text PRIMARY KEY, value text NOT NULL)",
    """CREATE TABLE docs (
         n bigserial PRIMARY KEY, site text COLLATE "C" NOT NULL, slug text COLLATE "C" NOT NULL,
         sequence bigint NOT NULL, id text NOT NULL, updated_at bigint NOT NULL,
         observed_at bigint NOT NULL, gone integer NOT NULL)""",
    "CREATE UNIQUE INDEX docs_name ON docs (site, slug)",
    # ``marks`` stand for the values that articles are narrowed down by: see words.mark.
    """CREATE TABLE texts (
         n bigint PRIMARY KEY REFERENCES docs ON DELETE CASCADE, summary text NOT NULL,
         body text NOT NULL, marks text[] NOT NULL, words tsvector NOT NULL)""",
    "CREATE INDEX texts_words ON texts USING gin (words)",
    "CREATE INDEX texts_marks ON texts USING gin (marks)",
)
#: Bytes of words by weight: a title (A), a summary and names (B), a body (C), links (D). All of it
#: has to go into a tsvector of 1 MiB, each word with its places.
_MOST = {"title": 20_000, "summary": 20_000, "names": 20_000, "body": 250_000, "links": 50_000}
_WORDS = " || ".join(
    f"setweight(to_tsvector('simple', :{name}), '{weight}')"
    for name, weight in zip(_MOST, "ABBCD", strict=True)
)
#: Of links, bodies, summaries with names, and titles, as FTS5's are weighed beside each other; the
#: 1 at the end: a match says less in a long text, by the logarithm of its length.
_RANK = "-ts_rank_cd('{0.02, 0.1, 0.35, 1.0}', words, CAST(:query AS tsquery), 1)"


class PostgresTexts(Filler):
    """One open full-text index in PostgreSQL, for asking and filling. State: the database."""

    def __init__(self, database: Postgres) -> None:
        """Use ``open`` instead."""
        self._database = database

    @classmethod
    def open(cls, places: Places) -> Self:
        """Return the text index beside an index in PostgreSQL, made where it is not there.

        Raises ReadOnly, StoreFailed.
        """
        url = DatabaseUrl.parse(places.index or "")
        index = cls(Postgres(places.root, url, schema=f"{url.schema}_texts", reading=False))
        try:
            if index._version() != _VERSION:
                index._make()
        except ArchiveError:
            index.close()
            raise
        return index

    def _version(self) -> str | None:
        with self._database.errors("opening the full-text index"):
            found = self._database.run("SELECT to_regclass('meta') IS NOT NULL", ()).fetchone()
        return self.note("version") if found and found[0] else None

    def _make(self) -> None:
        with self._transaction("making the full-text index") as connection:
            if self._version() == _VERSION:
                return  # another process was quicker
            self._database.make_schema()
            for statement in _TABLES:
                connection.execute(statement)
            note(connection, "version", _VERSION)

    def note(self, key: str) -> str:
        """Return what is kept under ``key``, "" where nothing is."""
        with self._database.errors("reading the full-text index"):
            asked = "SELECT value FROM meta WHERE key = :key"
            row = self._database.run(asked, {"key": key}).fetchone()
        return str(row[0]) if row else ""

    def close(self) -> None:
        """Close the connection."""
        self._database.close()

    def _best(self, asked: Question) -> tuple[Sequence[int], int]:
        ranks, number = self._ranked(asked)
        if number > fulltext.MOST_RANKED:
            # So many have the words somewhere that the best may be among the older ones.
            titled, _ = self._ranked(asked, titles=True)
            ranks |= titled
        return sorted(ranks, key=lambda n: (ranks[n], -n))[: asked.most], number

    def _ranked(self, asked: Question, *, titles: bool = False) -> tuple[dict[int, float], int]:
        """Return the ranks of the best of the latest matches, and how many were ranked.

        ``titles``: of those whose titles match.
        """
        query = tsquery(asked.words, titles=titles)
        if not query:
            return {}, 0
        bounds, bound = bounds_of(asked)
        wanted = ["words @@ CAST(:query AS tsquery)", "marks @> :marks", *bounds]
        question = (
            f"WITH latest AS (SELECT n, {_RANK} AS rank FROM texts JOIN docs USING (n)"  # noqa: S608  - our own
            f" {where(wanted)} ORDER BY n DESC LIMIT :ranked)"
            " SELECT n, rank, count(*) OVER () FROM latest ORDER BY rank, n DESC LIMIT :most"
        )
        values = {"query": query, "marks": list(marks_of(asked)), "most": asked.most}
        values["ranked"] = fulltext.MOST_RANKED + 1
        with self._database.errors("searching"):
            rows = self._database.run(question, values | bound).fetchall()
        return {n: rank for n, rank, _ in rows}, rows[0][2] if rows else 0

    def _hits(self, asked: Question, best: Sequence[int]) -> list[Hit]:
        columns = ("n", "site", "slug", "sequence", "updated_at", "body", "summary")
        question = (
            f"SELECT {', '.join(columns)} FROM docs JOIN texts USING (n) WHERE n = ANY(:chosen)"  # noqa: S608  - the same
        )
        with self._database.errors("searching"):
            found = self._database.run(question, {"chosen": list(best)}).fetchall()
        rows = {values[0]: dict(zip(columns, values, strict=True)) for values in found}
        # another process may just have put newer words in the place of some
        return [_hit(asked, rows[n]) for n in best if n in rows]

    # filling

    @contextmanager
    def _transaction(self, doing: str) -> Iterator[Connection]:
        with self._database.errors(doing), self._database.begin() as connection:
            yield connection

    def _take_out(self, connection: Connection, n: int) -> None:
        connection.execute("DELETE FROM docs WHERE n = ?", (n,))

    def _put(self, connection: Connection, doc: Doc) -> None:
        (n,) = connection.execute(PUT_DOC, values_of_doc(doc)).fetchone()
        words = {name: tokens(getattr(doc, name), most) for name, most in _MOST.items()}
        shown = {"n": n, "said": doc.summary, "text": doc.body, "marks": list(doc.marks)}
        connection.execute(
            f"""INSERT INTO texts (n, summary, body, marks, words)
                VALUES (:n, :said, :text, :marks, {_WORDS})""",  # noqa: S608  - our own
            words | shown,
        )

    def forget(self, site: str, slug: str) -> None:
        """Take an article out so that no byte of its words is left in the tables.

        Raises StoreFailed where somebody reads them.
        """
        with self._transaction("forgetting an article's words") as connection:
            connection.execute("DELETE FROM docs WHERE site = ? AND slug = ?", (site, slug))
        with self._database.errors("writing the full-text index anew"):
            self._database.scrub()


def _hit(asked: Question, row: Row) -> Hit:
    body, summary = (marked(row[name], asked.words, SNIPPET_WORDS) for name in ("body", "summary"))
    return hit_of(row, body, summary)
