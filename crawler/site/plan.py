"""How a run goes over one site, and what it works with: values only."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

from crawler.article.reading import ArticleReader
from crawler.discovery.memory import Memory
from crawler.discovery.sources import Sources
from crawler.events import Event
from crawler.robots_cache import RobotsCache
from storage.writer import Writer


class Plan(Struct, frozen=True, kw_only=True):
    """How this run goes over a site.

    ``start`` is the URL the run was asked for, ``discover`` False where a records list stands
    instead; ``verify`` and ``ignore_robots`` as on the command line; ``formats`` are those wanted,
    all where it is empty.
    """

    start: str
    discover: bool = True
    verify: Literal["all", "due", "none"] = "all"
    formats: frozenset[str] = frozenset()
    workers: int = 16
    max_articles: int = 10**6
    page_depth: int = 5
    links_per_page: int = 5000
    pending_links: int = 100_000
    max_frontier: int = 128 * 2**20
    verify_within: timedelta = timedelta(days=30)
    gone_after: timedelta = timedelta(hours=24)
    rate: float = 0.0
    follow_canonical: bool = True
    ignore_robots: bool = False
    every_byte: bool = False


class Tools(Struct, frozen=True, kw_only=True):
    """What a site's run works with; made by the conductor, shared where sites share it."""

    writer: Writer
    robots: RobotsCache
    reader: ArticleReader
    sources: Sources
    memory: Memory
    report: Callable[[Event], None]
    clock: Callable[[], datetime]
    stop: asyncio.Event
    in_site: Callable[[str], bool]
    wanted: Callable[[str], bool]
    foreign: Callable[[str], None]
