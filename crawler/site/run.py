"""One site's share of a run: discover, take entries from the frontier, and end well.

Its workers are its own, so that a site whose host must be waited for holds nobody else's. What is
due is `site_dues`', where entries come from `site_discovery`'s, what becomes of one `site_entries`'
and what is said of it `site_notes`'; here they are put in order, up to the end of the run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import datetime

from crawler.article.format_set import Known
from crawler.article.keeping import Keeper
from crawler.article.reading import NoArticle, Reading
from crawler.frontier import Entry, Frontier, Room
from crawler.progress.wording import count
from crawler.robots import Robots
from crawler.site.departures import MASS_SAID, Departures
from crawler.site.discovery import A_PART, Discovery, Reach
from crawler.site.dues import HONESTY, WANTED, Dues
from crawler.site.entries import Entries, Parts
from crawler.site.notes import EntryNotes
from crawler.site.plan import Plan, Tools
from crawler.transport.faults import HostResting
from storage.archive import Archive
from storage.model import Lately, Site
from storage.writer import RunInfo


class SiteRun:
    """Runs one site. Mutable state: the frontier, and how far the run has come."""

    def __init__(self, site: Site, plan: Plan, run: RunInfo, tools: Tools) -> None:
        self.site = site
        self._plan = plan
        self._run = run
        self._tools = tools
        self._frontier = Frontier(Room(size=plan.max_frontier, links=plan.pending_links))
        self._wake = asyncio.Event()
        self._open = True
        self._given_back = 0
        self._looks = 0
        self._start: tuple[Entry, Reading | NoArticle] | None = None
        self.ended = ""
        self.spent = ""
        self._keeper = Keeper(
            site,
            run.id,
            tools.writer,
            every_byte=plan.every_byte,
            report=tools.report,
            clock=tools.clock,
        )
        self._notes = EntryNotes(site, run.id, tools.writer, report=tools.report, clock=tools.clock)
        self._dues = Dues(plan, tools.clock, self._keeper.is_gone)
        self._departures = Departures(
            site,
            run.id,
            self._keeper,
            tools.writer,
            tools.reader,
            gone_after=plan.gone_after,
            report=tools.report,
            clock=tools.clock,
        )
        self._discovery = self._discoverer()
        self._entries = Entries(
            site,
            plan,
            run,
            tools,
            Parts(
                frontier=self._frontier,
                keeper=self._keeper,
                notes=self._notes,
                dues=self._dues,
                departures=self._departures,
                discovery=self._discovery,
            ),
        )

    def _discoverer(self) -> Discovery:
        plan, tools = self._plan, self._tools
        reach = Reach(
            start=plan.start,
            follow=plan.discover,
            page_depth=plan.page_depth,
            links_per_page=plan.links_per_page,
            pending_links=plan.pending_links,
            rate=plan.rate,
            in_site=tools.in_site,
            wanted=tools.wanted,
        )
        return Discovery(
            self.site.name,
            reach,
            self._frontier,
            lambda: self._keeper.names.slugs,
            tools.memory,
            report=tools.report,
            clock=tools.clock,
        )

    async def load(self) -> None:
        """Read what earlier runs left: names given, entries looked at."""
        await self._keeper.load()
        states = await self._tools.writer.read(Archive.entries, self.site.name)
        # One by one: the rest of the site's memory is discovery's, and may be megabytes of lists.
        notes: dict[str, str] = {}
        for key in (HONESTY, WANTED, MASS_SAID):
            note = await self._tools.writer.read(Archive.remembered, self.site.name, key)
            notes[key] = note or ""
        lately: dict[str, Lately] = {}
        if self._plan.verify == "due":
            lately = await self._tools.writer.read(Archive.lately, self.site.name)
        self._dues.recall(states, notes, lately)
        if notes[WANTED] != self._dues.wanted:
            # At once: what this run reads counts as read with them, however it ends.
            self._tools.writer.remember(self.site.name, WANTED, self._dues.wanted)
        self._departures.recall(states, notes)

    def add(self, entries: Iterable[Entry]) -> None:
        """Put the entries of one list, or single ones from outside, into the frontier."""
        self._discovery.listing(list(entries))
        self._wake.set()

    def looked_since(self, url: str, moment: datetime) -> bool:
        """Say whether an earlier run read ``url`` well, at ``moment`` or later."""
        before = self._dues.states.get(url)
        return before is not None and before.verdict == "article" and before.checked_at >= moment

    @property
    def articles(self) -> int:
        """How many articles this run has taken up."""
        return self._entries.taken

    def choice(self) -> str:
        """Say which choice of the user's left no article in a run that has ended; empty: none.

        Unless all of them are verified, what an earlier run kept may fit, and was not asked for.
        """
        unwanted, url = self._entries.unwanted, self._discovery.unselected
        if self.articles or self._stopping() or not (unwanted or url):
            return ""
        known = self._dues.articles()
        if known and self._plan.verify != "all":
            return ""
        if unwanted:
            formats = ", ".join(sorted(self._plan.formats))
            return f"none of {count(unwanted, 'article')} comes in a wanted format ({formats})"
        if any(map(self._tools.wanted, known)):
            return ""
        return (
            "no article was had of what include and exclude leave; one URL that they leave out is "
            f"{url}"
        )

    def close(self) -> None:
        """Say that no more entries come from outside: the run ends when the frontier is empty."""
        self._open = False
        self._wake.set()

    def enough(self, why: str) -> None:
        """End this site's turn with the articles in hand: a budget is spent, ``why`` says which."""
        self.spent = self.spent or why
        self._wake.set()

    def wake(self) -> None:
        """Let waiting workers look again: the run is being stopped."""
        self._wake.set()

    def start_with(self, entry: Entry, seen: Reading | NoArticle) -> None:
        """Go from the document at the start URL, which the conductor has read already."""
        self._frontier.claim(entry.url)
        before = self._dues.states.get(entry.url)
        if isinstance(seen, NoArticle) or before is None or before.run != self._run.id:
            self._start = (entry, seen)
        else:
            self._frontier.settle(entry.url)

    async def go(self) -> None:
        """Discover and work until nothing is left, the run is stopped, or the host's turn is over.

        Raises an ExceptionGroup of what the store raised.
        """
        async with asyncio.TaskGroup() as tasks:
            for _ in range(self._plan.workers):
                tasks.create_task(self._work())
            tasks.create_task(self._begin())
        await self._entries.finish()
        if not self.ended:
            await self._departures.settle(len(self._dues.articles()))
        await self._keeper.drain()
        self._tools.writer.remember(self.site.name, HONESTY, self._dues.remembered())
        if self._plan.discover and not self._stopping():
            articles = self._dues.articles()
            self._discovery.survey(self._tools.sources, articles, self._run.started_at)
        for key, text in self._tools.memory.changes():
            self._tools.writer.remember(self.site.name, key, text)
        if self.ended:
            left = self._frontier.waiting + self._given_back
            self._notes.failed(
                self._plan.start, f"{self.ended} ({left} entries left for the next run)"
            )
        elif self.spent:
            left = self._frontier.waiting + self._given_back
            self._notes.say(f"{self.spent}: {left} entries listed so far are left for the next run")

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
            try:
                await self._entries.seen(entry, seen, Known())
            except HostResting as resting:
                self.ended = self.ended or resting.sentence
            self._frontier.settle(entry.url)
            self._wake.set()

    async def _discover(self) -> None:
        """Read what the site lists, then whatever its pages lead to (the workers do that)."""
        try:
            robots = await self._tools.robots.robots_for(self._plan.start)
            if robots.refuses_all and not self._plan.ignore_robots:
                self._notes.failed(self._plan.start, robots.reason)
            else:
                await self._discover_all(robots)
        except HostResting as resting:
            self.ended = self.ended or resting.sentence
        finally:
            if self._start is not None:
                self._frontier.settle(self._start[0].url)
            self.close()

    async def _discover_all(self, robots: Robots) -> None:
        start = self._start[1] if self._start else None
        page = start if isinstance(start, NoArticle) else None
        async for _ in self._discovery.lists(self._tools.sources, robots, page):
            self._wake.set()
            if self._discovery.is_mirror:
                # Its lists say much of each article: one of them at a time is held.
                await self._settle_start()
                await self._quiet()
            if self._stopping():
                return
        await self._settle_start()
        pages_may_name_feeds = not self._discovery.knows_its_feeds
        if pages_may_name_feeds:
            await self._quiet()
        async for _ in self._discovery.feeds(self._tools.sources):
            self._wake.set()
            if self._stopping():
                return
            if pages_may_name_feeds:
                await self._quiet()
        await self._quiet()
        self.add(self._dues.unlisted(self._frontier.is_new))

    async def _quiet(self) -> None:
        """Wait until the frontier has nothing waiting and nothing in hand."""
        while (self._frontier.waiting or self._frontier.in_hand) and not self._stopping():
            self._wake.clear()
            await self._wake.wait()

    def _stopping(self) -> bool:
        most = self._plan.max_articles
        if self._entries.asked >= most and not self.spent:
            self.spent = f"the {most:,} articles of a run (max_articles) are reached"
        return bool(self.spent or self.ended) or self._tools.stop.is_set()

    def _room(self) -> bool:
        """Say whether one more may be begun: each in hand may yet turn out to be an article."""
        return self._entries.asked + self._frontier.in_hand < self._plan.max_articles

    async def _work(self) -> None:
        while not self._stopping():
            entry = self._frontier.take() if self._room() else None
            if entry is None:
                if not self._open and not self._frontier.in_hand:
                    break
                self._wake.clear()
                await self._wake.wait()
                continue
            try:
                await self._entries.look(entry)
            except HostResting as resting:
                self.ended = self.ended or resting.sentence
                self._given_back += 1
            finally:
                self._frontier.settle(entry.url)
                self._wake.set()
            self._looks += 1
            if self._looks % A_PART == 0:
                # what dates decide waits for nothing: others would have no turn
                await asyncio.sleep(0)
        self._wake.set()
