"""One site's share of a run: discover, take entries from the frontier, read, keep, note.

Its workers are its own, so that a site whose host must be waited for holds nobody else's. What is
due, what an answer means and what to say of it are decided in plain methods; only reading a
document and handing a snapshot over are awaited.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Literal

from msgspec import Struct, structs

from crawler.article import ArticleReader, Page, Reading
from crawler.copies import CopyFailed
from crawler.declared import is_twin
from crawler.discovery.listing import candidates, is_site_file
from crawler.discovery.sources import GONE, Sources
from crawler.discovery.traps import Traps
from crawler.due import unchanged_by_lastmod
from crawler.events import Began, Discovered, Event, Failed, Note, Passed, Unchanged
from crawler.facts import Facts
from crawler.faults import HostResting
from crawler.format_set import Known
from crawler.frontier import Entry, Frontier
from crawler.keeping import Keeper
from crawler.links import is_comment_feed, is_feed
from crawler.robots import Robots
from crawler.robots_cache import RobotsCache
from crawler.wording import duration
from storage.archive import Archive
from storage.model import EntryState, Site
from storage.writer import RunInfo, Writer

Verdict = Literal["article", "page", "failed", "skipped", "gone"]
#: Sources that name a URL on purpose: one that is not there is a failure, and not just a dead link.
LISTS = frozenset({"sitemap", "feed", "records-file", "scope", "llms-txt"})

#: What an article of this kind of site costs at first: HTML, Markdown, text and JSON-LD.
REQUESTS_AN_ARTICLE = 4


class Plan(Struct, frozen=True, kw_only=True):
    """How this run goes over a site.

    ``start`` is the URL the run was asked for, ``discover`` False where a records list stands
    instead; ``verify`` as on the command line; ``selected`` tells wanted URLs from the others.
    """

    start: str
    discover: bool = True
    verify: Literal["all", "due", "none"] = "all"
    workers: int = 16
    max_articles: int = 10**6
    page_depth: int = 5
    links_per_page: int = 5000
    verify_within: timedelta = timedelta(days=30)
    rate: float = 0.0
    follow_canonical: bool = True


class Tools(Struct, frozen=True, kw_only=True):
    """What a site's run works with; made by the conductor, shared where sites share it."""

    writer: Writer
    robots: RobotsCache
    reader: ArticleReader
    sources: Sources
    report: Callable[[Event], None]
    clock: Callable[[], datetime]
    stop: asyncio.Event
    in_site: Callable[[str], bool]
    wanted: Callable[[str], bool]
    foreign: Callable[[str], None]


class SiteRun:
    """Runs one site. Mutable state: the frontier, feeds found, and how far the run has come."""

    def __init__(self, site: Site, plan: Plan, run: RunInfo, tools: Tools) -> None:
        self.site = site
        self._plan = plan
        self._run = run
        self._tools = tools
        self._frontier = Frontier()
        self._traps = Traps()
        self._feeds: dict[str, None] = {}
        self._aliases: list[tuple[str, str]] = []
        self._states: dict[str, EntryState] = {}
        self._wake = asyncio.Event()
        self._open = True
        self._taken = 0
        self._listed = 0
        self._lists_read = not plan.discover
        self._held: dict[str, Entry] = {}
        self._start: tuple[Entry, Reading | Page] | None = None
        self.ended = ""
        self._keeper = Keeper(site, run.id, tools.writer, report=tools.report, clock=tools.clock)

    async def load(self) -> None:
        """Read what earlier runs left: names given, entries looked at."""
        await self._keeper.load()
        self._states = await self._tools.writer.read(Archive.entries, self.site.name)

    def add(self, entries: Iterable[Entry]) -> int:
        """Put entries that are wanted here into the frontier; returns how many are new."""
        wanted = [each for each in entries if each.named or self._wants(each.url)]
        new = self._frontier.add(wanted)
        self._wake.set()
        return new

    def add_listing(self, entries: Iterable[Entry]) -> None:
        """Put the entries of one list that the user gave into the frontier."""
        self._listing(list(entries))

    def looked_since(self, url: str, moment: datetime) -> bool:
        """Say whether an earlier run read ``url`` well, at ``moment`` or later."""
        before = self._states.get(url)
        return before is not None and before.verdict == "article" and before.checked_at >= moment

    @property
    def articles(self) -> int:
        """How many articles this run has taken up."""
        return self._taken

    def close(self) -> None:
        """Say that no more entries come from outside: the run ends when the frontier is empty."""
        self._open = False
        self._wake.set()

    def wake(self) -> None:
        """Let waiting workers look again: the run is being stopped."""
        self._wake.set()

    def start_with(self, entry: Entry, seen: Reading | Page) -> None:
        """Go from the document at the start URL, which the conductor has read already."""
        self._frontier.claim(entry.url)
        self._start = (entry, seen)

    async def go(self) -> None:
        """Discover and work until nothing is left, the run is stopped, or the host's turn is over.

        Raises an ExceptionGroup of what the store raised.
        """
        async with asyncio.TaskGroup() as tasks:
            for _ in range(self._plan.workers):
                tasks.create_task(self._work())
            tasks.create_task(self._begin())
        for alias, url in self._aliases:
            await self._keeper.add_alias(alias, url)
        await self._keeper.drain()
        if self.ended:
            left = self._frontier.waiting
            self._fail(self._plan.start, f"{self.ended} ({left} entries left for the next run)")

    async def _begin(self) -> None:
        if self._plan.discover:
            await self._discover()
        else:
            await self._settle_start()

    async def _settle_start(self) -> None:
        """Deal with the document at the start URL."""
        if self._start is not None:
            entry, seen = self._start
            self._start = None
            await self._seen(entry, seen, Known())
            self._frontier.settle(entry.url)
            self._wake.set()

    async def _discover(self) -> None:
        """Read what the site lists, then whatever its pages lead to (the workers do that).

        Lists come first: they know what links don't, when an article was modified and which
        URLs compete for a slug.
        """
        try:
            robots = await self._tools.robots.robots_for(self._plan.start)
            if robots.refuses_all:
                self._fail(self._plan.start, robots.reason)
            else:
                await self._discover_all(robots)
        except HostResting as resting:
            self.ended = self.ended or resting.sentence
        finally:
            self.close()

    async def _discover_all(self, robots: Robots) -> None:
        async for entries in self._tools.sources.listed(robots, self._named_sitemaps()):
            self._listed += self._listing(entries)
            if self._stopping():
                return
        self._lists_read = True
        self._added(list(self._held.values()), self._plan.start)
        self._held.clear()
        self._estimate()
        await self._settle_start()
        await self._quiet()
        async for entries in self._fresh_feeds(guess=not self._listed):
            self._listing(entries)
            if self._stopping():
                return
            await self._quiet()

    def _named_sitemaps(self) -> list[str]:
        """Return the sitemaps that the start page names by ``rel=sitemap``."""
        page = self._start[1] if self._start else None
        links = page.facts.links if isinstance(page, Page) else ()
        return [link.url for link in links if link.rel == "sitemap"]

    def _estimate(self) -> None:
        """Say how long the articles listed so far will take at the pace that is kept."""
        if self._plan.rate and self._listed:
            seconds = self._listed * REQUESTS_AN_ARTICLE / self._plan.rate
            message = (
                f"{self._listed} articles listed: at {self._plan.rate:g} requests/s and about "
                f"{REQUESTS_AN_ARTICLE} requests each, this takes about {duration(seconds)}"
            )
            self._tools.report(Note(at=self._tools.clock(), site=self.site.name, message=message))

    async def _fresh_feeds(self, *, guess: bool) -> AsyncIterator[list[Entry]]:
        """Read feeds as pages name them; pages of a feed may name others."""
        read: set[str] = set()
        while True:
            new = [url for url in self._feeds if url not in read]
            read.update(new)
            async for entries in self._tools.sources.feeds(new, guess=guess and not read):
                yield entries
            if not [url for url in self._feeds if url not in read]:
                return

    def _listing(self, entries: list[Entry]) -> int:
        """Take one document's entries in; URL order decides who gets a short slug."""
        inside = [each for each in entries if self._wants(each.url)]
        self._keeper.slugs.reserve(each.url for each in inside if not is_twin(each.url))
        if entries and entries[0].source == "llms-txt":
            self._hold(each for each in inside if not is_twin(each.url))
            inside = [each for each in inside if is_twin(each.url)]
        return self._added(inside, self._plan.start)

    def _hold(self, entries: Iterable[Entry]) -> int:
        """Keep entries until every list was read, since a list says more of the same URLs."""
        new = [each for each in entries if self._frontier.is_new(each.url)]
        self._held |= {each.url: each for each in new if each.url not in self._held}
        return len(new)

    def _added(self, entries: list[Entry], url: str) -> int:
        """Put what the document at ``url`` names into the frontier, and say so."""
        new = self.add(entries)
        if new or (entries and entries[0].source != "link"):
            self._tools.report(
                Discovered(
                    at=self._tools.clock(),
                    site=self.site.name,
                    source=entries[0].source,
                    url=url,
                    count=len(entries),
                    new=new,
                )
            )
        return new

    async def _quiet(self) -> None:
        """Wait until the frontier has nothing waiting and nothing in hand."""
        while (self._frontier.waiting or self._frontier.in_hand) and not self._stopping():
            self._wake.clear()
            await self._wake.wait()

    def _stopping(self) -> bool:
        full = self._taken >= self._plan.max_articles
        return full or bool(self.ended) or self._tools.stop.is_set()

    async def _work(self) -> None:
        while not self._stopping():
            entry = self._frontier.take()
            if entry is None:
                if not self._open and not self._frontier.in_hand:
                    break
                self._wake.clear()
                await self._wake.wait()
                continue
            try:
                await self._one(entry)
            finally:
                self._frontier.settle(entry.url)
                self._wake.set()
        self._wake.set()

    async def _one(self, entry: Entry) -> None:
        before = self._states.get(entry.url)
        if self._decided(entry, before):
            return
        self._tools.report(Began(at=self._tools.clock(), site=self.site.name, url=entry.url))
        known = await self._keeper.known(entry.url)
        try:
            seen = await self._tools.reader.read(entry, known)
        except HostResting as resting:
            self.ended = self.ended or resting.sentence
            return
        except CopyFailed as failure:
            self._failed(entry, failure, before)
            return
        await self._seen(entry, seen, known)

    async def _seen(self, entry: Entry, seen: Reading | Page, known: Known) -> None:
        if isinstance(seen, Page):
            self._page(seen)
            return
        if seen.url != entry.url and not self._frontier.claim(seen.url):
            self._aliases.append((entry.url, seen.url))
            self._pass(entry, "skipped", f"it is another name of {seen.url}")
            return
        try:
            self._taken += 1
            # A partial article is due again, whatever its lastmod says.
            due = structs.replace(entry, lastmod="") if seen.missing else entry
            await self._keeper.keep(seen, known, partial(self._state, due, "article"))
        finally:
            self._frontier.settle(seen.url)
        self._article(entry, seen)

    def _decided(self, entry: Entry, before: EntryState | None) -> bool:
        """Settle an entry without a request: done in the run continued here, or unchanged."""
        if before is None or before.verdict != "article":
            return False
        since = self._run.continues_since
        now = self._tools.clock()
        done = since is not None and before.checked_at >= since
        if not done and not self._undue(entry, before, now):
            return False
        self._taken += 1
        self._tools.report(Unchanged(at=now, site=self.site.name, slug=before.slug, url=entry.url))
        return True

    def _undue(self, entry: Entry, before: EntryState, now: datetime) -> bool:
        """Say whether the list proves an article unchanged, and it need not be verified now."""
        verified = now - before.checked_at < self._plan.verify_within
        trusted = self._plan.verify == "none" or (self._plan.verify == "due" and verified)
        return trusted and unchanged_by_lastmod(entry.lastmod, before)

    def _article(self, entry: Entry, reading: Reading) -> None:
        for copy in reading.copies.values():
            self._frontier.settle(copy.representation.url)
        page = reading.copies.get("html")
        if page is not None:
            self._traps.saw(entry.url, fruitful=True)
            self._follow(page.facts, page.final_url, entry.depth)
        if self._plan.follow_canonical and reading.canonical_source:
            self._tools.foreign(reading.canonical_source)

    def _page(self, page: Page) -> None:
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
        found = self._follow(page.facts, page.url, page.entry.depth)
        if self._traps.saw(page.url, fruitful=found > 0):
            message = f"pages like {page.url} led to no article 50 times: left out from here on"
            self._tools.report(Note(at=self._tools.clock(), site=self.site.name, message=message))
        self._note(page.entry, "page", page.why)
        self._pass(page.entry, "page", page.why)

    def _follow(self, facts: Facts, url: str, depth: int) -> int:
        if not self._plan.discover or facts.nofollow or depth >= self._plan.page_depth:
            return 0
        links = [link.url for link in facts.links if link.rel == "alternate" and link.hreflang]
        urls = candidates((*facts.anchors, *links), url, self._plan.start)
        entries = [
            Entry(url=each, source="link", depth=depth + 1)
            for each in urls[: self._plan.links_per_page]
            if not self._traps.dropped(each)
        ]
        if not self._lists_read:
            return self._hold(entries)
        return self._added(entries, url)

    def _wants(self, url: str) -> bool:
        return self._tools.in_site(url) and self._tools.wanted(url) and not is_site_file(url)

    def _failed(self, entry: Entry, failure: CopyFailed, before: EntryState | None) -> None:
        if failure.disallowed:
            self._note(entry, "skipped", failure.why)
            self._pass(entry, "skipped", failure.why)
            return
        known = before is not None and before.verdict in ("failed", "gone")
        verdict: Verdict = "gone" if failure.status in GONE else "failed"
        attempts = before.attempts if before is not None and known else 0
        slug = before.slug if before is not None else ""
        self._note(entry, verdict, failure.why, attempts + 1, slug=slug)
        if entry.source in LISTS or failure.status not in GONE:
            self._fail(entry.url, failure.why, known=known)
        else:
            self._pass(entry, verdict if slug else "dead link", failure.why)

    def _note(
        self, entry: Entry, verdict: Verdict, why: str, attempts: int = 0, *, slug: str = ""
    ) -> None:
        state = self._state(entry, verdict, slug, why=why, attempts=attempts)
        self._tools.writer.note_entry(state)

    def _state(
        self, entry: Entry, verdict: Verdict, slug: str, *, why: str = "", attempts: int = 0
    ) -> EntryState:
        return EntryState(
            site=self.site.name,
            url=entry.url,
            verdict=verdict,
            slug=slug,
            why=why,
            lastmod=entry.lastmod,
            checked_at=self._tools.clock(),
            run=self._run.id,
            attempts=attempts,
        )

    def _pass(self, entry: Entry, verdict: str, why: str) -> None:
        now = self._tools.clock()
        self._tools.report(
            Passed(at=now, site=self.site.name, url=entry.url, verdict=verdict, why=why)
        )

    def _fail(self, url: str, reason: str, *, known: bool = False) -> None:
        """Report a failure; an original on another host is a courtesy, so it only passes."""
        if self.site.implicit:
            self._pass(Entry(url=url), "failed", reason)
            return
        now = self._tools.clock()
        self._tools.report(Failed(at=now, site=self.site.name, url=url, reason=reason, known=known))
