"""A whole format set: what is asked for and how, what is missing, and what was withdrawn."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest
from msgspec import structs

from crawler.article.copies import Copy, Copyist
from crawler.article.format_set import FormatSet, Known
from crawler.declared import MAX_FORMATS
from crawler.facts import Link
from crawler.transport.faults import HostResting
from storage.model import Validator
from tests.crawler.copying import MOST, Shelf, alternate, copying, markdown, place
from tests.crawler.readings import first, says, shown
from tests.crawler.small_site import Page, SmallSite, article

TEXT = "text/plain"
MARKDOWN = "text/markdown"


@pytest.fixture
async def site() -> AsyncIterator[SmallSite]:
    async with SmallSite() as small:
        yield small


@pytest.fixture
async def other() -> AsyncIterator[SmallSite]:
    async with SmallSite() as small:
        yield small


@asynccontextmanager
async def reading(
    site: SmallSite,
    *named: str,
    known: Known | None = None,
    shelf: Shelf | None = None,
    wanted: frozenset[str] = frozenset(),
    most: int = MOST,
    strikes: int = 5,
) -> AsyncIterator[tuple[Copyist, FormatSet]]:
    async with copying(site.base, *named, shelf=shelf, strikes=strikes) as copyist:
        yield copyist, FormatSet(copyist, known or Known(), wanted, most)


async def page_of(site: SmallSite, copyist: Copyist) -> Copy:
    return await copyist.copy(place(f"{site.base}/a"))


def declaring(*links: str) -> Page:
    return article("Story", head="".join(links))


def plain() -> Page:
    return Page(body="The words of the story, and no more.", type=TEXT)


class TestComplete:
    """Everything that is declared is asked for, once."""

    async def test_a_format_that_only_an_alternate_declares_is_fetched_too(
        self, site: SmallSite
    ) -> None:
        record = {"title": "Story", "alternates": {"text": f"{site.base}/a.txt"}}
        site.pages["/a.json"] = Page(
            body=msgspec.json.encode(record).decode(), type="application/json"
        )
        site.pages["/a"] = declaring(alternate("application/json", "/a.json"))
        site.pages["/a.txt"] = plain()
        async with reading(site) as (copyist, formats):
            formats.put(await page_of(site, copyist))
            await formats.complete()
        assert formats.copies.keys() == {"html", "json", "text"}
        assert sorted(site.asked) == ["/a", "/a.json", "/a.txt", "/robots.txt"]

    async def test_only_wanted_formats_are_asked_for_and_kept(self, site: SmallSite) -> None:
        site.pages["/a"] = declaring(alternate(MARKDOWN, "/a.md"), alternate(TEXT, "/a.txt"))
        site.pages |= {"/a.md": markdown("Story"), "/a.txt": plain()}
        async with reading(site, wanted=frozenset({"text"})) as (copyist, formats):
            formats.put(await page_of(site, copyist))
            await formats.complete()
        assert formats.copies.keys() == {"text"}
        assert "/a.md" not in site.asked

    async def test_a_format_that_fails_is_missing_with_the_reason_and_asked_once(
        self, site: SmallSite
    ) -> None:
        site.pages["/a"] = declaring(alternate(MARKDOWN, "/a.md"), alternate(TEXT, "/a.txt"))
        site.pages["/a.txt"] = plain()
        async with reading(site) as (copyist, formats):
            formats.put(await page_of(site, copyist))
            await formats.complete()
        assert formats.copies.keys() == {"html", "text"}
        assert formats.missing.keys() == {"markdown"}
        assert "404" in formats.missing["markdown"]
        assert site.asked.count("/a.md") == 1

    async def test_a_set_has_a_bound_in_bytes(self, site: SmallSite) -> None:
        site.pages["/a"] = declaring(alternate(MARKDOWN, "/a.md"))
        site.pages["/a.md"] = markdown("Story", words="word " * 4000)
        async with reading(site, most=10_000) as (copyist, formats):
            formats.put(await page_of(site, copyist))
            await formats.complete()
        assert formats.copies.keys() == {"html"}
        assert formats.missing == {"markdown": "the set is larger than 10,000 bytes"}

    async def test_a_set_has_a_bound_in_formats(self, site: SmallSite) -> None:
        kinds = [f"application/x-{number}" for number in range(MAX_FORMATS * 2)]
        links = [
            Link(rel="alternate", url=f"{site.base}/{n}", type=kind, declared_by="html")
            for n, kind in enumerate(kinds)
        ]
        async with reading(site) as (_, formats):
            formats.declare(links[:MAX_FORMATS])
            formats.declare(links[MAX_FORMATS:])
        assert len(formats.declared) == MAX_FORMATS

    async def test_what_was_declared_first_stays(self, site: SmallSite) -> None:
        first, second = (
            Link(rel="alternate", url=f"{site.base}/{name}", type=TEXT, declared_by="html")
            for name in "ab"
        )
        async with reading(site) as (_, formats):
            formats.declare([first])
            formats.declare([second])
        assert formats.declared["text"].url == f"{site.base}/a"


class TestHosts:
    """Whose turn is over decides how much has to wait."""

    async def test_an_alternate_on_another_host_whose_turn_is_over_is_missing(
        self, site: SmallSite, other: SmallSite
    ) -> None:
        site.pages["/a"] = declaring(alternate(MARKDOWN, f"{other.base}/a.md"))
        other.pages["/a.md"] = Page(status=503)
        async with reading(site, other.base, strikes=1) as (copyist, formats):
            formats.put(await page_of(site, copyist))
            await formats.complete()
        assert formats.copies.keys() == {"html"}
        assert formats.missing["markdown"]

    async def test_an_alternate_on_the_articles_own_host_makes_all_of_it_wait(
        self, site: SmallSite
    ) -> None:
        site.pages["/a"] = declaring(alternate(MARKDOWN, "/a.md"))
        site.pages["/a.md"] = Page(status=503)
        async with reading(site, strikes=1) as (copyist, formats):
            formats.put(await page_of(site, copyist))
            with pytest.raises(HostResting):
                await formats.complete()

    async def test_an_alternate_inside_our_network_is_missing(
        self, site: SmallSite, other: SmallSite
    ) -> None:
        site.pages["/a"] = declaring(alternate(MARKDOWN, f"{other.base}/a.md"))
        async with reading(site) as (copyist, formats):
            formats.put(await page_of(site, copyist))
            await formats.complete()
        assert formats.missing.keys() == {"markdown"}
        assert other.asked == []

    async def test_robots_txt_of_the_alternates_own_host_binds_it(
        self, site: SmallSite, other: SmallSite
    ) -> None:
        site.pages["/a"] = declaring(alternate(MARKDOWN, f"{other.base}/a.md"))
        other.pages |= {"/robots.txt": Page(body="User-agent: *\nDisallow: /")}
        async with reading(site, other.base) as (copyist, formats):
            formats.put(await page_of(site, copyist))
            await formats.complete()
        assert "disallowed" in formats.missing["markdown"]
        assert other.asked == ["/robots.txt"]


class TestAgain:
    """A set that an earlier snapshot knows."""

    @pytest.fixture
    def shelf(self, site: SmallSite) -> Shelf:
        tagged = {"/a": declaring(alternate(MARKDOWN, "/a.md"), alternate(TEXT, "/a.txt"))}
        tagged |= {"/a.md": markdown("Story"), "/a.txt": plain()}
        for path, page in tagged.items():
            site.pages[path] = structs.replace(page, headers={"ETag": f'"{path}"'})
        return Shelf()

    async def first(self, site: SmallSite, shelf: Shelf) -> Known:
        async with reading(site) as (copyist, formats):
            formats.put(await page_of(site, copyist))
            await formats.complete()
        site.asked.clear()
        site.heard.clear()
        return shelf.known(formats.copies.values())

    async def test_the_surest_text_is_asked_for_plainly_and_the_rest_conditionally(
        self, site: SmallSite, shelf: Shelf
    ) -> None:
        known = await self.first(site, shelf)
        async with reading(site, known=known, shelf=shelf) as (copyist, formats):
            formats.put(await page_of(site, copyist))
            await formats.complete()
        sent = dict(zip(site.asked, (h.get("If-None-Match") for h in site.heard), strict=True))
        assert (sent["/a.md"], sent["/a.txt"]) == (None, '"/a.txt"')

    async def test_a_body_that_was_not_stored_has_no_validator(
        self, site: SmallSite, shelf: Shelf
    ) -> None:
        known = await self.first(site, shelf)
        assert known.newest is not None
        bare = tuple(structs.replace(r, record_id="") for r in known.newest.representations)
        newest = structs.replace(known.newest, representations=bare)
        assert known.conditional()
        assert structs.replace(known, newest=newest).conditional() == {}

    async def test_a_declarer_that_fails_leaves_the_last_known_set_owed(
        self, site: SmallSite, shelf: Shelf
    ) -> None:
        known = await self.first(site, shelf)
        site.pages["/a"] = Page(status=500)
        async with reading(site, known=known, shelf=shelf) as (copyist, formats):
            formats.put(await copyist.copy(place(f"{site.base}/a.md", "markdown")))
            await formats.complete()
            assert formats.withdrawn() == frozenset()
        assert formats.copies.keys() == {"markdown", "text"}
        assert formats.missing.keys() == {"html"}

    async def test_a_declarer_that_answers_without_naming_a_format_withdraws_it(
        self, site: SmallSite, shelf: Shelf
    ) -> None:
        known = await self.first(site, shelf)
        site.pages["/a"] = declaring(alternate(MARKDOWN, "/a.md"))
        async with reading(site, known=known, shelf=shelf) as (copyist, formats):
            formats.put(await page_of(site, copyist))
            await formats.complete()
            assert formats.withdrawn() == {"text"}
        assert "/a.txt" not in site.asked

    async def test_a_format_is_not_withdrawn_while_another_that_declared_it_fails(
        self, site: SmallSite, shelf: Shelf
    ) -> None:
        known = await self.first(site, shelf)
        assert known.newest is not None
        both = tuple(
            structs.replace(r, declared_by=("html", "markdown")) if r.format == "text" else r
            for r in known.newest.representations
        )
        known = structs.replace(known, newest=structs.replace(known.newest, representations=both))
        site.pages["/a"] = declaring(alternate(MARKDOWN, "/a.md"))
        site.pages["/a.md"] = Page(status=500)
        async with reading(site, known=known, shelf=shelf) as (copyist, formats):
            formats.put(await page_of(site, copyist))
            await formats.complete()
            assert formats.withdrawn() == frozenset()
        assert "text" in formats.copies

    async def test_a_format_that_a_list_or_a_probe_gave_is_owed_though_no_page_names_it(
        self, site: SmallSite, shelf: Shelf
    ) -> None:
        known = await self.first(site, shelf)
        assert known.newest is not None
        given = tuple(
            structs.replace(r, declared_by=("probe",)) if r.format == "text" else r
            for r in known.newest.representations
        )
        known = structs.replace(known, newest=structs.replace(known.newest, representations=given))
        site.pages["/a"] = declaring(alternate(MARKDOWN, "/a.md"))
        async with reading(site, known=known, shelf=shelf) as (copyist, formats):
            formats.put(await page_of(site, copyist))
            await formats.complete()
            assert formats.withdrawn() == frozenset()
        assert formats.copies.keys() == {"html", "markdown", "text"}

    async def test_a_format_that_is_not_wanted_is_not_withdrawn(
        self, site: SmallSite, shelf: Shelf
    ) -> None:
        known = await self.first(site, shelf)
        only = frozenset({"html"})
        site.pages["/a"] = declaring()
        async with reading(site, known=known, shelf=shelf, wanted=only) as (copyist, formats):
            formats.put(await page_of(site, copyist))
            await formats.complete()
            assert formats.withdrawn() == frozenset()


class TestTwins:
    """A text twin that was read before its page."""

    async def test_it_is_the_format_where_the_page_names_none(self, site: SmallSite) -> None:
        site.pages |= {"/a": declaring(), "/a.md": markdown("Story")}
        async with reading(site) as (copyist, formats):
            formats.put(await page_of(site, copyist))
            formats.put_twin(await copyist.copy(place(f"{site.base}/a.md", "markdown", "feed")))
        assert formats.copies["markdown"].representation.declared_by == ("feed",)

    async def test_it_stands_under_the_pages_own_word_where_that_names_it(
        self, site: SmallSite
    ) -> None:
        site.pages |= {"/a": declaring(alternate(MARKDOWN, "/a.md")), "/a.md": markdown("Story")}
        async with reading(site) as (copyist, formats):
            formats.put(await page_of(site, copyist))
            formats.put_twin(await copyist.copy(place(f"{site.base}/a.md", "markdown", "feed")))
            await formats.complete()
        assert formats.copies["markdown"].representation.declared_by == ("html",)
        assert site.asked.count("/a.md") == 1

    async def test_it_gives_way_to_another_one_that_the_page_names(self, site: SmallSite) -> None:
        site.pages |= {"/a": declaring(alternate(MARKDOWN, "/b.md")), "/a.md": markdown("Story")}
        site.pages["/b.md"] = markdown("Story")
        async with reading(site) as (copyist, formats):
            formats.put(await page_of(site, copyist))
            formats.put_twin(await copyist.copy(place(f"{site.base}/a.md", "markdown", "feed")))
            await formats.complete()
        assert formats.copies["markdown"].representation.url == f"{site.base}/b.md"


@pytest.mark.parametrize(("name", "asked"), [("html", True), ("pdf", False)])
def test_a_validator_of_bytes_that_are_not_stored_is_used_where_words_are_compared(
    name: str, asked: bool
) -> None:
    seen = structs.replace(shown(name), digest="a" * 64, record_id="urn:uuid:1")
    page = first(says("html"))
    known = Known(
        newest=structs.replace(page, representations=(seen,)),
        validators={seen.url: Validator(url=seen.url, etag='"2"', digest="b" * 64)},
    )
    assert bool(known.stored()) is asked
