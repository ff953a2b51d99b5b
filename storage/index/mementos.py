"""The mementos of a URL (RFC 7089): every representation of it whose bytes are stored, by time.

A format's URL has mementos of its own, whichever snapshots its article has: one that lacks the
format hides no earlier memento of it. Of several fetches in one second the last one counts, for a
memento is named by the second.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from storage.index.reader import Reader
from storage.index.rows import Row, from_micros, to_micros, values_of

_SECOND = 1_000_000

_COLUMNS = """
    SELECT held.url, held.format, held.site, held.slug, held.sequence, held.fetched_at,
           snapshots.updated_at, snapshots.revision, snapshots.reason
"""
_FROM = """
    FROM representations AS held JOIN snapshots
      ON snapshots.site = held.site AND snapshots.slug = held.slug
     AND snapshots.sequence = held.sequence
    WHERE held.url = :url AND held.record_id != ''
"""


class Memento(Struct, frozen=True, kw_only=True):
    """One stored answer of a URL; ``fetched_at`` is its Memento-Datetime, to the second."""

    url: str
    format: str
    site: str
    slug: str
    sequence: int
    fetched_at: datetime
    updated_at: datetime
    revision: int
    reason: str


class Around(Struct, frozen=True, kw_only=True):
    """A memento and its neighbours: what RFC 7089 section 2.2 links from each to the others."""

    first: Memento
    last: Memento
    this: Memento
    before: Memento | None
    after: Memento | None


class Mementos:
    """The questions about one URL. It keeps nothing but the index and the URL."""

    def __init__(self, index: Reader, url: str, *, private: bool) -> None:
        """``private``: snapshots that were fetched with a private header count too."""
        self._index = index
        self.url = url
        self._of_url = _FROM if private else f"{_FROM} AND NOT snapshots.private"

    def page(self, most: int, skipped: int = 0) -> list[Memento]:
        """Return mementos, oldest first, after ``skipped`` of them."""
        by = "ORDER BY held.fetched_at LIMIT :most OFFSET :skipped"
        return one_a_second(self._ask(by, most=most, skipped=skipped))

    def count(self) -> int:
        """Return how many answers are stored, those of one second each."""
        return self._index.number("SELECT count(*)", self._of_url, url=self.url)

    def first(self) -> Memento | None:
        """Return the oldest memento, as the last answer of its second."""
        return self._one("ORDER BY held.fetched_at ASC")

    def last(self) -> Memento | None:
        """Return the newest memento."""
        return self._one("ORDER BY held.fetched_at DESC")

    def at(self, moment: datetime) -> Memento | None:
        """Return the memento of exactly this second, or None."""
        found = self.until(moment)
        return found if found and found.fetched_at == moment.replace(microsecond=0) else None

    def until(self, moment: datetime) -> Memento | None:
        """Return the last memento of this second or an earlier one, or None."""
        return self._one("AND held.fetched_at < :end ORDER BY held.fetched_at DESC", _next(moment))

    def after(self, moment: datetime) -> Memento | None:
        """Return the first memento of a later second, or None."""
        return self._one("AND held.fetched_at >= :end ORDER BY held.fetched_at ASC", _next(moment))

    def around(self, this: Memento) -> Around:
        """Return the neighbours of a memento."""
        first, last = self.first(), self.last()
        before = self._one(
            "AND held.fetched_at < :end ORDER BY held.fetched_at DESC", _micros(this.fetched_at)
        )
        return Around(
            first=first or this,
            last=last or this,
            this=this,
            before=before,
            after=self.after(this.fetched_at),
        )

    def _ask(self, *rest: str, **values: object) -> list[Row]:
        return self._index.ask(_COLUMNS, self._of_url, *rest, url=self.url, **values)

    def _one(self, rest: str, end: int | None = None) -> Memento | None:
        rows = self._ask(rest, "LIMIT 1", end=end)
        if not rows:
            return None
        if "ASC" not in rest:
            return _memento(rows[0])
        # The oldest row may not be the last one of its second.
        second = rows[0]["fetched_at"] // _SECOND * _SECOND
        rest = "AND held.fetched_at < :end ORDER BY held.fetched_at DESC"
        return self._one(rest, second + _SECOND)


def one_a_second(rows: Sequence[Row]) -> list[Memento]:
    """Return the last row of each second as a memento; rows are oldest first."""
    last = {row["fetched_at"] // _SECOND: row for row in rows}
    return [_memento(row) for row in last.values()]


def _next(moment: datetime) -> int:
    return _micros(moment) + _SECOND


def _micros(moment: datetime) -> int:
    return to_micros(moment) // _SECOND * _SECOND


def _memento(row: Row) -> Memento:
    with values_of("representations"):
        return Memento(
            url=row["url"],
            format=row["format"],
            site=row["site"],
            slug=row["slug"],
            sequence=row["sequence"],
            fetched_at=from_micros(row["fetched_at"] // _SECOND * _SECOND),
            updated_at=from_micros(row["updated_at"]),
            revision=row["revision"],
            reason=row["reason"],
        )
