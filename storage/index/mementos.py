"""The mementos of a URL (RFC 7089): every representation of it whose bytes are stored, by time.

A format's URL has mementos of its own, whichever snapshots its article has: one that lacks the
format hides no earlier memento of it. Of several fetches in one second the last one counts, for a
memento is named by the second.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import datetime

from msgspec import Struct

from storage.index.packing import mark_of
from storage.index.reader import Reader
from storage.index.rows import Row, from_micros, to_micros, values_of

_SECOND = 1_000_000

#: The URL's mark leads to its articles; what they have of it is looked through, not the archive.
_OF_URL = """
    SELECT held.format, articles.site, articles.slug, held.sequence, held.fetched_at,
           snapshots.updated_at, snapshots.revision, snapshots.reason
    FROM urls JOIN articles ON articles.n = urls.article
      JOIN representations AS held
        ON held.article = urls.article AND held.format = urls.format AND held.url = :url
      JOIN snapshots
        ON snapshots.site = articles.site AND snapshots.slug = articles.slug
       AND snapshots.sequence = held.sequence
    WHERE urls.mark = :mark AND held.record_id != ''
"""
_IN_ORDER = "ORDER BY held.fetched_at, articles.site, articles.slug, held.sequence"


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
    """The mementos of one URL, as they were when this was made, and never changed after that."""

    def __init__(self, index: Reader, url: str, *, private: bool) -> None:
        """``private``: snapshots that were fetched with a private header count too."""
        self.url = url
        public = "" if private else "AND NOT snapshots.private"
        rows = index.ask(_OF_URL, public, _IN_ORDER, url=url, mark=mark_of(url))
        with values_of("representations"):
            by_second = {row["fetched_at"] // _SECOND: row for row in rows}
        self._rows = list(by_second.values())
        self._seconds = list(by_second)

    def __len__(self) -> int:
        return len(self._rows)

    def page(self, most: int, skipped: int = 0) -> list[Memento]:
        """Return mementos, oldest first, after ``skipped`` of them."""
        return [self._memento(row) for row in self._rows[skipped : skipped + most]]

    def first(self) -> Memento | None:
        """Return the oldest memento, or None: there is none."""
        return self._at(0)

    def last(self) -> Memento | None:
        """Return the newest memento, or None: there is none."""
        return self._at(len(self._rows) - 1)

    def at(self, moment: datetime) -> Memento | None:
        """Return the memento of exactly this second, or None."""
        found = self.until(moment)
        return found if found and found.fetched_at == moment.replace(microsecond=0) else None

    def until(self, moment: datetime) -> Memento | None:
        """Return the last memento of this second or an earlier one, or None."""
        return self._at(bisect_right(self._seconds, _second(moment)) - 1)

    def after(self, moment: datetime) -> Memento | None:
        """Return the first memento of a later second, or None."""
        return self._at(bisect_right(self._seconds, _second(moment)))

    def around(self, this: Memento) -> Around:
        """Return the neighbours of a memento."""
        return Around(
            first=self.first() or this,
            last=self.last() or this,
            this=this,
            before=self._at(bisect_left(self._seconds, _second(this.fetched_at)) - 1),
            after=self.after(this.fetched_at),
        )

    def _at(self, place: int) -> Memento | None:
        return self._memento(self._rows[place]) if 0 <= place < len(self._rows) else None

    def _memento(self, row: Row) -> Memento:
        with values_of("representations"):
            return Memento(
                url=self.url,
                format=row["format"],
                site=row["site"],
                slug=row["slug"],
                sequence=row["sequence"],
                fetched_at=from_micros(row["fetched_at"] // _SECOND * _SECOND),
                updated_at=from_micros(row["updated_at"]),
                revision=row["revision"],
                reason=row["reason"],
            )


def _second(moment: datetime) -> int:
    return to_micros(moment) // _SECOND
