"""Looking for twins that nobody declares: once a site, and only the same words count."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping

import pytest
from msgspec import structs

from crawler.article.copies import Copy, Copyist
from crawler.article.probe import MOST_PAGELESS, PageFinder, Prober, same_words
from crawler.discovery.memory import Memory
from crawler.facts import Facts
from crawler.urls import in_scope
from tests.crawler.copying import copying, markdown, place
from tests.crawler.small_site import Page, SmallSite, article

WORDS = "The harbour clock was wound again this morning by somebody unseen. " * 12


@pytest.fixture
async def site() -> AsyncIterator[SmallSite]:
    async with SmallSite() as small:
        yield small


def page(title: str, words: str = WORDS) -> Page:
    return article(title, words=words)


def twin(title: str, words: str = WORDS) -> Page:
    return markdown(title, words=words)


async def probed(copyist: Copyist, prober: Prober, url: str) -> dict[str, Copy]:
    return await prober.probe(await copyist.copy(place(url)))


class TestProber:
    """Text twins of pages."""

    async def test_what_held_on_the_first_article_alone_is_tried_on_the_next(
        self, site: SmallSite
    ) -> None:
        site.pages |= {"/a": page("A"), "/a.md": twin("A"), "/b": page("B"), "/b.md": twin("B")}
        async with copying(site.base) as copyist:
            prober = Prober(copyist, Memory.none())
            first = await probed(copyist, prober, f"{site.base}/a")
            asked = len(site.asked)
            second = await probed(copyist, prober, f"{site.base}/b")
        assert list(first) == list(second) == ["markdown"]
        assert site.asked[asked:] == ["/b", "/b.md"]

    async def test_a_site_without_twins_is_asked_once(self, site: SmallSite) -> None:
        site.pages |= {"/a": page("A"), "/b": page("B")}
        async with copying(site.base) as copyist:
            prober = Prober(copyist, Memory.none())
            assert await probed(copyist, prober, f"{site.base}/a") == {}
            assert {"/a.md", "/a.txt", "/a.jsonld"} <= set(site.asked)
            asked = len(site.asked)
            assert await probed(copyist, prober, f"{site.base}/b") == {}
        assert site.asked[asked:] == ["/b"]

    async def test_articles_read_together_wait_for_the_first_ones_answer(
        self, site: SmallSite
    ) -> None:
        names = [f"/{number}" for number in range(8)]
        site.pages |= {name: page(name) for name in names}
        async with copying(site.base) as copyist:
            prober = Prober(copyist, Memory.none())
            await asyncio.gather(*(probed(copyist, prober, site.base + name) for name in names))
        assert len([path for path in site.asked if path.endswith(".md")]) == 1

    async def test_other_words_under_a_twins_name_are_no_twin(self, site: SmallSite) -> None:
        site.pages |= {"/a": page("A"), "/a.md": twin("A", "Nothing to see over there, friends. ")}
        async with copying(site.base) as copyist:
            assert await probed(copyist, Prober(copyist, Memory.none()), f"{site.base}/a") == {}

    async def test_markdown_by_negotiation_is_found_and_used_again(self, site: SmallSite) -> None:
        def either(sent: Mapping[str, str]) -> Page:
            return twin("A") if sent["Accept"] == "text/markdown" else page("A")

        site.pages |= {"/a": either, "/b": either}
        async with copying(site.base) as copyist:
            prober = Prober(copyist, Memory.none())
            first = await probed(copyist, prober, f"{site.base}/a")
            asked = len(site.asked)
            second = await probed(copyist, prober, f"{site.base}/b")
        assert first["markdown"].representation.request == {"Accept": "text/markdown"}
        assert second["markdown"].representation.url == f"{site.base}/b"
        assert site.asked[asked:] == ["/b", "/b"]

    async def test_a_probed_copy_says_that_it_was_probed(self, site: SmallSite) -> None:
        site.pages |= {"/a": page("A"), "/a.md": twin("A")}
        async with copying(site.base) as copyist:
            found = await probed(copyist, Prober(copyist, Memory.none()), f"{site.base}/a")
        assert found["markdown"].representation.declared_by == ("probe",)


class TestPageFinder:
    """Pages of text twins."""

    def finder(self, site: SmallSite, copyist: Copyist) -> PageFinder:
        return PageFinder(
            copyist, lambda url: in_scope(url, f"{site.base}/"), "text/html", Memory.none()
        )

    async def test_the_page_is_looked_for_where_it_held_before(self, site: SmallSite) -> None:
        site.pages |= {"/a.html": page("A"), "/a.md": twin("A")}
        site.pages |= {"/b.html": page("B"), "/b.md": twin("B")}
        async with copying(site.base) as copyist:
            finder = self.finder(site, copyist)
            first = await finder.find(await copyist.copy(place(f"{site.base}/a.md")))
            asked = len(site.asked)
            second = await finder.find(await copyist.copy(place(f"{site.base}/b.md")))
        assert first is not None
        assert second is not None
        assert second.final_url == f"{site.base}/b.html"
        assert site.asked[asked:] == ["/b.md", "/b.html"]

    async def test_a_page_with_other_words_is_not_the_twins(self, site: SmallSite) -> None:
        site.pages |= {"/a": page("A", "Quite another matter entirely. " * 30), "/a.md": twin("A")}
        async with copying(site.base) as copyist:
            finder = self.finder(site, copyist)
            assert await finder.find(await copyist.copy(place(f"{site.base}/a.md"))) is None

    async def test_a_site_of_text_alone_is_not_asked_for_pages_for_ever(
        self, site: SmallSite
    ) -> None:
        names = [f"/{number}.md" for number in range(MOST_PAGELESS + 3)]
        site.pages |= {name: twin(name) for name in names}
        async with copying(site.base) as copyist:
            finder = self.finder(site, copyist)
            for name in names:
                await finder.find(await copyist.copy(place(site.base + name)))
        tried = {path.strip("/").partition(".")[0] for path in site.asked if ".md" not in path}
        assert tried - {"robots"} == {str(number) for number in range(MOST_PAGELESS)}

    async def test_a_page_outside_of_the_site_is_not_asked_for(self, site: SmallSite) -> None:
        site.pages |= {"/a": page("A"), "/a.md": twin("A")}
        async with copying(site.base) as copyist:
            finder = PageFinder(copyist, lambda _url: False, "text/html", Memory.none())
            assert await finder.find(await copyist.copy(place(f"{site.base}/a.md"))) is None
        assert "/a" not in site.asked


HTML = Facts(source="html", extractor="x", words="the bridge over river closes")


@pytest.mark.parametrize(
    ("words", "same"),
    [
        ("Bridge, over RIVER!", True),
        ("bridge and over", True),
        ("only the bridge", False),
        ("", False),
    ],
)
def test_half_of_the_longer_words_make_two_documents_one(words: str, same: bool) -> None:
    text = Facts(source="text", extractor="x", body=words)
    assert same_words(HTML, text) is same


def test_a_page_without_words_is_like_nothing() -> None:
    empty = structs.replace(HTML, words="")
    assert not same_words(empty, empty)
