"""The conductor: one run from a request to its summary.

It opens the mirror and the network, finds out what each URL is, gives every site a run of its own,
and ends them all: done, stopped, or failed. It decides nothing about articles.
"""

from __future__ import annotations

import asyncio
import math
import socket
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from crawler.article import ArticleReader, Page, Reading
from crawler.config import Settings
from crawler.copies import CopyFailed
from crawler.discovery.records import RecordHint
from crawler.discovery.sources import Bounds, Sources
from crawler.events import Event, Failed, Note, RunFinished, RunStarted, SiteStarted, Summary
from crawler.faults import HostResting
from crawler.foreign import Foreign
from crawler.format_set import Known
from crawler.frontier import Entry
from crawler.network import open_network
from crawler.selection import Selection
from crawler.site_run import Plan, SiteRun, Tools
from crawler.tally import Tally, summarise
from crawler.urls import in_scope, origin, same_page, site_name
from storage.archive import Archive, Body
from storage.model import Manifest, Site
from storage.runlog import RunLog
from storage.writer import Writer


class RequestError(ValueError):
    """The user asked for something that can't be had; the sentence says what to change."""

    exit_code: ClassVar[int] = 2


class MirrorRequest(Struct, frozen=True, kw_only=True):
    """What the user asked for: URLs in normal form, where to keep them, and how."""

    urls: tuple[str, ...]
    into: Path
    settings: Settings
    records: tuple[RecordHint, ...] | None = None
    formats: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    max_articles: int | None = None
    ignore_robots: bool = False
    verify: Literal["all", "due", "none"] = "all"
    files: bool = True


async def mirror(
    request: MirrorRequest,
    report: Callable[[Event], None] = lambda _: None,
    stop: asyncio.Event | None = None,
) -> Summary:
    """Mirror what ``request`` asks for and return the summary; ``report`` hears every event.

    Setting ``stop`` finishes the articles in hand within ``settings.grace`` seconds and saves.
    Raises RequestError for the user's faults, before anything is created, and storage's errors.
    """
    await _check_hosts(request)
    return await _Run(request, report, stop or asyncio.Event()).go()


async def _check_hosts(request: MirrorRequest) -> None:
    """Refuse hosts that no resolver knows, unless something else than DNS will reach them."""
    if request.settings.proxy is not None:
        return
    given = {(each.host, each.port) for each in request.settings.resolve}
    loop = asyncio.get_running_loop()
    for url in request.urls:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = parts.port or (443 if parts.scheme == "https" else 80)
        if (host, port) in given:
            continue
        try:
            await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            sentence = f"{url}: the host {host} is not known ({error.strerror or error})"
            raise RequestError(f"{sentence}: check its spelling and your network") from error


class _Run:
    """One run. Mutable state: its sites by name, those run for originals alone, the tally."""

    def __init__(
        self, request: MirrorRequest, report: Callable[[Event], None], stop: asyncio.Event
    ) -> None:
        self._request = request
        self._settings = request.settings
        self._listener = report
        self._stop = stop
        self._tally = Tally()
        self._log: RunLog | None = None
        self._sites: dict[str, SiteRun] = {}
        self._courtesies: set[str] = set()
        self._known_sites: list[Site] = []
        self._selection = Selection(include=request.include, exclude=request.exclude)

    async def go(self) -> Summary:
        """Open everything, run, and say how it went."""
        started = _now()
        async with AsyncExitStack() as stack:
            self._writer = await stack.enter_async_context(
                Writer(
                    self._request.into,
                    files=self._request.files,
                    segment_bytes=self._settings.segment_bytes,
                    clock=_now,
                )
            )
            scopes = self._request.urls
            self._run = await self._writer.begin_run("mirror", scopes, started)
            self._log = await stack.enter_async_context(RunLog(self._request.into, self._run.id))
            continues = self._run.continues_since is not None
            self._report(
                RunStarted(
                    at=started,
                    run=self._run.id,
                    command="mirror",
                    scopes=scopes,
                    continues=continues,
                )
            )
            for note in self._writer.notes:
                self._report(Note(at=started, message=note))
            self._network = await open_network(
                stack,
                self._settings,
                self._request.urls,
                self._read_stored,
                ignore_robots=self._request.ignore_robots,
                report=self._report,
                clock=_now,
            )
            interrupted = await self._until_stopped(asyncio.ensure_future(self._all_sites()))
            await self._writer.flush()
            seconds = (_now() - started).total_seconds()
            summary = summarise(
                self._tally,
                run=self._run.id,
                sites=len(self._sites.keys() - self._courtesies),
                seconds=seconds,
                verify_bound_days=self._settings.verify_within,
            )
            await self._writer.finish_run(msgspec.to_builtins(summary), not interrupted)
            self._report(RunFinished(at=_now(), summary=summary, interrupted=interrupted))
        return summary

    async def _read_stored(self, manifest: Manifest, name: str) -> Body:
        return await self._writer.read(Archive.body, manifest, name)

    async def _until_stopped(self, work: asyncio.Future[None]) -> bool:
        """Wait for ``work``; after a stop, give it its grace. Returns whether it was cut off."""
        stopping = asyncio.ensure_future(self._stop.wait())
        try:
            both: set[asyncio.Future[Any]] = {work, stopping}
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                for site in self._sites.values():
                    site.wake()
                await asyncio.wait({work}, timeout=self._settings.grace)
            if not work.done():
                work.cancel()
                await asyncio.wait({work})
            if not work.cancelled() and (error := work.exception()) is not None:
                raise _first(error)
        finally:
            stopping.cancel()
            work.cancel()
        return self._stop.is_set()

    async def _all_sites(self) -> None:
        """Run the sites that were asked for, and beside them the originals they point to."""
        self._known_sites = await self._writer.read(Archive.sites)
        foreign = Foreign(self._original_run, self._settings.canonical_every, _now)
        self._foreign = foreign
        async with asyncio.TaskGroup() as tasks:
            originals = tasks.create_task(foreign.go())
            async with asyncio.TaskGroup() as own:
                for url, hints in self._wanted().items():
                    own.create_task(self._site(url, hints))
            foreign.close()
            await originals

    def _wanted(self) -> dict[str, list[RecordHint]]:
        """Return the start URLs; with records, each with the records under it."""
        wanted: dict[str, list[RecordHint]] = {url: [] for url in self._request.urls}
        for hint in self._request.records or ():
            owner = max(
                (u for u in self._request.urls if in_scope(hint.url, u)), key=len, default=None
            )
            if owner is None:
                reason = "it is outside of the URLs that are mirrored"
                self._report(Failed(at=_now(), site="", url=hint.url, reason=reason))
            else:
                wanted[owner].append(hint)
        return wanted

    async def _site(self, url: str, hints: list[RecordHint]) -> None:
        if self._request.records is not None:
            run = await self._new_run(self._owner(url) or self._site_of(url), url, discover=False)
            run.add(
                Entry(url=hint.url, source="records-file", named=True, hint=hint.record)
                for hint in hints
            )
            run.close()
            await run.go()
            return
        entry = Entry(url=url, source="scope")
        try:
            seen = await self._look(entry)
        except CopyFailed as failure:
            await self._without_start(url, failure)
            return
        except HostResting as resting:
            self._report(Failed(at=_now(), site=site_name(url), url=url, reason=resting.sentence))
            return
        if isinstance(seen, Reading):
            home = f"{origin(seen.url)}/"
            run = await self._new_run(
                self._owner(seen.url) or self._site_of(home), url, discover=False
            )
            run.close()
        else:
            start = seen.url if origin(seen.url) != origin(url) else url
            run = await self._new_run(
                self._owner(start) or self._site_of(start), start, discover=True
            )
        run.start_with(entry, seen)
        await run.go()

    async def _look(self, entry: Entry) -> Reading | Page:
        """Read the document at a start URL: an article alone, or the page a site begins at."""
        home = origin(entry.url)
        reader = self._reader(lambda each: origin(each) == home or each == entry.url)
        return await reader.read(entry, Known())

    async def _without_start(self, url: str, failure: CopyFailed) -> None:
        """Go by the site's lists alone where it answers, but not at its start URL."""
        if not failure.status:
            reason = failure.why
            self._report(Failed(at=_now(), site=site_name(url), url=url, reason=reason))
            return
        run = await self._new_run(self._owner(url) or self._site_of(url), url, discover=True)
        await run.go()
        if not run.articles:
            self._report(Failed(at=_now(), site=run.site.name, url=url, reason=failure.why))

    async def _original_run(self, url: str) -> tuple[SiteRun, bool]:
        """Return the run for an original on another host, and whether it is only for originals."""
        site = self._owner(url) or self._site_of(f"{origin(url)}/", implicit=True)
        if site.name not in self._sites:
            self._courtesies.add(site.name)
        run = await self._new_run(site, site.scope, discover=False)
        return run, site.name in self._courtesies

    def _owner(self, url: str) -> Site | None:
        """Return the site with the longest scope that holds ``url``."""
        sites = [*self._known_sites, *(run.site for run in self._sites.values())]
        owning = [site for site in sites if in_scope(url, site.scope) and not site.implicit]
        return max(owning, key=lambda site: len(site.scope), default=None)

    def _site_of(self, scope: str, *, implicit: bool = False) -> Site:
        """Make a site for ``scope``; its label is its own even beside another scheme's."""
        sites = [*self._known_sites, *(run.site for run in self._sites.values())]
        name = site_name(scope)
        if any(site.name == name and site.scope != scope for site in sites):
            name = site_name(scope, distinct=True)
        return Site(name=name, scope=scope, implicit=implicit)

    async def _new_run(self, site: Site, start: str, *, discover: bool) -> SiteRun:
        """Make the run of ``site``, or return the one that is under way."""
        if site.name in self._sites:
            return self._sites[site.name]
        settings = self._settings
        plan = Plan(
            start=start,
            discover=discover,
            verify=self._request.verify,
            workers=_workers(settings),
            max_articles=self._request.max_articles or settings.max_articles,
            page_depth=settings.page_depth,
            links_per_page=settings.links_per_page,
            verify_within=timedelta(days=settings.verify_within),
            rate=settings.rate,
            every_byte=settings.keep == "bytes",
            follow_canonical=settings.follow_canonical and not site.implicit,
            ignore_robots=self._request.ignore_robots,
        )
        in_site = self._scope_test(site)
        tools = Tools(
            writer=self._writer,
            robots=self._network.robots,
            reader=self._reader(in_site),
            sources=self._sources(site, start),
            report=self._report,
            clock=_now,
            stop=self._stop,
            in_site=in_site,
            wanted=self._selection.wants,
            foreign=self._foreign.add,
        )
        run = self._sites[site.name] = SiteRun(site, plan, self._run, tools)
        await run.load()
        started = SiteStarted(at=_now(), site=site.name, scope=site.scope, rate=settings.rate)
        self._report(started)
        return run

    def _scope_test(self, site: Site) -> Callable[[str], bool]:
        """Return the test whether a URL is an article's of ``site`` and of no site inside it."""
        if site.implicit:
            home = site.scope
            return lambda url: same_page(f"{origin(url)}/", home)
        return lambda url: (
            in_scope(url, site.scope) and (self._owner(url) or site).name == site.name
        )

    def _sources(self, site: Site, start: str) -> Sources:
        async def allowed(url: str) -> bool:
            return not await self._network.copyist.forbidden(url)

        return Sources(
            site.name,
            start,
            self._network.fetcher,
            Bounds(sitemaps=self._settings.max_sitemaps, depth=self._settings.sitemap_depth),
            allowed=allowed,
            report=self._report,
            clock=_now,
        )

    def _reader(self, in_site: Callable[[str], bool]) -> ArticleReader:
        return ArticleReader(
            self._network.copyist,
            in_site=in_site,
            clock=_now,
            formats=frozenset(self._request.formats),
            most_bytes=self._settings.max_document_set,
            probe=self._settings.probe,
            torn_retries=self._settings.torn_retries,
        )

    def _report(self, event: Event) -> None:
        """Tell everybody: the tally, the run log, the listener."""
        self._tally.take(event)
        if self._log is not None:
            self._log.note(event)
        self._listener(event)


def _workers(settings: Settings) -> int:
    """Return how many articles of a site are in hand at once.

    At a polite pace more of them would be no faster, and would all be unfinished at a stop.
    """
    most = max(settings.workers, settings.concurrency)
    if not settings.rate:
        return most
    return min(most, max(2 * settings.concurrency, math.ceil(2 * settings.rate)))


def _now() -> datetime:
    return datetime.now(UTC)


def _first(error: BaseException) -> BaseException:
    """Return the first single exception inside nested groups: one cause is what people can mend."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
