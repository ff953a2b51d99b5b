"""Looking at a site or an article without keeping anything: what it publishes, and how well.

The same parts that a run works with, asked a few questions: no writer, no archive, no memory. Of a
site one article is read as a sample, and of its lists only the first documents.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack
from datetime import timedelta

from crawler.article.copies import CopyFailed
from crawler.article.format_set import Known
from crawler.article.reading import ArticleReader, NoArticle, Reading
from crawler.clock import now_utc
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
from crawler.looks import Look, RobotsLook, SourceLook, article_look
from crawler.network import Network, open_network
from crawler.robots import Robots
from crawler.transport.faults import HostResting
from crawler.urls import in_scope, origin, site_name
from storage.archive import Body
from storage.model import Manifest

#: Sitemap documents that are read: enough to see how they are made.
SITEMAPS = 5
#: Feeds that are read, each its first page.
FEEDS = 5
#: Pages that are tried for a sample article: lists may open with sections.
TRIES = 5
#: Times that stale formats are read again: enough to tell a torn set from a site's own way.
TORN_RETRIES = 1
_ANY = timedelta(days=1)


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
        if isinstance(seen, NoArticle):
            return await self._site(robots, seen.why, seen)
        feeds = _feeds(each for copy in seen.copies.values() for each in copy.facts.links)
        why = "it has the text or the signs of one"
        return self._look(robots, "article", why, seen.url, article=seen, feeds=feeds)

    def _nothing(self, robots: Robots, why: str) -> Look:
        return self._look(robots, "nothing", why, self._url)

    async def _site(self, robots: Robots, why: str, page: NoArticle | None) -> Look:
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


def _feeds(links: Iterable[Link]) -> tuple[str, ...]:
    named = (each.url for each in links if is_feed(each) and not is_comment_feed(each))
    return tuple(dict.fromkeys(named))


def _may_be_article(url: str, scope: str) -> bool:
    return in_scope(url, scope) and url != scope and not is_twin(url) and not is_site_file(url)


async def _read_nothing(manifest: Manifest, name: str) -> Body:
    """Say that no body is stored: a look asks nothing conditionally."""
    raise CopyFailed(manifest.url, f"no stored {name} to compare with")
