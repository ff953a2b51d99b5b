"""What the index knows that the next commit and the next recovery need: numbers, bodies, places."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any, TypeAlias

from msgspec import Struct, field
from sqlalchemy import ColumnElement, Select, Table, select, tuple_, union_all

from storage.index.index import Index
from storage.index.rows import from_micros, to_micros
from storage.index.schema import articles, events, files, representations, segments, snapshots
from storage.model import Draft

#: An article's site and slug.
Article: TypeAlias = tuple[str, str]

#: Articles in one IN list; SQLite takes 32,766 variables a statement.
_CHUNK = 500

_BODY = (
    "n",
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

    ``keys`` counts snapshots by key, in microseconds, and ``responses`` are those that may serve
    for a revisit: of the keys and bytes of the drafts that were asked for.
    """

    sequence: int = 0
    keys: dict[int, int] = field(default_factory=dict)
    responses: tuple[StoredResponse, ...] = ()


def standings(index: Index, drafts: Sequence[Draft]) -> dict[Article, Standing]:
    """Return what is stored of each draft's article, as far as these drafts can touch it.

    A few questions for the whole batch, none of which walks through an article's history.
    """
    names = {_article(draft) for draft in drafts}
    sequences = {
        _article_of(row): row["last"]
        for row in _matching(index, articles, ("site", "slug"), ("last",), names)
    }
    known = [draft for draft in drafts if _article(draft) in sequences]
    keys = _keys(index, known)
    responses = _responses(index, known)
    return {
        name: Standing(
            sequence=sequences.get(name, 0),
            keys=keys.get(name, {}),
            responses=tuple(responses.get(name, ())),
        )
        for name in names
    }


def _article(draft: Draft) -> Article:
    return draft.manifest.site, draft.manifest.slug


def _article_of(row: Any) -> Article:
    return row["site"], row["slug"]


def _keys(index: Index, drafts: Sequence[Draft]) -> dict[Article, dict[int, int]]:
    wanted = {
        (*_article(draft), to_micros(draft.manifest.key.updated_at))
        for draft in drafts
        if draft.manifest.key is not None
    }
    found: dict[Article, dict[int, int]] = {}
    for row in _matching(index, snapshots, ("site", "slug", "updated_at"), (), wanted):
        counts = found.setdefault(_article_of(row), {})
        counts[row["updated_at"]] = counts.get(row["updated_at"], 0) + 1
    return found


def _responses(index: Index, drafts: Sequence[Draft]) -> dict[Article, list[StoredResponse]]:
    wanted = {
        (*_article(draft), one.digest) for draft in drafts for one in draft.manifest.representations
    }
    found: dict[Article, dict[int, StoredResponse]] = {}
    held = (representations.c.target_id.is_(None), representations.c.record_id != "")
    columns = ("site", "slug", "digest")
    for row in _matching(index, representations, columns, _BODY, wanted, *held):
        found.setdefault(_article_of(row), {})[row["n"]] = _response(row)
    for draft in drafts:
        some = found.setdefault(_article(draft), {})
        for name in _not_modified(draft, some.values()):
            row = index.first(_newest_response(*_article(draft), name))
            if row is not None:
                some[row["n"]] = _response(row)
    return {name: [some[n] for n in sorted(some)] for name, some in found.items()}


def _not_modified(draft: Draft, stored: Collection[StoredResponse]) -> set[str]:
    """Return the formats that answered 304 and whose own bytes are not among ``stored``."""
    said = {payload.role for payload in draft.payloads if payload.not_modified}
    known = {(one.format, one.digest) for one in stored}
    shown = {one.format: one.digest for one in draft.manifest.representations}
    return {name for name in said & shown.keys() if (name, shown[name]) not in known}


def _newest_response(site: str, slug: str, name: str) -> Select[Any]:
    one = representations.c
    query = select(representations).where(one.site == site, one.slug == slug, one.format == name)
    query = query.where(one.target_id.is_(None), one.record_id != "")
    return query.order_by(one.sequence.desc()).limit(1)


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


def _matching(
    index: Index,
    table: Table,
    by: tuple[str, ...],
    columns: tuple[str, ...],
    values: Collection[tuple[Any, ...]],
    *more: ColumnElement[bool],
) -> Iterator[Any]:
    """Give the rows whose columns ``by`` are among ``values``, some hundred values a question."""
    wanted = sorted(values)
    shown = [table.c[name] for name in dict.fromkeys((*by, *columns))]
    for start in range(0, len(wanted), _CHUNK):
        some = wanted[start : start + _CHUNK]
        among = tuple_(*(table.c[name] for name in by)).in_(some)
        yield from index.all(select(*shown).where(among, *more))


def file_names(index: Index, wanted: Collection[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Return the names under files/ that URLs and formats have been given, by both."""
    urls = {(url,) for url, _ in wanted}
    return {
        (row["url"], row["format"]): row["file"]
        for row in _matching(index, files, ("url",), ("format", "file"), urls)
    }


def held_paths(index: Index, paths: Collection[str]) -> dict[str, bool]:
    """Return which of some folded paths under files/ are in use: True for a folder."""
    rows = _matching(index, files, ("folded",), ("file",), {(path,) for path in paths})
    return {row["folded"]: not row["file"] for row in rows}


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
