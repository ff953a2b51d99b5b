"""Articles that change while they are read: what is stale, and how often it is read again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping

import pytest

from crawler.article.copies import Copy, Copyist
from crawler.article.torn import STRUCTURAL, TornSets, stale_formats, torn_finding
from crawler.declared import Declared
from tests.crawler.copying import copying, markdown, place
from tests.crawler.fetching import NOW
from tests.crawler.small_site import Page, Route, SmallSite, article

OLD = "2026-06-18T08:00:00Z"
NEW = "2026-06-18T09:00:00Z"


@pytest.fixture
async def site() -> AsyncIterator[SmallSite]:
    async with SmallSite() as small:
        yield small


def cached(stale: Page, current: Page) -> Callable[[Mapping[str, str]], Page]:
    """Answer as a cache does: with what it holds, unless it is told to ask its origin."""
    return lambda sent: current if sent.get("Cache-Control") == "no-cache" else stale


class Set:
    """An article's two formats as they were read. Mutable: ``copies``."""

    def __init__(self, copyist: Copyist, retries: int = 3) -> None:
        self.torn = TornSets(copyist, retries, lambda: NOW)
        self.declared: dict[str, Declared] = {}
        self.copies: dict[str, Copy] = {}
        self._copyist = copyist

    async def read(self, base: str, name: str = "a") -> None:
        """Read the article called ``name`` for the first time."""
        self.declared = {
            "html": place(f"{base}/{name}", "html"),
            "markdown": place(f"{base}/{name}.md", "markdown"),
        }
        self.copies = {n: await self._copyist.copy(at) for n, at in self.declared.items()}

    async def mend(self) -> bool:
        return await self.torn.mend(self.declared, self.copies)

    @property
    def stale(self) -> frozenset[str]:
        return stale_formats(self.copies, NOW)


def publish(site: SmallSite, twin: Route, name: str = "a") -> None:
    site.pages |= {f"/{name}": article("Story", modified=NEW), f"/{name}.md": twin}


async def test_a_whole_set_is_left_alone(site: SmallSite) -> None:
    publish(site, markdown("Story", updated=NEW))
    async with copying(site.base) as copyist:
        read = Set(copyist)
        await read.read(site.base)
        assert not await read.mend()
    assert (read.stale, torn_finding(read.copies, NOW)) == (frozenset(), ())
    assert site.asked == ["/robots.txt", "/a", "/a.md"]


async def test_a_stale_format_is_read_again_past_every_cache(site: SmallSite) -> None:
    publish(site, cached(markdown("Story", updated=OLD), markdown("Story", updated=NEW)))
    async with copying(site.base) as copyist:
        read = Set(copyist)
        await read.read(site.base)
        assert read.stale == {"markdown"}
        assert await read.mend()
    assert read.stale == frozenset()
    assert site.asked[-2:] == ["/a.md", "/a.md"]
    assert [sent.get("Cache-Control") for sent in site.heard[-2:]] == [None, "no-cache"]


async def test_it_stops_as_soon_as_a_reading_says_the_same(site: SmallSite) -> None:
    publish(site, markdown("Story", updated=OLD))
    async with copying(site.base) as copyist:
        read = Set(copyist)
        await read.read(site.base)
        assert await read.mend()
    assert site.asked.count("/a.md") == 2
    (finding,) = torn_finding(read.copies, NOW)
    assert (finding.kind, finding.formats) == ("formats-disagree", ("markdown",))


async def test_an_article_that_goes_on_changing_is_read_again_so_often_and_no_more(
    site: SmallSite,
) -> None:
    def ever_newer(_sent: Mapping[str, str]) -> Page:
        minute = site.asked.count("/a.md")
        return markdown("Story", updated=f"2026-06-18T08:{minute:02}:00Z")

    publish(site, ever_newer)
    async with copying(site.base) as copyist:
        read = Set(copyist, retries=2)
        await read.read(site.base)
        assert await read.mend()
    assert site.asked.count("/a.md") == 1 + 2
    assert read.stale == {"markdown"}


async def test_without_retries_a_torn_set_is_kept_as_it_is(site: SmallSite) -> None:
    publish(site, markdown("Story", updated=OLD))
    async with copying(site.base) as copyist:
        read = Set(copyist, retries=0)
        await read.read(site.base)
        assert await read.mend()
    assert site.asked.count("/a.md") == 1


async def test_a_reading_that_fails_keeps_the_stale_copy(site: SmallSite) -> None:
    stale = markdown("Story", updated=OLD)
    publish(site, cached(stale, Page(status=404)))
    async with copying(site.base) as copyist:
        read = Set(copyist)
        await read.read(site.base)
        before = read.copies["markdown"]
        assert await read.mend()
    assert read.copies["markdown"] == before
    assert site.asked.count("/a.md") == 2


async def test_a_way_of_disagreeing_that_stays_is_the_sites_own_and_not_retried(
    site: SmallSite,
) -> None:
    names = [f"a{number}" for number in range(STRUCTURAL + 2)]
    for name in names:
        publish(site, markdown("Story", updated=OLD), name)
    async with copying(site.base) as copyist:
        read = Set(copyist)
        torn = []
        for name in names:
            await read.read(site.base, name)
            torn.append(await read.mend())
    assert torn == [True] * STRUCTURAL + [False] * 2
    again = [name for name in names if site.asked.count(f"/{name}.md") > 1]
    assert again == names[:STRUCTURAL]


async def test_another_way_of_disagreeing_is_still_mended(site: SmallSite) -> None:
    for number in range(STRUCTURAL):
        publish(site, markdown("Story", updated=OLD), f"a{number}")
    site.pages["/b.md"] = markdown("Story", updated=NEW)
    site.pages["/b"] = cached(article("Story", modified=OLD), article("Story", modified=NEW))
    async with copying(site.base) as copyist:
        read = Set(copyist)
        for number in range(STRUCTURAL):
            await read.read(site.base, f"a{number}")
            await read.mend()
        await read.read(site.base, "b")
        assert read.stale == {"html"}
        assert await read.mend()
        assert read.stale == frozenset()


async def test_sets_that_were_mended_make_no_way_of_the_sites_own(site: SmallSite) -> None:
    mends = cached(markdown("Story", updated=OLD), markdown("Story", updated=NEW))
    async with copying(site.base) as copyist:
        read = Set(copyist)
        for number in range(STRUCTURAL + 1):
            publish(site, mends, f"a{number}")
            await read.read(site.base, f"a{number}")
            assert await read.mend()
