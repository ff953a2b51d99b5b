"""A site of a few hand-made pages, for what no well-kept newsroom does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from types import TracebackType
from typing import Self, TypeAlias

from aiohttp import web
from msgspec import Struct


class Page(Struct, frozen=True, kw_only=True):
    """What one path answers."""

    body: str = ""
    type: str = "text/html"
    status: int = 200
    headers: dict[str, str] = {}


#: A path's page, or what makes it of a request's header fields (in any case).
Route: TypeAlias = Page | Callable[[Mapping[str, str]], Page]


class SmallSite:
    """Serves ``pages`` by path on a free loopback port; change them while it runs.

    Mutable: ``pages``; ``otherwise``, what all other paths answer; ``asked``, the paths asked for
    so far, and ``heard``, the header fields that came with each.
    """

    def __init__(self, pages: dict[str, Route] | None = None) -> None:
        self.pages: dict[str, Route] = pages or {}
        self.otherwise = Page(status=404, body="not here")
        self.asked: list[str] = []
        self.heard: list[Mapping[str, str]] = []
        self.base = ""
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("GET", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.base = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        path = request.rel_url.raw_path_qs
        self.asked.append(path)
        self.heard.append(request.headers)
        page = self.pages.get(path, self.otherwise)
        if not isinstance(page, Page):
            page = page(request.headers)
        return web.Response(
            body=page.body.replace("BASE", self.base).encode(),
            status=page.status,
            headers=_spelt({"Content-Type": page.type} | page.headers, self.base),
        )

    def list(self, *paths: str) -> None:
        """Publish a sitemap that names ``paths``."""
        urls = "".join(f"<url><loc>BASE{path}</loc></url>" for path in paths)
        self.pages["/sitemap.xml"] = Page(body=f"<urlset>{urls}</urlset>", type="application/xml")


def _spelt(headers: Mapping[str, str], base: str) -> dict[str, str]:
    return {name: value.replace("BASE", base) for name, value in headers.items()}


def article(
    title: str,
    *,
    canonical: str = "",
    modified: str = "",
    words: str = "",
    head: str = "",
) -> Page:
    """Write an article's page; ``canonical`` may begin with BASE."""
    meta = f'<meta property="article:modified_time" content="{modified}">' if modified else ""
    link = f'<link rel="canonical" href="{canonical}">' if canonical else ""
    text = words or f"What is told about {title} is told here and in no other place. " * 12
    return Page(
        body=(
            f"<!doctype html><html lang=en><head><title>{escape(title)}</title>{link}{meta}{head}"
            f'<meta property="og:type" content="article"></head><body><main><article>'
            f"<h1>{escape(title)}</h1><p>{escape(text)}</p></article></main></body></html>"
        )
    )
