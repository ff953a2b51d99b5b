"""What a mirror has of one article, gathered before it is forgotten: its places and its names.

Read from the index and, where they can be read, from the article's manifests. Nothing is changed.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from msgspec import Struct, structs

from storage.archive import Archive, EventRow, SnapshotRow
from storage.errors import ArchiveError
from storage.index.naming import file_of
from storage.index.reader import Reader
from storage.index.rows import Row, event_row, from_micros
from storage.model import Manifest


class Trace(Struct, frozen=True, kw_only=True):
    """An article's URLs (its own, aliases', formats'), names under files/, and words of its own.

    ``words`` are its titles; ``related`` articles, as site and slug, may hold the same text: the
    original that it names, or another copy of its bytes. ``first`` and ``last`` bound its
    observation. ``tombstone`` is one that is there already.
    """

    site: str
    scope: str
    slug: str
    url: str
    implicit: bool
    urls: tuple[str, ...]
    files: tuple[str, ...]
    words: tuple[str, ...]
    formats: tuple[str, ...]
    related: tuple[tuple[str, str], ...]
    snapshots: int
    first: datetime | None
    last: datetime | None
    tombstone: EventRow | None


def trace(root: Path, slug_or_url: str, site: str | None = None) -> Trace:
    """Return what the mirror at ``root`` has. Raises NoSuchArticle, AmbiguousSlug."""
    with Archive.open(root) as archive:
        name, slug = archive.find(slug_or_url, site)
        manifests = _manifests(archive, name, slug)
        originals = {m.record.canonical_source for m in manifests if m.record}
        cluster = {each for url in originals if url for each in archive.resolve(url)}
        index = Reader.to_read(archive.root)
    try:
        found = _traced(index, name, slug)
    finally:
        index.close()
    aliases = {url for each in manifests for url in each.aliases}
    related = {*found.related, *cluster} - {(name, slug)}
    return structs.replace(
        found,
        urls=tuple(sorted({*found.urls, *aliases})),
        related=tuple(sorted(related)),
    )


def _manifests(archive: Archive, site: str, slug: str) -> list[Manifest]:
    """Return the manifests that can be read; of damaged ones the index tells enough."""
    found = []
    rows: list[SnapshotRow | EventRow] = [*archive.history(site, slug), *archive.events(site, slug)]
    for row in rows:
        try:
            found.append(archive.manifest(row, text=False))
        except ArchiveError:
            continue
    return found


_URLS = (
    "SELECT url FROM articles",
    "SELECT url FROM snapshots",
    "SELECT url FROM events",
    "SELECT url FROM entries",
)
_OF_ARTICLE = "WHERE site = :site AND slug = :slug"
_OBSERVED = "SELECT observed_at AS at FROM snapshots"
_SHOWN = """
    SELECT shown.url AS url, shown.final_url AS final_url, shown.format AS format,
           shown.file AS file
    FROM articles JOIN representations AS shown ON shown.article = articles.n
    WHERE articles.site = :site AND articles.slug = :slug
"""
_COPIES = """
    SELECT DISTINCT others.site AS site, others.slug AS slug
    FROM articles JOIN urls AS mine ON mine.article = articles.n
    JOIN urls AS other ON other.mark = mine.mark AND other.article != mine.article
    JOIN articles AS others ON others.n = other.article
    WHERE articles.site = :site AND articles.slug = :slug
"""


def _traced(index: Reader, site: str, slug: str) -> Trace:
    """Return what the index tells of an article."""

    def ask(*question: str) -> list[Row]:
        return index.ask(*question, site=site, slug=slug)

    (article,) = ask("SELECT * FROM articles", _OF_ARTICLE)
    (home,) = index.ask("SELECT * FROM sites WHERE name = :site", site=site)
    urls = {row["url"] for question in _URLS for row in ask(question, _OF_ARTICLE)}
    urls |= {row["name"] for row in ask("SELECT name FROM names", _OF_ARTICLE, "AND is_url")}
    shown = ask(_SHOWN)
    urls |= {row[name] for row in shown for name in ("url", "final_url") if row[name]}
    titles = ask("SELECT DISTINCT title FROM snapshots", _OF_ARTICLE, "AND title != ''")
    seen = [from_micros(row["at"]) for row in ask(_OBSERVED, _OF_ARTICLE)]
    buried = ask("SELECT * FROM events", _OF_ARTICLE, "AND event = 'forgotten' ORDER BY sequence")
    last = event_row(buried[-1]) if buried else None
    return Trace(
        site=site,
        scope=home["scope"],
        slug=slug,
        url=article["url"],
        implicit=bool(home["implicit"]),
        urls=tuple(sorted(urls)),
        files=tuple(sorted({_file_of(row) for row in shown} - {""})),
        words=tuple(sorted(row["title"] for row in titles)),
        formats=tuple(sorted({row["format"] for row in shown})),
        related=tuple((row["site"], row["slug"]) for row in ask(_COPIES)),
        snapshots=len(seen),
        first=min(seen, default=None),
        last=max(seen, default=None),
        tombstone=last if last and last.sequence == article["last"] else None,
    )


def _file_of(row: Row) -> str:
    try:
        return file_of(row)
    except ValueError:
        return ""
