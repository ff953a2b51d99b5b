"""The full-text index: every article's newest words, in a file of their own beside the index.

Where the index is in PostgreSQL the words are too (postgres.py); ``Texts`` is what both have.
Derived, and never in the commit's way: filling.py brings it up to the index after a run or at the
first search. A file of its own, so that whoever searches may make it while a run writes the index,
a backup may leave it out, and removing it costs only the time of making it again. What it holds is
what may be shown to all: no snapshot that was fetched with a private header, no article whose
publisher forbids copies, none that is forgotten.
"""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Literal, Self

from msgspec import Struct, json

from storage.errors import ArchiveError, TextIndexUnusable
from storage.index.beside import derived_errors
from storage.index.packing import unpacked
from storage.index.reader import Reader, where
from storage.index.replacing import REWRITES
from storage.index.rows import Row, from_micros, to_micros
from storage.index.sqlite import Connected, connect
from storage.search.words import (
    MARK,
    MARK_END,
    WORD_COLUMNS,
    Snippet,
    items,
    mark,
    match_of,
    snippet_of,
)

#: What the tables below are called together: another number's file is made again.
VERSION = "2"
#: Matches that are counted and ranked. Words that stand in more articles tell none of them from the
#: others: those that have them in their titles come first, then those that have them in what stands
#: for the article elsewhere, then all others, the latest indexed first.
MOST_RANKED = 500
#: Where words are looked for in turn when there are more.
TIERS = ("title", "title summary names", WORD_COLUMNS)
#: Words of a snippet, about two lines; FTS5 takes 64.
SNIPPET_WORDS = 36

TABLES = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
    """CREATE TABLE docs (
         n INTEGER PRIMARY KEY, site TEXT NOT NULL, slug TEXT NOT NULL, sequence INTEGER NOT NULL,
         id TEXT NOT NULL, updated_at INTEGER NOT NULL, observed_at INTEGER NOT NULL,
         gone INTEGER NOT NULL, UNIQUE (site, slug))""",
    # ``marks`` stand for the values that articles are narrowed down by: see words.mark.
    """CREATE VIRTUAL TABLE texts USING fts5 (
         title, summary, names, body, links, marks,
         tokenize = "unicode61 remove_diacritics 2", prefix = 2)""",
    # What stands for the articles once more: short lists, where a text's are long to walk through.
    """CREATE VIRTUAL TABLE heads USING fts5 (
         title, summary, names, marks,
         tokenize = "unicode61 remove_diacritics 2", prefix = 2)""",
)
#: Both tables of words.
WORDS = ("texts", "heads")
#: The tables of the index that are followed: what is kept, and what became of it.
FOLLOWED = ("snapshots", "events")
#: A title says what an article is about; its topics, entities and slug nearly so.
_RANK = "bm25(texts, 10.0, 3.0, 4.0, 1.0, 0.2, 0.0)"
_SUMMARY, _BODY = 1, 3


class Question(Struct, frozen=True, kw_only=True):
    """What is looked for: ``words`` as a person types them, and what narrows it down.

    ``language`` ``en`` takes ``en-GB`` too; no case counts. ``since`` and ``until`` go by the
    newest snapshot's moment of observation, or by the article's own date, as ``by`` says.
    ``canonicals``: captured foreign originals too. ``gone``: only articles that are, or are not.
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
    gone: bool | None = None
    most: int = 20

    @property
    def empty(self) -> bool:
        """True where ``words`` hold none that could be found."""
        return not match_of(self.words)


class Hit(Struct, frozen=True, kw_only=True):
    """An article found by the words of the snapshot of this ``sequence``, and where in its text.

    ``updated_at`` is the article's own date.
    """

    site: str
    slug: str
    sequence: int
    updated_at: datetime
    snippet: Snippet = ()


class Matches(Struct, frozen=True, kw_only=True):
    """The best matches, best first. ``number`` of them there are, None: more than MOST_RANKED."""

    hits: tuple[Hit, ...] = ()
    number: int | None = 0


class Texts(ABC):
    """One open full-text index, to be asked, of either kind."""

    @abstractmethod
    def note(self, key: str) -> str:
        """Return what is kept under ``key``, "" where nothing is."""

    @abstractmethod
    def close(self) -> None:
        """Close it."""

    @abstractmethod
    def _best(self, asked: Question) -> tuple[Sequence[int], int]:
        """Return the best matches, ``asked.most`` at most, and how many there are.

        More than ``MOST_RANKED`` are not counted.
        """

    @abstractmethod
    def _hits(self, asked: Question, best: Sequence[int]) -> list[Hit]:
        """Return matches as hits, in their order, without those that were just put anew."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read_to(self, table: str) -> tuple[int, str]:
        """Return the last row of a table of the index that was read: its number and its id."""
        n, _, record_id = self.note(table).partition(" ")
        return int(n or 0), record_id

    def is_of(self, index: Reader) -> bool:
        """Tell whether the last rows that were read stand in ``index`` where they stood."""
        for table in FOLLOWED:
            n, record_id = self.read_to(table)
            row = index.ask_one("SELECT id FROM", table, "WHERE n = :n", n=n)
            if (unpacked(row["id"]) if row else "") != record_id:
                return False
        return True

    def behind(self, index: Reader) -> int:
        """Return how many rows of ``index`` are to be read yet, 0: every article is up to date."""
        last = {}
        for table in FOLLOWED:
            row = index.ask_one("SELECT n FROM", table, "ORDER BY n DESC")
            last[table] = int(row["n"]) if row else 0
        if not self.is_of(index) or self.note(REWRITES) != (index.note(REWRITES) or ""):
            return max(sum(last.values()), 1)
        return sum(n - self.read_to(table)[0] for table, n in last.items())

    def search(self, asked: Question) -> Matches:
        """Return the articles that have all the words, the best first, ``most`` of them."""
        if asked.empty or asked.most < 1:
            return Matches()
        best, number = self._best(asked)
        hits = self._hits(asked, best) if best else []
        return Matches(hits=tuple(hits), number=number if number <= MOST_RANKED else None)


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

    # Each statement gives few rows: SQLite works on it while other threads run Python.

    def _best(self, asked: Question) -> tuple[Sequence[int], int]:
        matched, values = _matched(asked)
        (counted,) = self._ask(
            "SELECT count(*) AS number FROM (SELECT 1", *matched, "LIMIT :counted)",
            **values, counted=MOST_RANKED + 1,
        )  # fmt: skip
        number: int = counted["number"]
        if number > MOST_RANKED:
            return self._latest(asked), number
        rows = self._ask(
            "SELECT texts.rowid AS n", *matched, "ORDER BY", _RANK, ", n DESC LIMIT :most",
            **values, most=asked.most,
        )  # fmt: skip
        return [row["n"] for row in rows], number

    def _latest(self, asked: Question) -> Sequence[int]:
        """Return the latest matches of each tier: bm25 would walk through all that have a word."""
        best: dict[int, None] = {}
        for columns in TIERS:
            table = _table(asked, columns)
            matched, values = _matched(asked, columns)
            rows = self._ask(
                f"SELECT {table}.rowid AS n", *matched, "ORDER BY n DESC LIMIT :most",
                **values, most=asked.most,
            )  # fmt: skip
            best |= dict.fromkeys(row["n"] for row in rows)
            if len(best) >= asked.most:
                break
        return list(best)[: asked.most]

    def _hits(self, asked: Question, best: Sequence[int]) -> list[Hit]:
        # what narrows a question down marks nothing
        match = match_of(asked.words)
        rows = self._ask(
            f"SELECT docs.*, {_snippet(_BODY)} AS body, {_snippet(_SUMMARY)} AS summary",
            "FROM json_each(:chosen) AS chosen",
            "CROSS JOIN texts ON texts.rowid = chosen.value AND texts MATCH :match",
            "CROSS JOIN docs ON docs.n = texts.rowid ORDER BY chosen.id",
            chosen=json.encode(best).decode(), match=match, mark=MARK, mark_end=MARK_END,
        )  # fmt: skip
        return [hit_of(row, row["body"], row["summary"]) for row in rows]

    def _ask(self, *sql: str, **values: object) -> list[Row]:
        with text_errors(self.path, "reading the full-text index"):
            cursor = self._connection.execute(" ".join(sql), values)
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor]


def _table(asked: Question, columns: str) -> str:
    """Return where words are looked for: what must not be there must not be in the text either."""
    whole = columns == WORD_COLUMNS or any(item.out for item in items(asked.words))
    return "texts" if whole else "heads"


def _matched(asked: Question, columns: str = WORD_COLUMNS) -> tuple[list[str], dict[str, object]]:
    """Return from where a question's matches come, and the values in it."""
    bounds, values = bounds_of(asked)
    table = _table(asked, columns)
    joined = [f"CROSS JOIN docs ON docs.n = {table}.rowid"] if bounds else []
    match = match_of(asked.words, marks_of(asked), columns=columns)
    among = where([f"{table} MATCH :match", *bounds])
    return [f"FROM {table}", *joined, among], {"match": match, **values}


def _snippet(column: int) -> str:
    return f"snippet(texts, {column}, :mark, :mark_end, '…', {SNIPPET_WORDS})"


def marks_of(asked: Question) -> Sequence[str]:
    """Return the marks of what a question is narrowed down by: see words.mark."""
    values = {name: getattr(asked, name) for name in ("site", "language", "topic", "entity")}
    values["finding"] = asked.finding
    values["own"] = None if asked.canonicals else ""
    return [mark(kind, value) for kind, value in values.items() if value is not None]


def bounds_of(asked: Question) -> tuple[list[str], dict[str, int]]:
    """Return what a question asks of rows of docs, and the values in it."""
    conditions: list[str] = []
    values: dict[str, int] = {}
    for name, than, moment in (("since", ">=", asked.since), ("until", "<=", asked.until)):
        if moment is not None:
            conditions.append(f"docs.{asked.by}_at {than} :{name}")
            values[name] = to_micros(moment)
    if asked.gone is not None:
        conditions.append("docs.gone = :gone")
        values["gone"] = int(asked.gone)
    return conditions, values


def hit_of(row: Row, body: str, summary: str) -> Hit:
    """Return what is shown of a row of docs: from its marked pieces of body or summary."""
    from_summary = MARK not in body and (MARK in summary or not body)
    return Hit(
        site=row["site"],
        slug=row["slug"],
        sequence=row["sequence"],
        updated_at=from_micros(row["updated_at"]),
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
