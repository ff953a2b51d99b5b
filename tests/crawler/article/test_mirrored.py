"""An article that another mirror lists: which formats are fetched, and as whose they are read."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator

import pytest
from msgspec import structs

from crawler.article.copies import Copy, CopyFailed
from crawler.article.format_set import FormatSet, Known
from crawler.article.mirrored import DECLARER, fetch_listed, has_all, is_wrapped, last_listed
from crawler.listed import Listed, Resource
from storage.model import Manifest
from tests.crawler.copying import Shelf, alternate, copying, markdown
from tests.crawler.small_site import Page, SmallSite, article

NEWS = "https://news.example"
PAGES = {
    "html": article("Story", head=f'{alternate("text/plain", f"{NEWS}/a.txt")}'
                    '<a href="../b">the other</a>'),
    "markdown": markdown("Story"),
}  # fmt: skip


@pytest.fixture
async def site() -> AsyncIterator[SmallSite]:
    async with SmallSite({f"/latest/{name}": page for name, page in PAGES.items()}) as small:
        yield small


def listed(site: SmallSite, **pages: Page) -> Listed:
    formats = [
        Resource(
            url=f"{site.base}/latest/{name}",
            digest=hashlib.sha256(page.body.encode()).hexdigest(),
            via=f"{NEWS}/a/{name}",
            slug="story",
            format=name,
        )
        for name, page in (PAGES | pages).items()
    ]
    return Listed(slug="story", formats=tuple(formats))


async def fetched(
    site: SmallSite, what: Listed, known: Known | None = None, *, wanted: tuple[str, ...] = ()
) -> FormatSet:
    async with copying(site.base, shelf=Shelf()) as copyist:
        names = frozenset(wanted)
        formats = FormatSet(copyist, known or Known(), names, 2**20)
        await fetch_listed(what, formats, copyist, known or Known(), names)
    return formats


def kept(copies: dict[str, Copy]) -> Manifest:
    newest = Shelf().known(copies.values()).newest
    assert newest is not None
    return newest


async def test_all_that_is_listed_is_fetched_and_nothing_else(site: SmallSite) -> None:
    formats = await fetched(site, listed(site))
    assert sorted(formats.copies) == ["html", "markdown"]
    assert formats.missing == {}
    assert site.asked == ["/robots.txt", "/latest/html", "/latest/markdown"]
    for name, copy in formats.copies.items():
        assert copy.representation.via == f"{NEWS}/a/{name}"
        assert copy.representation.declared_by == (DECLARER,)


async def test_links_are_meant_as_at_the_publisher(site: SmallSite) -> None:
    page = (await fetched(site, listed(site))).copies["html"]
    assert page.facts.anchors == (f"{NEWS}/b",)
    assert all(link.rel != "alternate" for link in page.facts.links)


async def test_other_bytes_than_listed_are_a_missing_format(site: SmallSite) -> None:
    site.pages["/latest/markdown"] = markdown("Another story")
    formats = await fetched(site, listed(site))
    assert list(formats.copies) == ["html"]
    assert formats.missing["markdown"].startswith("it has other bytes than its list says")


async def test_without_what_stands_for_it_the_article_fails(site: SmallSite) -> None:
    site.pages["/latest/html"] = Page(status=410)
    with pytest.raises(CopyFailed) as failed:
        await fetched(site, listed(site))
    assert failed.value.status == 410
    assert "/latest/markdown" not in site.asked


async def test_only_wanted_formats_are_fetched(site: SmallSite) -> None:
    assert list((await fetched(site, listed(site), wanted=("markdown",))).copies) == ["markdown"]
    with pytest.raises(CopyFailed) as failed:
        await fetched(site, listed(site), wanted=("pdf",))
    assert failed.value.disallowed


async def test_a_format_that_is_listed_no_more_is_withdrawn(site: SmallSite) -> None:
    both = await fetched(site, listed(site))
    what = listed(site)
    formats = await fetched(
        site, structs.replace(what, formats=what.formats[:1]), Shelf().known(both.copies.values())
    )
    assert formats.withdrawn() == {"markdown"}


async def test_what_is_here_is_told_by_its_hashes(site: SmallSite) -> None:
    what, newest = listed(site), kept((await fetched(site, listed(site))).copies)
    assert has_all(newest, what, frozenset())
    assert not has_all(None, what, frozenset())
    assert not has_all(newest, structs.replace(what, gone=True), frozenset())
    assert not has_all(newest, structs.replace(what, formats=what.formats[:1]), frozenset())
    assert not has_all(newest, listed(site, markdown=markdown("Another")), frozenset())
    assert not has_all(structs.replace(newest, missing={"text": "404"}), what, frozenset())
    page = structs.replace(newest, representations=newest.representations[:1])
    assert has_all(page, what, frozenset({"html"}))


async def test_an_article_of_another_mirror_is_read_again_as_one(site: SmallSite) -> None:
    newest = kept((await fetched(site, listed(site))).copies)
    again = last_listed(newest)
    assert again is not None
    assert [each.via for each in again.formats] == [f"{NEWS}/a/html", f"{NEWS}/a/markdown"]
    assert (await fetched(site, again)).missing == {}
    own = [structs.replace(each, via="") for each in newest.representations]
    assert last_listed(structs.replace(newest, representations=tuple(own))) is None
    assert last_listed(None) is None


async def test_the_publisher_is_known_by_its_host(site: SmallSite) -> None:
    copies = (await fetched(site, listed(site))).copies.values()
    assert is_wrapped(copies, f"{NEWS}/elsewhere")
    assert not is_wrapped(copies, "https://other.example/a")
    assert not is_wrapped([], f"{NEWS}/elsewhere")
