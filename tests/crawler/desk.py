"""One site's keeper at work: readings of a small site on their way into a mirror."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from crawler.article.format_set import Known
from crawler.article.keeping import Keeper
from crawler.article.reading import ArticleReader, Reading
from crawler.events import Event
from crawler.frontier import Entry
from crawler.site.departures import Departures
from storage.model import EntryState, Site
from storage.writer import Writer
from tests.crawler.copying import copying
from tests.crawler.fetching import NOW
from tests.crawler.small_site import SmallSite


class Desk:
    """A keeper, what it told, and readings for it. Mutable: ``events``, and the moment ``now``."""

    def __init__(self, site: SmallSite, writer: Writer, run: str, reader: ArticleReader) -> None:
        self.events: list[Event] = []
        self.now = NOW
        self.site = Site(name="site", scope=f"{site.base}/")
        self.keeper = Keeper(
            self.site, run, writer, report=self.events.append, clock=lambda: self.now
        )
        self.base = site.base
        self.run = run
        self.writer = writer
        self.reader = reader

    async def read(self, path: str) -> Reading:
        seen = await self.reader.read(Entry(url=self.base + path, source="sitemap"), Known())
        assert isinstance(seen, Reading)
        return seen

    def departures(self, *, gone_after: timedelta = timedelta(hours=24)) -> Departures:
        """Return what gathers this run's missing articles."""
        return Departures(
            self.site,
            self.run,
            self.keeper,
            self.writer,
            self.reader,
            gone_after=gone_after,
            report=self.events.append,
            clock=lambda: self.now,
        )

    async def keep(self, reading: Reading) -> None:
        """Keep ``reading`` and wait until that is durable."""
        known = await self.keeper.known(reading.entry.url)
        await self.keeper.keep(reading, known, lambda s: self.state(reading, s))
        await self.keeper.drain()

    def state(self, reading: Reading, slug: str) -> EntryState:
        return EntryState(
            site="site",
            url=reading.entry.url,
            verdict="article",
            slug=slug,
            checked_at=NOW,
            run=self.run,
        )


@asynccontextmanager
async def desk(site: SmallSite, root: Path) -> AsyncIterator[Desk]:
    """Open the mirror at ``root`` for one run over ``site``."""
    async with (
        copying(site.base) as copyist,
        Writer(root, files=False, clock=lambda: NOW) as writer,
    ):
        run = await writer.begin_run("mirror", (f"{site.base}/",), NOW)
        reader = ArticleReader(copyist, in_site=lambda _: True, clock=lambda: NOW, probe=False)
        made = Desk(site, writer, run.id, reader)
        await made.keeper.load()
        yield made
