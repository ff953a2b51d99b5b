"""A reader's page, and the address of every kind of page of a mirror."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page, ViewportSize

from storage.web import paths
from tests.browser.newsroom import WORD, Read

#: Milliseconds for whatever a page is waited for: only a hung browser takes as long.
PATIENCE = 60_000
#: Seconds of one context's life: keys and scripts are waited for without a limit of their own.
_MOST_SECONDS = 300
DESKTOP = ViewportSize(width=1280, height=900)
PHONE = ViewportSize(width=390, height=844)


@asynccontextmanager
async def context_of(browser: Browser, **looks: Any) -> AsyncIterator[BrowserContext]:
    """Open a context, as a browser's profile of its own; ``looks`` are Playwright's."""
    context = await browser.new_context(**looks)
    context.set_default_timeout(PATIENCE)
    try:
        async with asyncio.timeout(_MOST_SECONDS):
            yield context
    finally:
        await context.close()


@asynccontextmanager
async def reader(browser: Browser, read: Read, **looks: Any) -> AsyncIterator[Page]:
    """Open a page of a reader of the mirror's; ``looks`` are a context's."""
    async with context_of(browser, base_url=read.address, **looks) as context:
        yield await context.new_page()


def kinds(read: Read) -> dict[str, str]:
    """Return an address of every kind of page of ours, by what it shows."""
    first, *_, silent, newest = read.story
    site, article = paths.site_path(read.site), paths.article_path(read.site, newest.slug)
    compared = paths.compare_path(first, newest)
    return {
        "home": "/",
        "search": f"/search?q={WORD}",
        "search without a hit": "/search?q=nowhere",
        "site": site,
        "site narrowed down": f"{site}?language=en&state=here&from=2025-01-01",
        "article": article,
        "article with one snapshot": paths.article_path(read.site, read.single.slug),
        "snapshot": paths.snapshot_path(silent),
        "html": paths.format_path(newest, "html"),
        "markdown": paths.format_path(newest, "markdown"),
        "text": paths.format_path(newest, "text"),
        "JSON-LD": paths.format_path(newest, "jsonld"),
        "source": f"{paths.format_path(newest, 'html')}?raw",
        "comparison": compared,
        "comparison of the whole": f"{compared}&whole",
        "comparison of equals": paths.compare_path(first, first),
        "for other mirrors": f"/latest/{paths.segment(read.site)}/",
        "not found": "/nowhere",
    }
