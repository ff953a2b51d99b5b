"""What a run reaches the web with, opened together: guard, politeness, fetcher, robots, copyist."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import datetime
from importlib.metadata import version

from msgspec import Struct

from crawler.answer import Exchange
from crawler.config import Settings
from crawler.copies import Copyist, ReadStored
from crawler.events import Event, Requested, Waiting
from crawler.fetch import Fetcher
from crawler.fetch_settings import fetch_settings
from crawler.guard import Guard
from crawler.politeness import Politeness
from crawler.robots_cache import RobotsCache


class Network(Struct, frozen=True, kw_only=True):
    """One run's parts that ask servers."""

    fetcher: Fetcher
    robots: RobotsCache
    copyist: Copyist


async def open_network(
    stack: AsyncExitStack,
    settings: Settings,
    named: tuple[str, ...],
    read_stored: ReadStored,
    *,
    ignore_robots: bool,
    report: Callable[[Event], None],
    clock: Callable[[], datetime],
) -> Network:
    """Open the network; ``stack`` closes it. ``named`` are the URLs the user gave.

    Raises connect.ConnectError for a CA bundle or proxy that can't be used.
    """

    def exchanged(exchange: Exchange) -> None:
        report(
            Requested(
                at=exchange.at,
                host=exchange.host,
                url=exchange.url,
                status=exchange.status,
                size=exchange.size,
                seconds=exchange.seconds,
            )
        )

    def waits(host: str, seconds: float, why: str) -> None:
        report(Waiting(at=clock(), host=host, seconds=seconds, why=why))

    fetching = fetch_settings(settings, version("slugline"), named)
    guard = Guard(named, allow=fetching.allow_address, resolve=fetching.resolve)
    jitter = random.Random()  # noqa: S311  - spreads retries, guards no secret
    politeness = Politeness(fetching, clock, on_wait=waits)
    fetcher = await stack.enter_async_context(
        Fetcher(fetching, politeness, guard, clock, jitter, observe=exchanged)
    )
    robots = RobotsCache(fetcher, fetching.agent, clock)
    copyist = Copyist(
        fetcher, robots, read_stored, max_body=settings.max_body, ignore_robots=ignore_robots
    )
    return Network(fetcher=fetcher, robots=robots, copyist=copyist)
