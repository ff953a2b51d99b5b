"""Scrapy as a mirror: from the sitemap to each page, from its alternates to their bodies.

    python scrapy_site.py BASE OUT CONNECTIONS [CACHE]

With CACHE, Scrapy's own HTTP cache under its RFC 2616 policy stands between: its way to crawl again.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import scrapy
from saving import Folder
from scrapy.crawler import CrawlerProcess
from scrapy.spiders import SitemapSpider

BASE, OUT, CONNECTIONS = sys.argv[1:4]
CACHE = sys.argv[4] if len(sys.argv) > 4 else ""


class Site(SitemapSpider):
    """Follows what the sitemap lists and what each page names as its alternate."""

    name = "site"
    sitemap_urls = (f"{BASE}/sitemap.xml",)
    folder = Folder(OUT)

    def parse(self, response):
        self.folder.save(response.url, response.body)
        for link in response.css('link[rel~="alternate"]'):
            if "application/atom" not in link.attrib.get("type", ""):
                yield response.follow(link, callback=self.keep)

    def keep(self, response):
        self.folder.save(response.url, response.body)


settings = {
    "LOG_LEVEL": "ERROR",
    "CONCURRENT_REQUESTS": int(CONNECTIONS),
    "CONCURRENT_REQUESTS_PER_DOMAIN": int(CONNECTIONS),
    "DOWNLOAD_DELAY": 0,
    "AUTOTHROTTLE_ENABLED": False,
    "ROBOTSTXT_OBEY": False,
    "COOKIES_ENABLED": False,
    "RETRY_ENABLED": False,
    "TELNETCONSOLE_ENABLED": False,
    "TWISTED_REACTOR": "twisted.internet.asyncioreactor.AsyncioSelectorReactor",
}
if importlib.util.find_spec("uvloop"):
    settings["ASYNCIO_EVENT_LOOP"] = "uvloop.Loop"
if CACHE:
    settings |= {
        "HTTPCACHE_ENABLED": True,
        "HTTPCACHE_DIR": str(Path(CACHE).resolve()),
        "HTTPCACHE_POLICY": "scrapy.extensions.httpcache.RFC2616Policy",
    }
process = CrawlerProcess(settings)
process.crawl(Site)
process.start()
