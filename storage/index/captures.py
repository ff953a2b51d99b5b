"""The captures of URLs: every stored answer, by URL or by what URLs begin with; for a CDX server.

A capture is a representation whose bytes are stored, as for mementos. One URL's are found by its
mark. What many URLs have in common is looked for among the representations in the order of their
storing, ``WINDOW`` of them at a time, so that no question costs more in a larger archive.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime

from msgspec import Struct

from storage.index.packing import mark_of, packed, unpacked
from storage.index.reader import Reader, one_of, where
from storage.index.rows import Row, from_micros, to_micros, values_of

#: Representations that one page of an answer is looked for in.
WINDOW = 2_000
#: Representations that one question looks at, at most: some tenths of a second.
MOST_LOOKED = 500_000
#: What sorts behind every URL that begins with the same characters.
_LAST = "\U0010ffff"

_COLUMNS = """
    SELECT held.n, held.url, held.format, articles.site AS site, articles.slug AS slug,
           held.sequence, held.fetched_at, held.payload_digest, held.target_id,
           snapshots.segment AS segment, held."offset" AS place, held.length AS length
"""
_JOINED = """
    JOIN articles ON articles.n = held.article
    JOIN snapshots ON snapshots.site = articles.site AND snapshots.slug = articles.slug
     AND snapshots.sequence = held.sequence
"""
_BY_PLACE = f"{_COLUMNS} FROM representations AS held {_JOINED}"
_BY_URL = f"""{_COLUMNS}
    FROM urls JOIN representations AS held
      ON held.article = urls.article AND held.format = urls.format {_JOINED}
"""


class RecordPlace(Struct, frozen=True, kw_only=True):
    """Where a record stands: its segment, and its compressed bytes."""

    segment: str
    offset: int
    length: int


class Capture(Struct, frozen=True, kw_only=True):
    """One stored answer of a URL; ``n`` counts them as stored.

    ``target_id`` set: its bytes are that record's.
    """

    n: int
    url: str
    format: str
    site: str
    slug: str
    sequence: int
    fetched_at: datetime
    payload_digest: str
    target_id: str | None
    place: RecordPlace


class During(Struct, frozen=True, kw_only=True):
    """When: from ``since`` to ``until``, both inclusive, to the second; None: without end."""

    since: datetime | None = None
    until: datetime | None = None


ALWAYS = During()


class Captures:
    """The questions. It keeps nothing but the index, and which captures are shown."""

    def __init__(self, index: Reader, *, private: bool) -> None:
        """``private``: snapshots that were fetched with a private header count too."""
        self._index = index
        self._shown = ["held.record_id != ''"] + ([] if private else ["NOT snapshots.private"])

    def at(
        self, urls: Collection[str], during: During, most: int, skipped: int = 0
    ) -> list[Capture]:
        """Return the captures of some URLs by time, ``most`` at most, after ``skipped`` of them."""
        wanted, values = self._of(urls, during)
        rows = self._index.ask(
            _BY_URL, wanted, "ORDER BY held.fetched_at, held.n LIMIT :most OFFSET :skipped",
            most=most, skipped=skipped, **values,
        )  # fmt: skip
        return [_capture(row) for row in rows]

    def near(
        self, urls: Collection[str], moment: datetime, during: During, most: int
    ) -> list[Capture]:
        """Return the captures of some URLs that are nearest to a moment, nearest first."""
        wanted, values = self._of(urls, during)
        found: list[Capture] = []
        for than, by in (("<", "DESC"), (">=", "ASC")):
            rows = self._index.ask(
                _BY_URL, wanted, f"AND held.fetched_at {than} :moment",
                f"ORDER BY held.fetched_at {by} LIMIT :most",
                moment=to_micros(moment), most=most, **values,
            )  # fmt: skip
            found += map(_capture, rows)
        return sorted(found, key=lambda one: (abs(one.fetched_at - moment), one.n))[:most]

    def count(self, urls: Collection[str], during: During) -> int:
        """Return how many captures some URLs have."""
        wanted, values = self._of(urls, during)
        counted = _BY_URL.replace(_COLUMNS, "SELECT count(*)")
        return self._index.number(counted, wanted, **values)

    def below(self, likes: Collection[str], during: During, after: int, end: int) -> list[Capture]:
        """Return captures of URLs like one of ``likes``, by number: those ``after`` one.

        In ``likes`` a ``*`` stands for anything. They end with ``end``, or earlier: after more than
        ``WINDOW`` of them.
        """
        among, values = _like(likes)
        wanted, times = _during(during)
        span = ["held.n > :after", "held.n <= :end"]
        rows = self._index.ask(
            _BY_PLACE, where([*span, among, *self._shown, *wanted]), "ORDER BY held.n LIMIT :most",
            after=after, end=end, most=WINDOW + 1, **values, **times,
        )  # fmt: skip
        return [_capture(row) for row in rows]

    def windows(self) -> int:
        """Return in how many windows all that is stored falls."""
        return -(-self._index.number("SELECT max(n) FROM representations") // WINDOW)

    def place(self, record_id: str) -> RecordPlace | None:
        """Return where the record that holds a revisit's bytes stands, or None."""
        row = self._index.ask_one(_BY_PLACE, "WHERE held.record_id = :id", id=packed(record_id))
        return None if row is None else _place(row)

    def record(self, segment: str, offset: int) -> RecordPlace | None:
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
        of_article = ["articles.site = :site", "articles.slug = :slug"]
        row = self._index.ask_one(
            _BY_PLACE.replace("SELECT", "SELECT held.record_id,", 1),
            where([*of_article, "held.sequence = :sequence", 'held."offset" = :offset']),
            "AND held.record_id != ''",
            offset=offset, **around,
        )  # fmt: skip
        if row is None or row["segment"] != segment:
            return None
        leads = "(held.record_id = :id OR held.target_id = :id)"
        shown = self._index.ask_one(
            _BY_PLACE, where([*of_article, *self._shown, leads]),
            site=around["site"], slug=around["slug"], id=row["record_id"],
        )  # fmt: skip
        return None if shown is None else _place(row)

    def _of(self, urls: Collection[str], during: During) -> tuple[str, dict[str, object]]:
        by_mark, marks = one_of("mark", map(mark_of, urls))
        named = {f"url_{number}": url for number, url in enumerate(urls)}
        by_url = f"held.url IN ({', '.join(f':{name}' for name in named)})"
        wanted, times = _during(during)
        return where([by_mark, by_url, *self._shown, *wanted]), {**marks, **named, **times}


def _during(during: During) -> tuple[list[str], dict[str, object]]:
    wanted: list[str] = []
    values: dict[str, object] = {}
    if during.since is not None:
        wanted.append("held.fetched_at >= :since")
        values["since"] = to_micros(during.since)
    if during.until is not None:
        wanted.append("held.fetched_at < :until")
        values["until"] = to_micros(during.until) + 1_000_000
    return wanted, values


def _like(likes: Collection[str]) -> tuple[str, dict[str, object]]:
    """Return the condition that a URL is like one of some; a plain beginning is a range."""
    values: dict[str, object] = {}
    conditions = []
    for number, like in enumerate(likes):
        name = f"like_{number}"
        if like.index("*") == len(like) - 1:
            conditions.append(f"held.url >= :{name} AND held.url < :{name}_end")
            values |= {name: like[:-1], f"{name}_end": like[:-1] + _LAST}
        else:
            conditions.append(f"held.url LIKE :{name} ESCAPE '\\'")
            values[name] = "".join(_escaped(like))
    return f"({' OR '.join(conditions)})", values


def _escaped(like: str) -> Iterator[str]:
    for char in like:
        yield "%" if char == "*" else f"\\{char}" if char in "%_\\" else char


def _place(row: Row) -> RecordPlace:
    with values_of("representations"):
        return RecordPlace(segment=row["segment"], offset=row["place"], length=row["length"])


def _capture(row: Row) -> Capture:
    with values_of("representations"):
        return Capture(
            n=row["n"],
            url=row["url"],
            format=row["format"],
            site=row["site"],
            slug=row["slug"],
            sequence=row["sequence"],
            fetched_at=from_micros(row["fetched_at"]),
            payload_digest=row["payload_digest"],
            target_id=None if row["target_id"] is None else unpacked(row["target_id"]),
            place=_place(row),
        )
