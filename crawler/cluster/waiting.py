"""Waiting for what a worker works with: the queue, the index and the segments.

After a power cut machines come up in any order, and a service manager that saw a worker end a few
times in a row starts it no more. What answers that it will not is for people to mend, and raises:
to one that starts at once, to one that has worked with it only when it has said so for a while.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from random import SystemRandom
from typing import TypeVar

from crawler.cluster.place import QueueAway
from crawler.transport.retry import Backoff
from storage.errors import IndexAway, SegmentsAway, SegmentsRefused

#: Seconds between two tries, at most, and half of it at least: a fleet does not come back at once.
_PAUSES = Backoff(attempts=0, base=2.0, cap=30.0)
_CHANCE = SystemRandom()
#: Losses in a row after which a bucket is believed that says no: a minute or so, in which one that
#: is being stopped is gone, and a key that was just given is known everywhere.
_REFUSALS = 5
#: Seconds of work after which a loss is not one more in a row.
_WELL = 300.0

T = TypeVar("T")


async def when_there(
    attempt: Callable[[], Awaitable[T]], stop: asyncio.Event, say: Callable[[str], None]
) -> T | None:
    """Await ``attempt`` again and again while something is away; None once ``stop`` is set.

    ``say`` is told what is waited for, each once in a row. Raises what else ``attempt`` does.
    """
    tries, told = 0, None
    while not stop.is_set():
        try:
            return await attempt()
        except SegmentsRefused:
            raise
        except (QueueAway, IndexAway, SegmentsAway) as error:
            tries += 1
            if told is not type(error):
                told = type(error)
                say(f"waiting: {error}")
        await _pause(tries, stop)
    return None


class Losses:
    """How a worker takes it that its index or its segments are lost while it works.

    Mutable state: the losses in a row, and since when it has worked.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """``clock`` gives seconds."""
        self._clock = clock
        self._began: float | None = None
        self._in_a_row = 0

    def began(self) -> None:
        """Note that it has all that it works with."""
        self._began = self._clock()

    def take(self, error: IndexAway | SegmentsAway) -> int:
        """Return how many were lost in a row; raises ``error`` where it is not to be waited for."""
        began, self._began = self._began, None
        if began is None and not self._in_a_row:
            raise error
        if began is not None and self._clock() - began > _WELL:
            self._in_a_row = 0
        self._in_a_row += 1
        if isinstance(error, SegmentsRefused) and self._in_a_row > _REFUSALS:
            raise error
        return self._in_a_row


async def while_lost(
    work: Callable[[Losses], Awaitable[None]], stop: asyncio.Event, say: Callable[[str], None]
) -> None:
    """Await ``work`` again and again while it ends with the index or the segments away.

    It calls ``began`` once it has both. Raises what else it does, and that too once ``stop`` is
    set: what is left undone then has to be said.
    """
    losses = Losses()
    while True:
        try:
            return await work(losses)
        except (IndexAway, SegmentsAway) as error:
            if stop.is_set():
                raise
            in_a_row = losses.take(error)
            say(f"its jobs go back into the queue: {error}")
        await _pause(in_a_row, stop)
        if stop.is_set():
            return None


async def _pause(tries: int, stop: asyncio.Event) -> None:
    with suppress(TimeoutError):
        seconds = _PAUSES.seconds(tries, (1 + _CHANCE.random()) / 2)
        await asyncio.wait_for(stop.wait(), seconds)
