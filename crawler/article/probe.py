"""Looking for text twins that a site publishes without declaring them.

Tried on the first article of a site and remembered: by suffix (``/a.md`` beside ``/a``), and by
asking for Markdown at the page's own URL (RFC 9110 section 12.5.1). What a probe finds never makes
a snapshot partial.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

from crawler.article.copies import Copy, CopyFailed, Copyist
from crawler.declared import PAGE_ENDINGS, PROBED, Declared, page_urls, probe_urls
from crawler.discovery.memory import Memory
from crawler.facts import Facts

#: Share of the page's longer words that a twin must hold to be taken for the same article.
SHARED_WORDS = 0.5
#: Words compared; the beginning of an article tells it from any other.
COMPARED_WORDS = 400
#: Twins without a page after which none is looked for any more: the site has text alone.
MOST_PAGELESS = 3
_TOO_MANY = 429
_SERVER_ERROR = 500
_WORD = re.compile(r"\w{4,}")


class Prober:
    """Probes one site. Mutable state: which formats held on its first article, None before it.

    ``memory`` may know them from an earlier run, and is told, but not where the server was unable.
    """

    def __init__(self, copyist: Copyist, memory: Memory) -> None:
        self._copyist = copyist
        self._memory = memory
        known = memory.probed
        self._held = None if known is None or known.held is None else dict(known.held)
        self._answered = True
        self._first = asyncio.Lock()

    @property
    def held(self) -> dict[str, str] | None:
        """The ways that held on the site's first article, by format; None before it."""
        return self._held

    async def probe(self, page: Copy) -> dict[str, Copy]:
        """Return the undeclared formats of the article at ``page``, by name."""
        async with self._first:
            if self._held is None:
                found = await self._look(page)
                self._held = {name: _way(copy, page) for name, copy in found.items()}
                if self._answered:
                    self._memory.probe_held(self._held)
                return found
        return await self._reuse(page, self._held)

    async def _look(self, page: Copy) -> dict[str, Copy]:
        found: dict[str, Copy] = {}
        for name, url in probe_urls(page.final_url):
            if name not in found:
                await self._try(page, Declared(format=name, url=url, declared_by=("probe",)), found)
        if "markdown" not in found:
            await self._try(page, _negotiated(page), found, accept="text/markdown")
        return found

    async def _reuse(self, page: Copy, held: dict[str, str]) -> dict[str, Copy]:
        found: dict[str, Copy] = {}
        for name, way in held.items():
            if way == "accept":
                await self._try(page, _negotiated(page), found, accept="text/markdown")
                continue
            for probed, url in probe_urls(page.final_url):
                if probed == name and name not in found and _shape(url, page.final_url) == way:
                    place = Declared(format=name, url=url, declared_by=("probe",))
                    await self._try(page, place, found)
        return found

    async def _try(
        self, page: Copy, place: Declared, found: dict[str, Copy], accept: str = ""
    ) -> None:
        try:
            copy = await self._copyist.copy(place, accept=accept)
        except CopyFailed as failure:
            self._answered = self._answered and _no(failure)
            return
        if place.format in dict(PROBED) and same_words(page.facts, copy.facts):
            found[place.format] = copy


class PageFinder:
    """Finds the pages of one site's text twins. Mutable state: the way that held, and failures."""

    def __init__(
        self, copyist: Copyist, in_site: Callable[[str], bool], accept: str, memory: Memory
    ) -> None:
        self._copyist = copyist
        self._in_site = in_site
        self._accept = accept
        self._memory = memory
        self._held = memory.probed.page_way if memory.probed else ""
        self._pageless = 0
        self._first = asyncio.Lock()

    @property
    def way(self) -> str | None:
        """The way that held; "" where none is looked for any more, None while that is open."""
        return self._held or ("" if self._pageless >= MOST_PAGELESS else None)

    async def find(self, twin: Copy) -> Copy | None:
        """Return the page that ``twin`` has the words of, at the address made from its own."""
        if self._held:
            return await self._look(twin)
        async with self._first:
            return None if self._pageless >= MOST_PAGELESS else await self._look(twin)

    async def _look(self, twin: Copy) -> Copy | None:
        for way, url in page_urls(twin.final_url):
            if self._held in ("", way) and self._in_site(url):
                place = Declared(format="html", url=url, declared_by=("entry",))
                try:
                    page = await self._copyist.copy(place, accept=self._accept)
                except CopyFailed:
                    continue
                if same_words(page.facts, twin.facts):
                    if not self._held:
                        self._memory.page_way_held(way)
                    self._held = way
                    return page
        self._pageless += not self._held
        return None


def same_words(page: Facts, twin: Facts) -> bool:
    """Say whether ``twin`` is the article on ``page``, by the words they share."""
    wanted = set(_WORD.findall((page.body or page.words or "").lower())[:COMPARED_WORDS])
    have = set(_WORD.findall((twin.body or twin.words or "").lower()))
    return bool(wanted) and len(wanted & have) >= SHARED_WORDS * len(wanted)


def _no(failure: CopyFailed) -> bool:
    """Say whether the server's word, or robots.txt's, is that there is no such thing."""
    asked = failure.status and failure.status != _TOO_MANY and failure.status < _SERVER_ERROR
    return bool(asked) or failure.disallowed


def _negotiated(page: Copy) -> Declared:
    return Declared(format="markdown", url=page.final_url, declared_by=("probe",))


def _way(copy: Copy, page: Copy) -> str:
    if copy.representation.request:
        return "accept"
    return _shape(copy.representation.url, page.final_url)


def _shape(url: str, page_url: str) -> str:
    """Name how a twin's URL is made of its page's, so that the next article's can be made alike."""
    place = "index" if page_url.endswith("/") and url.startswith(page_url) else "suffix"
    return f"whole {place}" if url.endswith(tuple(f"{each}.md" for each in PAGE_ENDINGS)) else place
