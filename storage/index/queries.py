"""The questions that reading commands ask of the index: SQL in, values out.

Every list has an order of its own that no row number and no arrival decides, so that an index made
again answers the same. Plain SQL that both engines understand: see reader.py.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime

import msgspec
from msgspec import Struct

from storage.index.naming import file_of
from storage.index.packing import mark_of, packed
from storage.index.reader import Reader, one_of, where
from storage.index.rows import (
    SNAPSHOT,
    EventRow,
    SnapshotRow,
    content_mark,
    event_row,
    from_micros,
    moment_or_none,
    snapshot_of,
    snapshot_row,
    to_micros,
    values_of,
)
from storage.model import ContentDigest, Lately, Site

#: An article's last manifests that are looked through for what changed lately: a few tell a rate,
#: and the cost of asking stays the same however long a history grows.
_LATELY = 8


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


def all_sites(index: Reader) -> list[Site]:
    """Every site, by name."""
    rows = index.ask("SELECT * FROM sites ORDER BY name")
    with values_of("sites"):
        texts = msgspec.convert([(r["name"], r["scope"]) for r in rows], list[tuple[str, str]])
        implicit = [bool(r["implicit"]) for r in rows]
    return [
        Site(name=name, scope=scope, implicit=each)
        for (name, scope), each in zip(texts, implicit, strict=True)
    ]


def _wanted(site: str | None, *, canonicals: bool) -> list[str]:
    found = [] if site is None else ["snapshots.site = :site"]
    return found if canonicals else [*found, "NOT snapshots.implicit"]


_NEWEST = """
    SELECT snapshots.* FROM articles JOIN snapshots
      ON snapshots.site = articles.site AND snapshots.slug = articles.slug
     AND snapshots.sequence = articles.newest
"""
_NEWEST_AT = """
    SELECT snapshots.* FROM articles JOIN snapshots
      ON snapshots.site = articles.site AND snapshots.slug = articles.slug
     AND snapshots.sequence = (
        SELECT max(later.sequence) FROM snapshots AS later
        WHERE later.site = articles.site AND later.slug = articles.slug
          AND later.observed_at <= :at
     )
"""


def newest_all(
    index: Reader,
    site: str | None,
    *,
    canonicals: bool,
    at: datetime | None,
    since: datetime | None,
) -> Iterator[SnapshotRow]:
    """Each article's newest snapshot (as of ``at``; observed at or after ``since``)."""
    wanted = _wanted(site, canonicals=canonicals)
    if since is not None:
        wanted.append("snapshots.observed_at >= :since")
    of_articles = _NEWEST if at is None else _NEWEST_AT
    moments = {"at": at and to_micros(at), "since": since and to_micros(since)}
    gone = gone_moments(index, at)
    keys = ("articles.site", "articles.slug")
    for row in index.walk(of_articles, wanted, keys, site=site, **moments):
        sequence, moment = gone.get((row["site"], row["slug"]), (0, None))
        yield snapshot_row(row, moment if sequence > row["sequence"] else None)


def gone_moments(
    index: Reader, at: datetime | None = None
) -> dict[tuple[str, str], tuple[int, datetime | None]]:
    """Return by site and slug the last event of being gone or back, and since when it is gone."""
    wanted = ["event IN ('gone', 'returned')"]
    if at is not None:
        wanted.append("observed_at <= :at")
    by = "ORDER BY site, slug, sequence"
    rows = index.ask("SELECT * FROM events", where(wanted), by, at=at and to_micros(at))
    found: dict[tuple[str, str], tuple[int, datetime | None]] = {}
    for row in rows:
        moment = from_micros(row["observed_at"]) if row["event"] == "gone" else None
        found[row["site"], row["slug"]] = (row["sequence"], moment)
    return found


_OF_ARTICLE = "SELECT * FROM snapshots WHERE site = :site AND slug = :slug"
_HISTORY = _OF_ARTICLE.replace("*", ", ".join(f'"{name}"' for name in SNAPSHOT))
_HISTORY += " ORDER BY sequence"


def newest(index: Reader, site: str, slug: str) -> SnapshotRow | None:
    """Return an article's newest snapshot, or None."""
    row = index.ask_one(_OF_ARTICLE, "ORDER BY sequence DESC", site=site, slug=slug)
    return None if row is None else snapshot_row(row)


def newest_at(index: Reader, site: str, slug: str, at: datetime) -> SnapshotRow | None:
    """Return an article's newest snapshot of those observed at a moment or before, or None."""
    seen = ("AND observed_at <= :at", "ORDER BY sequence DESC")
    row = index.ask_one(_OF_ARTICLE, *seen, site=site, slug=slug, at=to_micros(at))
    return None if row is None else snapshot_row(row)


def with_words(
    index: Reader, site: str, slug: str, before: int, content: Mapping[str, ContentDigest]
) -> Iterator[SnapshotRow]:
    """Give an article's snapshots before a sequence number that bear these contents' marks.

    Newest first, one source's content or more; a mark is short, to find by and not to trust.
    """
    marks = {f"mark_{n}": content_mark(*each) for n, each in enumerate(content.items())}
    bearing = [f"AND content LIKE '%' || :{name} || '%'" for name in marks]
    question = (_OF_ARTICLE, "AND sequence < :before", *bearing, "ORDER BY sequence DESC")
    return map(snapshot_row, index.ask(*question, site=site, slug=slug, before=before, **marks))


def history(index: Reader, site: str, slug: str) -> list[SnapshotRow]:
    """Return an article's snapshots, oldest first by sequence."""
    rows = index.values(_HISTORY, site=site, slug=slug)
    return [snapshot_of(row) for row in rows]


def all_history(index: Reader, site: str | None, *, canonicals: bool) -> Iterator[SnapshotRow]:
    """Every snapshot, by site, slug and sequence."""
    wanted = _wanted(site, canonicals=canonicals)
    keys = ("site", "slug", "sequence")
    return map(snapshot_row, index.walk("SELECT * FROM snapshots", wanted, keys, site=site))


def article_events(index: Reader, site: str, slug: str) -> list[EventRow]:
    """Return an article's events, oldest first by sequence."""
    rows = index.ask(
        "SELECT * FROM events WHERE site = :site AND slug = :slug ORDER BY sequence",
        site=site, slug=slug,
    )  # fmt: skip
    return [event_row(row) for row in rows]


def missed(index: Reader, site: str) -> dict[str, EventRow]:
    """Return by slug the last event of the articles that are gone, or were seen gone."""
    rows = index.ask(
        """SELECT * FROM events
           WHERE site = :site AND event IN ('gone-seen', 'gone', 'returned')
           ORDER BY slug, sequence""",
        site=site,
    )
    last = {row["slug"]: event_row(row) for row in rows}
    return {slug: row for slug, row in last.items() if row.event != "returned"}


def forgotten(index: Reader, site: str) -> dict[str, str]:
    """Return every URL of a site's forgotten articles, each with the article's slug."""
    rows = index.ask(
        """SELECT names.name AS name, names.slug AS slug FROM events JOIN names
             ON names.site = events.site AND names.slug = events.slug AND names.is_url
           WHERE events.site = :site AND events.event = 'forgotten'""",
        site=site,
    )
    return {row["name"]: row["slug"] for row in rows}


def named(index: Reader, slug: str, site: str | None) -> set[tuple[str, str]]:
    """Return the articles of this slug, else of a site's those that have it as a second one."""
    # Every site is tried by name, so that the articles' own index serves.
    here = index.ask(
        """SELECT site, slug FROM articles
           WHERE slug = :slug AND site IN (SELECT name FROM sites)""",
        slug=slug,
    )
    found = {(row["site"], row["slug"]) for row in here}
    second = index.ask(
        """SELECT site, slug FROM names
           WHERE name = :slug AND site IN (SELECT name FROM sites) AND NOT is_url""",
        slug=slug,
    )
    exact = {name for name, _ in found}
    found |= {(row["site"], row["slug"]) for row in second if row["site"] not in exact}
    return {one for one in found if site is None or one[0] == site}


def at_urls(index: Reader, urls: Collection[str], site: str | None) -> set[tuple[str, str]]:
    """Return the articles that a URL leads to: their own, an alias or a representation's."""
    if not urls:
        return set()
    by_name, named = one_of("name", urls)
    # Every site is tried by name, so that the names' own index serves.
    here = ("SELECT site, slug FROM names", where(("site IN (SELECT name FROM sites)", by_name)))
    found = index.ask(*here, "AND is_url", **named)
    articles = {(row["site"], row["slug"]) for row in found}
    if not any(site in {None, one[0]} for one in articles):
        articles = _shown_at(index, urls)
    return {one for one in articles if site is None or one[0] == site}


def _shown_at(index: Reader, urls: Collection[str]) -> set[tuple[str, str]]:
    by_mark, named = one_of("mark", map(mark_of, urls))
    by_url, shown = one_of("url", urls)
    rows = index.ask(
        "SELECT DISTINCT site, slug FROM urls JOIN articles ON articles.n = urls.article",
        where((by_mark, "EXISTS (SELECT 1 FROM representations")),
        where(("article = urls.article", by_url)),
        ")",
        **named | shown,
    )
    return {(row["site"], row["slug"]) for row in rows}


def record_place(index: Reader, record_id: str) -> tuple[str, int, int] | None:
    """Segment, offset and compressed length of a representation's record."""
    row = index.ask_one(
        """SELECT snapshots.segment AS segment, held."offset" AS place, held.length AS length
           FROM representations AS held
             JOIN articles ON articles.n = held.article
             JOIN snapshots ON snapshots.site = articles.site
              AND snapshots.slug = articles.slug AND snapshots.sequence = held.sequence
           WHERE held.record_id = :id""",
        id=packed(record_id),
    )
    return None if row is None else (row["segment"], row["place"], row["length"])


#: Of the snapshots that the publisher's own doing led to, and not a format found or lost.
_LATELY_CHANGED = """
    SELECT slug, count(*) AS changes, min(moment) AS oldest, max(moment) AS newest
    FROM (
        SELECT articles.slug AS slug, CASE
            WHEN snapshots.reason IN ('first', 'edit')
             AND snapshots.updated_at < snapshots.observed_at
            THEN snapshots.updated_at ELSE snapshots.observed_at END AS moment
        FROM articles JOIN snapshots
          ON snapshots.site = articles.site AND snapshots.slug = articles.slug
         AND snapshots.sequence > articles.last - :last
        WHERE articles.site = :site AND snapshots.reason IN
          ('first', 'edit', 'silent-edit', 'same-day', 'undated', 'reverted')
    ) AS changed
    GROUP BY slug
"""


def lately(index: Reader, site: str) -> dict[str, Lately]:
    """Return by slug when a site's articles changed lately, by one statement."""
    rows = index.ask(_LATELY_CHANGED, site=site, last=_LATELY)
    with values_of("snapshots"):
        return {
            row["slug"]: Lately(
                changes=row["changes"],
                oldest=from_micros(row["oldest"]),
                newest=from_micros(row["newest"]),
            )
            for row in rows
        }


def site_slugs(index: Reader, site: str) -> dict[str, str]:
    """Return a site's articles: slug to the URL of the newest snapshot or move, else event."""
    rows = index.ask("SELECT slug, url FROM articles WHERE site = :site ORDER BY slug", site=site)
    with values_of("articles"):
        return msgspec.convert({row["slug"]: row["url"] for row in rows}, dict[str, str])


def site_aliases(index: Reader, site: str) -> dict[str, str]:
    """Every URL that leads to an article of the site, to its slug; the one seen last counts."""
    rows = index.ask(
        """SELECT name, slug FROM names WHERE site = :site AND is_url
           ORDER BY name, seen_at, slug""",
        site=site,
    )
    with values_of("names"):
        return msgspec.convert({row["name"]: row["slug"] for row in rows}, dict[str, str])


def site_status(index: Reader, site: Site) -> SiteStatus:
    """Return a site's numbers."""
    newest = list(newest_all(index, site.name, canonicals=True, at=None, since=None))

    def number(*sql: str) -> int:
        return index.number(*sql, site=site.name)

    read = "FROM entries WHERE site = :site AND verdict = 'article'"
    with values_of("entries"):
        verified_at = moment_or_none(number("SELECT min(verified_at)", read) or None)
    return SiteStatus(
        site=site.name,
        scope=site.scope,
        implicit=site.implicit,
        articles=len(newest),
        snapshots=number("SELECT count(*) FROM snapshots WHERE site = :site"),
        partial=sum(row.state == "partial" for row in newest),
        gone=sum(row.gone_at is not None for row in newest),
        failed=number("SELECT count(*) FROM entries WHERE site = :site AND verdict = 'failed'"),
        newest_observed_at=max((row.observed_at for row in newest), default=None),
        segments=number("SELECT count(*) FROM segments WHERE site = :site"),
        bytes=number("SELECT sum(committed) FROM segments WHERE site = :site"),
        verified_at=verified_at,
        unverified=number("SELECT count(*)", read, "AND verified_at IS NULL"),
    )


def shared_files(index: Reader) -> set[str]:
    """Return the names under files/ that representations of several articles have."""
    rows = index.ask("""
        SELECT DISTINCT held.url, held.format, held.file
        FROM (
          SELECT mark, format FROM urls WHERE file != ''
          GROUP BY mark, format HAVING count(*) > 1
        ) AS shared
          JOIN urls ON urls.mark = shared.mark AND urls.format = shared.format
          JOIN representations AS held
            ON held.article = urls.article AND held.format = urls.format
        WHERE held.file != '' AND held.record_id != ''
    """)
    with values_of("representations"):
        return {file_of(row) for row in rows}
