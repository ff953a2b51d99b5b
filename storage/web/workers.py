"""Answers made off the event loop: a few threads, each with the archive open, and a bounded queue.

Pages are made of short reads and of Python, which runs one thread at a time: a few threads are for
waiting on the disk together. What is heavy leaves the others free. Whoever comes when too many wait
already is told to come again.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from storage.errors import DamageFound
from storage.web.answer import Answer
from storage.web.reading import ThreadArchive
from storage.web.request import Refusal, Request
from storage.web.route import Answering

#: Threads that read: one computes while the others are in SQLite or wait for the disk; with more
#: they wait for each other.
THREADS = 3
#: Heavy answers made at once.
HEAVY = 1
#: Requests that may wait; at some hundred answers a second that is half a second.
MOST_WAITING = 256
_AGAIN_SECONDS = 5


class Workers:
    """The threads. State: how many requests wait, and each thread's ThreadArchive."""

    def __init__(self, reading: Callable[[], ThreadArchive]) -> None:
        """Take ``reading``, which makes one more of them for a thread of its own."""
        self._make = reading
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="slugline-serve")
        self._own = threading.local()
        self._made: list[ThreadArchive] = []
        self._heavy = asyncio.Semaphore(HEAVY)
        self._waiting = 0

    async def answer(self, answering: Answering, request: Request, *, heavy: bool) -> Answer:
        """Return what ``answering`` makes of a request. Raises what it raises, and Refusal."""
        if self._waiting >= MOST_WAITING:
            raise Refusal(503, "Too many requests wait already: ask again soon.", _AGAIN_SECONDS)
        self._waiting += 1
        try:
            if not heavy:
                return await self._run(answering, request)
            async with self._heavy:
                return await self._run(answering, request)
        finally:
            self._waiting -= 1

    async def _run(self, answering: Answering, request: Request) -> Answer:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, self._on_thread, answering, request)

    def _on_thread(self, answering: Answering, request: Request) -> Answer:
        reading = getattr(self._own, "reading", None)
        if reading is None:
            reading = self._own.reading = self._make()
            self._made.append(reading)
        try:
            return answering(reading, request)
        except DamageFound:
            # A segment may have been written anew since it was opened: it is opened again, once.
            reading.close()
            return answering(reading, request)

    def close(self) -> None:
        """Wait for the answers that are being made, and close every archive."""
        self._pool.shutdown()
        for reading in self._made:
            reading.close()
