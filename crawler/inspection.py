"""Looking at a site or an article without keeping anything: what it publishes, and how well.

The same parts that a run works with, asked a few questions: no writer, no archive, no memory. Of a
site one article is read as a sample, and of its lists only the first documents.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack
from datetime import datetime, timedelta

from msgspec import Struct

from crawler.article.copies import CopyFailed
from crawler.article.format_set import Known
from crawler.article.reading import ArticleReader, Page, Reading
from crawler.article.slugs import slug_from_url
from crawler.article.snapshot import Candidate, Context, consider, declared_slug
from crawler.clock import now_utc
from crawler.comparison import Alternate, Saying, alternates, sayings
from crawler.config.settings import Settings
from crawler.declared import is_twin
from crawler.discovery.documents import Documents
from crawler.discovery.listing import candidates, is_site_file
from crawler.discovery.memory import Memory
from crawler.discovery.sources import Bounds, Sources
from crawler.events import Event, Failed, Note, Requested
from crawler.facts import Link
from crawler.frontier import Entry
from crawler.links import is_comment_feed, is_feed
from crawler.network import Network, open_network
from crawler.robots import Robots
from crawler.transport.faults import HostResting
from crawler.urls import in_scope, origin, site_name
from storage.archive import Body
from storage.model import Finding, Key, Manifest, Site

#: Sitemap documents that are read: enough to see how they are made.
SITEMAPS = 5
#: Feeds that are read, each its first page.
FEEDS = 5
#: Pages that are tried for a sample article: lists may open with sections.
TRIES = 5
#: Times that stale formats are read again: enough to tell a torn set from a site's own way.
TORN_RETRIES = 1
_ANY = timedelta(days=1)


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


async def look(
    url: str,
    settings: Settings,
    *,
    ignore_robots: bool = False,
    report: Callable[[Event], None] = lambda _: None,
) -> Look:
    """Look at ``url``, in normal form; nothing is stored.

    Raises connect.ConnectError for a CA bundle or proxy that can't be used.
    """
    async with AsyncExitStack() as stack:
        heard = _Heard(report)
        network = await open_network(
            stack,
            settings,
            (url,),
            _read_nothing,
            ignore_robots=ignore_robots,
            report=heard,
            clock=now_utc,
        )
        return await _Looker(url, settings, network, heard).look()


class _Heard:
    """Hears the events of a look. Mutable state: how many requests, and what was wrong."""

    def __init__(self, report: Callable[[Event], None]) -> None:
        self._report = report
        self.requests = 0
        self.notes: list[str] = []

    def __call__(self, event: Event) -> None:
        if isinstance(event, Requested):
            self.requests += 1
        elif isinstance(event, Note):
            self.notes.append(event.message)
        elif isinstance(event, Failed):
            self.notes.append(f"{event.url}: {event.reason}")
        self._report(event)


class _Looker:
    """Looks at one URL. Mutable state: the discovery document that was asked for last."""

    def __init__(self, url: str, settings: Settings, network: Network, heard: _Heard) -> None:
        self._url = url
        self._settings = settings
        self._network = network
        self._heard = heard
        self._asked = url
        self._reader = ArticleReader(
            network.copyist,
            in_site=lambda _: True,
            clock=now_utc,
            formats=frozenset(settings.formats),
            most_bytes=settings.max_document_set,
            probe=settings.probe,
            torn_retries=min(settings.torn_retries, TORN_RETRIES),
        )

    async def look(self) -> Look:
        try:
            robots = await self._network.robots.robots_for(self._url)
        except HostResting as resting:
            return self._nothing(Robots.disallow_all(resting.sentence), resting.sentence)
        try:
            seen = await self._reader.read(Entry(url=self._url, source="scope"), Known())
        except HostResting as resting:
            return self._nothing(robots, resting.sentence)
        except CopyFailed as failure:
            if not failure.status:
                return self._nothing(robots, failure.why)
            return await self._site(robots, failure.why, None)
        if isinstance(seen, Page):
            return await self._site(robots, seen.why, seen)
        feeds = _feeds(each for copy in seen.copies.values() for each in copy.facts.links)
        why = "it is one article"
        return self._look(robots, "article", why, seen.url, article=seen, feeds=feeds)

    def _nothing(self, robots: Robots, why: str) -> Look:
        return self._look(robots, "nothing", why, self._url)

    async def _site(self, robots: Robots, why: str, page: Page | None) -> Look:
        """Look at a site or section: its lists, and one of its articles."""
        moved = page is not None and origin(page.url) != origin(self._url)
        place = page.url if page is not None and moved else self._url
        links = page.facts.links if page is not None else ()
        feeds = _feeds(links)
        sources: list[SourceLook] = []
        listed: dict[str, Entry] = {}
        sample: Reading | None = None
        try:
            lists = self._sources(place)
            named = [each.url for each in links if each.rel == "sitemap"]
            async for found, entries in self._documents(lists, robots, named, feeds):
                sources.append(found)
                listed |= {each.url: each for each in entries if each.url not in listed}
            anchors = candidates(page.facts.anchors, place, place) if page is not None else ()
            sample = await self._sample(place, listed.values(), anchors)
        except HostResting as resting:
            self._heard.notes.append(resting.sentence)
        there = page is not None or any(in_scope(url, place) for url in listed)
        what = "site" if there else "nothing"
        return self._look(
            robots, what, why, place, article=sample, sources=tuple(sources), feeds=feeds
        )

    def _sources(self, scope: str) -> Sources:
        async def allowed(url: str) -> bool:
            self._asked = url
            return not await self._network.copyist.forbidden(url)

        documents = Documents(
            site_name(scope),
            self._network.fetcher,
            Memory({}, now_utc(), _ANY, trust=False),
            allowed=allowed,
            report=self._heard,
            clock=now_utc,
        )
        return Sources(scope, documents, Bounds(sitemaps=SITEMAPS, depth=2))

    async def _documents(
        self, lists: Sources, robots: Robots, sitemaps: list[str], feeds: tuple[str, ...]
    ) -> AsyncIterator[tuple[SourceLook, list[Entry]]]:
        """Yield what each of the first documents of a site lists."""
        found = 0
        async for entries in lists.listed(robots, sitemaps):
            found += 1
            yield self._document(entries), entries
        for url in feeds[:FEEDS]:
            async for entries in lists.feeds([url], guess=False):
                yield self._document(entries), entries
                break
        if not feeds:
            async for entries in lists.feeds([], guess=not found):
                yield self._document(entries), entries
                break

    def _document(self, entries: list[Entry]) -> SourceLook:
        return SourceLook(
            kind=entries[0].source if entries else "feed",
            url=self._asked,
            entries=len(entries),
            dated=sum(bool(each.lastmod) for each in entries),
        )

    async def _sample(
        self, scope: str, listed: Iterable[Entry], anchors: Iterable[str]
    ) -> Reading | None:
        """Read the first of the listed or linked pages that is an article."""
        newest = sorted(listed, key=lambda each: each.lastmod, reverse=True)
        linked = [Entry(url=url, source="link", depth=1) for url in anchors]
        wanted = [each for each in (*newest, *linked) if _may_be_article(each.url, scope)]
        for entry in wanted[:TRIES]:
            try:
                seen = await self._reader.read(entry, Known())
            except CopyFailed as failure:
                self._heard.notes.append(f"{entry.url}: {failure.why}")
                continue
            if isinstance(seen, Reading):
                return seen
        return None

    def _look(
        self,
        robots: Robots,
        what: str,
        why: str,
        final_url: str,
        *,
        article: Reading | None = None,
        sources: tuple[SourceLook, ...] = (),
        feeds: tuple[str, ...] = (),
    ) -> Look:
        return Look(
            url=self._url,
            final_url=final_url,
            what=what,
            why=why,
            robots=RobotsLook(
                allowed=robots.allowed(self._url),
                reason=robots.reason,
                crawl_delay=robots.crawl_delay,
                sitemaps=robots.sitemaps,
            ),
            sources=sources,
            feeds=feeds,
            article=article_look(article, now_utc()) if article is not None else None,
            notes=tuple(dict.fromkeys(self._heard.notes)),
            requests=self._heard.requests,
        )


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


def _feeds(links: Iterable[Link]) -> tuple[str, ...]:
    named = (each.url for each in links if is_feed(each) and not is_comment_feed(each))
    return tuple(dict.fromkeys(named))


def _may_be_article(url: str, scope: str) -> bool:
    return in_scope(url, scope) and url != scope and not is_twin(url) and not is_site_file(url)


async def _read_nothing(manifest: Manifest, name: str) -> Body:
    """Say that no body is stored: a look asks nothing conditionally."""
    raise CopyFailed(manifest.url, f"no stored {name} to compare with")
