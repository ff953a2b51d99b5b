"""Waiting, at a worker's start, for what it works with: the queue, the index and the segments.

After a power cut machines come up in any order, and a service manager that saw a worker end a few
times in a row starts it no more. What answers that it will not is for people to mend, and raises.
"""

from __future__ import annotations

import asyncio
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
        pause = _PAUSES.seconds(tries, (1 + _CHANCE.random()) / 2)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), pause)
    return None
