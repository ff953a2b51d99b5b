"""Reading in other processes, to the run as a reader and a copyist like any other.

An article that a process hands back is read here, by the same rules: what that process had asked
for already is not asked for again, and the rest is fetched and parsed by the processes, too.
"""

from __future__ import annotations

from contextlib import suppress
from contextvars import ContextVar
from typing import Any

from msgspec import structs

from crawler.article.copies import Copy, CopyFailed, Copyist, Wish
from crawler.article.format_set import Known
from crawler.article.ownership import Sites
from crawler.article.reading import ArticleReader, NoArticle, Reading
from crawler.frontier import Entry
from crawler.readers import messages as said
from crawler.readers.pool import NoneLeft, Pool, Result, Steps
from crawler.transport.faults import HostResting
from storage.model import Manifest, Site

_STEPS: ContextVar[Steps] = ContextVar("_STEPS")


class RemoteCopyist(Copyist):
    """Has formats fetched and parsed by other processes; does it itself where none is left."""

    def __init__(self, pool: Pool, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.pool = pool

    async def _made(self, wish: Wish) -> Copy:
        """Make a copy there, unless that was done for the article in hand.

        One whose answer is here already is made here.
        """
        declared, accept, answer = wish.declared, wish.accept, wish.answer
        made = {} if wish.fresh or answer is not None else _STEPS.get({})
        result: Result | None = made.pop((declared.format, declared.url, accept), None)
        if result is None and answer is None:
            previous, validators = slim(wish.previous), dict(wish.validators)
            with suppress(NoneLeft):
                result = await self.pool.run(
                    lambda number: said.CopyOrder(
                        number, declared, previous, validators, wish.fresh, accept
                    ),
                    declared.url,
                )
        if result is None:
            return await super()._made(wish)
        if isinstance(result, CopyFailed | HostResting):
            raise result
        if isinstance(result, Copy):
            return result
        raise TypeError("an order for a copy gave something else")


class RemoteReader(ArticleReader):
    """Reads one site's articles in other processes. Mutable state: what they are to know of it."""

    def __init__(
        self, copyist: RemoteCopyist, number: int, site: Site, sites: Sites, **given: Any
    ) -> None:
        """Make one; the processes know the site by ``number``, ``given`` is ArticleReader's."""
        super().__init__(copyist, **given)
        self._pool = copyist.pool
        self._site = site
        self._sites = sites
        self._setup = said.SiteSetup(
            number=number,
            site=site,
            near=sites.near(site),
            formats=self._formats,
            most_bytes=self._most_bytes,
            probe=self._prober is not None,
            torn_retries=given["torn_retries"],
            held=None,
            page_way=None,
        )

    async def read(
        self, entry: Entry, known: Known, page: Copy | None = None
    ) -> Reading | NoArticle:
        """Read the article at ``entry``, if it is one. Raises as every reader does."""
        if page is not None:
            return await super().read(entry, known, page)
        slimmed = structs.replace(known, newest=slim(known.newest))
        setup = self._told()
        try:
            result = await self._pool.run(
                lambda number: said.ReadOrder(number, setup.number, entry, slimmed),
                entry.url,
                setup,
            )
        except NoneLeft:
            return await super().read(entry, known)
        if isinstance(result, CopyFailed | HostResting):
            raise result
        if isinstance(result, Reading | NoArticle):
            return result
        if isinstance(result, Copy):
            raise TypeError("an order for an article gave a copy")
        token = _STEPS.set(result)
        try:
            return await super().read(entry, known)
        finally:
            _STEPS.reset(token)

    def _told(self) -> said.SiteSetup:
        """Return what the processes need to know of the site by now."""
        held = self._prober.held if self._prober is not None else None
        way = self._finder.way if self._finder is not None else None
        near = self._sites.near(self._site)
        old = self._setup
        if (held, way, near) != (old.held, old.page_way, old.near):
            self._setup = structs.replace(old, held=held, page_way=way, near=near)
        return self._setup


def slim(manifest: Manifest | None) -> Manifest | None:
    """Leave out of a snapshot what says nothing of where its formats are."""
    if manifest is None:
        return None
    return structs.replace(
        manifest, record=None, said={}, content={}, stamps={}, findings=(), usage={}, records=()
    )
