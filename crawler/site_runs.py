"""Making the runs of single sites out of what a whole run shares.

One site has one run at a time: two would give the same slugs twice.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

from crawler.article import ArticleReader
from crawler.config import Settings
from crawler.discovery.sources import Bounds, Sources
from crawler.events import Event, SiteStarted
from crawler.network import Network
from crawler.ownership import Sites
from crawler.selection import Selection
from crawler.site_run import Plan, SiteRun, Tools
from crawler.urls import origin
from storage.model import Site
from storage.writer import RunInfo, Writer


class Shared(Struct, frozen=True, kw_only=True):
    """What every site's run of one run works with."""

    settings: Settings
    formats: frozenset[str]
    selection: Selection
    max_articles: int
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
    """Makes site runs. Mutable state: each site's newest run, and which are courtesies."""

    def __init__(self, shared: Shared, foreign: Callable[[str], None]) -> None:
        """``foreign`` is told of the originals on other hosts that articles name."""
        self._shared = shared
        self._foreign = foreign
        self._runs: dict[str, SiteRun] = {}
        self._courtesies: set[str] = set()

    @property
    def asked_for(self) -> int:
        """How many sites ran because the user asked for them."""
        return len(self._runs.keys() - self._courtesies)

    def wake(self) -> None:
        """Let every site's workers look again: the run is being stopped."""
        for run in self._runs.values():
            run.wake()

    async def make(self, site: Site, start: str, *, discover: bool) -> SiteRun:
        """Make a run of ``site`` from ``start`` on, in place of an earlier one that has ended."""
        shared, settings = self._shared, self._shared.settings
        plan = Plan(
            start=start,
            discover=discover,
            verify=shared.verify,
            workers=workers(settings),
            max_articles=shared.max_articles,
            page_depth=settings.page_depth,
            links_per_page=settings.links_per_page,
            verify_within=timedelta(days=settings.verify_within),
            rate=settings.rate,
            every_byte=settings.keep == "bytes",
            follow_canonical=settings.follow_canonical and not site.implicit,
            ignore_robots=shared.ignore_robots,
        )

        def in_site(url: str) -> bool:
            return shared.sites.holds(site, url)

        tools = Tools(
            writer=shared.writer,
            robots=shared.network.robots,
            reader=self.reader(in_site),
            sources=self._sources(site, start),
            report=shared.report,
            clock=shared.clock,
            stop=shared.stop,
            in_site=in_site,
            wanted=shared.selection.wants,
            foreign=self._foreign,
        )
        run = self._runs[site.name] = SiteRun(site, plan, shared.run, tools)
        await run.load()
        now = shared.clock()
        shared.report(SiteStarted(at=now, site=site.name, scope=site.scope, rate=settings.rate))
        return run

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
        return await self.make(site, site.scope, discover=False), True

    reserved: frozenset[str] = frozenset()

    def reader(self, in_site: Callable[[str], bool]) -> ArticleReader:
        """Return a reader of articles whose URLs ``in_site`` holds for."""
        shared, settings = self._shared, self._shared.settings
        return ArticleReader(
            shared.network.copyist,
            in_site=in_site,
            clock=shared.clock,
            formats=shared.formats,
            most_bytes=settings.max_document_set,
            probe=settings.probe,
            torn_retries=settings.torn_retries,
        )

    def _sources(self, site: Site, start: str) -> Sources:
        shared, settings = self._shared, self._shared.settings

        async def allowed(url: str) -> bool:
            return not await shared.network.copyist.forbidden(url)

        return Sources(
            site.name,
            start,
            shared.network.fetcher,
            Bounds(sitemaps=settings.max_sitemaps, depth=settings.sitemap_depth),
            allowed=allowed,
            report=shared.report,
            clock=shared.clock,
        )


def workers(settings: Settings) -> int:
    """Return how many articles of a site are in hand at once.

    At a polite pace more of them would be no faster, and would all be unfinished at a stop.
    """
    most = max(settings.workers, settings.concurrency)
    if not settings.rate:
        return most
    return min(most, max(2 * settings.concurrency, math.ceil(2 * settings.rate)))
