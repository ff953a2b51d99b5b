"""The full-text index: every article's newest words, in a file of their own beside the index.

Where the index is in PostgreSQL the words are too (fulltext_postgres.py); ``Texts`` is what both
have. Derived, and never in the commit's way: fulltext_filling.py brings it up to the index after a
run or at the first search. A file of its own, so that whoever searches may make it while a run
writes the index, a backup may leave it out, and removing it costs only the time of making it again.
What it
holds is what may be shown to all: no snapshot that was fetched with a private header, no article
whose publisher forbids copies, none that is forgotten.
"""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Literal, Self, TypeAlias

from msgspec import Struct, json

from storage.errors import ArchiveError, TextIndexUnusable
from storage.index.beside import derived_errors
from storage.index.fulltext_words import (
    MARK,
    MARK_END,
    WORD_COLUMNS,
    Snippet,
    mark,
    match_of,
    snippet_of,
)
from storage.index.packing import unpacked
from storage.index.reader import Reader, where
from storage.index.replacing import REWRITES
from storage.index.rows import Row, from_micros, to_micros
from storage.index.sqlite import Connected, connect

#: What the tables below are called together: another number's file is made again.
VERSION = "1"
#: Matches that are ranked, the latest indexed of them: a word that stands in more articles tells
#: none of them from the others, and ranking a hundred thousand takes a second.
MOST_RANKED = 1_000
#: Articles that are looked at where only some are wanted, by what no text index knows.
MOST_AMONG = 500
_AMONG_AT_ONCE = 50
#: Words of a snippet, about two lines; FTS5 takes 64.
SNIPPET_WORDS = 36

TABLES = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
    """CREATE TABLE docs (
         n INTEGER PRIMARY KEY, site TEXT NOT NULL, slug TEXT NOT NULL, sequence INTEGER NOT NULL,
         id TEXT NOT NULL, updated_at INTEGER NOT NULL, observed_at INTEGER NOT NULL,
         UNIQUE (site, slug))""",
    # ``marks`` stand for the values that articles are narrowed down by: see fulltext_words.mark.
    """CREATE VIRTUAL TABLE texts USING fts5 (
         title, summary, names, body, links, marks,
         tokenize = "unicode61 remove_diacritics 2", prefix = 2)""",
)
#: A title says what an article is about; its topics, entities and slug nearly so.
_RANK = "bm25(texts, 10.0, 3.0, 4.0, 1.0, 0.2, 0.0)"
_SUMMARY, _BODY = 1, 3


class Question(Struct, frozen=True, kw_only=True):
    """What is looked for: ``words`` as a person types them, and what narrows it down.

    ``language`` ``en`` takes ``en-GB`` too; no case counts. ``since`` and ``until`` go by the
    newest snapshot's moment of observation, or by the article's own date, as ``by`` says.
    ``canonicals``: captured foreign originals too.
    """

    words: str
    site: str | None = None
    language: str | None = None
    topic: str | None = None
    entity: str | None = None
    finding: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    by: Literal["observed", "updated"] = "observed"
    canonicals: bool = False
    most: int = 20

    @property
    def empty(self) -> bool:
        """True where ``words`` hold none that could be found."""
        return not match_of(self.words)


class Hit(Struct, frozen=True, kw_only=True):
    """An article found by the words of the snapshot of this ``sequence``, and where in its text.

    ``updated_at`` is the article's own date; ``rank``: the lower, the better.
    """

    site: str
    slug: str
    sequence: int
    updated_at: datetime
    rank: float
    snippet: Snippet = ()


#: Which of some articles, by site and slug, are wanted.
Among: TypeAlias = Callable[[Sequence[tuple[str, str]]], Collection[tuple[str, str]]]


class Texts(ABC):
    """One open full-text index, to be asked, of either kind."""

    @abstractmethod
    def note(self, key: str) -> str:
        """Return what is kept under ``key``, "" where nothing is."""

    @abstractmethod
    def close(self) -> None:
        """Close it."""

    @abstractmethod
    def _ranked(
        self, asked: Question, most: int, *, titles: bool = False
    ) -> tuple[dict[int, float], int]:
        """Return the ranks of the best of the latest matches, and how many were ranked.

        ``titles``: of those whose titles match.
        """

    @abstractmethod
    def _named(self, some: Sequence[int]) -> dict[int, tuple[str, str]]:
        """Return the site and slug of matches."""

    @abstractmethod
    def _hits(self, asked: Question, ranks: Mapping[int, float]) -> list[Hit]:
        """Return matches as hits, in their order, without those that were just put anew."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def is_of(self, index: Reader) -> bool:
        """Tell whether the last snapshot that was read stands in ``index`` where it stood."""
        row = index.ask_one("SELECT id FROM snapshots WHERE n = :n", n=int(self.note("n") or 0))
        return (unpacked(row["id"]) if row else "") == self.note("id")

    def behind(self, index: Reader) -> int:
        """Return how many rows of ``index`` are to be read yet, 0: every article is up to date."""
        row = index.ask_one("SELECT n FROM snapshots ORDER BY n DESC")
        last = row["n"] if row else 0
        if not self.is_of(index) or self.note(REWRITES) != (index.note(REWRITES) or ""):
            return max(last, 1)
        return int(last) - int(self.note("n") or 0)

    def search(self, asked: Question, among: Among | None = None) -> list[Hit]:
        """Return the articles that have all the words, the best first, ``most`` of them.

        ``among`` says which of some articles, by site and slug, are wanted: the best ``MOST_AMONG``
        are looked at so.
        """
        if asked.empty or asked.most < 1:
            return []
        most = asked.most if among is None else max(asked.most, MOST_AMONG)
        ranks, ranked = self._ranked(asked, most)
        if ranked == MOST_RANKED:
            # So many have them somewhere that the best may be among the older ones.
            titled, _ = self._ranked(asked, most, titles=True)
            ranks |= titled
        best = sorted(ranks, key=lambda n: (ranks[n], -n))[:most]
        if among is not None:
            best = list(islice(self._among(best, among), asked.most))
        return self._hits(asked, {n: ranks[n] for n in best})

    def _among(self, best: Sequence[int], among: Among) -> Iterator[int]:
        for start in range(0, len(best), _AMONG_AT_ONCE):
            some = best[start : start + _AMONG_AT_ONCE]
            names = self._named(some)
            wanted = among(list(names.values()))
            yield from (n for n in some if names.get(n) in wanted)


class Fulltext(Texts):
    """One open full-text index in SQLite's file, to be asked. State: the connection."""

    def __init__(self, path: Path, connection: Connected) -> None:
        """Use ``to_read`` instead; ``path`` is named in errors."""
        self.path = path
        self._connection = connection

    @classmethod
    def to_read(cls, path: Path) -> Self:
        """Return the text index at ``path``, while another may be filling it.

        Raises TextIndexUnusable where it is not there, another slugline's, or broken.
        """
        if not path.is_file():
            raise TextIndexUnusable(path, "it is not there")
        with text_errors(path, "opening the full-text index"):
            index = cls(path, _connect_reader(path))
        try:
            index.check()
        except ArchiveError:
            index.close()
            raise
        return index

    def check(self) -> None:
        """Raise TextIndexUnusable unless the tables are those of this code, and no more."""
        made = {row["sql"] for row in self._ask("SELECT sql FROM sqlite_master WHERE sql NOT NULL")}
        others = self._ask("SELECT 1 FROM sqlite_master WHERE type NOT IN ('table', 'index')")
        if others or not made.issuperset(TABLES) or self.note("version") != VERSION:
            raise TextIndexUnusable(self.path, "it was made by another slugline")

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def note(self, key: str) -> str:
        """Return what is kept under ``key``, "" where nothing is."""
        rows = self._ask("SELECT value FROM meta WHERE key = :key", key=key)
        return rows[0]["value"] if rows else ""

    def _ranked(
        self, asked: Question, most: int, *, titles: bool = False
    ) -> tuple[dict[int, float], int]:
        # One statement that gives few rows: SQLite works on it while other threads run Python.
        match = match_of(asked.words, marks_of(asked), columns="title" if titles else WORD_COLUMNS)
        column, moments = bounds_of(asked)
        wanted = [f"docs.{column} {THAN[name]} :{name}" for name in moments]
        rows = self._ask(
            "WITH latest AS (SELECT texts.rowid AS n,", _RANK, "AS rank FROM texts",
            "CROSS JOIN docs ON docs.n = texts.rowid" if wanted else "",
            where(["texts MATCH :match", *wanted]),
            "ORDER BY texts.rowid DESC LIMIT :ranked)",
            "SELECT n, rank, count(*) OVER () AS ranked FROM latest",
            "ORDER BY rank, n DESC LIMIT :most",
            match=match, ranked=MOST_RANKED, most=most, **moments,
        )  # fmt: skip
        return {row["n"]: row["rank"] for row in rows}, rows[0]["ranked"] if rows else 0

    def _named(self, some: Sequence[int]) -> dict[int, tuple[str, str]]:
        rows = self._ask(
            "SELECT n, site, slug FROM docs WHERE n IN (SELECT value FROM json_each(:some))",
            some=json.encode(some).decode(),
        )
        return {row["n"]: (row["site"], row["slug"]) for row in rows}

    def _hits(self, asked: Question, ranks: Mapping[int, float]) -> list[Hit]:
        match = match_of(asked.words, marks_of(asked))
        rows = self._ask(
            f"SELECT docs.*, {_snippet(_BODY)} AS body, {_snippet(_SUMMARY)} AS summary",
            "FROM json_each(:chosen) AS chosen",
            "CROSS JOIN texts ON texts.rowid = chosen.value AND texts MATCH :match",
            "CROSS JOIN docs ON docs.n = texts.rowid ORDER BY chosen.id",
            chosen=json.encode(list(ranks)).decode(), match=match, mark=MARK, mark_end=MARK_END,
        )  # fmt: skip
        return [hit_of(row, row["body"], row["summary"], ranks[row["n"]]) for row in rows]

    def _ask(self, *sql: str, **values: object) -> list[Row]:
        with text_errors(self.path, "reading the full-text index"):
            cursor = self._connection.execute(" ".join(sql), values)
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor]


#: How a question's moments are compared.
THAN = {"since": ">=", "until": "<="}


def _snippet(column: int) -> str:
    return f"snippet(texts, {column}, :mark, :mark_end, '…', {SNIPPET_WORDS})"


def marks_of(asked: Question) -> Sequence[str]:
    """Return the marks of what a question is narrowed down by: see fulltext_words.mark."""
    values = {name: getattr(asked, name) for name in ("site", "language", "topic", "entity")}
    values["finding"] = asked.finding
    values["own"] = None if asked.canonicals else ""
    return [mark(kind, value) for kind, value in values.items() if value is not None]


def bounds_of(asked: Question) -> tuple[str, dict[str, int]]:
    """Return the column that a question's moments are of, and these in microseconds, by name."""
    bounds = {"since": asked.since, "until": asked.until}
    moments = {name: to_micros(moment) for name, moment in bounds.items() if moment}
    return f"{asked.by}_at", moments


def hit_of(row: Row, body: str, summary: str, rank: float) -> Hit:
    """Return what is shown of a row of docs: from its marked pieces of body or summary."""
    from_summary = MARK not in body and (MARK in summary or not body)
    return Hit(
        site=row["site"],
        slug=row["slug"],
        sequence=row["sequence"],
        updated_at=from_micros(row["updated_at"]),
        rank=rank,
        snippet=snippet_of(summary if from_summary else body),
    )


def _connect_reader(path: Path) -> Connected:
    settings = ("PRAGMA query_only = ON", "PRAGMA trusted_schema = OFF")
    try:
        return connect(f"{path.as_uri()}?mode=rw", (*settings, "SELECT * FROM sqlite_master"))
    except sqlite3.OperationalError as error:
        log = path.with_name(path.name + "-wal")
        busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
        if busy or (log.is_file() and log.stat().st_size):
            raise
        # As of the index itself: a read-only medium has no room for SQLite's shared memory.
        return connect(f"{path.as_uri()}?immutable=1", settings)


def text_errors(path: Path, doing: str) -> AbstractContextManager[None]:
    """Turn SQLite's errors into ours: whose fault it is, and what was being done."""
    return derived_errors(path, doing, TextIndexUnusable)
