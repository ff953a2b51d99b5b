"""What the tests of fetching share: a clock that stands still, and a fetcher for one server."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from crawler.events import Requested
from crawler.fetch import Fetcher
from crawler.politeness.turns import Politeness
from crawler.transport.answer import FetchSettings
from crawler.transport.guard import Guard
from tests.crawler.raw_server import RawServer

NOW = datetime(2026, 6, 19, 8, 9, 44, tzinfo=UTC)
AGENT = "slugline/0 (+tests)"


def settings(**values: Any) -> FetchSettings:
    """Make settings without pace, and with waits that take no time."""
    quick = {"rate": 0.0, "concurrency": 8, "backoff_base": 0.0, "read_timeout": 5.0}
    return FetchSettings(agent=AGENT, **(quick | values))


@asynccontextmanager
async def fetching(
    *sites: RawServer,
    named: tuple[str, ...] = (),
    observe: Callable[[Requested], None] | None = None,
    now: Callable[[], datetime] = lambda: NOW,
    **values: Any,
) -> AsyncIterator[Fetcher]:
    """Open a fetcher to which ``sites`` and ``named`` URLs are the user's own hosts."""
    chosen = settings(**values)
    guard = Guard(
        [*(site.url() for site in sites), *named],
        allow=chosen.allow_address,
        resolve=chosen.resolve,
    )
    polite = Politeness(chosen, now)
    fetcher = Fetcher(chosen, polite, guard, now, random.Random(1), observe=observe)
    async with fetcher:
        yield fetcher
