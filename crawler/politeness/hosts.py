"""One host as politeness keeps it, and as others see it. No loop, no clock."""

from __future__ import annotations

import asyncio
import math
from collections import deque

from msgspec import Struct

from crawler.politeness.pace import Pace


class HostView(Struct, frozen=True, kw_only=True):
    """One host as progress shows it.

    ``active`` requests are on the wire, ``waiting`` ones wait for the host; ``delay`` is seconds
    between requests just now, ``wait`` seconds until the next may start (infinite when
    ``resting``), ``why`` a sentence where the host or its failures made us wait.
    """

    host: str
    active: int
    waiting: int
    delay: float
    wait: float
    why: str
    resting: bool
    requests: int
    retries: int


class Host:
    """A host's pace, who waits for it (True: go; False: its turn is over), and its one timer.

    ``lent`` are the places that count as active and are used without asking (Politeness.lend);
    ``others`` are those who wait and can't use them.
    """

    __slots__ = ("key", "lent", "others", "pace", "timer", "waiters")

    def __init__(self, key: str, pace: Pace) -> None:
        self.key = key
        self.pace = pace
        self.waiters: deque[asyncio.Future[bool]] = deque()
        self.timer: asyncio.TimerHandle | None = None
        self.lent = 0
        self.others = 0

    def view(self, now: float) -> HostView:
        """Show the host as it is at ``now``, a monotonic second."""
        pace = self.pace
        wait = pace.ready_in(now)
        held = math.isinf(wait) or pace.held > now
        return HostView(
            host=self.key,
            active=pace.active,
            waiting=len(self.waiters),
            delay=pace.delay,
            wait=wait,
            why=pace.why if held else "",
            resting=math.isinf(wait),
            requests=pace.requests,
            retries=pace.retries,
        )
