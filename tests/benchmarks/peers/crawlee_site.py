"""Crawlee as a mirror: from the sitemap to each page, from its alternates to their bodies.

    python crawlee_site.py BASE OUT CONNECTIONS
"""

from __future__ import annotations

import asyncio
import logging
import re
import sys

from crawlee import ConcurrencySettings, Request, service_locator
from crawlee.configuration import Configuration
from crawlee.crawlers import HttpCrawler
from crawlee.storage_clients import MemoryStorageClient
from parsel import Selector
from saving import Folder

BASE, OUT, CONNECTIONS = sys.argv[1], sys.argv[2], int(sys.argv[3])
LISTED = re.compile(rb"<loc>\s*([^<\s]+)\s*</loc>")


async def main() -> None:
    """Crawl the site at BASE into the folder OUT."""
    service_locator.set_configuration(Configuration(available_memory_ratio=0.9, log_level="ERROR"))
    service_locator.set_storage_client(MemoryStorageClient())
    folder = Folder(OUT)
    crawler = HttpCrawler(
        max_request_retries=1,
        use_session_pool=False,
        retry_on_blocked=False,
        configure_logging=False,
        concurrency_settings=ConcurrencySettings(
            min_concurrency=CONNECTIONS,
            desired_concurrency=CONNECTIONS,
            max_concurrency=CONNECTIONS,
        ),
    )

    @crawler.router.default_handler
    async def keep(context) -> None:
        body, url = await context.http_response.read(), context.request.url
        if url.endswith(".xml"):
            found = [loc.decode() for loc in LISTED.findall(body)]
        else:
            folder.save(url, body)
            kind = context.http_response.headers.get("content-type", "")
            found = alternates(body) if kind.startswith("text/html") else []
        await context.add_requests([Request.from_url(each) for each in found])

    await crawler.run([f"{BASE}/sitemap.xml"])


def alternates(body: bytes) -> list[str]:
    """Return the other formats that a page names."""
    links = Selector(text=body.decode()).css('link[rel~="alternate"]')
    return [
        link.attrib["href"]
        for link in links
        if "application/atom" not in link.attrib.get("type", "")
    ]


logging.disable(logging.WARNING)
try:
    import uvloop
except ImportError:
    asyncio.run(main())
else:
    uvloop.run(main())
