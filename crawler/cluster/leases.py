"""Leave to ask hosts, for one job: no other job of any worker asks a host meanwhile.

The job's own host is taken before it begins, and kept to its end. Another one (formats elsewhere, a
redirect, a feed on somebody's server) is taken when it is first asked, given back when it has not
been asked for some seconds, and waited for where another job has it; who has waited long enough
gives up, since two may wait for each other. What is given back carries the moment from which the
next one may ask: the pace is the host's, whoever keeps it. A host is a job's only while the queue
says that its worker does that job: what could not be given back the hearts free (heart.Heart.bury).
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from msgspec import Struct
from procrastinate import App
from procrastinate.exceptions import ConnectorException

from crawler.cluster.hiccups import past_hiccups
from crawler.politeness.permit import Refused

#: Seconds without a request after which another host is given back.
_IDLE = 2.0
#: Seconds that another host is waited for, and between two looks whether it is free.
PATIENCE, _LOOK = 60.0, 1.0
#: Seconds that a job waits for the pace of its own host: a longer wait is for the queue.
SOON = 10.0

_TAKE = """
INSERT INTO slugline_hosts AS held (host, job_id, worker_id)
VALUES (%(host)s, %(job)s, %(worker)s)
ON CONFLICT (host) DO UPDATE SET job_id = excluded.job_id, worker_id = excluded.worker_id
WHERE held.worker_id IS NULL
   OR (held.worker_id = excluded.worker_id AND held.job_id = excluded.job_id)
RETURNING greatest(0, extract(epoch FROM next_at - now()))::float AS wait
"""
_GIVE_BACK = """
UPDATE slugline_hosts
SET job_id = NULL, worker_id = NULL, next_at = now() + %(wait)s * interval '1 second'
WHERE host = %(host)s AND job_id = %(job)s AND worker_id = %(worker)s
"""


class _Held(Struct):
    """A host that is held: who uses it just now, since when nobody does, and when it is ready."""

    users: int = 0
    idle_since: float = 0.0
    ready_at: float = 0.0


class Leases:
    """A job's leave to ask hosts (permit.Permit). Mutable state: what it holds."""

    def __init__(self, app: App, worker: int, job: int, alive: Callable[[], bool]) -> None:
        """``alive`` says whether the worker may count on what it holds."""
        self._connector = app.connector
        self._who = {"worker": worker, "job": job}
        self._alive = alive
        self._held: dict[str, _Held] = {}
        self._taking: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._own = ""
        #: Whether a host was given up that may be had again soon: the job has work left.
        self.gave_up = False

    async def begin(self, host: str) -> float:
        """Wait for leave to ask ``host``, and return the seconds to wait; raises Refused."""
        if not self.stands():
            raise Refused("the queue can't be reached, so another worker may be asking it")
        held = self._held.get(host)
        if held is not None:
            held.users += 1
            return max(0.0, held.ready_at - time.monotonic())
        async with self._taking[host]:
            if host not in self._held:
                wait = await self._wait_for(host)
                self._held[host] = _Held(ready_at=time.monotonic() + wait)
            held = self._held[host]
            held.users += 1
            return max(0.0, held.ready_at - time.monotonic())

    def stands(self) -> bool:
        """Say whether the worker may count on what it holds."""
        alive = self._alive()
        self.gave_up = self.gave_up or not alive
        return alive

    def end(self, host: str, wait: float) -> None:
        """Note that one that had leave is done; ``host`` may be asked in ``wait`` seconds."""
        now = time.monotonic()
        held = self._held[host]
        held.users -= 1
        held.idle_since = now
        held.ready_at = now + wait

    @asynccontextmanager
    async def own(self, host: str) -> AsyncIterator[float | None]:
        """Hold the job's own host within; gives the seconds to wait, None where another has it."""
        wait = await self._take(host)
        if wait is None:
            yield None
            return
        self._own = host
        self._held[host] = _Held(ready_at=time.monotonic() + wait)
        sweeping = asyncio.create_task(self._sweep())
        try:
            yield wait
        finally:
            sweeping.cancel()
            await asyncio.gather(*map(self._give_back, list(self._held)))

    async def _wait_for(self, host: str) -> float:
        until = time.monotonic() + PATIENCE
        while (wait := await self._try(host)) is None:
            if time.monotonic() >= until or not self._alive():
                self.gave_up = True
                raise Refused("another worker is reading from it; left for later")
            await asyncio.sleep(_LOOK)
        if wait > PATIENCE:
            await self._return(host, time.monotonic() + wait)
            raise Refused(f"it asked to be left alone for {wait:.0f} s more")
        return wait

    async def _try(self, host: str) -> float | None:
        try:
            return await self._take(host)
        except ConnectorException as error:
            self.gave_up = True
            raise Refused(f"the queue can't be reached ({error.__cause__})") from error

    async def _take(self, host: str) -> float | None:
        """Take ``host`` where it is free, and return the seconds to wait before it is asked."""
        rows = await self._connector.execute_query_all_async(_TAKE, host=host, **self._who)
        return rows[0]["wait"] if rows else None

    async def _sweep(self) -> None:
        """Give other hosts back that nobody has asked for some seconds."""
        while True:
            await asyncio.sleep(_IDLE / 2)
            before = time.monotonic() - _IDLE
            for host, held in list(self._held.items()):
                if host == self._own or held.users or held.idle_since >= before:
                    continue
                async with self._taking[host]:
                    # Whoever began to ask it meanwhile has it, and keeps it.
                    if host in self._held and not held.users:
                        await self._give_back(host)

    async def _give_back(self, host: str) -> None:
        held = self._held.pop(host)
        await self._return(host, held.ready_at)

    async def _return(self, host: str, ready_at: float) -> None:
        async def ask() -> None:
            wait = max(0.0, ready_at - time.monotonic())
            await self._connector.execute_query_async(_GIVE_BACK, host=host, wait=wait, **self._who)

        # Where the queue can't be reached, the worker ends, and all that it held is free with it.
        if self._alive():
            with suppress(ConnectorException):
                await past_hiccups(ask, self._alive)
