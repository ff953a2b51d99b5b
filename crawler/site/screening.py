"""What a site's readings are screened for before they are kept: pages of what is not there.

The words are judged in `soft_404`; here a made-up URL is asked for, once a run and only when
something new is about to be kept.
"""

from __future__ import annotations

import asyncio

from msgspec import Struct

from crawler.article.copies import CopyFailed
from crawler.article.format_set import Known
from crawler.article.keeping import Move
from crawler.article.reading import ArticleReader, Reading
from crawler.article.soft_404 import Shams, fingerprint, is_dated, made_up, shown
from crawler.frontier import Entry


class Find(Struct, frozen=True, kw_only=True):
    """An article's reading on its way to the keeper, and what is known of it."""

    entry: Entry
    reading: Reading
    known: Known
    move: Move | None = None


class Screened(Struct, frozen=True, kw_only=True):
    """What may be kept now, and what is a page of what is not there.

    ``late`` are the URLs, without their queries, of what was kept before that was known.
    """

    kept: tuple[Find, ...] = ()
    refused: tuple[Find, ...] = ()
    late: tuple[str, ...] = ()


class Screen:
    """Screens one site's readings. Mutable state: the words seen, the made-up URL asked for."""

    def __init__(self, reader: ArticleReader, scope: str, run: str) -> None:
        self._reader = reader
        self._made_up = made_up(scope, run)
        self._asked = False
        self._lock = asyncio.Lock()
        self._shams: Shams[Find] = Shams()

    async def screen(self, find: Find) -> Screened:
        """Say what is to be kept now that ``find`` is here; it may be held back itself.

        Raises HostResting.
        """
        said = shown(find.reading.facts)
        if said is None or not _is_news(find):
            return Screened(kept=(find,))
        await self._learn()
        words = find.reading.words
        if self._shams.is_sham(words):
            return Screened(refused=(find,))
        if self._shams.count(words, find.reading.url):
            refused = (*self._shams.take(words), find)
            here = {_place(each) for each in refused}
            late = tuple(sorted(self._shams.places(words) - here))
            return Screened(refused=refused, late=late)
        if find.move is not None or not words or is_dated(find.reading.facts.values()):
            return Screened(kept=(find,))
        return Screened(kept=tuple(self._shams.hold(words, find)))

    def rest(self) -> tuple[Find, ...]:
        """Give back what was held until the end of the run: its words are its own.

        At most soft_404.ROOM readings, whatever the run read: a kill loses no more than these.
        """
        return tuple(self._shams.rest())

    async def _learn(self) -> None:
        """Look at a made-up URL: what is shown there is no article."""
        async with self._lock:
            if self._asked:
                return
            try:
                page = await self._reader.shown_at(self._made_up)
            except CopyFailed:
                pass
            else:
                self._shams.learn(fingerprint(page.facts, self._made_up))
            self._asked = True


def _place(find: Find) -> str:
    return find.reading.url.partition("?")[0]


def _is_news(find: Find) -> bool:
    """Say whether the reading is of a new article, or says else than what is stored."""
    newest = find.known.newest
    if newest is None:
        return True
    now = find.reading.content
    return any(newest.content.get(source) != now.get(source) for source in find.reading.facts)
