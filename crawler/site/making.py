"""Making the runs of single sites out of what a whole run shares and what each site sets.

One site has one run at a time: two would give the same slugs twice.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Literal

from msgspec import Struct, structs

from crawler.article.ownership import Sites
from crawler.article.reading import ArticleReader
from crawler.config.settings import Settings
from crawler.discovery.documents import Documents
from crawler.discovery.memory import Memory
from crawler.discovery.sources import Bounds, Sources
from crawler.events import Event, Requested, SiteStarted
from crawler.network import Network
from crawler.readers.remote import RemoteReader
from crawler.selection import Selection
from crawler.site.budget import Budget
from crawler.site.plan import Plan, Tools
from crawler.site.run import SiteRun
from crawler.urls import host_key, origin
from storage.archive import Archive
from storage.model import Site
from storage.writer import RunInfo, Writer


class Shared(Struct, frozen=True, kw_only=True):
    """What every site's run of one run works with; ``settings`` are an original's."""

    settings: Settings
    verify: Literal["all", "due", "none"]
    ignore_robots: bool
    run: RunInfo
    writer: Writer
    network: Network
    sites: Sites
    report: Callable[[Event], None]
    clock: Callable[[], datetime]
    stop: asyncio.Event


class SiteRuns:
    """Makes site runs. Mutable state: each site's newest run and budget; which are courtesies."""

    def __init__(self, shared: Shared, foreign: Callable[[str, timedelta], None]) -> None:
        """``foreign`` is told of the originals on other hosts, and how often they are read."""
        self._shared = shared
        self._foreign = foreign
        self._runs: dict[str, SiteRun] = {}
        self._budgets: dict[str, Budget] = {}
        self._courtesies: set[str] = set()
        self._memories: dict[str, Memory] = {}
        self._readers = 0

    @property
    def asked_for(self) -> int:
        """How many sites ran because the user asked for them."""
        return len(self._runs.keys() - self._courtesies)

    def wake(self) -> None:
        """Let every site's workers look again: the run is being stopped."""
        for run in self._runs.values():
            run.wake()

    def charge(self, event: Requested) -> None:
        """Count a request against its site's budget; one of no site's against its host's sites."""
        if not self._budgets:
            return
        owner = self._shared.sites.owner(event.url)
        host = host_key(event.url)
        for name, budget in self._budgets.items():
            of_host = owner is None and host_key(self._runs[name].site.scope) == host
            if of_host or (owner is not None and owner.name == name):
                budget.request()

    async def make(
        self,
        site: Site,
        start: str,
        settings: Settings,
        *,
        discover: bool,
        since: datetime | None = None,
    ) -> SiteRun:
        """Make a run of ``site`` from ``start`` on, in place of an earlier one that has ended.

        ``since`` is when the work began that this run goes on with, None where it begins anew.
        """
        shared = self._shared
        self._keep_pace(start, settings)
        run = self._runs[site.name] = SiteRun(
            site,
            self._plan(site, start, settings, discover=discover),
            structs.replace(shared.run, continues_since=since),
            self._tools(site, start, settings, await self.memory(site, settings)),
        )
        await run.load()
        now = shared.clock()
        shared.report(SiteStarted(at=now, site=site.name, scope=site.scope, rate=settings.rate))
        return run

    async def go(self, run: SiteRun, settings: Settings) -> None:
        """Run ``run`` to its end, within its budget."""
        budget = Budget(settings, run.enough)
        if settings.max_requests:
            self._budgets[run.site.name] = budget
        budget.start()
        try:
            await run.go()
        finally:
            budget.stop()
            self._budgets.pop(run.site.name, None)

    async def for_original(self, url: str) -> tuple[SiteRun | None, bool]:
        """Return the run that an original on another host falls to, and whether it is a courtesy.

        None: it is an article of a site that the user asked for, whose own run finds it.
        """
        scope = f"{origin(url)}/"
        site = self._shared.sites.owner_or_new(url, scope, implicit=True)
        if site.name in self._courtesies:
            return self._runs[site.name], True
        if site.name in self._runs or site.name in self.reserved:
            return self._runs.get(site.name), False
        self._courtesies.add(site.name)
        shared = self._shared
        since = shared.run.continues_since
        run = await self.make(site, site.scope, shared.settings, discover=False, since=since)
        return run, True

    reserved: frozenset[str] = frozenset()

    async def memory(self, site: Site, settings: Settings) -> Memory:
        """Return what discovery remembers of ``site``: one value in a run, for all its starts."""
        if site.name not in self._memories:
            stored = await self._shared.writer.read(Archive.memory, site.name)
            self._memories[site.name] = Memory(
                stored,
                self._shared.clock(),
                timedelta(days=settings.verify_within),
                trust=self._shared.verify != "all",
                asked=repr((settings.include, settings.exclude, settings.discovery)),
                forgotten=await self._shared.writer.read(Archive.forgotten, site.name),
            )
        return self._memories[site.name]

    def reader(
        self,
        in_site: Callable[[str], bool],
        settings: Settings,
        memory: Memory | None = None,
    ) -> ArticleReader:
        """Return a reader of articles whose URLs ``in_site`` holds for."""
        given = self._reading(in_site, settings, memory)
        return ArticleReader(self._shared.network.copyist, **given)

    def _reader_of(
        self, site: Site, in_site: Callable[[str], bool], settings: Settings, memory: Memory
    ) -> ArticleReader:
        """Return a reader of ``site``'s articles, in processes of their own where there are any."""
        remote = self._shared.network.remote
        if remote is None:
            return self.reader(in_site, settings, memory)
        self._readers += 1
        given = self._reading(in_site, settings, memory)
        return RemoteReader(remote, self._readers, site, self._shared.sites, **given)

    def _reading(
        self, in_site: Callable[[str], bool], settings: Settings, memory: Memory | None
    ) -> Any:
        return {
            "in_site": in_site,
            "clock": self._shared.clock,
            "formats": frozenset(settings.formats),
            "most_bytes": settings.max_document_set,
            "probe": settings.probe,
            "torn_retries": settings.torn_retries,
            "memory": memory,
        }

    def _plan(self, site: Site, start: str, settings: Settings, *, discover: bool) -> Plan:
        return Plan(
            start=start,
            discover=discover,
            verify=self._shared.verify,
            formats=frozenset(settings.formats),
            workers=workers(settings),
            max_articles=settings.max_articles,
            page_depth=settings.page_depth if "links" in settings.discovery else 0,
            links_per_page=settings.links_per_page,
            pending_links=settings.pending_links,
            max_frontier=settings.max_frontier,
            verify_within=timedelta(days=settings.verify_within),
            gone_after=timedelta(hours=settings.gone_after),
            rate=settings.rate,
            every_byte=settings.keep == "bytes",
            follow_canonical=settings.follow_canonical and not site.implicit,
            ignore_robots=self._shared.ignore_robots,
        )

    def _tools(self, site: Site, start: str, settings: Settings, memory: Memory) -> Tools:
        shared = self._shared
        selection = Selection(include=settings.include, exclude=settings.exclude)
        every = timedelta(days=settings.canonical_every)

        def in_site(url: str) -> bool:
            return shared.sites.holds(site, url)

        return Tools(
            writer=shared.writer,
            robots=shared.network.robots,
            reader=self._reader_of(site, in_site, settings, memory),
            sources=self._sources(site, start, settings, memory),
            memory=memory,
            report=shared.report,
            clock=shared.clock,
            stop=shared.stop,
            in_site=in_site,
            wanted=selection.wants,
            foreign=lambda url: self._foreign(url, every),
        )

    def _sources(self, site: Site, start: str, settings: Settings, memory: Memory) -> Sources:
        shared = self._shared

        async def allowed(url: str) -> bool:
            return not await shared.network.copyist.forbidden(url)

        documents = Documents(
            site.name,
            shared.network.fetcher,
            memory,
            allowed=allowed,
            report=shared.report,
            clock=shared.clock,
        )
        bounds = Bounds(
            sitemaps=settings.max_sitemaps,
            depth=settings.sitemap_depth,
            kinds=frozenset(settings.discovery),
        )
        return Sources(start, documents, bounds)

    def _keep_pace(self, start: str, settings: Settings) -> None:
        """Keep a site's pace on the host that its URL led to, where that is another."""
        if settings is not self._shared.settings:
            self._shared.network.keep_pace(host_key(start), settings)


def workers(settings: Settings) -> int:
    """Return how many articles of a site are in hand at once.

    More than two a connection would be no faster, and would all be unfinished at a stop.
    """
    most = max(settings.workers, settings.concurrency)
    return min(most, max(2 * settings.concurrency, math.ceil(2 * settings.rate)))
