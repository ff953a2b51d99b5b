"""One site's share of a run: take entries from the frontier, read, keep, note.

Its workers are its own, so that a site whose host must be waited for holds nobody else's. What is
due, what an answer means and what to say of it are decided in plain methods; only reading a
document and handing a snapshot over are awaited.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Literal

from msgspec import Struct, structs

from crawler.article import ArticleReader, Page, Reading
from crawler.copies import CopyFailed
from crawler.discovery.sources import GONE, Sources
from crawler.due import unchanged_by_lastmod
from crawler.events import Began, Event, Failed, Passed, Unchanged
from crawler.faults import HostResting
from crawler.format_set import Known
from crawler.frontier import Entry, Frontier
from crawler.keeping import Keeper
from crawler.robots import Robots
from crawler.robots_cache import RobotsCache
from crawler.site_discovery import Discovery, Reach
from crawler.urls import in_scope
from storage.archive import Archive
from storage.model import EntryState, Site
from storage.writer import RunInfo, Writer

Verdict = Literal["article", "page", "failed", "skipped", "gone"]
#: Sources that name a URL on purpose: one that is not there is a failure, and not just a dead link.
LISTS = frozenset({"sitemap", "feed", "records-file", "scope", "llms-txt"})


class Plan(Struct, frozen=True, kw_only=True):
    """How this run goes over a site.

    ``start`` is the URL the run was asked for, ``discover`` False where a records list stands
    instead; ``verify`` and ``ignore_robots`` as on the command line.
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
    ignore_robots: bool = False
    every_byte: bool = False


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
    """Runs one site. Mutable state: the frontier, names found, and how far the run has come."""

    def __init__(self, site: Site, plan: Plan, run: RunInfo, tools: Tools) -> None:
        self.site = site
        self._plan = plan
        self._run = run
        self._tools = tools
        self._frontier = Frontier()
        self._aliases: list[tuple[str, str]] = []
        self._states: dict[str, EntryState] = {}
        self._wake = asyncio.Event()
        self._open = True
        self._taken = 0
        self._given_back = 0
        self._start: tuple[Entry, Reading | Page] | None = None
        self.ended = ""
        self._keeper = Keeper(
            site,
            run.id,
            tools.writer,
            every_byte=plan.every_byte,
            report=tools.report,
            clock=tools.clock,
        )
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
            report=tools.report,
            clock=tools.clock,
        )

    async def load(self) -> None:
        """Read what earlier runs left: names given, entries looked at."""
        await self._keeper.load()
        self._states = await self._tools.writer.read(Archive.entries, self.site.name)

    def add(self, entries: Iterable[Entry]) -> None:
        """Put the entries of one list, or single ones from outside, into the frontier."""
        self._discovery.listing(list(entries))
        self._wake.set()

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
        before = self._states.get(entry.url)
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
        for alias, url in self._aliases:
            await self._keeper.add_alias(alias, url)
        await self._keeper.drain()
        if self.ended:
            left = self._frontier.waiting + self._given_back
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
        """Read what the site lists, then whatever its pages lead to (the workers do that)."""
        try:
            robots = await self._tools.robots.robots_for(self._plan.start)
            if robots.refuses_all and not self._plan.ignore_robots:
                self._fail(self._plan.start, robots.reason)
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
        self.add(self._unlisted())

    def _unlisted(self) -> list[Entry]:
        """Return known articles that nothing names any more: only asking tells if they are gone."""
        now, plan = self._tools.clock(), self._plan
        return [
            Entry(url=url, source="known")
            for url, before in self._states.items()
            if before.verdict == "article"
            and in_scope(url, plan.start)
            and self._frontier.is_new(url)
            and (plan.verify == "all" or now - before.checked_at >= plan.verify_within)
            and plan.verify != "none"
        ]

    async def _quiet(self) -> None:
        """Wait until the frontier has nothing waiting and nothing in hand."""
        while (self._frontier.waiting or self._frontier.in_hand) and not self._stopping():
            self._wake.clear()
            await self._wake.wait()

    def _stopping(self) -> bool:
        full = self._taken >= self._plan.max_articles
        return full or bool(self.ended) or self._tools.stop.is_set()

    def _room(self) -> bool:
        """Say whether one more may be begun: each in hand may yet turn out to be an article."""
        return self._taken + self._frontier.in_hand < self._plan.max_articles

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
        before = self._states.get(entry.url)
        if self._decided(entry, before):
            return
        if self._discovery.dropped(entry):
            self._pass(entry, "skipped", "pages like it led to no article")
            return
        self._tools.report(Began(at=self._tools.clock(), site=self.site.name, url=entry.url))
        known = await self._keeper.known(entry.url)
        try:
            seen = await self._tools.reader.read(entry, known)
        except HostResting as resting:
            self.ended = self.ended or resting.sentence
            self._given_back += 1
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
            began = min(copy.representation.fetched_at for copy in seen.copies.values())
            await self._keeper.keep(seen, known, partial(self._state, due, "article", at=began))
        finally:
            self._frontier.settle(seen.url)
        self._article(entry, seen)

    def _decided(self, entry: Entry, before: EntryState | None) -> bool:
        """Settle an entry without a request: done in the run continued here, or unchanged."""
        if before is None or before.verdict != "article":
            return False
        if before.run == self._run.id:
            self._pass(entry, "skipped", "it was looked at from another start URL of this run")
            return True
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
            self._discovery.article(page.facts, page.final_url, entry)
        if self._plan.follow_canonical and reading.canonical_source:
            self._tools.foreign(reading.canonical_source)

    def _page(self, page: Page) -> None:
        self._discovery.page(page)
        self._note(page.entry, "page", page.why)
        self._pass(page.entry, "page", page.why)

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
        if failure.status in GONE:
            self._discovery.dead(entry)
        if entry.source in LISTS or failure.status not in GONE:
            self._fail(entry.url, failure.why, known=known)
        else:
            self._pass(entry, verdict if slug else "dead link", failure.why)

    def _note(
        self, entry: Entry, verdict: Verdict, why: str, attempts: int = 0, *, slug: str = ""
    ) -> None:
        now = self._tools.clock()
        state = self._state(entry, verdict, slug, at=now, why=why, attempts=attempts)
        self._tools.writer.note_entry(state)

    def _state(
        self,
        entry: Entry,
        verdict: Verdict,
        slug: str,
        *,
        at: datetime,
        why: str = "",
        attempts: int = 0,
    ) -> EntryState:
        return EntryState(
            site=self.site.name,
            url=entry.url,
            verdict=verdict,
            slug=slug,
            why=why,
            lastmod=entry.lastmod,
            checked_at=at,
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
