"""A worker: a process that takes jobs, any number of it on any machine.

It works in shifts. A shift has an entry among the workers, a heart, and an end: it was told to
stop, or it lost the queue; then its jobs end with the articles in hand, what is left goes back into
the queue, and the next shift begins as a worker that nobody knows yet. The mirror stays open over
all of them, and its lock is held.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import psycopg
from procrastinate import App
from procrastinate.exceptions import ConnectorException
from procrastinate.worker import Worker

from crawler.cluster.heart import Heart, Lost, machine
from crawler.cluster.jobs import Jobs, Shop
from crawler.cluster.lines import Lines
from crawler.cluster.place import QueueError, QueuePlace
from crawler.cluster.queue import Doing, keep_time, queue_app

#: Times of grace after which jobs that were told to stop are cancelled, and after which the shift's
#: connections are cut: what hangs so long waits for one that is dead.
_CANCELLED, _CUT_OFF = 1.5, 2.5
#: Seconds for tasks to hear that they are cancelled.
_HEARD = 1.0
#: Seconds for all that is left to end then: the store, too, waits a minute for its database.
_ENDED = 120.0
#: Seconds between looks for originals that are owed to the queue: a note of one may be spooled by
#: the store for half a minute, and be another worker's.
_OWED = 60.0
#: Seconds until a new shift, after one that lost the queue.
_AGAIN = 2.0
#: Seconds between looks whether procrastinate has registered a worker: milliseconds of work.
_SOON = 0.02


async def work(place: QueuePlace, shop: Shop, concurrency: int, stop: asyncio.Event) -> None:
    """Do jobs, ``concurrency`` at once, until ``stop`` is set; the queue must have been made.

    Raises storage's errors: a worker whose store fails is of no use; nor is one with a job that
    does not end, for which it raises QueueError.
    """
    told = ""
    while not stop.is_set():
        shift = _Shift(place, shop, concurrency)
        try:
            await shift.go(stop)
        except (ConnectorException, psycopg.Error, Lost) as error:
            why = str(error.__cause__ or error)
            if shift.joined or why != told:
                shop.say(f"the queue is lost, and tried again: {why}")
            told = why
        if shift.jobs.broken is not None:
            raise shift.jobs.broken
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _AGAIN)


class _Shift:
    """One registration with the queue. Mutable state: its jobs', whether it was registered."""

    def __init__(self, place: QueuePlace, shop: Shop, concurrency: int) -> None:
        self._shop = shop
        self._concurrency = concurrency
        self._over = asyncio.Event()
        self.joined = False
        self.jobs = Jobs(shop, self._over)
        self._lines = Lines()
        self._app = queue_app(
            place,
            Doing(
                sync=self.jobs.sync,
                original=self.jobs.original,
                alive=self.jobs.alive,
                lines=self._lines,
            ),
        )
        keep_time(self._app, shop.roster)

    async def go(self, stop: asyncio.Event) -> None:
        """Work until ``stop`` is set; raises Lost or the database's errors where it ends before."""
        app = self._app
        try:
            await app.open_async()
            heart = Heart(app, self._shop.times)
            self.jobs.app, self.jobs.heart = app, heart
            await heart.bury()
            await self.jobs.queue_owed()
            await self._work(heart, self._worker(app), stop)
        finally:
            # also where it did not open: it would go on trying
            await app.close_async()

    def _worker(self, app: App) -> Worker:
        times = self._shop.times
        return Worker(
            app=app,
            name=machine(),
            concurrency=self._concurrency,
            fetch_job_polling_interval=times.poll,
            shutdown_graceful_timeout=_CANCELLED * times.grace,
            delete_jobs="always",
            install_signal_handlers=False,
            # the heart beats
            update_heartbeat_interval=times.dead,
            stalled_worker_timeout=times.dead,
        )

    async def _work(self, heart: Heart, worker: Worker, stop: asyncio.Event) -> None:
        running: asyncio.Task[None] = asyncio.create_task(worker.run())  # type: ignore[no-untyped-call]  # procrastinate's
        while worker.worker_id is None and not running.done():  # noqa: ASYNC110  - it tells nobody
            await asyncio.sleep(_SOON)
        beside = [] if worker.worker_id is None else self._beside(heart, worker.worker_id, stop)
        tasks = [asyncio.create_task(each) for each in beside]
        try:
            await asyncio.wait([running, *tasks], return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._over.set()
            worker.stop()  # type: ignore[no-untyped-call]  # procrastinate's
            # the heart beats on while the jobs in hand are finished
            await asyncio.wait([running], timeout=_CUT_OFF * self._shop.times.grace)
            for task in tasks:
                task.cancel()
            await self._ended([running, *tasks])
        for task in [running, *tasks]:
            if not task.cancelled() and (error := task.exception()) is not None:
                raise error

    async def _ended(self, tasks: list[asyncio.Task[Any]]) -> None:
        """Wait for the end of ``tasks``: the next shift shares the mirror with none of them."""
        _, left = await asyncio.wait(tasks, timeout=_HEARD)
        if left:
            self._lines.cut()
            _, left = await asyncio.wait(left, timeout=_ENDED)
        if left:
            raise QueueError("a job does not end; start the worker again")

    def _beside(
        self, heart: Heart, worker: int, stop: asyncio.Event
    ) -> list[Coroutine[Any, Any, Any]]:
        return [
            heart.beat(worker),
            heart.listen(),
            heart.watch(),
            self._queue_owed(),
            self._join(heart, worker),
            stop.wait(),
            self._over.wait(),
        ]

    async def _queue_owed(self) -> None:
        """Queue what could not be when it was found; for ever."""
        while True:
            await asyncio.sleep(_OWED)
            with suppress(ConnectorException):
                await self.jobs.queue_owed()

    async def _join(self, heart: Heart, worker: int) -> None:
        await heart.join(worker, self._concurrency)
        self.joined = True
        self._shop.say(f"worker {worker} on {machine()} takes up to {self._concurrency} jobs")
        await asyncio.Event().wait()
