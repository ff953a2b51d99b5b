"""Reading a site's discovery documents: plain lists (llms.txt …), sitemaps, feeds.

Which documents there are and what they list; having them is `documents`'s. Entries are given a
document at a time, so that a sitemap of a million URLs is never held whole.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable

from msgspec import Struct

from crawler.discovery.documents import Documents
from crawler.discovery.feed import parse_feed
from crawler.discovery.mirrors import Mirrors
from crawler.discovery.sitemap import SitemapEntry, parse_sitemap
from crawler.discovery.spec import ListSpec
from crawler.discovery.table import LISTS, WAYS
from crawler.facts import Malformed
from crawler.frontier import Entry
from crawler.progress.wording import count
from crawler.robots import Robots
from crawler.urls import normalise, origin

#: Documents of one paged feed (RFC 5005); at 10 to 100 entries a page, years of a busy site.
MAX_FEED_PAGES = 200
#: Sitemaps of an index that are asked for in turn though their dates there did not move: dates show
#: no edit that is older than the newest. With robots.txt, index and feed a run has five requests.
IN_TURN = 2
#: Where feeds are when nothing names them, in the order of how common each is.
FEED_PLACES = ("feed/", "feed.xml", "rss.xml", "atom.xml", "index.xml", "feed.json")


class Bounds(Struct, frozen=True, kw_only=True):
    """How many sitemap documents, how deep an index may nest, and which kinds of list are read."""

    sitemaps: int
    depth: int
    kinds: frozenset[str] = frozenset(WAYS)


class _Listed(Struct, frozen=True, kw_only=True):
    """A sitemap to read: whether the site names it, how deep, and what its index says of it.

    ``spared``: it need not be asked for, as long as such dates hold.
    """

    url: str
    depth: int
    promised: bool = True
    lastmod: str = ""
    spared: bool = False


class Sources:
    """Reads the lists of the site at ``scope``. Mutable state: its documents, the newest feed.

    ``newest_feed`` is the first feed that had entries; ``mirrors`` reads what another mirror lists.
    """

    newest_feed = ""

    def __init__(self, scope: str, documents: Documents, bounds: Bounds) -> None:
        self._scope = scope
        self._documents = documents
        self._bounds = bounds
        self.mirrors = Mirrors(documents, bounds.sitemaps)

    @property
    def whole(self) -> bool:
        """Whether every document that the site names could be read so far."""
        return self._documents.whole

    async def listed(
        self, robots: Robots, sitemaps: Iterable[str] = (), *, plain: bool = True
    ) -> AsyncIterator[list[Entry]]:
        """Yield the entries of each document that lists the whole site: plain ones, then sitemaps.

        ``sitemaps`` are those that the start page names, beside robots.txt's.
        """
        kinds = self._bounds.kinds
        for spec in [LISTS[kind] for kind in LISTS if kind in kinds] if plain else ():
            for url in self._places(spec.place):
                entries = await self._plain(url, spec)
                if entries:
                    yield entries
                    break
        if "sitemap" not in kinds:
            return
        home = origin(self._scope)
        written = [*(normalise(each, f"{home}/") for each in robots.sitemaps), *sitemaps]
        queue = [_Listed(url=url, depth=0) for url in written if url is not None]
        places = self._places("sitemap.xml")
        queue += [_Listed(url=url, depth=0, promised=False) for url in places]
        async for entries in self._sitemaps(queue):
            yield entries

    async def _sitemaps(self, queue: list[_Listed]) -> AsyncIterator[list[Entry]]:
        """Read the sitemaps in ``queue``, and those they name.

        What is past the bounds is never held, only counted, and said.
        """
        bounds = self._bounds
        known = {each.url for each in queue}
        past: list[str] = []
        left_out = 0
        while queue and len(self._documents.read) < bounds.sitemaps:
            listed = queue.pop(0)
            entries, inner = await self._sitemap(listed)
            new = [
                each
                for each in {each.url: each for each in inner}.values()
                if each.url not in known
            ]
            room = max(bounds.sitemaps - len(queue), 0) if listed.depth < bounds.depth else 0
            queue += self._in_order(new[:room], listed.depth + 1)
            known.update(each.url for each in new[:room])
            past += [each.url for each in new[room : room + 1]]
            left_out += len(new[room:])
            if entries:
                yield entries
        past += [each.url for each in queue]
        left_out += len(queue)
        if left_out:
            limit = f"at most {bounds.sitemaps:,} documents are, {bounds.depth} levels deep"
            why = f"left out {count(left_out, 'sitemap')}, this one first: {limit}"
            self._documents.trouble(past[0], why, promised=True)

    def _in_order(self, sitemaps: list[SitemapEntry], depth: int) -> list[_Listed]:
        """Put those last that need not be asked for: the others may show that dates don't hold."""
        standing = {
            each.url: asked
            for each in sitemaps
            if (asked := self._documents.standing(each.url, each.lastmod)) is not None
        }
        spared = sorted(standing, key=lambda url: standing[url])[IN_TURN:]
        listed = [
            _Listed(url=each.url, depth=depth, lastmod=each.lastmod, spared=each.url in spared)
            for each in sitemaps
        ]
        return sorted(listed, key=lambda each: each.spared)

    async def feeds(self, urls: Iterable[str], *, guess: bool) -> AsyncGenerator[list[Entry], None]:
        """Yield the entries of the feeds at ``urls``; with ``guess`` and none, of usual places."""
        if "feed" not in self._bounds.kinds:
            return
        given = list(urls)
        for url in given:
            async for entries in self._feed(url, promised=True):
                self.newest_feed = self.newest_feed or url
                yield entries
        if given or not guess:
            return
        for place in FEED_PLACES:
            found = False
            for url in self._places(place):
                async for entries in self._feed(url, promised=False):
                    found = True
                    self.newest_feed = self.newest_feed or url
                    yield entries
            if found:
                return

    def _places(self, name: str) -> list[str]:
        """Return where a document of the scope and of its host would be."""
        bases = [self._scope if self._scope.endswith("/") else f"{self._scope}/"]
        bases.append(f"{origin(self._scope)}/")
        return [url for each in dict.fromkeys(bases) if (url := normalise(name, each)) is not None]

    async def _plain(self, url: str, spec: ListSpec) -> list[Entry]:
        source = await self._documents.get(url, promised=False)
        if source is None:
            return []
        if "html" in source.media_type:
            self._documents.not_one(url)
            return []
        try:
            listed = spec.parse(source.body, source.final_url)
        except Malformed as error:
            why = f"the {spec.place} is unreadable: {error}"
            self._documents.unreadable(url, why, promised=False)
            return []
        await self._documents.keep(source)
        return [Entry(url=each, source=spec.kind) for each in listed]

    async def _sitemap(self, listed: _Listed) -> tuple[list[Entry], tuple[SitemapEntry, ...]]:
        url, promised = listed.url, listed.promised
        source = await self._documents.get(
            url, promised=promised, lastmod=listed.lastmod, spared=listed.spared
        )
        if source is None:
            return [], ()
        try:
            sitemap = await asyncio.to_thread(parse_sitemap, source.body, source.final_url)
        except Malformed as error:
            why = f"the sitemap is unreadable: {error}"
            self._documents.unreadable(url, why, promised=promised)
            return [], ()
        for finding in sitemap.findings:
            self._documents.trouble(url, finding.detail, promised=False)
        if not sitemap.findings:
            await self._documents.keep(source, listed.lastmod)
        entries = [
            Entry(url=each.url, source="sitemap", lastmod=each.lastmod) for each in sitemap.entries
        ]
        return entries, sitemap.sitemaps

    async def _feed(self, url: str, *, promised: bool) -> AsyncIterator[list[Entry]]:
        following: str | None = url
        for _ in range(MAX_FEED_PAGES):
            if following is None or following in self._documents.read:
                return
            source = await self._documents.get(following, promised=promised)
            if source is None:
                return
            media_type, place = source.media_type, source.final_url
            try:
                feed = await asyncio.to_thread(parse_feed, source.body, place, media_type)
            except Malformed as error:
                why = f"the feed is unreadable: {error}"
                self._documents.unreadable(following, why, promised=promised)
                return
            for finding in feed.findings:
                self._documents.trouble(following, finding.detail, promised=False)
            if not feed.findings:
                await self._documents.keep(source)
            yield [
                Entry(url=each.url, source="feed", lastmod=each.updated)
                for each in feed.entries
                if each.url
            ]
            following = feed.next or feed.prev_archive
