"""What a look at a site or an article found: values for people and programs. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

from crawler.article.reading import Reading
from crawler.article.slugs import slug_from_url
from crawler.article.snapshot import Candidate, Context, consider, declared_slug
from crawler.comparison import Alternate, Saying, alternates, sayings
from crawler.urls import origin, site_name
from storage.model import Finding, Key, Site


class RobotsLook(Struct, frozen=True, kw_only=True):
    """What robots.txt says: of this URL, in seconds, and where its sitemaps are."""

    allowed: bool
    reason: str
    crawl_delay: float | None = None
    sitemaps: tuple[str, ...] = ()


class SourceLook(Struct, frozen=True, kw_only=True):
    """A document that lists articles; ``dated`` of its ``entries`` say when they were modified."""

    kind: str
    url: str
    entries: int
    dated: int


class FormatLook(Struct, frozen=True, kw_only=True):
    """One declared format; ``why`` it could not be had, empty where it could.

    ``particulars`` is what it alone can tell, as facts.Facts has them.
    """

    format: str
    url: str
    declared_by: tuple[str, ...] = ()
    media_type: str = ""
    length: int = 0
    etag: str | None = None
    last_modified: str | None = None
    particulars: dict[str, int | str] = {}
    why: str = ""


class ArticleLook(Struct, frozen=True, kw_only=True):
    """One article: what it would be filed under, its formats, and what each of them says.

    ``said`` maps a record's field to the source it would be taken from; ``usage`` is what its
    publisher says of copies.
    """

    url: str
    slug: str
    title: str | None
    key: Key
    said: dict[str, str]
    canonical: dict[str, str]
    canonical_source: str | None
    aliases: tuple[str, ...]
    formats: tuple[FormatLook, ...]
    alternates: tuple[Alternate, ...]
    sayings: tuple[Saying, ...]
    findings: tuple[Finding, ...]
    usage: dict[str, str]

    @property
    def disagreements(self) -> tuple[Saying, ...]:
        """The fields of which its formats say different things."""
        return tuple(each for each in self.sayings if not each.agree)


class Look(Struct, frozen=True, kw_only=True):
    """One look: ``what`` is at the URL, ``article``, ``site`` (or a section) or ``nothing``.

    ``why`` says so in words; ``article`` is it, or a sample of the site's; ``feeds`` are those that
    the page names; ``notes`` are what could not be read.
    """

    url: str
    final_url: str
    what: str
    why: str
    robots: RobotsLook
    sources: tuple[SourceLook, ...] = ()
    feeds: tuple[str, ...] = ()
    article: ArticleLook | None = None
    notes: tuple[str, ...] = ()
    requests: int = 0


def article_look(reading: Reading, now: datetime) -> ArticleLook:
    """Describe a reading: what would be kept of it, and what its formats say. Pure."""
    scope = f"{origin(reading.url)}/"
    context = Context(site=Site(name=site_name(scope), scope=scope), run="", now=now)
    slug = declared_slug(reading) or slug_from_url(reading.url)
    candidate = consider(reading, slug, None, context)
    record = candidate.assembly.record
    copies = tuple(reading.copies.values())
    return ArticleLook(
        url=reading.url,
        slug=slug,
        title=record.title,
        key=candidate.assembly.key,
        said=candidate.assembly.said,
        canonical=reading.claims,
        canonical_source=record.canonical_source,
        aliases=tuple(sorted(reading.aliases)),
        formats=tuple(_formats(reading)),
        alternates=alternates(copies),
        sayings=sayings(reading.facts),
        findings=_findings(candidate),
        usage={name: value for copy in copies for name, value in copy.usage.items()},
    )


def _findings(candidate: Candidate) -> tuple[Finding, ...]:
    both = (*candidate.assembly.findings, *candidate.reading.findings)
    return tuple(dict.fromkeys(both))


def _formats(reading: Reading) -> Iterable[FormatLook]:
    for copy in reading.copies.values():
        one = copy.representation
        yield FormatLook(
            format=one.format,
            url=one.url,
            declared_by=one.declared_by,
            media_type=one.media_type,
            length=one.length,
            etag=one.etag,
            last_modified=one.last_modified,
            particulars=one.particulars,
        )
    for name, why in reading.missing.items():
        yield FormatLook(format=name, url=reading.alternates.get(name, ""), why=why)
