"""Who lives: a worker's heartbeat, its own end when it has none, and the dead ones' jobs.

All by the database's clock but one thing: how long this worker has had no answer to a beat, which
it measures itself, from the moment that the last answered one was sent. It stops working well
before others may believe it dead, so that no host is asked by two, whatever the network does.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from contextlib import suppress

from msgspec import Struct
from procrastinate import App
from procrastinate.exceptions import ConnectorException


class Times(Struct, frozen=True, kw_only=True):
    """Seconds. From one to the next there is time for what has to be over by then.

    ``beat``: between heartbeats. ``silence``: without an answered one, a worker stops its jobs.
    ``grace``: for the articles in hand, and as much again for what is to be written down.
    ``dead``: without a beat, a worker's jobs are others'. ``look``: between two looks for such.
    """

    beat: float = 4.0
    silence: float = 15.0
    grace: float = 10.0
    dead: float = 45.0
    look: float = 5.0
    poll: float = 5.0

    @property
    def taken_up(self) -> float:
        """Seconds after a worker's death within which another has its jobs, if it has room."""
        return self.dead + self.look + self.poll


class Lost(Exception):
    """The queue did not answer for too long, or took this worker for dead."""


_JOIN = """
INSERT INTO slugline_members (id, machine, pid, concurrency)
VALUES (%(id)s, %(machine)s, %(pid)s, %(concurrency)s)
ON CONFLICT DO NOTHING
"""
_BEAT = "UPDATE procrastinate_workers SET last_heartbeat = now() WHERE id = %(id)s RETURNING id"
_BURY = """
DELETE FROM procrastinate_workers
WHERE last_heartbeat < now() - %(dead)s * interval '1 second'
"""
#: A job of nobody goes back into the queue; where its site waits there already, it goes for good.
#: One transaction, and rows that are somebody's again are let be: nothing is put back twice.
_PUT_BACK = """
WITH ours AS (
    SELECT id, row_number() OVER (PARTITION BY queueing_lock ORDER BY id) > 1 OR EXISTS (
        SELECT 1 FROM procrastinate_jobs AS waiting
        WHERE waiting.status = 'todo' AND waiting.queueing_lock = job.queueing_lock
    ) AS twin
    FROM procrastinate_jobs AS job WHERE status = 'doing' AND worker_id IS NULL
), gone AS (
    DELETE FROM procrastinate_jobs USING ours
    WHERE procrastinate_jobs.id = ours.id AND ours.twin
      AND status = 'doing' AND worker_id IS NULL
)
UPDATE procrastinate_jobs SET status = 'todo', attempts = attempts + 1, scheduled_at = NULL
FROM ours
WHERE procrastinate_jobs.id = ours.id AND NOT ours.twin
  AND status = 'doing' AND worker_id IS NULL
RETURNING procrastinate_jobs.id
"""
#: A host is held only while its job is done: an answer that was lost may have left it a job's that
#: has ended, or begun elsewhere. Its pace was lost too: it rests for longer than a usual one.
_FREE = """
WITH idle AS (
    SELECT host, job_id, worker_id FROM slugline_hosts AS held
    WHERE worker_id IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM procrastinate_jobs AS job
        WHERE job.id = held.job_id AND job.worker_id = held.worker_id AND job.status = 'doing'
    )
)
UPDATE slugline_hosts AS held SET job_id = NULL, worker_id = NULL,
    next_at = greatest(held.next_at, now() + %(rest)s * interval '1 second')
FROM idle
WHERE held.host = idle.host AND held.job_id = idle.job_id AND held.worker_id = idle.worker_id
"""
#: Seconds: the pace of nearly every host is a quicker one (2 requests a second by default).
_REST = 10.0


def machine() -> str:
    """Return what people call this machine."""
    return socket.gethostname()


class Heart:
    """A worker's heart. Mutable state: when the last beat that was answered had been sent."""

    def __init__(self, app: App, times: Times) -> None:
        """``app`` must be open."""
        self._connector = app.connector
        self._times = times
        self._answered = time.monotonic()

    def alive(self) -> bool:
        """Say whether nobody can take this worker for dead yet, nor soon."""
        return time.monotonic() - self._answered < self._times.silence

    async def join(self, worker: int, concurrency: int) -> None:
        """Say who the worker with the id ``worker`` is."""
        await self._connector.execute_query_async(
            _JOIN, id=worker, machine=machine(), pid=os.getpid(), concurrency=concurrency
        )

    async def beat(self, worker: int) -> None:
        """Beat for ever; raises Lost where the others have taken this worker for dead."""
        while True:
            sent = time.monotonic()
            if await self._beats(worker):
                self._answered = sent
            await asyncio.sleep(self._times.beat)

    async def listen(self) -> None:
        """Raise Lost when no beat has been answered for too long; that asks nobody."""
        while (left := self._answered + self._times.silence - time.monotonic()) > 0:  # noqa: ASYNC110  - what is waited for is that nothing comes
            await asyncio.sleep(left)
        raise Lost(f"it has not answered for {self._times.silence:.0f} s")

    async def _beats(self, worker: int) -> bool:
        try:
            async with asyncio.timeout(self._times.beat):
                rows = await self._connector.execute_query_all_async(_BEAT, id=worker)
        except (TimeoutError, ConnectorException):
            return False
        if not rows:
            raise Lost("the others took this worker for dead")
        return True

    async def watch(self) -> None:
        """Bury workers that have no beat, and free what they and lost answers left; for ever."""
        while True:
            # Whether the queue is lost the beats tell; a look that was cut is made again.
            with suppress(ConnectorException):
                await self.bury()
            await asyncio.sleep(self._times.look)

    async def bury(self) -> int:
        """Do so once; returns how many jobs went back into the queue."""
        await self._connector.execute_query_async(_BURY, dead=self._times.dead)
        put_back = await self._connector.execute_query_all_async(_PUT_BACK)
        await self._connector.execute_query_async(_FREE, rest=_REST)
        return len(put_back)
