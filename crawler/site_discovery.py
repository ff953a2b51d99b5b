"""Where one site's entries come from: its lists first, then what its pages link to.

Lists know what links don't: when an article was modified, and which URLs compete for a slug. So
links wait until every list was read. What a document yields is decided here; reading documents is
`discovery.sources`'s, working on entries the site run's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from datetime import datetime

from msgspec import Struct

from crawler.article import Page
from crawler.declared import is_twin
from crawler.discovery.listing import candidates, is_further_page, is_site_file
from crawler.discovery.sources import Sources
from crawler.discovery.traps import Traps, pattern
from crawler.events import Discovered, Event, Note
from crawler.facts import Facts
from crawler.frontier import Entry, Frontier
from crawler.links import is_comment_feed, is_feed
from crawler.robots import Robots
from crawler.slugs import Slugs
from crawler.wording import duration

#: What an article of this kind of site costs at first: HTML, Markdown, text and JSON-LD.
REQUESTS_AN_ARTICLE = 4


class Reach(Struct, frozen=True, kw_only=True):
    """How far discovery goes: from ``start``, and whether at all (``follow``).

    ``page_depth`` counts plain links from the start, further pages of a list as one; ``rate`` is
    requests a second (0: no limit). ``in_site`` and ``wanted`` tell the site's URLs, and those of
    them that the user selected.
    """

    start: str
    follow: bool
    page_depth: int
    links_per_page: int
    rate: float
    in_site: Callable[[str], bool]
    wanted: Callable[[str], bool]


class Discovery:
    """Discovers one site. Mutable state: links held back, feeds named, barren paths."""

    def __init__(
        self,
        site: str,
        reach: Reach,
        frontier: Frontier,
        slugs: Callable[[], Slugs],
        *,
        report: Callable[[Event], None],
        clock: Callable[[], datetime],
    ) -> None:
        self._site = site
        self._reach = reach
        self._frontier = frontier
        self._slugs = slugs
        self._report = report
        self._clock = clock
        self._traps = Traps()
        self._feeds: dict[str, None] = {}
        self._held: dict[str, Entry] = {}
        self._lists_read = not reach.follow
        self._listed = 0

    def wants(self, url: str) -> bool:
        """Say whether ``url`` may be an entry of this run."""
        return self._reach.in_site(url) and self._reach.wanted(url) and not is_site_file(url)

    async def lists(
        self, sources: Sources, robots: Robots, start: Page | None
    ) -> AsyncIterator[int]:
        """Read what lists the whole site; yields the number of new entries a document."""
        links = start.facts.links if start is not None else ()
        named = [link.url for link in links if link.rel == "sitemap"]
        async for entries in sources.listed(robots, named):
            new = self.listing(entries)
            self._listed += new
            yield new
        self._lists_read = True
        yield self._add(list(self._held.values()), self._reach.start)
        self._held.clear()
        self._estimate()

    async def feeds(self, sources: Sources) -> AsyncIterator[int]:
        """Read the feeds that pages named; what they lead to may name others meanwhile."""
        read: set[str] = set()
        while True:
            new = [url for url in self._feeds if url not in read]
            guess = not self._listed and not read
            read.update(new)
            async for entries in sources.feeds(new, guess=guess):
                yield self.listing(entries)
            if not self._feeds.keys() - read:
                return

    def listing(self, entries: list[Entry]) -> int:
        """Take one list's entries in; URL order decides who gets a short slug."""
        inside = [each for each in entries if each.named or self.wants(each.url)]
        self._slugs().reserve(each.url for each in inside if not is_twin(each.url))
        if entries and entries[0].source == "llms-txt":
            self._hold(each for each in inside if not is_twin(each.url))
            inside = [each for each in inside if is_twin(each.url)]
        return self._add(inside, self._reach.start)

    def article(self, facts: Facts, url: str, entry: Entry) -> None:
        """Follow an article's page: related stories are often linked from nowhere else."""
        self._traps.saw(entry.url, fruitful=True)
        self._follow(facts, url, entry.depth)

    def page(self, page: Page) -> None:
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
        self._count(page.url, fruitful=self._follow(page.facts, page.url, page.entry.depth))

    def dead(self, entry: Entry) -> None:
        """Note a link that led nowhere; one page may have thousands of one shape."""
        if entry.source == "link":
            self._count(entry.url, fruitful=False)

    def dropped(self, entry: Entry) -> bool:
        """Say whether pages like this one are left out by now; only mere links ever are."""
        return entry.source == "link" and self._traps.dropped(entry.url)

    def _count(self, url: str, *, fruitful: bool) -> None:
        if self._traps.saw(url, fruitful=fruitful):
            self._say(f"pages like {url} led to no article 50 times: left out from here on")

    def _follow(self, facts: Facts, url: str, depth: int) -> bool:
        """Take in what a document links to; returns whether it led anywhere but on and on.

        A calendar's page always links to the next one: links of its own pattern prove nothing.
        """
        reach = self._reach
        if not reach.follow or facts.nofollow or depth >= reach.page_depth:
            return False
        links = [link.url for link in facts.links if link.rel == "alternate" and link.hreflang]
        urls = candidates((*facts.anchors, *links), url, reach.start)
        entries = [
            Entry(url=each, source="link", depth=depth + (not is_further_page(each)))
            for each in urls[: reach.links_per_page]
            if self._frontier.is_new(each) and self.wants(each) and not self._traps.dropped(each)
        ]
        if self._lists_read:
            self._add(entries, url)
        else:
            self._hold(entries)
        own = pattern(url)
        return any(pattern(each.url) != own for each in entries)

    def _hold(self, entries: Iterable[Entry]) -> None:
        """Keep entries until every list was read, since a list says more of the same URLs."""
        for each in entries:
            self._held.setdefault(each.url, each)

    def _add(self, entries: list[Entry], url: str) -> int:
        """Put what the document at ``url`` names into the frontier, and say so."""
        new = self._frontier.add(entries)
        if new or (entries and entries[0].source != "link"):
            self._report(
                Discovered(
                    at=self._clock(),
                    site=self._site,
                    source=entries[0].source,
                    url=url,
                    count=len(entries),
                    new=new,
                )
            )
        return new

    def _estimate(self) -> None:
        """Say how long the articles listed so far will take at the pace that is kept."""
        if self._reach.rate and self._listed:
            seconds = self._listed * REQUESTS_AN_ARTICLE / self._reach.rate
            self._say(
                f"{self._listed} articles listed: at {self._reach.rate:g} requests/s and about "
                f"{REQUESTS_AN_ARTICLE} requests each, this takes about {duration(seconds)}"
            )

    def _say(self, message: str) -> None:
        self._report(Note(at=self._clock(), site=self._site, message=message))
