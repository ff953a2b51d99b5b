"""Where one site's entries come from: its lists first, then what its pages link to.

Lists know what links don't: when an article was modified, and which URLs compete for a slug. So
links wait until every list was read. What a document yields is decided here; reading documents is
`discovery.sources`'s, working on entries the site run's.

Where the sitemaps named nearly all of the articles known, later runs keep to them and to the newest
feed, and leave links alone, until a full discovery is due again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing
from datetime import datetime
from itertools import chain
from typing import TypeVar

from msgspec import Struct

from crawler.article.reading import NoArticle
from crawler.article.slugs import Slugs
from crawler.declared import is_twin
from crawler.discovery.listing import Candidates, is_list_page, is_site_file
from crawler.discovery.memory import COVERED, Memory
from crawler.discovery.mirrors import no_later
from crawler.discovery.sources import Sources
from crawler.discovery.traps import LOST_PAGES, Traps, folder, pattern
from crawler.events import Event
from crawler.facts import Facts
from crawler.frontier import Entry, Frontier
from crawler.links import is_comment_feed, is_feed
from crawler.packed import PackedStrings
from crawler.robots import Robots
from crawler.site.telling import Telling
from storage.model import EntryState

T = TypeVar("T")

#: Entries of a list taken in at once, some 20 ms: then whatever else runs has its turn.
A_PART = 1_000

#: How the reason begins for an entry that led to an article which has another URL.
ANOTHER_NAME = "it is another name of"


class Reach(Struct, frozen=True, kw_only=True):
    """How far discovery goes: from ``start``, and whether at all (``follow``).

    ``page_depth`` counts plain links from the start, further pages of a list as one; at most
    ``pending_links`` of them wait. ``rate`` is requests a second (0: no limit). ``in_site`` and
    ``wanted`` tell the site's URLs, and those of them that the user selected.
    """

    start: str
    follow: bool
    page_depth: int
    links_per_page: int
    pending_links: int = 100_000
    rate: float
    in_site: Callable[[str], bool]
    wanted: Callable[[str], bool]


class Discovery:
    """Discovers one site. Mutable state: links held back, what lists named, barren paths.

    And of a site that is another mirror where its lists begin, and whether anything was missed.
    ``unselected`` is one URL of the site that the user did not select, empty where none came up.
    """

    def __init__(
        self,
        site: str,
        reach: Reach,
        frontier: Frontier,
        slugs: Callable[[], Slugs],
        memory: Memory,
        *,
        report: Callable[[Event], None],
        clock: Callable[[], datetime],
    ) -> None:
        self._reach = reach
        self._frontier = frontier
        self._slugs = slugs
        self._memory = memory
        self._light = memory.light(reach.start)
        self._telling = Telling(site, report, clock)
        self._candidates = Candidates(reach.start, frontier.is_new)
        self._traps = Traps()
        self._feeds: dict[str, None] = {}
        self._held = PackedStrings()
        self._lists_read = not reach.follow
        self._listed = 0
        self._named: tuple[str, ...] = ()
        self._from_page = False
        self._mirror = ""
        self._missed = False
        self.unselected = ""

    def wants(self, url: str) -> bool:
        """Say whether ``url`` may be an entry of this run."""
        if not self._reach.in_site(url) or is_site_file(url):
            return False
        if self._reach.wanted(url):
            return True
        self.unselected = self.unselected or url
        return False

    async def lists(
        self, sources: Sources, robots: Robots, start: NoArticle | None
    ) -> AsyncIterator[int]:
        """Read what lists the whole site; yields the number of new entries a document."""
        links = start.facts.links if start is not None else ()
        survey = self._memory.survey(self._reach.start) if self._light else None
        mirrors = [link.url for link in links if link.rel == "resourcesync"]
        for url in [survey.mirror] if survey and survey.mirror else mirrors[:1]:
            async for entries in sources.mirrors.listed(url, survey.reached if survey else {}):
                self._mirror = url if entries else self._mirror
                yield self._take(entries, url)
            if survey or self._mirror or not sources.whole:
                # What else a mirror shows is about articles: its pages are none.
                self._mirror, self._lists_read = url, True
                return
        self._from_page = start is not None
        self._named = tuple(link.url for link in links if link.rel == "sitemap")
        named = survey.sitemaps if survey else self._named
        async for entries in sources.listed(robots, named, plain=not self._light):
            new = 0
            for added in self._turns(entries):
                new += added
                await asyncio.sleep(0)
            # A list that waits for the next one to be read would be held for nothing.
            entries.clear()
            self._listed += new
            yield new
        self._lists_read = True
        yield self._add(self._released(), self._reach.start)
        if not self._light:
            self._telling.estimate(self._listed, self._reach.rate)

    async def feeds(self, sources: Sources) -> AsyncIterator[int]:
        """Read the feeds that pages named; what they lead to may name others meanwhile."""
        if self._mirror:
            return
        survey = self._memory.survey(self._reach.start)
        if self._light and survey is not None:
            async for new in self._newest(sources, survey.feed):
                yield new
            return
        read: set[str] = set()
        while True:
            urls = [url for url in self._feeds if url not in read]
            guess = not self._listed and not read
            read.update(urls)
            async for entries in sources.feeds(urls, guess=guess):
                yield self.listing(entries)
            if not self._feeds.keys() - read:
                return

    async def _newest(self, sources: Sources, url: str) -> AsyncIterator[int]:
        """Read the feed at ``url`` back to where it tells nothing new."""
        async with aclosing(sources.feeds([url] if url else [], guess=False)) as pages:
            async for entries in pages:
                new = self.listing(entries)
                yield new
                if not new:
                    return

    def survey(self, sources: Sources, known: set[str], began: datetime) -> None:
        """Remember a discovery that came to its end, begun at ``began``, for the next run.

        ``known`` are the articles of earlier runs.
        """
        if self._mirror:
            if sources.whole and not self._missed:
                reached = no_later(sources.mirrors.reached, began)
                self._memory.mirrored(self._reach.start, self._mirror, reached, at=began)
            return
        articles = listed = 0
        new = (url for url in self._frontier.articles() if url not in known)
        for url in filter(self.wants, chain(known, new)):
            articles += 1
            listed += self._frontier.in_sitemap(url)
        covered = listed / articles if articles else 0.0
        if not self._light:
            if self._from_page:
                self._memory.surveyed(
                    self._reach.start,
                    covered,
                    at=began,
                    sitemaps=self._named,
                    feed=sources.newest_feed,
                )
            return
        if sources.whole:
            self._memory.covers(self._reach.start, covered)
            if covered < COVERED:
                self._telling.say(
                    f"the sitemaps name {listed} of {articles} known articles: "
                    f"the next run looks everywhere again",
                    trouble=True,
                )

    def listing(self, entries: list[Entry]) -> int:
        """Take one list's entries in; URL order decides who gets a short slug."""
        return sum(self._turns(entries))

    def _turns(self, entries: list[Entry]) -> Iterator[int]:
        """Take one list's entries in, a part at a time; yields the number of new ones in it."""
        inside = []
        for part in _parts(entries):
            inside += [each for each in part if each.named or self.wants(each.url)]
            yield 0
        for urls in _parts(sorted({each.url for each in inside if not is_twin(each.url)})):
            self._slugs().reserve(urls)
            yield 0
        if entries and entries[0].source == "llms-txt":
            self._hold(each for each in inside if not is_twin(each.url))
            inside = [each for each in inside if is_twin(each.url)]
        new = 0
        for part in _parts(inside):
            added = self._frontier.add(part)
            new += added
            yield added
        self._say_added(inside, self._reach.start, new)

    def spares(self, entry: Entry, before: EntryState) -> bool:
        """Say whether what is listed at ``entry`` was no article, and need not be looked at now."""
        known = before.verdict == "page" or before.why.startswith(ANOTHER_NAME)
        young = self._memory.believes(before.checked_at)
        return self._light and known and young and entry.lastmod == before.lastmod

    def article(self, facts: Facts, url: str, entry: Entry) -> None:
        """Follow an article's page: related stories are often linked from nowhere else."""
        self.stood(entry)
        self._follow(facts, url, entry.depth)

    def stood(self, entry: Entry) -> None:
        """Note that there is an article at ``entry``."""
        if not self._light:
            self._traps.saw(entry.url, fruitful=True)
            self._traps.found(entry.url)

    def missed(self, entry: Entry) -> None:
        """Note that what a list has at ``entry`` could not be had: the list is read again."""
        self._missed = self._missed or entry.listed is not None

    @property
    def is_mirror(self) -> bool:
        """Whether the site is another mirror, whose lists alone tell what it has."""
        return bool(self._mirror)

    def follows(self, depth: int) -> bool:
        """Say whether the links of what is so many of them from the start are of interest."""
        apart = self._light or self.is_mirror
        return self._reach.follow and not apart and depth < self._reach.page_depth

    @property
    def knows_its_feeds(self) -> bool:
        """Whether no page but the start is still to name a feed that is read."""
        return self._light or bool(self._listed)

    def page(self, page: NoArticle) -> None:
        """Follow a page's links and feeds; it is no article.

        Where the site lists its articles, only the scope's own feeds are read, not each tag's,
        and none of comments.
        """
        if page.entry.source == "scope" or not self._listed:
            self._feeds |= {
                link.url: None
                for link in page.facts.links
                if is_feed(link) and not (self._listed and is_comment_feed(link))
            }
        depth = page.entry.depth
        led_to = self._follow(page.facts, page.url, depth)
        # A calendar's page always links to the next one: links of its own pattern prove nothing.
        own = pattern(page.url)
        self._count(page.url, fruitful=any(pattern(each) != own for each in led_to))
        if self._traps.strayed(page.url, depth, led_to):
            self._telling.say(
                f"pages in /{folder(page.url)}/ led to no article {LOST_PAGES} times, "
                "only on and on: left out from here on"
            )

    def dead(self, entry: Entry) -> None:
        """Note a link that led nowhere; one page may have thousands of one shape."""
        if entry.source == "link":
            self._count(entry.url, fruitful=False)

    def dropped(self, entry: Entry) -> bool:
        """Say whether pages like this one are left out by now; only mere links ever are."""
        return entry.source == "link" and self._traps.dropped(entry.url)

    def _count(self, url: str, *, fruitful: bool) -> None:
        if self._traps.saw(url, fruitful=fruitful):
            self._telling.say(f"pages like {url} led to no article 50 times: left out from here on")

    def _follow(self, facts: Facts, url: str, depth: int) -> list[str]:
        """Take in what a document links to; returns those of its links that are new."""
        reach = self._reach
        if facts.nofollow or not self.follows(depth):
            return []
        links = [link.url for link in facts.links if link.hreflang and link.rel == "alternate"]
        urls = self._candidates.among((*facts.anchors, *links), url)
        if not urls:
            return []
        entries = [
            Entry(url=each, source="link", depth=depth + (not is_list_page(each)))
            for each in urls[: reach.links_per_page]
            if self.wants(each) and not self._traps.dropped(each)
        ]
        if self._lists_read:
            self._add(entries, url)
        else:
            self._hold(entries)
        return [each.url for each in entries]

    def _take(self, entries: list[Entry], url: str) -> int:
        """Take in what another mirror lists; it has given its articles their slugs."""
        if entries and not any(self._reach.in_site(each.url) for each in entries):
            self._telling.say(
                f"what {url} lists is elsewhere, as at {entries[0].url}", trouble=True
            )
        new = self._add([each for each in entries if self.wants(each.url)], url)
        self._listed += new
        return new

    def _hold(self, entries: Iterable[Entry]) -> None:
        """Keep entries until every list was read, since a list says more of the same URLs."""
        for each in entries:
            if self._held.find(each.url) is not None:
                continue
            if len(self._held) >= self._reach.pending_links:
                self._frontier.left_out["linked"] += 1
                continue
            self._held.add(each.url, f"{each.depth} {each.source}")
        self._telling.left_out(self._frontier.left_out, self._reach.pending_links)

    def _released(self) -> list[Entry]:
        entries = []
        for number in range(len(self._held)):
            url, told = self._held.pair(number)
            depth, _, source = told.partition(" ")
            entries.append(Entry(url=url, source=source, depth=int(depth)))
        self._held = PackedStrings()
        return entries

    def _add(self, entries: list[Entry], url: str) -> int:
        """Put what the document at ``url`` names into the frontier, and say so."""
        new = self._frontier.add(entries)
        self._say_added(entries, url, new)
        return new

    def _say_added(self, entries: list[Entry], url: str, new: int) -> None:
        self._telling.left_out(self._frontier.left_out, self._reach.pending_links)
        self._telling.added(entries, url, new)


def _parts(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """Yield ``items`` in parts that hold nobody up."""
    return (items[start : start + A_PART] for start in range(0, len(items), A_PART))
