"""One site's share of a run: take entries from the frontier, read, keep, note.

Its workers are its own, so that a site whose host must be waited for holds nobody else's. What is
due is `site_dues`', where entries come from `site_discovery`'s, what is said of them `site_notes`';
here they are put in order. Only reading a document and handing a snapshot over are awaited.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import datetime
from functools import partial

from msgspec import structs

from crawler.article import Page, Reading
from crawler.copies import Copy, CopyFailed
from crawler.departures import Departures, why_blocked
from crawler.discovery.documents import GONE
from crawler.events import Began
from crawler.faults import HostResting
from crawler.format_set import Known
from crawler.frontier import Entry, Frontier
from crawler.keeping import Keeper
from crawler.robots import Robots
from crawler.screening import Find, Screen
from crawler.site_discovery import ANOTHER_NAME, Discovery, Reach
from crawler.site_dues import HONESTY, Dues
from crawler.site_notes import Notes, Verdict
from crawler.site_plan import Plan, Tools
from crawler.soft_404 import WHY as SOFT_404
from storage.archive import Archive
from storage.model import EntryState, Site
from storage.writer import RunInfo

#: Sources that name a URL on purpose: one that is not there is a failure, and not just a dead link.
LISTS = frozenset({"sitemap", "feed", "records-file", "scope", "llms-txt"})


class SiteRun:
    """Runs one site. Mutable state: the frontier, names found, and how far the run has come."""

    def __init__(self, site: Site, plan: Plan, run: RunInfo, tools: Tools) -> None:
        self.site = site
        self._plan = plan
        self._run = run
        self._tools = tools
        self._frontier = Frontier()
        self._aliases: list[tuple[str, str]] = []
        self._wake = asyncio.Event()
        self._open = True
        self._taken = 0
        self._asked = 0
        self._given_back = 0
        self._start: tuple[Entry, Reading | Page] | None = None
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
        self._notes = Notes(site, run.id, tools.writer, report=tools.report, clock=tools.clock)
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
        self._screen = Screen(tools.reader, plan.start, run.id)
        self._discovery = Discovery(
            site.name,
            Reach(
                start=plan.start,
                follow=plan.discover,
                page_depth=plan.page_depth,
                links_per_page=plan.links_per_page,
                rate=plan.rate,
                in_site=tools.in_site,
                wanted=tools.wanted,
            ),
            self._frontier,
            lambda: self._keeper.slugs,
            tools.memory,
            report=tools.report,
            clock=tools.clock,
        )

    async def load(self) -> None:
        """Read what earlier runs left: names given, entries looked at."""
        await self._keeper.load()
        states = await self._tools.writer.read(Archive.entries, self.site.name)
        memory = await self._tools.writer.read(Archive.memory, self.site.name)
        self._dues.recall(states, memory)
        self._departures.recall(states)

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
        return self._taken

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

    def start_with(self, entry: Entry, seen: Reading | Page) -> None:
        """Go from the document at the start URL, which the conductor has read already."""
        self._frontier.claim(entry.url)
        before = self._dues.states.get(entry.url)
        if isinstance(seen, Page) or before is None or before.run != self._run.id:
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
        for find in self._screen.rest():
            self._count(-1)
            await self._keep(find)
        for alias, url in self._aliases:
            await self._keeper.add_alias(alias, url)
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
                await self._seen(entry, seen, Known())
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
        page = start if isinstance(start, Page) else None
        async for _ in self._discovery.lists(self._tools.sources, robots, page):
            self._wake.set()
            if self._stopping():
                return
        await self._settle_start()
        await self._quiet()
        async for _ in self._discovery.feeds(self._tools.sources):
            self._wake.set()
            if self._stopping():
                return
            await self._quiet()
        self.add(self._dues.unlisted(self._frontier.is_new))

    async def _quiet(self) -> None:
        """Wait until the frontier has nothing waiting and nothing in hand."""
        while (self._frontier.waiting or self._frontier.in_hand) and not self._stopping():
            self._wake.clear()
            await self._wake.wait()

    def _stopping(self) -> bool:
        most = self._plan.max_articles
        if self._asked >= most and not self.spent:
            self.spent = f"the {most:,} articles of a run (max_articles) are reached"
        return bool(self.spent or self.ended) or self._tools.stop.is_set()

    def _room(self) -> bool:
        """Say whether one more may be begun: each in hand may yet turn out to be an article."""
        return self._asked + self._frontier.in_hand < self._plan.max_articles

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
                await self._one(entry)
            finally:
                self._frontier.settle(entry.url)
                self._wake.set()
        self._wake.set()

    async def _one(self, entry: Entry) -> None:
        before = self._dues.states.get(entry.url)
        self._dues.saw(entry)
        if self._decided(entry, before):
            return
        if self._discovery.dropped(entry):
            self._notes.passed(entry, "skipped", "pages like it led to no article")
            return
        self._tools.report(Began(at=self._tools.clock(), site=self.site.name, url=entry.url))
        known = await self._keeper.known(entry.url)
        try:
            page = None
            if before is not None and self._dues.may_glance(before, known):
                glance = await self._tools.reader.glance(entry, known)
                if glance.same:
                    self._same(entry, before, glance.page)
                    return
                page = glance.page
            seen = await self._tools.reader.read(entry, known, page)
            await self._seen(entry, seen, known)
        except HostResting as resting:
            self.ended = self.ended or resting.sentence
            self._given_back += 1
        except CopyFailed as failure:
            self._failed(entry, failure, before)

    async def _seen(self, entry: Entry, seen: Reading | Page, known: Known) -> None:
        if isinstance(seen, Page):
            self._page(seen)
            return
        why = self._departures.led_to(entry.url, seen)
        if seen.url != entry.url and not self._frontier.claim(seen.url):
            if why:
                self._departures.taken(entry.url, seen, why)
            self._aliases.append((entry.url, seen.url))
            self._another_name(entry, seen.url)
            return
        if why:
            move = await self._departures.move(entry.url, seen)
            if move is None:
                # What is there instead is an article of its own, or somebody else's.
                self._notes.passed(entry, "not there", why)
                entry = Entry(url=seen.url, source=entry.source, depth=entry.depth)
                known = await self._keeper.known(entry.url)
                aliases = seen.aliases - {seen.entry.url}
                seen = structs.replace(seen, entry=entry, aliases=aliases)
        else:
            move = await self._departures.renamed(seen)
        if move is not None:
            self._frontier.settle(move.start)
            self._notes.note(Entry(url=move.start), "skipped", f"it moved to {seen.url}")
            entry = structs.replace(entry, url=seen.url)
        await self._screened(Find(entry=entry, reading=seen, known=known, move=move))

    async def _screened(self, find: Find) -> None:
        """Keep what is an article by its words; what may not be one waits for others like it."""
        alone = self.site.implicit or (not self._plan.discover and find.entry.source == "scope")
        if alone:
            await self._keep(find)
            self._article(find.entry, find.reading)
            return
        self._count(1)
        self._frontier.settle(find.reading.url)
        found = await self._screen.screen(find)
        self._article(find.entry, find.reading)
        for each in found.refused:
            self._refuse(each)
        for each in found.kept:
            self._count(-1)
            await self._keep(each)

    def _count(self, change: int) -> None:
        """Count an article that was read among those of this run, or take it back."""
        self._taken += change
        self._asked += change

    def _refuse(self, find: Find) -> None:
        """Report a page that says that nothing is there, with status 200."""
        self._count(-1)
        before = self._dues.states.get(find.entry.url)
        self._failed(find.entry, CopyFailed(find.entry.url, SOFT_404), before)

    def _another_name(self, entry: Entry, url: str) -> None:
        why = f"{ANOTHER_NAME} {url}"
        if not self._keeper.article_at(entry.url):
            self._notes.note(entry, "skipped", why)
        self._notes.passed(entry, "skipped", why)

    async def _keep(self, find: Find) -> None:
        entry, seen = find.entry, find.reading
        self._count(1)
        try:
            # A partial article is due again, whatever its lastmod says.
            due = structs.replace(entry, lastmod="") if seen.missing else entry
            began = min(copy.representation.fetched_at for copy in seen.copies.values())
            verified = None if seen.missing else began
            state = partial(self._notes.state, due, "article", at=began, verified_at=verified)
            reason = await self._keeper.keep(seen, find.known, state, find.move)
            self._departures.lives(self._keeper.slug_at(seen.url))
        finally:
            self._frontier.settle(seen.url)
        if self._dues.weigh(entry, seen, reason):
            self._notes.say(
                f"{entry.url} changed and its lastmod did not: dates are no longer believed"
            )

    def _decided(self, entry: Entry, before: EntryState | None) -> bool:
        """Settle an entry without a request: done in the run continued here, or unchanged."""
        if before is not None and self._discovery.spares(entry, before):
            self._notes.passed(entry, before.verdict, before.why)
            return True
        if before is None or before.verdict != "article":
            return False
        if before.run == self._run.id:
            self._notes.passed(
                entry, "skipped", "it was looked at from another start URL of this run"
            )
            return True
        since = self._run.continues_since
        moved = entry.lastmod not in ("", before.lastmod)
        done = since is not None and before.checked_at >= since and not moved
        if not done and not self._dues.undue(entry, before):
            return False
        self._taken += 1
        self._departures.lives(before.slug)
        self._notes.unchanged(entry, before.slug)
        return True

    def _same(self, entry: Entry, before: EntryState, page: Copy) -> None:
        """Note an article whose page says nothing new."""
        self._taken += 1
        self._departures.lives(before.slug)
        self._asked += 1
        self._tools.writer.note_validators([page.validator])
        self._tools.writer.note_entry(
            structs.replace(
                before,
                lastmod=entry.lastmod,
                checked_at=page.representation.fetched_at,
                run=self._run.id,
            )
        )
        self._discovery.article(page.facts, page.final_url, entry)
        self._notes.unchanged(entry, before.slug)

    def _article(self, entry: Entry, reading: Reading) -> None:
        self._discovery.found(entry.url)
        for copy in reading.copies.values():
            self._frontier.settle(copy.representation.url)
        page = reading.copies.get("html")
        if page is not None:
            self._discovery.article(page.facts, page.final_url, entry)
        if self._plan.follow_canonical and reading.canonical_source:
            self._tools.foreign(reading.canonical_source)

    def _page(self, page: Page) -> None:
        if lost := self._departures.became_page(page.entry.url, page):
            self._lost(page.entry, lost)
            return
        self._discovery.page(page)
        self._notes.note(page.entry, "page", page.why)
        self._notes.passed(page.entry, "page", page.why)

    def _lost(self, entry: Entry, why: str) -> None:
        """Deal with a known article that is not what its URL shows."""
        if self._departures.missing(entry.url):
            self._discovery.dead(entry)
            self._notes.passed(entry, "not there", why)
        else:
            self._failed(entry, CopyFailed(entry.url, why), self._dues.states.get(entry.url))

    def _failed(self, entry: Entry, failure: CopyFailed, before: EntryState | None) -> None:
        if lost := self._departures.failed(entry.url, failure):
            self._lost(entry, lost)
            return
        if failure.disallowed:
            slug = before.slug if before is not None else ""
            self._notes.note(entry, "skipped", failure.why, slug=slug)
            self._notes.passed(entry, "skipped", failure.why)
            return
        why = why_blocked(failure)
        known = before is not None and before.verdict in ("failed", "gone")
        verdict: Verdict = "gone" if failure.status in GONE else "failed"
        attempts = before.attempts if before is not None and known else 0
        slug = before.slug if before is not None else ""
        self._notes.note(entry, verdict, why, attempts + 1, slug=slug)
        if failure.status in GONE:
            self._discovery.dead(entry)
        if entry.source in LISTS or failure.status not in GONE:
            self._notes.failed(entry.url, why, known=known)
        else:
            self._notes.passed(entry, verdict if slug else "dead link", why)
