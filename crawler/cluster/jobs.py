"""What a job does: one run of the conductor, within its leave to ask hosts.

It syncs one site, or captures one original. A job ends well even where articles failed, as a run
does; what it could not do is queued again: the rest after a stop, or after a host that another
worker has. A second try of its own would run into the same wall.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from random import SystemRandom

from msgspec import Struct
from procrastinate import App, JobContext
from procrastinate.exceptions import ConnectorException

from crawler.cluster.books import Books
from crawler.cluster.heart import Heart, Times
from crawler.cluster.leases import PATIENCE, SOON, Leases
from crawler.cluster.queue import (
    Later,
    drop,
    enqueue_original,
    enqueue_site,
    waiting_originals,
)
from crawler.cluster.roster import Roster
from crawler.conductor import mirror
from crawler.events import Event, Summary
from crawler.progress.wording import count
from crawler.request import MirrorRequest, Original, RequestError
from crawler.surroundings import Surroundings
from crawler.transport.retry import Backoff
from crawler.urls import host_key, origin
from storage.archive import Archive
from storage.errors import ArchiveError
from storage.writer import Writer

#: Where a site's name would be, in the mirror's memory of originals that are not queued yet.
OWED = "originals owed"
#: Seconds until a job is tried again whose own host another job has, and one that could not have
#: another host: at most, and half of it at least, so that two that wait for each other part. They
#: double with every try in vain, to some minutes: hosts are held for as long as a job runs.
BUSY = Backoff(attempts=0, base=5.0, cap=300.0)
GAVE_UP = Backoff(attempts=0, base=PATIENCE, cap=900.0)
#: Seconds until a job is tried again whose worker's store failed: by another one.
_ELSEWHERE = 5.0
_CHANCE = SystemRandom()


class Shop(Struct, frozen=True, kw_only=True):
    """What a process's jobs work with. ``say`` takes a line for people, ``report`` every event."""

    roster: Roster
    writer: Writer
    times: Times
    say: Callable[[str], None]
    report: Callable[[Event], None]


class _Task(Struct, frozen=True, kw_only=True):
    """One job: whose book it goes into, its request, what queues it again, its tries in vain."""

    url: str
    host: str
    request: MirrorRequest
    again: Callable[[Later], Awaitable[bool]]
    in_vain: int = 0


def next_try(in_vain: int, backoff: Backoff, roll: float) -> Later:
    """Return when a job is tried again that was tried ``in_vain`` before; ``roll``: 0 to 1."""
    return Later(backoff.seconds(in_vain + 1, (1 + roll) / 2), in_vain + 1)


class Jobs:
    """Does the jobs of one worker. Mutable state: the store's failure, which ends the worker."""

    def __init__(self, shop: Shop, stop: asyncio.Event) -> None:
        """Set ``stop`` to end the jobs in hand; the worker gives the app and the heart."""
        self._shop = shop
        self._stop = stop
        self.app: App
        self.heart: Heart
        self.broken: ArchiveError | None = None

    def alive(self) -> bool:
        """Say whether the worker may still count on its jobs and hosts."""
        return self.heart.alive()

    async def sync(
        self, context: JobContext, *, site: str, timestamp: int = 0, in_vain: int = 0
    ) -> None:
        """Sync the site at the URL ``site``; ``timestamp`` is when it was due, for the queue."""
        del timestamp
        try:
            request = self._shop.roster.sync(site, self._shop.times.grace)
        except RequestError as error:
            self._shop.say(f"{error}: not done here")
            return

        def again(later: Later) -> Awaitable[bool]:
            return enqueue_site(self.app, site, later)

        host = host_key(site)
        task = _Task(url=site, host=host, request=request, again=again, in_vain=in_vain)
        await self._do(context, task)

    async def original(
        self, context: JobContext, *, url: str, every: int, in_vain: int = 0
    ) -> None:
        """Capture the original at ``url`` where none was for ``every`` seconds.

        And with it all that wait for the same host: they can't begin before this one has ended.
        """
        least, host = timedelta(seconds=every), host_key(url)
        waiting = await waiting_originals(self.app, host)

        def again(later: Later) -> Awaitable[bool]:
            return enqueue_original(self.app, url, least, later)

        wanted = [Original(url=each, every=often) for each, often in waiting.values()]
        request = self._shop.roster.originals(
            host, [Original(url=url, every=least), *wanted], self._shop.times.grace
        )
        place = f"{origin(url)}/"
        task = _Task(url=place, host=host, request=request, again=again, in_vain=in_vain)
        if await self._do(context, task):
            await drop(self.app, waiting)

    async def _do(self, context: JobContext, task: _Task) -> bool:
        """Do ``task`` and keep its book; False where something of it is left."""
        worker, job = context.job.worker_id, context.job.id
        if worker is None or job is None:
            raise RuntimeError("a job that was fetched has a number and a worker")
        leases = Leases(self.app, worker, job, self.alive)
        async with leases.own(task.host) as wait:
            if wait is None or wait > SOON:
                await task.again(
                    next_try(task.in_vain, BUSY, _CHANCE.random()) if wait is None else Later(wait)
                )
                return False
            books = Books(self.app, worker)
            await books.begin(task.url)
            try:
                summary = await self._run(task, leases)
            except ArchiveError as error:
                # The store is every job's: the worker ends, and another one has more luck.
                self.broken = self.broken or error
                self._stop.set()
                await self._end(books, task, "failed", None, str(error))
                await task.again(Later(_ELSEWHERE))
                return False
            except ConnectorException:
                raise
            except Exception as error:
                bug = f"{type(error).__name__}: {error}. This is a bug"
                await self._end(books, task, "failed", None, bug)
                raise
            return await self._ended(books, task, leases, summary)

    async def _ended(self, books: Books, task: _Task, leases: Leases, summary: Summary) -> bool:
        if self._stop.is_set():
            await self._end(books, task, "stopped", summary, "its rest is queued again")
            await task.again(Later())
            return False
        if leases.gave_up:
            await self._end(books, task, "waiting", summary, "one of its hosts can't be had now")
            await task.again(next_try(task.in_vain, GAVE_UP, _CHANCE.random()))
            return False
        why = summary.errors[0].reason if summary.failed and summary.errors else ""
        await self._end(books, task, "done", summary, why)
        return True

    async def _end(
        self, books: Books, task: _Task, state: str, summary: Summary | None, why: str
    ) -> None:
        told = f": {why}" if why else ""
        did = "" if summary is None else f", {_did(summary)}"
        self._shop.say(f"{task.url} {state}{did}{told}")
        await books.end(task.url, state, summary, why)

    async def _run(self, task: _Task, leases: Leases) -> Summary:
        originals: asyncio.Queue[tuple[str, timedelta] | None] = asyncio.Queue()

        def owe(url: str, every: timedelta) -> None:
            # Noted with the article that names it: a queue that is away takes seconds for each.
            if not self._shop.roster.knows(url):
                self._shop.writer.remember(OWED, url, str(int(every.total_seconds())))
            originals.put_nowait((url, every))

        around = Surroundings(
            writer=self._shop.writer,
            memory=f"host {task.host}",
            permit=leases,
            foreign=owe,
        )
        passing = asyncio.create_task(self._pass_on(originals))
        try:
            return await mirror(task.request, self._shop.report, self._stop, around)
        finally:
            originals.put_nowait(None)
            await passing

    async def _pass_on(self, originals: asyncio.Queue[tuple[str, timedelta] | None]) -> None:
        """Queue what articles name as their originals, each once; sites of ours find theirs."""
        seen: set[str] = set()
        while (asked := await originals.get()) is not None:
            url, every = asked
            if url in seen or self._shop.roster.knows(url):
                continue
            seen.add(url)
            with suppress(ConnectorException):
                await enqueue_original(self.app, url, every)
                self._shop.writer.remember(OWED, url, "")

    async def queue_owed(self) -> None:
        """Queue the originals that could not be when they were found."""
        for url, text in (await self._shop.writer.read(Archive.memory, OWED)).items():
            if text:
                await enqueue_original(self.app, url, timedelta(seconds=int(text)))
            self._shop.writer.remember(OWED, url, "")


def _did(summary: Summary) -> str:
    return (
        f"{count(summary.articles, 'article')}, {count(summary.snapshots, 'new snapshot')}, "
        f"{count(summary.requests, 'request')} in {summary.seconds:.1f} s"
    )
