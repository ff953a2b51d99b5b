"""What a run reaches the web with, opened together: guard, politeness, fetcher, robots, copyist."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import AsyncExitStack
from datetime import datetime
from importlib.metadata import version
from typing import Any

from msgspec import Struct

from crawler.article.copies import Copyist, ReadStored
from crawler.config.settings import Settings
from crawler.events import Event, Note, Waiting
from crawler.fetch import Fetcher
from crawler.fetch_settings import fetch_settings
from crawler.host_memory import HostMemory
from crawler.politeness.permit import Permit
from crawler.politeness.turns import Politeness
from crawler.readers.desk import Service
from crawler.readers.pool import Pool, set_up
from crawler.readers.remote import RemoteCopyist
from crawler.request import SiteAsked
from crawler.robots_cache import RobotsCache
from crawler.transport.guard import Guard
from crawler.urls import host_key


class Network(Struct, frozen=True, kw_only=True):
    """One run's parts that ask servers; ``paced`` are the hosts with a pace of their own.

    ``remote`` has formats fetched and parsed by processes beside the run's own, if there are any.
    """

    fetcher: Fetcher
    politeness: Politeness
    robots: RobotsCache
    copyist: Copyist
    remote: RemoteCopyist | None = None
    paced: frozenset[str] = frozenset()

    def keep_pace(self, host: str, settings: Settings) -> None:
        """Give ``host``, to which a site's URL led, that site's pace if it has none of its own."""
        if host not in self.paced:
            self.politeness.limit(host, rate=settings.rate, concurrency=settings.concurrency)


async def open_network(
    stack: AsyncExitStack,
    settings: Settings,
    named: tuple[str, ...],
    read_stored: ReadStored,
    *,
    ignore_robots: bool,
    report: Callable[[Event], None],
    clock: Callable[[], datetime],
    own: tuple[SiteAsked, ...] = (),
    known: HostMemory | None = None,
    permit: Permit | None = None,
) -> Network:
    """Open the network; ``stack`` closes it. ``named`` are the URLs the user gave.

    ``own`` are those with settings of their own; the pace of a host is its slowest site's. What
    earlier runs learned of hosts is ``known``; ``permit`` gives leave where a host may be asked by
    others too. Raises connect.ConnectError for a CA bundle or proxy that can't be used.
    """

    def waits(host: str, seconds: float, why: str) -> None:
        report(Waiting(at=clock(), host=host, seconds=seconds, why=why))

    def troubled(message: str) -> None:
        report(Note(at=clock(), message=message, trouble=True))

    fetching = fetch_settings(settings, version("slugline"), named, own)
    guard = Guard(named, allow=fetching.allow_address, resolve=fetching.resolve)
    jitter = random.Random()  # noqa: S311  - spreads retries, guards no secret
    known = known or HostMemory()
    politeness = Politeness(fetching, clock, known.not_before, on_wait=waits, permit=permit)
    paced = _keep_paces(politeness, own)
    fetcher = await stack.enter_async_context(
        Fetcher(fetching, politeness, guard, clock, jitter, observe=report)
    )
    robots = RobotsCache(fetcher, fetching.agent, clock, known.robots)
    bounds: Any = {"max_body": settings.max_body, "ignore_robots": ignore_robots}
    copyist = Copyist(fetcher, robots, read_stored, **bounds)
    remote = None
    if settings.processes > 1:
        service = Service(
            politeness=politeness,
            robots=robots,
            read_stored=read_stored,
            observe=report,
            children=settings.processes,
        )
        setup = set_up(fetching, named, **bounds)
        pool = await stack.enter_async_context(Pool(setup, service, troubled))
        remote = RemoteCopyist(pool, fetcher, robots, read_stored, **bounds)
    return Network(
        remote=remote,
        fetcher=fetcher,
        politeness=politeness,
        robots=robots,
        copyist=copyist,
        paced=paced,
    )


def _keep_paces(politeness: Politeness, own: Iterable[SiteAsked]) -> frozenset[str]:
    """Give the hosts of sites the pace of these; returns which hosts have one of their own."""
    own_pace = set()
    for host, rate, concurrency in paces(own):
        politeness.limit(host, rate=rate, concurrency=concurrency)
        own_pace.add(host)
    return frozenset(own_pace)


def paces(own: Iterable[SiteAsked]) -> Iterator[tuple[str, float, int]]:
    """Yield each host's rate and concurrency: the least that one of its sites is read with."""
    by_host: dict[str, list[Settings]] = {}
    for site in own:
        by_host.setdefault(host_key(site.url), []).append(site.settings)
    for host, several in by_host.items():
        rates = [each.rate for each in several if each.rate]
        yield host, min(rates, default=0.0), min(each.concurrency for each in several)
