"""The questions that reading commands ask of the index: statements in, values out.

Every list has an order of its own that no row number and no arrival decides, so that an index made
again answers the same.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import (
    ColumnElement,
    RowMapping,
    and_,
    exists,
    func,
    select,
)

from storage.index.index import Index
from storage.index.rows import (
    EventRow,
    SnapshotRow,
    content_mark,
    event_row,
    from_micros,
    snapshot_row,
    to_micros,
)
from storage.index.schema import (
    articles,
    entries,
    events,
    memory,
    names,
    representations,
    runs,
    segments,
    sites,
    snapshots,
    validators,
)
from storage.model import ContentDigest, EntryState, Site, Validator

#: Values in one IN list; SQLite takes 32,766 variables a statement.
_CHUNK = 500


class RunRow(Struct, frozen=True, kw_only=True):
    """One run; ``continues_since`` is the start of the unfinished run that it went on with."""

    id: str
    command: str
    scopes: tuple[str, ...]
    started_at: datetime
    continues_since: datetime | None
    finished_at: datetime | None
    finished: bool
    summary: dict[str, Any]


class SiteStatus(Struct, frozen=True, kw_only=True):
    """A site's numbers; ``partial`` are articles whose newest snapshot is, ``bytes`` segments'.

    ``verified_at`` is the oldest of its articles' last verifications, ``unverified`` how many have
    had none.
    """

    site: str
    scope: str
    implicit: bool
    articles: int
    snapshots: int
    partial: int
    gone: int
    failed: int
    newest_observed_at: datetime | None
    segments: int
    bytes: int
    verified_at: datetime | None = None
    unverified: int = 0


def all_sites(index: Index) -> list[Site]:
    """Every site, by name."""
    rows = index.all(select(sites).order_by(sites.c.name))
    return [Site(name=r["name"], scope=r["scope"], implicit=r["implicit"]) for r in rows]


def _wanted(site: str | None, *, canonicals: bool) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [] if site is None else [snapshots.c.site == site]
    return found if canonicals else [*found, snapshots.c.implicit.is_(False)]


def newest_all(
    index: Index,
    site: str | None,
    *,
    canonicals: bool,
    at: datetime | None,
    since: datetime | None,
) -> Iterator[SnapshotRow]:
    """Each article's newest snapshot (as of ``at``; observed at or after ``since``)."""
    as_of: ColumnElement[Any] = articles.c.newest
    if at is not None:
        later = snapshots.alias("later")
        highest = select(func.max(later.c.sequence)).where(
            later.c.site == articles.c.site,
            later.c.slug == articles.c.slug,
            later.c.observed_at <= to_micros(at),
        )
        as_of = highest.scalar_subquery()
    same = and_(
        snapshots.c.site == articles.c.site,
        snapshots.c.slug == articles.c.slug,
        snapshots.c.sequence == as_of,
    )
    query = select(snapshots).select_from(articles.join(snapshots, same))
    query = query.where(*_wanted(site, canonicals=canonicals))
    if since is not None:
        query = query.where(snapshots.c.observed_at >= to_micros(since))
    gone = _gone(index, at)
    for row in index.walk(query, (articles.c.site, articles.c.slug)):
        sequence, moment = gone.get((row["site"], row["slug"]), (0, None))
        yield snapshot_row(row, moment if sequence > row["sequence"] else None)


def _gone(index: Index, at: datetime | None) -> dict[tuple[str, str], tuple[int, datetime | None]]:
    query = select(events).where(events.c.event.in_(("gone", "returned")))
    if at is not None:
        query = query.where(events.c.observed_at <= to_micros(at))
    found: dict[tuple[str, str], tuple[int, datetime | None]] = {}
    for row in index.all(query.order_by(events.c.site, events.c.slug, events.c.sequence)):
        moment = from_micros(row["observed_at"]) if row["event"] == "gone" else None
        found[row["site"], row["slug"]] = (row["sequence"], moment)
    return found


def newest(index: Index, site: str, slug: str) -> SnapshotRow | None:
    """Return an article's newest snapshot, or None."""
    query = select(snapshots).where(snapshots.c.site == site, snapshots.c.slug == slug)
    row = index.first(query.order_by(snapshots.c.sequence.desc()).limit(1))
    return None if row is None else snapshot_row(row)


def with_words(
    index: Index, site: str, slug: str, before: int, content: Mapping[str, ContentDigest]
) -> Iterator[SnapshotRow]:
    """Give an article's snapshots before a sequence number that bear these contents' marks.

    Newest first, one source's content or more; a mark is short, to find by and not to trust.
    """
    marks = (snapshots.c.content.contains(content_mark(*each)) for each in content.items())
    query = select(snapshots).where(
        snapshots.c.site == site, snapshots.c.slug == slug, snapshots.c.sequence < before, *marks
    )
    return map(snapshot_row, index.all(query.order_by(snapshots.c.sequence.desc())))


def history(index: Index, site: str, slug: str) -> list[SnapshotRow]:
    """Return an article's snapshots, oldest first by sequence."""
    query = select(snapshots).where(snapshots.c.site == site, snapshots.c.slug == slug)
    return [snapshot_row(row) for row in index.all(query.order_by(snapshots.c.sequence))]


def all_history(index: Index, site: str | None, *, canonicals: bool) -> Iterator[SnapshotRow]:
    """Every snapshot, by site, slug and sequence."""
    query = select(snapshots).where(*_wanted(site, canonicals=canonicals))
    keys = (snapshots.c.site, snapshots.c.slug, snapshots.c.sequence)
    return map(snapshot_row, index.walk(query, keys))


def article_events(index: Index, site: str, slug: str) -> list[EventRow]:
    """Return an article's events, oldest first by sequence."""
    query = select(events).where(events.c.site == site, events.c.slug == slug)
    return [event_row(row) for row in index.all(query.order_by(events.c.sequence))]


def missed(index: Index, site: str) -> dict[str, EventRow]:
    """Return by slug the last event of the articles that are gone, or were seen gone."""
    told = ("gone-seen", "gone", "returned")
    query = select(events).where(events.c.site == site, events.c.event.in_(told))
    rows = index.all(query.order_by(events.c.slug, events.c.sequence))
    last = {row["slug"]: event_row(row) for row in rows}
    return {slug: row for slug, row in last.items() if row.event != "returned"}


def named(index: Index, slug: str, site: str | None) -> set[tuple[str, str]]:
    """Return the articles of this slug, else of a site's those that have it as a second one."""
    # Every site is tried by name, so that the articles' own index serves.
    somewhere = articles.c.site.in_(select(sites.c.name))
    here = select(articles.c.site, articles.c.slug).where(articles.c.slug == slug, somewhere)
    found = {(row["site"], row["slug"]) for row in index.all(here)}
    query = select(names.c.site, names.c.slug)
    query = query.where(names.c.name == slug, names.c.is_url.is_(False))
    exact = {name for name, _ in found}
    found |= {(row["site"], row["slug"]) for row in index.all(query) if row["site"] not in exact}
    return {one for one in found if site is None or one[0] == site}


def at_urls(index: Index, urls: Collection[str], site: str | None) -> set[tuple[str, str]]:
    """Return the articles that a URL leads to: their own, an alias or a representation's."""
    by_name = select(names.c.site, names.c.slug).where(names.c.name.in_(urls), names.c.is_url)
    by_format = select(representations.c.site, representations.c.slug)
    by_format = by_format.where(representations.c.url.in_(urls)).distinct()
    for query in (by_name, by_format):
        found = {(row["site"], row["slug"]) for row in index.all(query)}
        found = {one for one in found if site is None or one[0] == site}
        if found:
            return found
    return set()


def newest_with(index: Index, site: str, slug: str, name: str) -> SnapshotRow | None:
    """Return the newest snapshot whose bytes of the format ``name`` are stored."""
    holds = exists().where(
        representations.c.site == site,
        representations.c.slug == slug,
        representations.c.format == name,
        representations.c.sequence == snapshots.c.sequence,
        representations.c.record_id != "",
    )
    query = select(snapshots).where(snapshots.c.site == site, snapshots.c.slug == slug, holds)
    row = index.first(query.order_by(snapshots.c.sequence.desc()).limit(1))
    return None if row is None else snapshot_row(row)


def record_place(index: Index, record_id: str) -> tuple[str, int, int] | None:
    """Segment, offset and compressed length of a representation's record."""
    columns = (representations.c.segment, representations.c.offset, representations.c.length)
    row = index.first(select(*columns).where(representations.c.record_id == record_id))
    return None if row is None else (row["segment"], row["offset"], row["length"])


def site_entries(index: Index, site: str) -> dict[str, EntryState]:
    """Return what runs learned of a site's entry URLs, by URL."""
    rows = index.all(select(entries).where(entries.c.site == site).order_by(entries.c.url))
    return {row["url"]: EntryState(**{**row, **_moments(row)}) for row in rows}


def failing_entries(index: Index, site: str | None) -> list[EntryState]:
    """Return the entries that could not be had when last asked for, by site and URL."""
    query = select(entries).where(entries.c.verdict == "failed")
    if site is not None:
        query = query.where(entries.c.site == site)
    rows = index.all(query.order_by(entries.c.site, entries.c.url))
    return [EntryState(**{**row, **_moments(row)}) for row in rows]


def _moments(row: RowMapping) -> dict[str, datetime | None]:
    verified = row["verified_at"]
    return {
        "checked_at": from_micros(row["checked_at"]),
        "verified_at": None if verified is None else from_micros(verified),
    }


def site_memory(index: Index, site: str) -> dict[str, str]:
    """Return what a site's runs remember, by key."""
    rows = index.all(select(memory).where(memory.c.site == site))
    return {row["key"]: row["value"] for row in rows}


def remembered(index: Index, site: str, key: str) -> str | None:
    """Return what a site's runs remember under ``key``."""
    query = select(memory.c.value).where(memory.c.site == site, memory.c.key == key)
    row = index.first(query)
    return None if row is None else str(row["value"])


def site_slugs(index: Index, site: str) -> dict[str, str]:
    """Return a site's articles: slug to the URL of the newest snapshot or move, else event."""
    query = select(articles.c.slug, articles.c.url).where(articles.c.site == site)
    return {row["slug"]: row["url"] for row in index.all(query.order_by(articles.c.slug))}


def site_aliases(index: Index, site: str) -> dict[str, str]:
    """Every URL that leads to an article of the site, to its slug; the one seen last counts."""
    query = select(names).where(names.c.site == site, names.c.is_url)
    rows = index.all(query.order_by(names.c.name, names.c.seen_at, names.c.slug))
    return {row["name"]: row["slug"] for row in rows}


def stored_validators(index: Index, urls: Collection[str]) -> dict[str, Validator]:
    """Return the validators kept for these URLs, by URL."""
    found = {}
    wanted = list(urls)
    for start in range(0, len(wanted), _CHUNK):
        some = wanted[start : start + _CHUNK]
        for row in index.all(select(validators).where(validators.c.url.in_(some))):
            found[row["url"]] = Validator(
                url=row["url"],
                etag=row["etag"],
                last_modified=row["last_modified"],
                digest=row["digest"],
            )
    return found


def all_runs(index: Index) -> list[RunRow]:
    """Every run, newest first."""
    rows = index.all(select(runs).order_by(runs.c.started_at.desc(), runs.c.id.desc()))
    return [
        RunRow(
            id=row["id"],
            command=row["command"],
            scopes=msgspec.json.decode(row["scopes"], type=tuple[str, ...]),
            started_at=from_micros(row["started_at"]),
            continues_since=_moment(row["continues_since"]),
            finished_at=_moment(row["finished_at"]),
            finished=row["finished"],
            summary=msgspec.json.decode(row["summary"], type=dict[str, Any]),
        )
        for row in rows
    ]


def _moment(micros: int | None) -> datetime | None:
    return None if micros is None else from_micros(micros)


def site_status(index: Index, site: Site) -> SiteStatus:
    """Return a site's numbers."""
    newest = list(newest_all(index, site.name, canonicals=True, at=None, since=None))
    ours = snapshots.c.site == site.name
    failed = and_(entries.c.site == site.name, entries.c.verdict == "failed")
    read = and_(entries.c.site == site.name, entries.c.verdict == "article")
    never = and_(read, entries.c.verified_at.is_(None))
    oldest = index.count(select(func.min(entries.c.verified_at)).where(read))
    held = segments.c.site == site.name
    return SiteStatus(
        site=site.name,
        scope=site.scope,
        implicit=site.implicit,
        articles=len(newest),
        snapshots=index.count(select(func.count()).select_from(snapshots).where(ours)),
        partial=sum(row.state == "partial" for row in newest),
        gone=sum(row.gone_at is not None for row in newest),
        failed=index.count(select(func.count()).select_from(entries).where(failed)),
        newest_observed_at=max((row.observed_at for row in newest), default=None),
        segments=index.count(select(func.count()).select_from(segments).where(held)),
        bytes=index.count(select(func.sum(segments.c.committed)).where(held)),
        verified_at=_moment(oldest or None),
        unverified=index.count(select(func.count()).select_from(entries).where(never)),
    )
