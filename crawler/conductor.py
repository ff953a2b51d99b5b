"""The conductor: one run from a request to its summary.

It opens the mirror and the network, finds out what each URL is, gives every site a run of its own,
and ends them all: done, stopped, or failed. It decides nothing about articles.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from crawler.config import Settings
from crawler.discovery.records import RecordHint
from crawler.events import Event, Failed, Note, RunFinished, RunStarted, Summary
from crawler.foreign import Foreign
from crawler.frontier import Entry
from crawler.network import Network, open_network
from crawler.ownership import Sites
from crawler.selection import Selection
from crawler.site_runs import Shared, SiteRuns
from crawler.starting import NoStart, Scout, Start, by_owner
from crawler.tally import Tally, summarise
from crawler.urls import site_name
from storage.archive import Archive, Body
from storage.model import Manifest
from storage.runlog import RunLog
from storage.writer import RunInfo, Writer


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
    """One run. Mutable state: what it has opened, its site runs, the tally."""

    def __init__(
        self, request: MirrorRequest, report: Callable[[Event], None], stop: asyncio.Event
    ) -> None:
        self._request = request
        self._settings = request.settings
        self._listener = report
        self._stop = stop
        self._tally = Tally()
        self._log: RunLog | None = None

    async def go(self) -> Summary:
        """Open everything, run, and say how it went."""
        request, started = self._request, _now()
        async with AsyncExitStack() as stack:
            self._writer = await stack.enter_async_context(
                Writer(
                    request.into,
                    files=request.files,
                    segment_bytes=self._settings.segment_bytes,
                    clock=_now,
                )
            )
            run = await self._writer.begin_run("mirror", request.urls, started)
            self._log = await stack.enter_async_context(RunLog(request.into, run.id))
            self._tell_start(run)
            network = await open_network(
                stack,
                self._settings,
                request.urls,
                self._read_stored,
                ignore_robots=request.ignore_robots,
                report=self._report,
                clock=_now,
            )
            await self._prepare(run, network)
            interrupted = await self._until_stopped(asyncio.ensure_future(self._all_sites()))
            await self._writer.flush()
            summary = summarise(
                self._tally,
                run=run.id,
                sites=self._runs.asked_for,
                seconds=(_now() - started).total_seconds(),
                verify_bound_days=self._settings.verify_within,
            )
            await self._writer.finish_run(msgspec.to_builtins(summary), not interrupted)
            self._report(RunFinished(at=_now(), summary=summary, interrupted=interrupted))
        return summary

    def _tell_start(self, run: RunInfo) -> None:
        self._report(
            RunStarted(
                at=run.started_at,
                run=run.id,
                command="mirror",
                scopes=self._request.urls,
                continues=run.continues_since is not None,
            )
        )
        for note in self._writer.notes:
            self._report(Note(at=run.started_at, message=note))

    async def _prepare(self, run: RunInfo, network: Network) -> None:
        request = self._request
        self._sites = Sites(await self._writer.read(Archive.sites))
        shared = Shared(
            settings=self._settings,
            formats=frozenset(request.formats),
            selection=Selection(include=request.include, exclude=request.exclude),
            max_articles=request.max_articles or self._settings.max_articles,
            verify=request.verify,
            ignore_robots=request.ignore_robots,
            run=run,
            writer=self._writer,
            network=network,
            sites=self._sites,
            report=self._report,
            clock=_now,
            stop=self._stop,
        )
        self._foreign = Foreign(self._settings.canonical_every, _now)
        self._runs = SiteRuns(shared, self._foreign.add)

    async def _read_stored(self, manifest: Manifest, name: str) -> Body:
        return await self._writer.read(Archive.body, manifest, name)

    async def _until_stopped(self, work: asyncio.Future[None]) -> bool:
        """Wait for ``work``; after a stop, give it its grace. Returns whether it was cut off."""
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
        return self._stop.is_set()

    async def _all_sites(self) -> None:
        """Run the sites that were asked for, and beside them the originals they point to."""
        by_site: dict[str, list[Start]] = {}
        for start in await self._starts():
            by_site.setdefault(start.site.name, []).append(start)
        self._runs.reserved = frozenset(by_site)
        async with asyncio.TaskGroup() as tasks:
            originals = tasks.create_task(self._foreign.go(self._runs.for_original))
            async with asyncio.TaskGroup() as own:
                for starts in by_site.values():
                    own.create_task(self._one_after_another(starts))
            self._foreign.close()
            await originals

    async def _starts(self) -> list[Start]:
        """Find out what each URL is; one from which nothing can be begun is a failure, said."""
        scout = Scout(self._sites, self._runs.reader)
        wanted, outside = by_owner(self._request.urls, self._request.records or ())
        for hint in outside:
            self._fail(hint.url, "it is outside of the URLs that are mirrored")
        if self._request.records is not None:
            return [scout.listed(url, hints) for url, hints in wanted.items()]
        looks = await asyncio.gather(*(scout.look(url) for url in wanted), return_exceptions=True)
        starts = []
        for url, seen in sorted(zip(wanted, looks, strict=True), key=lambda pair: len(pair[0])):
            if isinstance(seen, NoStart):
                self._fail(url, str(seen))
            elif isinstance(seen, BaseException):
                raise seen
            else:
                starts.append(scout.start(url, seen))
        return starts

    async def _one_after_another(self, starts: list[Start]) -> None:
        """Run one site from each of its starts: together they would give the same slugs twice."""
        for start in starts:
            run = await self._runs.make(start.site, start.url, discover=start.discover)
            if start.seen is not None:
                run.start_with(Entry(url=start.url, source="scope"), start.seen)
            run.add(start.entries)
            if not start.discover:
                run.close()
            await run.go()
            if start.why and not run.articles:
                self._fail(start.url, start.why)

    def _fail(self, url: str, reason: str) -> None:
        site = self._sites.owner(url)
        name = site.name if site is not None else site_name(url)
        self._report(Failed(at=_now(), site=name, url=url, reason=reason))

    def _report(self, event: Event) -> None:
        """Tell everybody: the tally, the run log, the listener."""
        self._tally.take(event)
        if self._log is not None:
            self._log.note(event)
        self._listener(event)


def _now() -> datetime:
    return datetime.now(UTC)


def _first(error: BaseException) -> BaseException:
    """Return the first single exception inside nested groups: one cause is what people can mend."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
