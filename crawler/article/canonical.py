"""Following an own-site canonical link to the URL that is the article.

The target must answer, be its own canonical, and carry the same title or words; otherwise the
page keeps the URL it was found at, with a finding that says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from msgspec import Struct

from crawler.article.copies import Copy, CopyFailed, Copyist
from crawler.article.identity import Likeness, likeness, proves, read_canonical
from crawler.declared import Declared
from storage.model import Finding

#: What a page is asked for with, so that a negotiating server gives the page and not a twin.
PAGE_ACCEPT = "text/html, application/xhtml+xml;q=0.9, */*;q=0.5"
#: Pages kept in mind to compare a canonical's target with; a template bug needs one, a site of
#: print versions as many as are in hand.
REMEMBERED_PAGES = 256


class Identity(Struct, frozen=True, kw_only=True):
    """The article's own URL, the page that answers there, and what was learned on the way."""

    url: str
    page: Copy
    aliases: frozenset[str] = frozenset()
    findings: tuple[Finding, ...] = ()


class CanonicalFollower:
    """Decides one site's identities. Mutable state: the pages remembered, those being looked at."""

    def __init__(self, copyist: Copyist, in_site: Callable[[str], bool]) -> None:
        self._copyist = copyist
        self._in_site = in_site
        self._seen: dict[str, Likeness | None] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def identify(self, entry_url: str, page: Copy) -> Identity:
        """Return the identity of the article whose ``page`` was found by way of ``entry_url``."""
        found_at = page.final_url
        canonical = read_canonical({page.facts.source: page.facts}, found_at)
        target_url = canonical.own
        on_the_way = {entry_url, found_at}
        if page.facts.source != "html" or target_url is None or target_url == found_at:
            return Identity(url=found_at, page=page, aliases=frozenset(on_the_way - {found_at}))
        target_page, target = await self._target(target_url)
        here = likeness(found_at, page.facts, target_url)
        if target is None or not proves(here, target):
            said = ", ".join(sorted(n for n, u in canonical.claims.items() if u == target_url))
            found = Finding(
                kind="canonical-conflict",
                detail=f"{said} names {target_url}, which is not this article",
            )
            aliases = frozenset(on_the_way - {found_at})
            return Identity(url=found_at, page=page, aliases=aliases, findings=(found,))
        aliases = frozenset((on_the_way | {target_url}) - {target.url})
        return Identity(url=target.url, page=target_page or page, aliases=aliases)

    async def _target(self, url: str) -> tuple[Copy | None, Likeness | None]:
        """Look at a canonical's target once; later callers compare with what was remembered."""
        try:
            async with self._locks.setdefault(url, asyncio.Lock()):
                if url in self._seen:
                    return None, self._seen[url]
                page, seen = await self._look(url) if self._in_site(url) else (None, None)
                self._remember(url, seen)
        finally:
            self._locks.pop(url, None)
        return page, seen

    async def _look(self, url: str) -> tuple[Copy | None, Likeness | None]:
        try:
            page = await self._copyist.copy(Declared(format="html", url=url), accept=PAGE_ACCEPT)
        except CopyFailed:
            return None, None
        own = read_canonical({"html": page.facts}, page.final_url).own
        return page, likeness(page.final_url, page.facts, own)

    def _remember(self, url: str, seen: Likeness | None) -> None:
        if len(self._seen) >= REMEMBERED_PAGES:
            self._seen.pop(next(iter(self._seen)))
        self._seen[url] = seen
