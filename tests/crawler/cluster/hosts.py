"""Many small sites, each on a loopback address of its own, and a log of who asked which when.

Linux answers on all of 127.0.0.0/8, so one socket serves them all: every address is a host to a
crawler. Run as a program, it serves until its stdin ends, and writes a line a request to stdout.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterable, Iterator
from html import escape
from random import Random

from aiohttp import web
from msgspec import Struct

#: Seconds that an answer takes: so that overlaps would show.
_SLOW = 0.02
#: Seconds by which a request may be noted late: askers and hosts share a machine, that has others.
_LATE = 0.15


class Asked(Struct, frozen=True, kw_only=True):
    """A request: ``host`` and ``path``, ``who`` asked (its contact), and the seconds it took."""

    host: str
    path: str
    who: str
    began: float
    ended: float


class Hosts:
    """Serves ``articles`` articles on every address. State: the requests so far."""

    def __init__(self, articles: int, originals: int = 0, *, dated: bool = True) -> None:
        """Every article of the first ``originals`` sites names an original on another address.

        Not ``dated``: the sitemaps say nothing of when, so that each article is asked for again.
        """
        self.port = 0
        self.log: list[Asked] = []
        self._articles = articles
        self._originals = originals
        self._lastmod = "<lastmod>2026-01-02T03:04:05Z</lastmod>" if dated else ""
        self._runner: web.AppRunner | None = None

    def site(self, number: int) -> str:
        """Return the URL of a site."""
        return f"http://127.0.{number // 200 + 1}.{number % 200 + 1}:{self.port}/"

    async def start(self) -> None:
        """Listen on a free port of all addresses."""
        app = web.Application()
        app.router.add_get("/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "0.0.0.0", 0).start()  # noqa: S104  - every 127.x is wanted
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Close it all."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        began = time.monotonic()
        await asyncio.sleep(_SLOW)
        host, path = request.host.partition(":")[0], request.path
        who = request.headers.get("User-Agent", "").partition("(+")[2].rstrip(")")
        found = self._page(host, path)
        self.log.append(Asked(host=host, path=path, who=who, began=began, ended=time.monotonic()))
        if found is None:
            return web.Response(status=404, text="not here")
        kind, text = found
        return web.Response(body=text.encode(), content_type=kind, charset="utf-8")

    def _page(self, host: str, path: str) -> tuple[str, str] | None:
        if path == "/sitemap.xml":
            links = "".join(
                f"<url><loc>http://{host}:{self.port}/story-{n}</loc>{self._lastmod}</url>"
                for n in range(self._articles)
            )
            return "application/xml", f"<urlset>{links}</urlset>"
        if path.startswith("/story-"):
            return "text/html", self._article(host, path)
        return None

    def _article(self, host: str, path: str) -> str:
        net, _, last = host.removeprefix("127.").partition(".")
        block, _, number = last.partition(".")
        source = ""
        if net == "0" and (int(block) - 1) * 200 + int(number) <= self._originals:
            # two sites share a publisher
            publisher = f"127.1.{block}.{(int(number) + 1) // 2}:{self.port}"
            source = f'<link rel="canonical" href="http://{publisher}{path}-{number}">'
        return _html(f"{path[1:]} of {host}", source)


def _html(title: str, head: str) -> str:
    chosen = Random(title)
    words = " ".join("".join(chosen.choices("abdegiklmnoprstu", k=6)) for _ in range(120))
    return (
        f"<!doctype html><html lang=en><head><title>{escape(title)}</title>{head}"
        '<meta property="article:modified_time" content="2026-01-02T03:04:05Z">'
        '<meta property="og:type" content="article"></head><body><main><article>'
        f"<h1>{escape(title)}</h1><p>{escape(words)}</p></article></main></body></html>"
    )


def overlaps(log: Iterable[Asked]) -> Iterator[tuple[Asked, Asked]]:
    """Yield requests of two askers that one host had to answer at the same time."""
    latest: dict[str, dict[str, Asked]] = {}
    for each in sorted(log, key=lambda asked: asked.began):
        before = latest.setdefault(each.host, {})
        for who, other in before.items():
            if who != each.who and other.ended > each.began:
                yield other, each
        if each.who not in before or before[each.who].ended < each.ended:
            before[each.who] = each


def too_fast(log: Iterable[Asked], rate: float, burst: int = 1) -> Iterator[tuple[Asked, Asked]]:
    """Yield the ends of seconds in which a host had to begin more than ``rate`` and ``burst``."""
    by_host: dict[str, list[Asked]] = {}
    most = int(rate) + burst
    for each in sorted(log, key=lambda asked: asked.began):
        before = by_host.setdefault(each.host, [])
        before.append(each)
        if len(before) > most and each.began - before[-1 - most].began < 1 - _LATE:
            yield before[-1 - most], each


async def _main(articles: int, originals: int) -> None:
    hosts = Hosts(articles, originals)
    await hosts.start()
    print(hosts.port, flush=True)
    await asyncio.to_thread(sys.stdin.read)
    for each in hosts.log:
        print(json.dumps([each.host, each.path, each.who, each.began, each.ended]))
    await hosts.stop()


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), int(sys.argv[2])))
