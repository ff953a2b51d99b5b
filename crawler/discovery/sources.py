"""Reading a site's discovery documents: llms.txt, sitemaps, feeds.

The rim around the pure parsers of this package: it fetches, undoes codings, and gives entries a
document at a time, so that a sitemap of a million URLs is never held whole. A document that can't
be had costs only itself, and is said.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from datetime import datetime

from msgspec import Struct

from crawler.answer import Answer
from crawler.discovery.feed import parse_feed
from crawler.discovery.llms_txt import parse_llms_txt
from crawler.discovery.sitemap import parse_sitemap
from crawler.events import Event, Failed, Note
from crawler.facts import Malformed
from crawler.faults import FetchError, HostResting
from crawler.fetch import Fetcher
from crawler.frontier import Entry
from crawler.robots import Robots
from crawler.urls import normalise, origin
from crawler.wording import count
from storage.codings import CodingError

#: Decoded bytes of one sitemap: the protocol's own bound is 50 MB, with 50,000 URLs.
MAX_DOCUMENT = 64 * 2**20
#: Documents of one paged feed (RFC 5005); at 10 to 100 entries a page, years of a busy site.
MAX_FEED_PAGES = 200
#: Where feeds are when nothing names them, in the order of how common each is.
FEED_PLACES = ("feed/", "feed.xml", "rss.xml", "atom.xml", "index.xml", "feed.json")
OK = 200
GONE = frozenset({404, 410})


class Bounds(Struct, frozen=True, kw_only=True):
    """How many sitemap documents, and how deep an index may nest."""

    sitemaps: int
    depth: int


class Sources:
    """Reads one site's discovery documents. Mutable state: which were read already."""

    def __init__(
        self,
        site: str,
        scope: str,
        fetcher: Fetcher,
        bounds: Bounds,
        *,
        allowed: Callable[[str], Awaitable[bool]],
        report: Callable[[Event], None],
        clock: Callable[[], datetime],
    ) -> None:
        self._site = site
        self._scope = scope
        self._fetcher = fetcher
        self._bounds = bounds
        self._allowed = allowed
        self._report = report
        self._clock = clock
        self._read: set[str] = set()

    async def listed(
        self, robots: Robots, sitemaps: Iterable[str] = ()
    ) -> AsyncIterator[list[Entry]]:
        """Yield the entries of each document that lists the whole site: llms.txt, then sitemaps.

        ``sitemaps`` are those that the start page names, beside robots.txt's.
        """
        for url in self._places("llms.txt"):
            entries = await self._llms_txt(url)
            if entries:
                yield entries
                break
        home = origin(self._scope)
        written = [*(normalise(each, f"{home}/") for each in robots.sitemaps), *sitemaps]
        queue = [(url, 0, True) for url in written if url is not None]
        queue += [(url, 0, False) for url in self._places("sitemap.xml")]
        async for entries in self._sitemaps(queue):
            yield entries

    async def _sitemaps(self, queue: list[tuple[str, int, bool]]) -> AsyncIterator[list[Entry]]:
        """Read the sitemaps in ``queue`` (URL, depth, whether promised), and those they name.

        What is past the bounds is never held, only counted, and said.
        """
        bounds = self._bounds
        known = {url for url, _, _ in queue}
        past: list[str] = []
        left_out = 0
        while queue and len(self._read) < bounds.sitemaps:
            url, depth, promised = queue.pop(0)
            entries, inner = await self._sitemap(url, promised=promised)
            new = [each for each in dict.fromkeys(inner) if each not in known]
            room = max(bounds.sitemaps - len(queue), 0) if depth < bounds.depth else 0
            queue += [(each, depth + 1, True) for each in new[:room]]
            known.update(new[:room])
            past += new[room : room + 1]
            left_out += len(new[room:])
            if entries:
                yield entries
        past += [url for url, _, _ in queue]
        left_out += len(queue)
        if left_out:
            limit = f"at most {bounds.sitemaps:,} documents are, {bounds.depth} levels deep"
            why = f"left out {count(left_out, 'sitemap')}, this one first: {limit}"
            self._trouble(past[0], why, promised=True)

    async def feeds(self, urls: Iterable[str], *, guess: bool) -> AsyncIterator[list[Entry]]:
        """Yield the entries of the feeds at ``urls``; with ``guess`` and none, of usual places."""
        given = list(urls)
        for url in given:
            async for entries in self._feed(url, promised=True):
                yield entries
        if given or not guess:
            return
        for place in FEED_PLACES:
            found = False
            for url in self._places(place):
                async for entries in self._feed(url, promised=False):
                    found = True
                    yield entries
            if found:
                return

    def _places(self, name: str) -> list[str]:
        """Return where a document of the scope and of its host would be."""
        bases = [self._scope if self._scope.endswith("/") else f"{self._scope}/"]
        bases.append(f"{origin(self._scope)}/")
        return [url for each in dict.fromkeys(bases) if (url := normalise(name, each)) is not None]

    async def _llms_txt(self, url: str) -> list[Entry]:
        answer = await self._document(url, promised=False)
        if answer is None or "html" in (answer.header("content-type") or ""):
            return []
        text = self._decoded(answer).decode("utf-8", "replace")
        links = [link.url for link in parse_llms_txt(text, answer.final_url)]
        return [Entry(url=each, source="llms-txt") for each in dict.fromkeys(links)]

    async def _sitemap(self, url: str, *, promised: bool) -> tuple[list[Entry], list[str]]:
        answer = await self._document(url, promised=promised)
        if answer is None:
            return [], []
        try:
            body = self._decoded(answer)
            sitemap = await asyncio.to_thread(parse_sitemap, body, answer.final_url)
        except Malformed as error:
            self._trouble(url, f"the sitemap is unreadable: {error}", promised=promised)
            return [], []
        for finding in sitemap.findings:
            self._report(
                Note(at=self._clock(), site=self._site, message=f"{url}: {finding.detail}")
            )
        entries = [
            Entry(url=each.url, source="sitemap", lastmod=each.lastmod) for each in sitemap.entries
        ]
        return entries, [each.url for each in sitemap.sitemaps]

    async def _feed(self, url: str, *, promised: bool) -> AsyncIterator[list[Entry]]:
        following: str | None = url
        for _ in range(MAX_FEED_PAGES):
            if following is None or following in self._read:
                return
            answer = await self._document(following, promised=promised)
            if answer is None:
                return
            media_type = answer.header("content-type") or ""
            try:
                body = self._decoded(answer)
                feed = await asyncio.to_thread(parse_feed, body, answer.final_url, media_type)
            except Malformed as error:
                self._trouble(following, f"the feed is unreadable: {error}", promised=promised)
                return
            yield [Entry(url=each.url, source="feed") for each in feed.entries if each.url]
            following = feed.next or feed.prev_archive

    async def _document(self, url: str, *, promised: bool) -> Answer | None:
        """Fetch a document once; None where it is not there, may not be read, or was read."""
        if url in self._read or not await self._allowed(url):
            return None
        self._read.add(url)
        try:
            answer = await self._fetcher.get(url)
        except HostResting:
            raise
        except FetchError as error:
            self._trouble(url, error.sentence, promised=promised)
            return None
        if answer.status != OK:
            gone = answer.status in GONE
            if promised or not gone:
                why = f"the server answered {answer.status}"
                # What isn't there can't be read later either: a stale name is no failure.
                self._trouble(url, why, promised=promised and not gone)
            return None
        if answer.final_url != url and answer.final_url in self._read:
            return None
        self._read.add(answer.final_url)
        return answer

    def _decoded(self, answer: Answer) -> bytes:
        try:
            return answer.decoded(MAX_DOCUMENT)
        except CodingError as error:
            self._trouble(answer.url, str(error), promised=True)
            return b""

    def _trouble(self, url: str, why: str, *, promised: bool) -> None:
        """Say what could not be read; a document that the site itself names counts as a failure."""
        now = self._clock()
        if promised:
            self._report(Failed(at=now, site=self._site, url=url, reason=why))
        else:
            self._report(Note(at=now, site=self._site, message=f"{url}: {why}"))
