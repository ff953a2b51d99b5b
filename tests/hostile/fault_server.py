"""A small healthy site on raw sockets, and beside it whatever fault a test puts there.

The site: a start page, robots.txt, a sitemap, and six articles that link to each other, each in
HTML, Markdown, plain text and JSON-LD. ``site.fault("/news/bad", …)`` puts bytes or a handler at a
path and into the sitemap; ``site.add(slug)`` adds an article whose routes a test then spoils.
A handler gets the parsed request and the wire, and may send, trickle, stall, reset or close.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from tests.crawler.raw_server import Handler, RawServer, Request, Route, Wire, answer

__all__ = [
    "FORMATS",
    "SLUGS",
    "FaultServer",
    "Handler",
    "Request",
    "Route",
    "Wire",
    "answer",
    "article",
    "fault_server",
    "stall",
    "trickle",
]

SLUGS = ("bridge", "harbour", "library", "market", "orchard", "railway")
#: Each format's suffix and Content-Type.
FORMATS = {
    "html": ("", "text/html; charset=utf-8"),
    "markdown": (".md", "text/markdown; charset=utf-8"),
    "text": (".txt", "text/plain; charset=utf-8"),
    "jsonld": (".jsonld", "application/ld+json"),
}
UPDATED = "2026-06-19T08:09:44Z"


def stall() -> Handler:
    """Make a handler that reads the request and never says a word."""

    async def silent(_request: Request, wire: Wire) -> None:
        await wire.reader.read()

    return silent


async def trickle(wire: Wire, data: bytes, seconds: float = 1.0) -> None:
    """Send ``data`` a byte at a time, so many seconds apart; the client's leaving ends it."""
    for byte in data:
        if wire.writer.is_closing():
            return
        await wire.send(bytes([byte]))
        await asyncio.sleep(seconds)


def article(
    slug: str, base: str, *, links: tuple[str, ...] = (), words: str = ""
) -> dict[str, bytes]:
    """Write an article in its four formats, which agree; ``words`` changes what it says."""
    title = f"What the {slug} is for"
    text = words or f"The {slug} was opened by people who are told of here and nowhere else. " * 8
    text = text.strip()
    url = f"{base}/news/{slug}"
    alternates = "".join(
        f'<link rel="alternate" type="{kind.partition(";")[0]}" href="{url}{suffix}">'
        for suffix, kind in FORMATS.values()
        if suffix
    )
    more = "".join(f'<li><a href="/news/{other}">{other}</a></li>' for other in links)
    ld = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": title,
        "url": url,
        "dateModified": UPDATED,
        "articleBody": text,
    }
    page = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<link rel="canonical" href="{url}">{alternates}'
        f'<meta property="og:type" content="article">'
        f'<meta property="article:modified_time" content="{UPDATED}"></head><body><main><article>'
        f"<h1>{title}</h1><p>{text}</p></article></main><ul>{more}</ul></body></html>"
    )
    front = f"---\ntitle: {title}\nupdated_at: {UPDATED}\ncanonical: {url}\n---\n"
    return {
        "html": page.encode(),
        "markdown": f"{front}# {title}\n\n{text}\n".encode(),
        "text": f"{title}\n\n{text}\n".encode(),
        "jsonld": json.dumps(ld).encode(),
    }


@dataclass(slots=True)
class FaultServer(RawServer):
    """The site, and its faults.

    ``articles``: each healthy slug's exact bytes by format; ``listed``: paths that the sitemap
    names; ``robots``: what robots.txt says, but for the sitemap's line; ``greet``: awaited with
    each new connection before anything is read, and may end it.
    """

    articles: dict[str, dict[str, bytes]] = field(default_factory=dict)
    listed: list[str] = field(default_factory=list)
    robots: str = ""
    greet: Callable[[Wire], Awaitable[None]] | None = None

    @property
    def base(self) -> str:
        return self.url("")

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.greet is not None:
            await self.greet(Wire(reader, writer))
        if not writer.is_closing():
            await RawServer.serve(self, reader, writer)

    def fault(self, target: str, route: Route) -> str:
        """Put ``route`` at ``target`` and ``target`` into the sitemap; returns its URL."""
        self.routes[target] = route
        if target not in self.listed:
            self.listed.append(target)
        return self.url(target)

    def add(self, slug: str, *, words: str = "", healthy: bool = True) -> dict[str, bytes]:
        """Serve and list an article; a ``healthy`` one is held to its exact bytes in the end."""
        others = tuple(each for each in SLUGS if each != slug)
        made = article(slug, self.base, links=others[:2], words=words)
        for name, body in made.items():
            suffix, kind = FORMATS[name]
            self.routes[f"/news/{slug}{suffix}"] = answer(
                body=body, headers=(f"Content-Type: {kind}",)
            )
        self.fault(f"/news/{slug}", self.routes[f"/news/{slug}"])
        if healthy:
            self.articles[slug] = made
        return made

    def _build(self) -> None:
        for slug in SLUGS:
            self.add(slug)
        self.routes["/"] = self._start
        self.routes["/robots.txt"] = self._robots
        self.routes["/sitemap.xml"] = self._sitemap

    async def _start(self, _request: Request, wire: Wire) -> None:
        links = "".join(f'<li><a href="/news/{slug}">{slug}</a></li>' for slug in SLUGS)
        page = f"<!doctype html><title>News</title><h1>News</h1><ul>{links}</ul>"
        await wire.send(answer(body=page.encode(), headers=("Content-Type: text/html",)))

    async def _robots(self, _request: Request, wire: Wire) -> None:
        text = self.robots or "User-agent: *\nDisallow:\n"
        text += f"Sitemap: {self.url('/sitemap.xml')}\n"
        await wire.send(answer(body=text.encode(), headers=("Content-Type: text/plain",)))

    async def _sitemap(self, _request: Request, wire: Wire) -> None:
        urls = "".join(f"<url><loc>{self.url(path)}</loc></url>" for path in self.listed)
        text = f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{urls}</urlset>'
        await wire.send(answer(body=text.encode(), headers=("Content-Type: application/xml",)))


@asynccontextmanager
async def fault_server(
    *, address: str = "127.0.0.1", tls: ssl.SSLContext | None = None, healthy: bool = True
) -> AsyncIterator[FaultServer]:
    """Serve the site on a free port of ``address``; without ``healthy``, nothing but 404s."""
    site = FaultServer(scheme="https" if tls else "http")
    server = await asyncio.start_server(site.serve, address, 0, ssl=tls)
    site.port = server.sockets[0].getsockname()[1]
    if healthy:
        site._build()  # noqa: SLF001  - the port is known only now
    try:
        yield site
    finally:
        server.close()
        site.drop_all()
        with suppress(ConnectionError):
            await server.wait_closed()
