"""What is kept at once, what waits to be told from an error page, and what is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from crawler.article.format_set import Known
from crawler.article.reading import ArticleReader, Reading
from crawler.article.soft_404 import ROOM, SAME_BODIES
from crawler.digest import content_digest
from crawler.frontier import Entry
from crawler.site.screening import Find, Screen, Screened
from tests.crawler.copying import copying
from tests.crawler.fetching import NOW
from tests.crawler.readings import first, says
from tests.crawler.small_site import Page, SmallSite, article


@pytest.fixture
async def site() -> AsyncIterator[SmallSite]:
    async with SmallSite() as small:
        yield small


class Gate:
    """A screen, and finds for it."""

    def __init__(self, site: SmallSite, reader: ArticleReader) -> None:
        self.screen = Screen(reader, f"{site.base}/", "a-run")
        self._site = site
        self._reader = reader

    async def find(self, path: str, page: Page) -> Find:
        self._site.pages[path] = page
        entry = Entry(url=self._site.base + path, source="sitemap")
        reading = await self._reader.read(entry, Known())
        assert isinstance(reading, Reading)
        return Find(entry=entry, reading=reading, known=Known())

    async def pass_on(self, path: str, page: Page) -> Screened:
        return await self.screen.screen(await self.find(path, page))


@asynccontextmanager
async def gate(site: SmallSite) -> AsyncIterator[Gate]:
    async with copying(site.base) as copyist:
        yield Gate(
            site, ArticleReader(copyist, in_site=lambda _: True, clock=lambda: NOW, probe=False)
        )


def paths(finds: tuple[Find, ...]) -> list[str]:
    return [find.entry.url.rpartition("/")[2] for find in finds]


async def test_what_is_dated_is_kept_at_once_and_what_is_not_waits(site: SmallSite) -> None:
    async with gate(site) as made:
        dated = article("Dated", modified="2026-06-19T09:13:50Z")
        assert paths((await made.pass_on("/dated", dated)).kept) == ["dated"]
        assert await made.pass_on("/undated", article("Undated")) == Screened()
        assert paths(made.screen.rest()) == ["undated"]
        assert made.screen.rest() == ()


async def test_what_a_made_up_url_shows_is_refused_and_it_is_asked_for_once(
    site: SmallSite,
) -> None:
    site.otherwise = article("Sorry")
    async with gate(site) as made:
        for path in ("/a", "/b"):
            assert paths((await made.pass_on(path, article("Sorry"))).refused) == [path[1:]]
    assert len(set(site.asked) - {"/a", "/b", "/robots.txt"}) == 1
    assert len(site.asked) == 4


async def test_one_text_under_several_entries_is_refused_for_all_of_them(site: SmallSite) -> None:
    async with gate(site) as made:
        for number in range(SAME_BODIES - 1):
            assert await made.pass_on(f"/{number}", article("Sorry")) == Screened()
        found = await made.pass_on("/last", article("Sorry"))
        assert paths(found.refused) == ["0", "1", "2", "3", "last"]
        assert found.late == ()
        assert paths((await made.pass_on("/more", article("Sorry"))).refused) == ["more"]


async def test_what_was_let_go_before_its_text_came_again_and_again_is_named(
    site: SmallSite,
) -> None:
    async with gate(site) as made:
        await made.pass_on("/early", article("Sorry"))
        kept: list[str] = []
        for number in range(ROOM):
            kept += paths((await made.pass_on(f"/own/{number}", article(f"No. {number}"))).kept)
        assert kept == ["early"]
        found = [await made.pass_on(f"/{n}", article("Sorry")) for n in range(SAME_BODIES - 1)]
        assert found[-1].late == (f"{site.base}/early",)
        assert paths(found[-1].refused) == ["0", "1", "2", "3"]


async def test_what_says_only_what_is_stored_is_kept_and_nothing_made_up_is_asked_for(
    site: SmallSite,
) -> None:
    async with gate(site) as made:
        find = await made.find("/a", article("A"))
        page = find.reading.copies["html"].facts
        digest = content_digest(page)
        assert digest is not None
        newest = structs.replace(first(says("html")), content={"html": digest})
        known = structs.replace(find, known=Known(newest=newest))
        assert (await made.screen.screen(known)).kept == (known,)
        assert set(site.asked) == {"/robots.txt", "/a"}


@settings(max_examples=25, deadline=None)
@given(words=st.lists(st.integers(0, 60), max_size=120))
async def test_whatever_comes_few_wait_and_none_is_lost_or_given_twice(words: list[int]) -> None:
    """A kill costs what waits, so that has a bound: here the readings are numbers of texts."""
    async with SmallSite() as site, gate(site) as made:
        finds = {n: await made.find(f"/{n}", article(f"Text {n}")) for n in set(words)}
        out: list[Find] = []
        for number, text in enumerate(words):
            find = finds[text]
            url = f"{find.reading.url}-{number}"
            reading = structs.replace(find.reading, url=url)
            found = await made.screen.screen(structs.replace(find, reading=reading))
            out += [*found.kept, *found.refused]
            assert number + 1 - len(out) <= ROOM
        out += made.screen.rest()
        assert len({find.reading.url for find in out}) == len(out) == len(words)
