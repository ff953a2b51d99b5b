"""The conductor: one run from a request to its summary.

It opens the mirror and the network, finds out what each URL is, gives every site a run of its own,
and ends them all: done, stopped, or failed. It decides nothing about articles.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from crawler.article.ownership import Sites
from crawler.clock import now_utc
from crawler.config.settings import Settings
from crawler.events import Event, Failed, Note, Requested, RunFinished, RunStarted, Stored, Summary
from crawler.frontier import Entry
from crawler.host_memory import MIRROR, HostMemory, changes, recall
from crawler.network import Network, open_network
from crawler.progress.tally import Tally, summarise
from crawler.request import MirrorRequest, RequestError
from crawler.site.entries import FORGOTTEN
from crawler.site.foreign import Foreign
from crawler.site.ledger import Ledger, last_runs
from crawler.site.making import Shared, SiteRuns
from crawler.site.starting import NoStart, Scout, Start, by_owner, unsent_headers
from crawler.surroundings import Surroundings
from crawler.transport.connect import tls
from crawler.transport.guard import addresses
from crawler.urls import site_name
from storage.archive import Archive, Body
from storage.model import Manifest, Site
from storage.runlog import RunLog
from storage.writer import RunInfo, Writer


class _Planned(Struct, frozen=True):
    """A start, and the settings of the URL that led to it."""

    start: Start
    settings: Settings


async def mirror(
    request: MirrorRequest,
    report: Callable[[Event], None] = lambda _: None,
    stop: asyncio.Event | None = None,
    around: Surroundings | None = None,
) -> Summary:
    """Mirror what ``request`` asks for and return the summary; ``report`` hears every event.

    Setting ``stop`` finishes the articles in hand within ``settings.grace`` seconds and saves.
    ``around`` is what it shares with other runs of this process, if there are any.
    Raises RequestError and ConnectError for the user's faults, before anything is created, and
    storage's errors.
    """
    if request.settings.ca_bundle is not None:
        tls(request.settings.ca_bundle)
    if request.command == "mirror":
        await _check_hosts(request)
    return await _Run(request, report, stop or asyncio.Event(), around).go()


async def _check_hosts(request: MirrorRequest) -> None:
    """Refuse hosts that no resolver knows, unless something else than DNS will reach them."""
    if request.settings.proxy is not None:
        return
    given = {(each.host, each.port) for each in request.settings.resolve}
    for url in request.urls:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = parts.port or (443 if parts.scheme == "https" else 80)
        if (host, port) in given:
            continue
        try:
            await addresses(host, port)
        except OSError as error:
            sentence = f"{url}: the host {host} is not known ({error.strerror or error})"
            raise RequestError(f"{sentence}: check its spelling and your network") from error


def open_writer(request: MirrorRequest) -> Writer:
    """Return the writer that ``request`` wants, to be entered."""
    settings = request.settings
    return Writer(
        request.into,
        files=settings.files,
        segment_bytes=settings.segment_bytes,
        clock=now_utc,
        index=settings.index or None,
        segments=settings.segments or None,
    )


class _Run:
    """One run. Mutable state: what it has opened, its site runs, the tally."""

    def __init__(
        self,
        request: MirrorRequest,
        report: Callable[[Event], None],
        stop: asyncio.Event,
        around: Surroundings | None,
    ) -> None:
        self._request = request
        self._around = around
        self._memory = MIRROR if around is None else around.memory
        self._settings = request.settings
        self._listener = report
        self._stop = stop
        self._tally = Tally()
        self._log: RunLog | None = None

    async def go(self) -> Summary:
        """Open everything, run, and say how it went."""
        request, started = self._request, now_utc()
        async with AsyncExitStack() as stack:
            if self._around is None:
                self._writer = await stack.enter_async_context(open_writer(request))
            else:
                self._writer = self._around.writer
            run = self._run = await self._writer.begin_run(request.command, request.urls, started)
            self._log = await stack.enter_async_context(RunLog(request.into, run.id))
            self._tell_start(run)
            hosts = await self._writer.read(Archive.memory, self._memory)
            known = recall(hosts, robots=request.verify != "all")
            self._leads = known.leads
            network = await open_network(
                stack,
                self._settings,
                request.urls,
                self._read_stored,
                ignore_robots=request.ignore_robots,
                report=self._report,
                clock=now_utc,
                own=request.sites,
                known=known,
                permit=None if self._around is None else self._around.permit,
            )
            await self._prepare(run, network)
            await self._until_stopped(asyncio.ensure_future(self._all_sites()))
            self._remember(hosts, network)
            await self._writer.flush_until(self._stop)
            interrupted = self._stop.is_set()
            summary = summarise(
                self._tally,
                run=run.id,
                sites=self._runs.asked_for,
                seconds=(now_utc() - started).total_seconds(),
                verify_bound_days=request.verify_bound_days,
            )
            await self._writer.finish_run(msgspec.to_builtins(summary), not interrupted, run)
            self._report(RunFinished(at=now_utc(), summary=summary, interrupted=interrupted))
        return summary

    def _tell_start(self, run: RunInfo) -> None:
        self._report(
            RunStarted(
                at=run.started_at,
                run=run.id,
                command=self._request.command,
                scopes=self._request.urls,
                continues=run.continues_since is not None,
            )
        )
        for note in self._writer.notes if self._around is None else ():
            self._report(Note(at=run.started_at, message=note, trouble=True))

    async def _prepare(self, run: RunInfo, network: Network) -> None:
        request = self._request
        known = await self._writer.read(Archive.sites)
        self._sites = Sites(known, ((site.url, site.name) for site in request.sites))
        owners = (self._sites.owner(url) for url in request.urls)
        names = {site.name for site in owners if site} | {site_name(url) for url in request.urls}
        for asked in request.sites:
            site = self._sites.owner(asked.url)
            if asked.name and site is not None and site.name != asked.name:
                message = (
                    f"{asked.url} is {site.name} in this mirror, and stays so: not {asked.name}"
                )
                self._report(Note(at=run.started_at, message=message, site=site.name))
        before = await self._writer.read(last_runs, names)
        self._ledger = Ledger(before, self._writer.remember)
        shared = Shared(
            settings=self._settings,
            verify=request.verify,
            ignore_robots=request.ignore_robots,
            run=run,
            writer=self._writer,
            network=network,
            sites=self._sites,
            report=self._report,
            clock=now_utc,
            stop=self._stop,
        )
        self._foreign = Foreign(now_utc)
        foreign = self._foreign.add if self._around is None else self._around.foreign
        self._runs = SiteRuns(shared, foreign)

    def _remember(self, hosts: Mapping[str, str], network: Network) -> None:
        """Leave what the next run needs to know of hosts; ``hosts`` is what is stored of it."""
        learned = HostMemory(
            robots=network.robots.entries(),
            not_before=network.politeness.not_before(),
            leads=self._leads,
        )
        for key, text in changes(hosts, learned, now_utc()):
            self._writer.remember(self._memory, key, text)

    async def _read_stored(self, manifest: Manifest, name: str) -> Body:
        return await self._writer.read(Archive.body, manifest, name)

    async def _until_stopped(self, work: asyncio.Future[None]) -> None:
        """Wait for ``work``; after a stop, give it its grace."""
        stopping = asyncio.ensure_future(self._stop.wait())
        try:
            both: set[asyncio.Future[Any]] = {work, stopping}
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                self._runs.wake()
                await asyncio.wait({work}, timeout=self._settings.grace)
            if not work.done():
                work.cancel()
                await asyncio.wait({work})
            if not work.cancelled() and (error := work.exception()) is not None:
                raise _first(error)
        finally:
            stopping.cancel()
            work.cancel()

    async def _all_sites(self) -> None:
        """Run the sites that were asked for, and beside them the originals they point to."""
        request = self._request
        scout = Scout(
            self._sites,
            lambda url, in_site: self._runs.reader(in_site, request.settings_of(url)),
            lambda site, url: self._runs.memory(site, request.settings_of(url)),
            self._leads,
        )
        turns = self._turns(scout) if request.command == "sync" else await self._by_site(scout)
        async with asyncio.TaskGroup() as tasks:
            for original in request.originals:
                self._foreign.add(original.url, original.every)
            originals = tasks.create_task(self._foreign.go(self._runs.for_original))
            async with asyncio.TaskGroup() as own:
                for turn in turns:
                    own.create_task(turn)
            self._foreign.close()
            await originals

    def _turns(self, scout: Scout) -> list[Coroutine[Any, Any, None]]:
        """Return configured sites' turns, from their first request on: no site waits for another.

        What was left unfinished comes first, then what went well longest ago.
        """
        urls = self._request.urls
        self._runs.reserved = frozenset(map(self._name, urls))
        locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

        async def turn(url: str) -> None:
            try:
                start = scout.start(url, await scout.look(url))
            except NoStart as none:
                self._no_start(url, none)
                return
            self._runs.reserved |= {start.site.name}
            # two URLs may have led to one site
            async with locks[start.site.name]:
                await self._one(start, self._request.settings_of(url))

        return [
            turn(url) for url in sorted(urls, key=lambda url: self._ledger.turn(self._name(url)))
        ]

    async def _by_site(self, scout: Scout) -> list[Coroutine[Any, Any, None]]:
        """Return the turns of the sites that the URLs of a mirror by hand turn out to be of."""
        by_site: dict[str, list[_Planned]] = {}
        for planned in await self._starts(scout):
            by_site.setdefault(planned.start.site.name, []).append(planned)
        self._runs.reserved = frozenset(by_site)
        return [self._one_after_another(several) for several in by_site.values()]

    async def _starts(self, scout: Scout) -> list[_Planned]:
        """Find out what each URL is; one from which nothing can be begun is a failure, said."""
        request = self._request
        wanted, outside = by_owner(request.urls, request.records or ())
        for hint in outside:
            self._fail(hint.url, "it is outside of the URLs that are mirrored")
        if request.records is not None:
            listed = (scout.listed(url, hints) for url, hints in wanted.items())
            return [_Planned(start, request.settings_of(start.url)) for start in listed]
        for url in [url for url in wanted if await self._is_forgotten(url)]:
            self._fail(url, FORGOTTEN)
            del wanted[url]
        looks = await asyncio.gather(*(scout.look(url) for url in wanted), return_exceptions=True)
        starts = []
        for url, seen in sorted(zip(wanted, looks, strict=True), key=lambda pair: len(pair[0])):
            if isinstance(seen, NoStart):
                self._no_start(url, seen)
            elif isinstance(seen, BaseException):
                raise seen
            else:
                starts.append(_Planned(scout.start(url, seen), request.settings_of(url)))
        return starts

    async def _is_forgotten(self, url: str) -> bool:
        """Say whether ``url`` is of an article that is not to be asked for; a site's start is."""
        site = self._sites.owner(url)
        if site is None or url.rstrip("/") == site.scope.rstrip("/"):
            return False
        return url in await self._writer.read(Archive.forgotten, site.name)

    async def _one_after_another(self, several: list[_Planned]) -> None:
        """Run one site from each of its starts: together they would give the same slugs twice."""
        for planned in several:
            await self._one(planned.start, planned.settings)

    async def _one(self, start: Start, settings: Settings) -> None:
        """Run one site from one start, and keep its book."""
        site = start.site
        whole = start.discover and start.url.rstrip("/") == site.scope.rstrip("/")
        run = await self._runs.make(
            site, start.url, settings, discover=start.discover, since=self._since(site)
        )
        if whole:
            self._ledger.begin(site.name, now_utc())
        if unsent := unsent_headers(start, settings.headers, self._request.urls):
            self._report(Note(at=now_utc(), site=site.name, message=unsent, trouble=True))
        if start.seen is not None:
            run.start_with(Entry(url=start.url, source="scope"), start.seen)
        run.add(start.entries)
        if not start.discover:
            run.close()
        await self._runs.go(run, settings)
        why = run.choice() or ("" if run.articles else start.why)
        if why:
            self._fail(start.url, why)
        if whole:
            finished = not (run.ended or run.spent or self._stop.is_set())
            good = finished and not self._ledger.failed(site.name, start.url)
            self._ledger.end(site.name, now_utc(), finished=finished, good=good)
        else:
            self._ledger.add(site.name)

    def _since(self, site: Site) -> datetime | None:
        """Return when the work began that this run over ``site`` goes on with."""
        if self._request.command == "mirror":
            return self._run.continues_since
        since = self._ledger.last(site.name).unfinished_since
        oldest = now_utc() - timedelta(days=self._settings.verify_within)
        return since if since is not None and since > oldest else None

    def _no_start(self, url: str, why: NoStart) -> None:
        self._fail(url, str(why))
        self._ledger.add(self._name(url))

    def _fail(self, url: str, reason: str) -> None:
        self._report(Failed(at=now_utc(), site=self._name(url), url=url, reason=reason))

    def _name(self, url: str) -> str:
        site = self._sites.owner(url)
        return site.name if site is not None else site_name(url)

    def _report(self, event: Event) -> None:
        """Tell everybody: the budgets, the tally, the run log, the listener."""
        if isinstance(event, Requested):
            self._runs.charge(event)
        elif isinstance(event, Stored):
            event = self._ledger.weigh(event)
        elif isinstance(event, Failed):
            event = self._ledger.judge(event)
        self._tally.take(event)
        if self._log is not None:
            self._log.note(event)
        self._listener(event)


def _first(error: BaseException) -> BaseException:
    """Return the first single exception inside nested groups: one cause is what people can mend."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
