"""What the index knows that the next commit and the next recovery need: numbers, bodies, places."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any, TypeAlias

from msgspec import Struct, field
from sqlalchemy import Select, select, tuple_, union_all

from storage.index.index import Index
from storage.index.rows import from_micros
from storage.index.schema import events, representations, segments, snapshots

#: An article's site and slug.
Article: TypeAlias = tuple[str, str]

#: Articles in one IN list; SQLite takes 32,766 variables a statement.
_CHUNK = 500

_BODY = (
    "sequence",
    "record_id",
    "target_id",
    "format",
    "url",
    "final_url",
    "fetched_at",
    "payload_digest",
    "content_encoding",
    "digest",
    "size",
    "file",
)


class StoredResponse(Struct, frozen=True, kw_only=True):
    """A ``response`` record that a later revisit may refer to.

    ``url`` is its WARC-Target-URI, ``fetched_at`` its WARC-Date; ``digest`` and ``size`` are of
    the decoded bytes.
    """

    record_id: str
    format: str
    url: str
    fetched_at: datetime
    payload_digest: str
    content_encoding: str
    digest: str
    size: int


class Standing(Struct, frozen=True, kw_only=True):
    """What an article's next manifest is numbered by, responses oldest first.

    ``keys`` counts snapshots by key, in microseconds; ``files`` are the newest file names by URL
    and format.
    """

    sequence: int = 0
    keys: dict[int, int] = field(default_factory=dict)
    responses: tuple[StoredResponse, ...] = ()
    files: dict[tuple[str, str], str] = field(default_factory=dict)


def standings(index: Index, articles: Collection[Article]) -> dict[Article, Standing]:
    """Return what is stored of each of the articles, in three questions for a whole batch."""
    wanted = list(articles)
    sequences: dict[Article, int] = {}
    keys: dict[Article, dict[int, int]] = {}
    for row in _of_articles(index, snapshots, ("sequence", "updated_at"), wanted):
        article = (row["site"], row["slug"])
        sequences[article] = max(sequences.get(article, 0), row["sequence"])
        counts = keys.setdefault(article, {})
        counts[row["updated_at"]] = counts.get(row["updated_at"], 0) + 1
    for row in _of_articles(index, events, ("sequence",), wanted):
        article = (row["site"], row["slug"])
        sequences[article] = max(sequences.get(article, 0), row["sequence"])
    responses, files = _bodies(index, wanted)
    return {
        article: Standing(
            sequence=sequences.get(article, 0),
            keys=keys.get(article, {}),
            responses=tuple(responses.get(article, ())),
            files=files.get(article, {}),
        )
        for article in wanted
    }


def _bodies(
    index: Index, wanted: list[Article]
) -> tuple[dict[Article, list[StoredResponse]], dict[Article, dict[tuple[str, str], str]]]:
    responses: dict[Article, list[StoredResponse]] = {}
    files: dict[Article, dict[tuple[str, str], str]] = {}
    for row in _of_articles(index, representations, _BODY, wanted):
        article = (row["site"], row["slug"])
        if row["file"]:
            files.setdefault(article, {})[row["url"], row["format"]] = row["file"]
        if row["record_id"] and row["target_id"] is None:
            responses.setdefault(article, []).append(_response(row))
    return responses, files


def _response(row: Any) -> StoredResponse:
    return StoredResponse(
        record_id=row["record_id"],
        format=row["format"],
        url=row["final_url"],
        fetched_at=from_micros(row["fetched_at"]),
        payload_digest=row["payload_digest"],
        content_encoding=row["content_encoding"],
        digest=row["digest"],
        size=row["size"],
    )


def _of_articles(
    index: Index, table: Any, columns: tuple[str, ...], wanted: list[Article]
) -> Iterator[Any]:
    shown = [table.c[name] for name in ("site", "slug", *columns)]
    for start in range(0, len(wanted), _CHUNK):
        some = wanted[start : start + _CHUNK]
        query: Select[Any] = select(*shown).where(tuple_(table.c.site, table.c.slug).in_(some))
        yield from index.all(query.order_by(table.c.site, table.c.slug, table.c.sequence))


def known_segments(index: Index) -> dict[str, int]:
    """Every indexed segment's name and committed length, by name."""
    rows = index.all(select(segments).order_by(segments.c.name))
    return {row["name"]: row["committed"] for row in rows}


def ends_of(index: Index, segment: str) -> list[tuple[str, int, int]]:
    """First and last indexed group of a segment: manifest's id, offset and length."""
    both = union_all(
        *(
            select(table.c.id, table.c.offset, table.c.length).where(table.c.segment == segment)
            for table in (snapshots, events)
        )
    ).subquery()
    found = []
    for order in (both.c.offset, both.c.offset.desc()):
        row = index.first(select(both).order_by(order).limit(1))
        if row is not None:
            found.append((row["id"], row["offset"], row["length"]))
    return found


def taken_files(index: Index) -> list[str]:
    """Every name under files/ that a representation has."""
    query = select(representations.c.file).where(representations.c.file != "").distinct()
    return [row["file"] for row in index.all(query.order_by(representations.c.file))]
