"""The index, open for questions: SQL text in, rows out, and the database's errors made ours.

Questions are plain SQL that SQLite and PostgreSQL both understand, with values by name (``:site``):
a command that reads a mirror in a folder needs no more than Python's own sqlite3, and has answered
before SQLAlchemy would be loaded. Statements that write are of the same kind (index.py); the tables
alone are SQLAlchemy's (schema.py). What the two databases spell differently is database.py's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any, Self

from storage.errors import ArchiveError, IndexUnusable
from storage.index import opening
from storage.index.database import Database
from storage.index.rows import SCHEMA_VERSION, Row, Values
from storage.layout import Places

#: Rows taken from a result at once while a long list is walked.
_PAGE = 1_000
#: Rows of values in one question; SQLite takes 32,766 variables a statement.
_VALUES = 500


class Reader:
    """One open index, to be asked. The only mutable state is the database; close it when done."""

    def __init__(self, root: Path, database: Database) -> None:
        """Use ``to_read`` instead; ``root`` is named in errors."""
        self.root = root
        self.database = database

    @classmethod
    def to_read(cls, root: Path, places: Places | None = None) -> Self:
        """Return the index of the mirror at ``root`` for reading, while a writer may be at work.

        ``places``: where it is, where that is not what mirror.json says.
        Raises IndexUnusable where it is missing, another schema's or broken.
        """
        index = cls(root, opening.to_read(places or opening.places_of(root)))
        try:
            index.check_version()
        except ArchiveError:
            index.close()
            raise
        return index

    def check_version(self) -> None:
        """Raise IndexUnusable unless the tables are those of this code."""
        if self.note("schema") != str(SCHEMA_VERSION):
            raise IndexUnusable(self.root, f"{self.database.name} was made by another slugline")
        with self.database.errors("opening the index"):
            self.database.check()

    def close(self) -> None:
        """Close the database."""
        self.database.close()

    def hold(self) -> None:
        """See the index from the next question on as it is then, whatever a writer does."""
        with self.database.errors("opening the index"):
            self.database.hold()

    def ask(self, *sql: str, **values: object) -> list[Row]:
        """Return every row of a question; its parts are joined by a space."""
        return self._rows(" ".join(sql), values)

    def values(self, *sql: str, **values: object) -> list[Values]:
        """Return what every row of a question holds, in the order that it names the columns in."""
        with self.database.errors("reading the index"):
            return self.database.run(" ".join(sql), values).fetchall()

    def _rows(self, sql: str, values: Mapping[str, object] | Sequence[object]) -> list[Row]:
        with self.database.errors("reading the index"):
            cursor = self.database.run(sql, values)
            rows = cursor.fetchall()
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in rows]

    def pages(self, *sql: str) -> Iterator[list[Row]]:
        """Give the rows of a question without values, a page in memory."""
        with self.database.errors("reading the index"):
            yield from self.database.pages(" ".join(sql), _PAGE)

    def ask_one(self, *sql: str, **values: object) -> Row | None:
        """Return the first row of a question, or None."""
        return next(iter(self.ask(*sql, "LIMIT 1", **values)), None)

    def number(self, *sql: str, **values: object) -> int:
        """Return the one whole number that a question is for; 0 for NULL."""
        ((value,),) = (row.values() for row in self.ask(*sql, **values))
        return value or 0

    def note(self, key: str) -> str | None:
        """Return the small fact kept under ``key`` in the table ``meta``, or None."""
        row = self.ask_one("SELECT value FROM meta WHERE key = :key", key=key)
        return None if row is None else str(row["value"])

    def walk(
        self, what: str, wanted: Sequence[str], keys: Sequence[str], **values: object
    ) -> Iterator[Row]:
        """Give the rows of ``what`` (SELECT … FROM …) that are ``wanted``, a page in memory.

        ``keys`` are the columns to go by, unique together.
        """
        names = [key.rpartition(".")[2] for key in keys]
        after = f"({', '.join(keys)}) > ({', '.join(f':after_{name}' for name in names)})"
        by = f"ORDER BY {', '.join(keys)} LIMIT {_PAGE}"
        rows = self.ask(what, where(wanted), by, **values)
        while rows:
            yield from rows
            if len(rows) < _PAGE:
                return
            last = {f"after_{name}": rows[-1][name] for name in names}
            rows = self.ask(what, where([*wanted, after]), by, **values, **last)

    def matching(
        self,
        table: str,
        by: Sequence[str],
        values: Collection[tuple[Any, ...]],
        columns: Sequence[str] = (),
        wanted: Sequence[str] = (),
    ) -> Iterator[Row]:
        """Give the rows whose columns ``by`` are among ``values``, some hundred values a question.

        Their ``columns`` are given, all where none is named; ``wanted`` are conditions more.
        """
        for sql, given in _by_many(table, by, values, columns, wanted):
            yield from self._rows(sql, given)

    def matching_values(
        self, table: str, by: Sequence[str], values: Collection[Values], columns: Sequence[str]
    ) -> Iterator[Values]:
        """Give what ``matching`` does, each row's values in the order of ``columns``."""
        for sql, given in _by_many(table, by, values, columns):
            with self.database.errors("reading the index"):
                rows: list[Values] = self.database.run(sql, given).fetchall()
            yield from rows

    def last_numbers(self, articles: Collection[tuple[str, str]]) -> Iterator[tuple[str, str, int]]:
        """Give site, slug and last sequence of those articles that are there.

        For a transaction's steps: the database's own errors are raised, which it tries again.
        """
        columns = ("site", "slug", "last")
        for sql, given in _by_many("articles", columns[:2], articles, columns):
            yield from self.database.run(sql, given).fetchall()


def where(wanted: Sequence[str]) -> str:
    """Return the WHERE of a question: all the conditions; nothing where there are none."""
    return f"WHERE {' AND '.join(wanted)}" if wanted else ""


def one_of(column: str, values: Iterable[object]) -> tuple[str, dict[str, object]]:
    """Return the condition that ``column`` is one of some values, and the values by name."""
    named = {f"{column}_{number}": value for number, value in enumerate(values)}
    return f"{column} IN ({', '.join(f':{name}' for name in named)})", named


def _by_many(
    table: str,
    by: Sequence[str],
    values: Collection[Values],
    columns: Sequence[str],
    wanted: Sequence[str] = (),
) -> Iterator[tuple[str, list[Any]]]:
    """Give the questions for the rows whose columns ``by`` are among ``values``, and their values.

    Some hundred are asked for in one.
    """
    asked = list(values)
    shown = ", ".join([f'"{name}"' for name in columns]) or f"{table}.*"
    for start in range(0, len(asked), _VALUES):
        given = asked[start : start + _VALUES]
        with_asked, found = rows_by(table, tuple(by), len(given))
        conditions = [f"AND {condition}" for condition in wanted]
        sql = " ".join([with_asked, "SELECT", shown, found, *conditions])
        yield sql, list(chain.from_iterable(given))


@lru_cache(maxsize=64)  # the same few questions, a batch each
def rows_by(table: str, columns: tuple[str, ...], count: int) -> tuple[str, str]:
    """Return how to ask for the rows whose ``columns`` together are one of ``count`` values.

    That is a WITH and what follows FROM, with the values by place: SQLite looks for a name among
    all names, for each one anew. It would also look through the whole table for an IN over several
    columns; this way round it goes by the table's index.
    """
    row = f"({', '.join('?' * len(columns))})"
    asked = ", ".join(f"asked_{column}" for column in columns)
    same = " AND ".join(f"{column} = asked_{column}" for column in columns)
    with_asked = f"WITH asked ({asked}) AS (VALUES {', '.join([row] * count)})"
    return with_asked, f"FROM asked CROSS JOIN {table} WHERE {same}"
