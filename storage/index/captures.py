"""The captures of URLs: every stored answer, by where URLs begin; what a CDX server is asked for.

A capture is a representation whose bytes are stored, as for mementos. Questions go by ranges of
URLs, which are indexed, and never walk through a host to answer for one page of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

from storage.index.reader import Reader
from storage.index.rows import Row, from_micros, to_micros, values_of

#: Origins (scheme, host and port) that are told apart: far more than sites and their originals.
MOST_ORIGINS = 10_000
#: What sorts behind every URL that begins with the same characters.
_LAST = "\U0010ffff"
_ORIGIN = re.compile(r"[a-z]+://[^/?#]*", re.IGNORECASE)

_COLUMNS = """
    SELECT held.url, held.format, held.site, held.slug, held.sequence, held.fetched_at,
           held.payload_digest, held.record_id, held.target_id,
           held.segment, held."offset", held.length
"""
_FROM = """
    FROM representations AS held JOIN snapshots
      ON snapshots.site = held.site AND snapshots.slug = held.slug
     AND snapshots.sequence = held.sequence
    WHERE held.record_id != ''
"""


class Place(Struct, frozen=True, kw_only=True):
    """Where a record stands: its segment, and its compressed bytes."""

    segment: str
    offset: int
    length: int


class Capture(Struct, frozen=True, kw_only=True):
    """One stored answer of a URL. ``target_id`` set: its bytes are that record's."""

    url: str
    format: str
    site: str
    slug: str
    sequence: int
    fetched_at: datetime
    payload_digest: str
    record_id: str
    target_id: str | None
    place: Place


class Span(Struct, frozen=True, kw_only=True):
    """Which captures: of URLs that begin with ``start`` or, ``exact``, that are it; and when.

    ``since`` and ``until`` are both inclusive, to the second.
    """

    start: str
    exact: bool = False
    since: datetime | None = None
    until: datetime | None = None


class Captures:
    """The questions. It keeps nothing but the index, and whether ``private`` captures count."""

    def __init__(self, index: Reader, *, private: bool) -> None:
        """``private``: snapshots that were fetched with a private header count too."""
        self._index = index
        self._from = _FROM if private else f"{_FROM} AND NOT snapshots.private"

    def origins(self) -> list[str]:
        """Return the origins of every URL that has been fetched, ``MOST_ORIGINS`` at most."""
        found: list[str] = []
        after = ""
        while len(found) < MOST_ORIGINS:
            row = self._index.ask_one(
                "SELECT url FROM representations WHERE url >= :after ORDER BY url", after=after
            )
            if row is None:
                break
            match = _ORIGIN.match(row["url"])
            if match is None:
                after = row["url"] + "\x01"
                continue
            found.append(match[0])
            # "0" comes right behind "/": the next URL that is not of this origin.
            after = f"{match[0]}0"
        return found

    def list(self, span: Span, most: int, skipped: int = 0) -> list[Capture]:
        """Return captures by URL and time, ``most`` at most, after ``skipped`` of them."""
        where, values = _where(span)
        rows = self._index.ask(
            _COLUMNS, self._from, where,
            "ORDER BY held.url, held.fetched_at LIMIT :most OFFSET :skipped",
            most=most, skipped=skipped, **values,
        )  # fmt: skip
        return [_capture(row) for row in rows]

    def count(self, span: Span) -> int:
        """Return how many captures there are."""
        where, values = _where(span)
        return self._index.number("SELECT count(*)", self._from, where, **values)

    def near(self, urls: Iterable[str], moment: datetime, most: int, span: Span) -> list[Capture]:
        """Return the captures of some URLs that are nearest to a moment, nearest first.

        Of ``span`` only the times count.
        """
        found: list[Capture] = []
        for url in urls:
            asked = Span(start=url, exact=True, since=span.since, until=span.until)
            where, values = _where(asked)
            for than, by in (("<", "DESC"), (">=", "ASC")):
                rows = self._index.ask(
                    _COLUMNS, self._from, where, f"AND held.fetched_at {than} :moment",
                    f"ORDER BY held.fetched_at {by} LIMIT :most",
                    moment=to_micros(moment), most=most, **values,
                )  # fmt: skip
                found += [_capture(row) for row in rows]
        found.sort(key=lambda one: (abs(one.fetched_at - moment), one.url))
        return found[:most]

    def place(self, record_id: str) -> Place | None:
        """Return where the record that holds a revisit's bytes stands, or None."""
        row = self._index.ask_one(
            """SELECT segment, "offset", length FROM representations WHERE record_id = :id""",
            id=record_id,
        )
        return None if row is None else _place(row)

    def record(self, segment: str, offset: int) -> Place | None:
        """Return the record of a body that begins at a segment's byte, if it may be shown.

        It may where it is a shown snapshot's, or where a shown snapshot's revisit leads to it.
        """
        around = self._index.ask_one(
            """SELECT site, slug, sequence FROM snapshots
               WHERE segment = :segment AND "offset" <= :offset ORDER BY "offset" DESC""",
            segment=segment, offset=offset,
        )  # fmt: skip
        if around is None:
            return None
        row = self._index.ask_one(
            """SELECT segment, "offset", length, record_id FROM representations
               WHERE site = :site AND slug = :slug AND sequence = :sequence
                 AND segment = :segment AND "offset" = :offset AND record_id != ''""",
            segment=segment, offset=offset, **around,
        )  # fmt: skip
        if row is None:
            return None
        shown = self._index.ask_one(
            "SELECT 1 AS shown", self._from,
            """AND held.site = :site AND held.slug = :slug
               AND (held.record_id = :id OR held.target_id = :id)""",
            site=around["site"], slug=around["slug"], id=row["record_id"],
        )  # fmt: skip
        return None if shown is None else _place(row)


def _where(span: Span) -> tuple[str, dict[str, object]]:
    wanted = ["held.url = :start" if span.exact else "held.url >= :start AND held.url < :end"]
    values: dict[str, object] = {"start": span.start}
    if not span.exact:
        values["end"] = span.start + _LAST
    if span.since is not None:
        wanted.append("held.fetched_at >= :since")
        values["since"] = to_micros(span.since)
    if span.until is not None:
        wanted.append("held.fetched_at < :until")
        values["until"] = to_micros(span.until) + 1_000_000
    return "".join(f" AND {each}" for each in wanted), values


def _place(row: Row) -> Place:
    with values_of("representations"):
        return Place(segment=row["segment"], offset=row["offset"], length=row["length"])


def _capture(row: Row) -> Capture:
    with values_of("representations"):
        return Capture(
            url=row["url"],
            format=row["format"],
            site=row["site"],
            slug=row["slug"],
            sequence=row["sequence"],
            fetched_at=from_micros(row["fetched_at"]),
            payload_digest=row["payload_digest"],
            record_id=row["record_id"],
            target_id=row["target_id"],
            place=_place(row),
        )
