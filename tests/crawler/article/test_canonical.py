"""Following a canonical link: what proves it, what does not, and how often it is looked at."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from crawler.article.canonical import CanonicalFollower, Identity
from crawler.article.copies import Copyist
from crawler.urls import in_scope
from tests.crawler.copying import copying, markdown, place
from tests.crawler.small_site import Page, SmallSite, article


@pytest.fixture
async def site() -> AsyncIterator[SmallSite]:
    async with SmallSite() as small:
        yield small


def inside(site: SmallSite) -> Callable[[str], bool]:
    return lambda url: in_scope(url, f"{site.base}/")


async def identify(copyist: Copyist, follower: CanonicalFollower, url: str) -> Identity:
    return await follower.identify(url, await copyist.copy(place(url)))


async def identity_of(site: SmallSite, path: str = "/print") -> Identity:
    async with copying(site.base) as copyist:
        return await identify(copyist, CanonicalFollower(copyist, inside(site)), site.base + path)


async def test_a_page_without_a_canonical_is_the_article_where_it_answered(site: SmallSite) -> None:
    site.pages |= {"/old": Page(status=301, headers={"Location": "/a"}), "/a": article("Story")}
    found = await identity_of(site, "/old")
    assert found.url == f"{site.base}/a"
    assert found.aliases == {f"{site.base}/old"}
    assert found.findings == ()


async def test_a_canonical_that_names_the_page_itself_costs_no_request(site: SmallSite) -> None:
    site.pages["/a"] = article("Story", canonical="BASE/a")
    await identity_of(site, "/a")
    assert site.asked == ["/robots.txt", "/a"]


async def test_a_canonical_that_proves_itself_is_the_article_and_its_page(site: SmallSite) -> None:
    site.pages |= {"/print": article("Story", canonical="BASE/a"), "/a": article("Story")}
    found = await identity_of(site)
    assert found.url == f"{site.base}/a"
    assert found.aliases == {f"{site.base}/print"}
    assert found.page.representation.url == f"{site.base}/a"
    assert found.findings == ()


async def test_where_a_canonical_redirects_is_the_article_and_the_rest_are_aliases(
    site: SmallSite,
) -> None:
    site.pages |= {"/print": article("Story", canonical="BASE/a"), "/b": article("Story")}
    site.pages["/a"] = Page(status=301, headers={"Location": "/b"})
    found = await identity_of(site)
    assert found.url == f"{site.base}/b"
    assert found.aliases == {f"{site.base}/print", f"{site.base}/a"}


@pytest.mark.parametrize(
    "target",
    [
        article("Story", canonical="BASE/elsewhere"),
        article("Another title", words="And other words than those. " * 30),
        Page(status=404),
        markdown("Story"),
    ],
    ids=["not-its-own-canonical", "another-article", "not-there", "no-page"],
)
async def test_a_target_that_is_no_proof_is_a_finding_and_the_page_keeps_its_url(
    site: SmallSite, target: Page
) -> None:
    site.pages |= {"/print": article("Story", canonical="BASE/a"), "/a": target}
    found = await identity_of(site)
    assert (found.url, found.aliases) == (f"{site.base}/print", frozenset())
    assert [each.kind for each in found.findings] == ["canonical-conflict"]
    assert f"html names {site.base}/a" in found.findings[0].detail


async def test_a_target_outside_of_the_scope_is_not_asked_for(site: SmallSite) -> None:
    site.pages["/news/a"] = article("Story", canonical="BASE/other/a")
    site.pages["/other/a"] = article("Story")
    async with copying(site.base) as copyist:
        follower = CanonicalFollower(copyist, lambda url: in_scope(url, f"{site.base}/news/"))
        found = await identify(copyist, follower, f"{site.base}/news/a")
    assert found.url == f"{site.base}/news/a"
    assert [each.kind for each in found.findings] == ["canonical-conflict"]
    assert "/other/a" not in site.asked


async def test_a_target_that_robots_txt_forbids_is_no_proof(site: SmallSite) -> None:
    site.pages["/robots.txt"] = Page(body="User-agent: *\nDisallow: /a")
    site.pages |= {"/print": article("Story", canonical="BASE/a"), "/a": article("Story")}
    found = await identity_of(site)
    assert found.url == f"{site.base}/print"
    assert "/a" not in site.asked


@pytest.mark.parametrize("there", [True, False])
async def test_a_canonical_is_looked_at_once_for_many_pages(site: SmallSite, there: bool) -> None:
    paths = [f"/a?print={number}" for number in range(20)]
    site.pages |= {path: article("Story", canonical="BASE/a") for path in paths}
    if there:
        site.pages["/a"] = article("Story")
    async with copying(site.base) as copyist:
        follower = CanonicalFollower(copyist, inside(site))
        urls = [site.base + path for path in paths]
        found = await asyncio.gather(*(identify(copyist, follower, url) for url in urls))
        late = await identify(copyist, follower, urls[0])
    assert site.asked.count("/a") == 1
    wanted = {f"{site.base}/a"} if there else set(urls)
    assert {each.url for each in (*found, late)} == wanted


async def test_a_text_is_never_led_elsewhere_by_its_canonical(site: SmallSite) -> None:
    site.pages["/a.md"] = markdown("Story", canonical="/a")
    found = await identity_of(site, "/a.md")
    assert found.url == f"{site.base}/a.md"
    assert site.asked == ["/robots.txt", "/a.md"]
