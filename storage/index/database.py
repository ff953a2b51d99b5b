"""What the index asks of a database: SQLite's file or PostgreSQL's schema, behind one interface.

Questions and statements are plain SQL that both understand, with values by name (``:site``) or by
place (``?``); what the two spell differently is a method here. An open database is used by one
thread at a time. sqlite.py and postgres.py are the two, and opening.py chooses.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cache
from typing import Any, Protocol, TypeAlias

from msgspec import Struct

#: Values of a statement: by name, or in the order of its question marks.
Given: TypeAlias = Mapping[str, Any] | Sequence[Any]


class Insert(Struct, frozen=True):
    """To put rows into ``table``: its columns, and ``otherwise``, what if a row is there."""

    table: str
    columns: tuple[str, ...]
    otherwise: str = ""

    def sql(self, rows: int = 1) -> str:
        """Return the statement for so many rows at once."""
        return _insert(self, rows)


@cache
def _insert(into: Insert, rows: int) -> str:
    names = ", ".join(f'"{name}"' for name in into.columns)
    row = f"({', '.join('?' * len(into.columns))})"
    values = ", ".join([row] * rows)
    return f"INSERT INTO {into.table} ({names}) VALUES {values} {into.otherwise}"  # noqa: S608  - our names


class Cursor(Protocol):
    """What a statement gave."""

    @property
    def description(self) -> Any:
        """A sequence for each column, its name first."""

    def fetchone(self) -> Any:
        """Return the next row, None after the last."""

    def fetchall(self) -> list[Any]:
        """Return the rows that are left."""


class Connection(Protocol):
    """Where statements go, inside a transaction."""

    def execute(self, sql: str, values: Given = (), /) -> Cursor:
        """Run one statement."""

    def executemany(self, sql: str, rows: Iterable[Given], /) -> object:
        """Run one statement once a row."""

    def insert(self, into: Insert, rows: Sequence[Sequence[Any]], /) -> None:
        """Put rows in, each with the values of the columns in their order."""

    def numbers(self, sql: str, rows: Iterable[Given], /) -> list[Any]:
        """Run one statement that gives one row, once a row, and return what they gave."""


class Database(Protocol):
    """One open database. Its errors are ours inside ``errors``, and the engine's own outside."""

    @property
    def name(self) -> str:
        """What errors call it."""

    def errors(self, doing: str) -> AbstractContextManager[None]:
        """Turn the engine's errors into ours: whose fault it is, and what was being done."""

    def run(self, sql: str, values: Given) -> Cursor:
        """Run one question."""

    def pages(self, sql: str, size: int) -> Iterator[list[dict[str, Any]]]:
        """Give the rows of a question, ``size`` of them in memory at a time."""

    def hold(self) -> None:
        """See from the next question on what is there then, whatever a writer does."""

    def begin(self) -> AbstractContextManager[Connection]:
        """One transaction, alone among writers: all that is done inside is done, or none of it."""

    def write(
        self, doing: str, work: Callable[[Connection], None], stands: Callable[[], bool]
    ) -> None:
        """Do ``work`` in one transaction, whose errors are ours.

        Where the connection was lost so that nobody knows its end, ``stands`` tells whether it was
        made; it is done again where it was not.
        """

    def holding(
        self, sites: Collection[str], *, at_once: bool = False
    ) -> AbstractContextManager[None]:
        """Until this ends, nobody else numbers what is of these sites.

        ``at_once``: SiteHeld is raised where another one does.
        """

    def make(self) -> bool:
        """Make the tables where there is none; tells whether it did."""

    def check(self) -> None:
        """Raise IndexUnusable where more is there than tables and their indexes."""

    def faults(self, most: int) -> list[str]:
        """Return what the engine itself finds wrong with what it stored."""

    def scrub(self) -> None:
        """Leave no byte of what was taken out. Raises StoreFailed where that can't be done."""

    def put_in_place(self) -> None:
        """Close a database that was filled aside, and put it in the place of the one before it."""

    def abandon(self) -> None:
        """Close a database that was filled aside, and leave nothing of it."""

    def close(self) -> None:
        """Close it."""
